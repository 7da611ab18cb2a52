#pragma once
// when_any: children that run in parallel; the first to end decides, the others are cancelled (join_scope.hpp).

#include <sluice/runtime/join_scope.hpp>

#include <exception>
#include <tuple>
#include <variant>

namespace sluice {
namespace impl {

template <class... T>
class [[nodiscard]] when_any_awaiter {
  using answer = std::variant<stored<T>...>;

 public:
  when_any_awaiter(std::tuple<task<T>...>&& tasks, task_context& parent)
      : scope_(parent, "when_any", decides::first_end), children_(as_rvalues(tasks)) {}

  bool await_ready() noexcept { return scope_.refuse(); }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept {
    add_children(scope_, children_);
    return transfer(scope_.start(self));
  }
  answer await_resume() {
    scope_.check();
    return take<0>(scope_.decided());
  }

 private:
  template <std::size_t N>
  answer take(const join_child* winner) {
    auto& child = std::get<N>(children_);
    if constexpr (N + 1 < sizeof...(T)) {
      if (static_cast<const join_child*>(&child) != winner) return take<N + 1>(winner);
    }
    if (child.outcome.has_error()) std::rethrow_exception(child.take_error());
    return answer(std::in_place_index<N>, std::move(child.outcome.value()));
  }

  join_scope scope_;
  std::tuple<typed_child<T>...> children_;
};

template <class... T>
class [[nodiscard]] when_any_operation {
 public:
  explicit when_any_operation(task<T>&&... tasks) : tasks_(std::move(tasks)...) {}
  when_any_awaiter<T...> bind(task_context& parent) && { return {std::move(tasks_), parent}; }

 private:
  std::tuple<task<T>...> tasks_;
};

}  // namespace impl

/// Runs the tasks in parallel; the first to end gives the answer: its result, by position (void as std::monostate), or its exception.
/// The others are cancelled, and have ended before this returns; what they returned is destroyed, an item that
/// one of them took from a queue too: to get from a queue until something else happens, loop over timeout(d, q.get()), or let
/// close() of the queue end the wait. Cancellation of the caller is passed on to all; entered in an already cancelled task it throws sluice::cancelled and
/// starts nothing. A task that was used already: std::logic_error, nothing starts.
template <class First, class... T>
impl::when_any_operation<First, T...> when_any(task<First> first, task<T>... others) {
  impl::task_access::check(first);
  (impl::task_access::check(others), ...);
  return impl::when_any_operation<First, T...>(std::move(first), std::move(others)...);
}

}  // namespace sluice
