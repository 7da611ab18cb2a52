#pragma once
// when_all: children that run in parallel; the first failure cancels the others (join_scope.hpp).

#include <sluice/runtime/join_scope.hpp>

#include <exception>
#include <tuple>
#include <vector>

namespace sluice {
namespace impl {

inline constexpr join_kind when_all_kind{"when_all", decides::first_failure};

template <class... T>
class [[nodiscard]] when_all_awaiter {
 public:
  when_all_awaiter(child_list<T...>& children, task_context& parent)
      : scope_(parent, when_all_kind), children_(children) {}
  when_all_awaiter(const when_all_awaiter&) = delete;
  when_all_awaiter& operator=(const when_all_awaiter&) = delete;

  bool await_ready() noexcept { return scope_.refuse() || sizeof...(T) == 0; }
  [[gnu::always_inline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept {
    children_.belong_to(scope_);
    return transfer(scope_.start(self));
  }
  std::tuple<stored<T>...> await_resume() {
    if (scope_.check()) [[unlikely]]
      std::rethrow_exception(scope_.decided()->take_error());
    return children_.apply(
        [](auto&... child) { return std::tuple<stored<T>...>(std::move(child.outcome.value())...); });
  }

 private:
  join_scope scope_;
  child_list<T...>& children_;
};

template <class T>
class [[nodiscard]] when_all_vector_awaiter {
 public:
  when_all_vector_awaiter(std::vector<task<T>>& tasks, task_context& parent)
      : scope_(parent, when_all_kind), children_(tasks) {
    if constexpr (!std::is_void_v<T>) values_.reserve(tasks.size());
  }

  bool await_ready() noexcept { return scope_.refuse() || children_.size() == 0; }
  [[gnu::always_inline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept {
    children_.belong_to(scope_);
    return transfer(scope_.start(self));
  }
  auto await_resume() {
    if (scope_.check()) [[unlikely]]
      std::rethrow_exception(scope_.decided()->take_error());
    if constexpr (!std::is_void_v<T>) {
      for (std::size_t i = 0; i < children_.size(); ++i) values_.push_back(std::move(children_[i].outcome.value()));
      return std::move(values_);
    }
  }

 private:
  join_scope scope_;
  child_array<T> children_;
  std::vector<stored<T>> values_;
};

template <class... T>
class [[nodiscard]] when_all_operation {
 public:
  using only_runs_tasks = void;

  [[gnu::always_inline]] explicit when_all_operation(task<T>&&... tasks) : children_(std::move(tasks)...) {}
  when_all_awaiter<T...> bind(task_context& parent) && {
    children_.check();
    return {children_, parent};
  }

 private:
  child_list<T...> children_;
};

template <class T>
class [[nodiscard]] when_all_vector_operation {
 public:
  using only_runs_tasks = void;

  explicit when_all_vector_operation(std::vector<task<T>>&& tasks) noexcept : tasks_(std::move(tasks)) {}
  when_all_vector_awaiter<T> bind(task_context& parent) && { return {tasks_, parent}; }

 private:
  std::vector<task<T>> tasks_;
};

}  // namespace impl

/// Runs the tasks in parallel and gives all their results, in order (void as std::monostate). The first failure cancels the
/// others; all have ended before it is rethrown. Cancellation of the caller is passed on to all; entered in an already cancelled
/// task it throws sluice::cancelled and starts nothing. A task that was used already: std::logic_error, nothing starts.
///
/// The first begins at once, on this worker. The others begin in order, whenever this worker comes to them or another
/// one is free: until then they cost a few nanoseconds and no read-modify-write, so that no cut-off is needed.
template <class... T>
impl::when_all_operation<T...> when_all(task<T>... tasks) {
  return impl::when_all_operation<T...>(std::move(tasks)...);
}
/// The same for any number of tasks of one type; none completes at once.
template <class T>
impl::when_all_vector_operation<T> when_all(std::vector<task<T>> tasks) {
  for (auto& t : tasks) impl::task_access::check(t);
  return impl::when_all_vector_operation<T>(std::move(tasks));
}

}  // namespace sluice
