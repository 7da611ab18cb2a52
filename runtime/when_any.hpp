#pragma once
// when_any: children that run in parallel; the first to end decides, the others are cancelled (join_scope.hpp).

#include <sluice/runtime/join_scope.hpp>

#include <exception>
#include <tuple>
#include <variant>

namespace sluice {
namespace impl {

inline constexpr split_kind when_any_kind{"when_any", decides::first_end};

template <class... T>
class [[nodiscard]] when_any_awaiter {
  using answer = std::variant<stored<T>...>;

 public:
  when_any_awaiter(child_list<T...>& children, task_context& parent)
      : scope_(parent, when_any_kind), children_(children) {}
  when_any_awaiter(const when_any_awaiter&) = delete;
  when_any_awaiter& operator=(const when_any_awaiter&) = delete;

  bool await_ready() noexcept { return scope_.refuse(); }
  [[gnu::always_inline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept {
    children_.belong_to(scope_);
    return transfer(scope_.start(self));
  }
  answer await_resume() {
    (void)scope_.check();
    return children_.apply([this](auto&... child) { return take<0>(scope_.decided(), child...); });
  }

 private:
  template <std::size_t N, class Child, class... Others>
  static answer take(const join_child* winner, Child& child, Others&... others) {
    if constexpr (sizeof...(Others) > 0) {
      if (static_cast<const join_child*>(&child) != winner) return take<N + 1>(winner, others...);
    }
    if (child.outcome.has_error()) std::rethrow_exception(child.take_error());
    return answer(std::in_place_index<N>, std::move(child.outcome.value()));
  }

  join_scope scope_;
  child_list<T...>& children_;
};

template <class... T>
class [[nodiscard]] when_any_operation {
 public:
  using only_runs_tasks = void;

  explicit when_any_operation(task<T>&&... tasks) : children_(std::move(tasks)...) {}
  when_any_awaiter<T...> bind(task_context& parent) && {
    children_.check();
    return {children_, parent};
  }

 private:
  child_list<T...> children_;
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
