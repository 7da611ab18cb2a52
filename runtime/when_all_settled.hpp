#pragma once
// when_all_settled: children that run in parallel to their ends, whatever becomes of the others (join_scope.hpp).

#include <sluice/runtime/join_scope.hpp>
#include <sluice/runtime/outcome.hpp>

#include <tuple>
#include <vector>

namespace sluice {
namespace impl {

inline constexpr split_kind settled_kind{"when_all_settled", decides::nobody};

template <class... T>
class [[nodiscard]] settled_awaiter {
 public:
  settled_awaiter(child_list<T...>& children, task_context& parent)
      : scope_(parent, settled_kind), children_(children) {}
  settled_awaiter(const settled_awaiter&) = delete;
  settled_awaiter& operator=(const settled_awaiter&) = delete;

  bool await_ready() noexcept { return scope_.refuse() || sizeof...(T) == 0; }
  [[gnu::always_inline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept {
    children_.belong_to(scope_);
    return transfer(scope_.start(self));
  }
  std::tuple<outcome<T>...> await_resume() {
    (void)scope_.check();
    return children_.apply([](auto&... child) { return std::tuple<outcome<T>...>(outcome<T>(child.outcome)...); });
  }

 private:
  join_scope scope_;
  child_list<T...>& children_;
};

template <class T>
class [[nodiscard]] settled_vector_awaiter {
 public:
  settled_vector_awaiter(std::vector<task<T>>& tasks, task_context& parent)
      : scope_(parent, settled_kind), children_(tasks) {
    outcomes_.reserve(tasks.size());
  }

  bool await_ready() noexcept { return scope_.refuse() || children_.size() == 0; }
  [[gnu::always_inline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept {
    children_.belong_to(scope_);
    return transfer(scope_.start(self));
  }
  std::vector<outcome<T>> await_resume() {
    (void)scope_.check();
    for (std::size_t i = 0; i < children_.size(); ++i) outcomes_.emplace_back(children_[i].outcome);
    return std::move(outcomes_);
  }

 private:
  join_scope scope_;
  child_array<T> children_;
  std::vector<outcome<T>> outcomes_;
};

template <class... T>
class [[nodiscard]] settled_operation {
 public:
  using only_runs_tasks = void;

  explicit settled_operation(task<T>&&... tasks) : children_(std::move(tasks)...) {}
  settled_awaiter<T...> bind(task_context& parent) && {
    children_.check();
    return {children_, parent};
  }

 private:
  child_list<T...> children_;
};

template <class T>
class [[nodiscard]] settled_vector_operation {
 public:
  using only_runs_tasks = void;

  explicit settled_vector_operation(std::vector<task<T>>&& tasks) noexcept : tasks_(std::move(tasks)) {}
  settled_vector_awaiter<T> bind(task_context& parent) && { return {tasks_, parent}; }

 private:
  std::vector<task<T>> tasks_;
};

}  // namespace impl

/// Runs the tasks in parallel, each to its own end, and gives an outcome for each: a failure stops nobody else and is not thrown.
/// Cancellation of the caller is passed on to all of them; entered in an already cancelled task it throws sluice::cancelled and starts
/// nothing. A task that was used already: std::logic_error, nothing starts.
template <class... T>
impl::settled_operation<T...> when_all_settled(task<T>... tasks) {
  (impl::task_access::check(tasks), ...);
  return impl::settled_operation<T...>(std::move(tasks)...);
}
/// The same for any number of tasks of one type; none completes at once.
template <class T>
impl::settled_vector_operation<T> when_all_settled(std::vector<task<T>> tasks) {
  for (auto& t : tasks) impl::task_access::check(t);
  return impl::settled_vector_operation<T>(std::move(tasks));
}

}  // namespace sluice
