#pragma once
// when_all: children that run in parallel; the first failure cancels the others (join_scope.hpp).

#include <sluice/runtime/join_scope.hpp>

#include <exception>
#include <tuple>
#include <vector>

namespace sluice {
namespace impl {

template <class... T>
class [[nodiscard]] when_all_awaiter {
 public:
  when_all_awaiter(std::tuple<task<T>...>&& tasks, task_context& parent)
      : scope_(parent, "when_all", decides::first_failure), children_(as_rvalues(tasks)) {}

  bool await_ready() noexcept { return scope_.refuse() || sizeof...(T) == 0; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept {
    add_children(scope_, children_);
    return transfer(scope_.start(self));
  }
  std::tuple<stored<T>...> await_resume() {
    scope_.check();
    if (join_child* failed = scope_.decided()) std::rethrow_exception(failed->take_error());
    return std::apply([](auto&... child) { return std::tuple<stored<T>...>(std::move(child.outcome.value())...); },
                      children_);
  }

 private:
  join_scope scope_;
  std::tuple<typed_child<T>...> children_;
};

template <class T>
class [[nodiscard]] when_all_vector_awaiter {
 public:
  when_all_vector_awaiter(std::vector<task<T>>& tasks, task_context& parent)
      : scope_(parent, "when_all", decides::first_failure), children_(tasks) {
    if constexpr (!std::is_void_v<T>) values_.reserve(tasks.size());
  }

  bool await_ready() noexcept { return scope_.refuse() || children_.size() == 0; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept {
    for (std::size_t i = children_.size(); i > 0; --i) scope_.add(children_[i - 1]);
    return transfer(scope_.start(self));
  }
  auto await_resume() {
    scope_.check();
    if (join_child* failed = scope_.decided()) std::rethrow_exception(failed->take_error());
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
  explicit when_all_operation(task<T>&&... tasks) : tasks_(std::move(tasks)...) {}
  when_all_awaiter<T...> bind(task_context& parent) && { return {std::move(tasks_), parent}; }

 private:
  std::tuple<task<T>...> tasks_;
};

template <class T>
class [[nodiscard]] when_all_vector_operation {
 public:
  explicit when_all_vector_operation(std::vector<task<T>>&& tasks) noexcept : tasks_(std::move(tasks)) {}
  when_all_vector_awaiter<T> bind(task_context& parent) && { return {tasks_, parent}; }

 private:
  std::vector<task<T>> tasks_;
};

}  // namespace impl

/// Runs the tasks in parallel and gives all their results, in order (void as std::monostate). The first failure cancels the
/// others; all have ended before it is rethrown. Cancellation of the caller is passed on to all; entered in an already cancelled
/// task it throws sluice::cancelled and starts nothing. A task that was used already: std::logic_error, nothing starts.
template <class... T>
impl::when_all_operation<T...> when_all(task<T>... tasks) {
  (impl::task_access::check(tasks), ...);
  return impl::when_all_operation<T...>(std::move(tasks)...);
}
/// The same for any number of tasks of one type; none completes at once.
template <class T>
impl::when_all_vector_operation<T> when_all(std::vector<task<T>> tasks) {
  for (auto& t : tasks) impl::task_access::check(t);
  return impl::when_all_vector_operation<T>(std::move(tasks));
}

}  // namespace sluice
