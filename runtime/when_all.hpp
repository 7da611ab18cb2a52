#pragma once
// when_all: children that run in parallel; the first failure cancels the others (join_scope.hpp).

#include <sluice/runtime/awaited_once.hpp>
#include <sluice/runtime/callable.hpp>
#include <sluice/runtime/each_scope.hpp>
#include <sluice/runtime/index_range.hpp>
#include <sluice/runtime/join_scope.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <tuple>
#include <vector>

namespace sluice {
namespace impl {

inline constexpr split_kind when_all_kind{"when_all", decides::first_failure};

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

template <class F, class Index>
using task_for = std::invoke_result_t<F&, Index>;

template <class F, class Index>
concept makes_tasks = std::invocable<F&, Index> && is_task<task_for<F, Index>>;

template <class Index, class F>
class [[nodiscard]] when_all_each_awaiter {
  using value = typename task_for<F, Index>::value_type;

 public:
  when_all_each_awaiter(Index first, Index last, std::remove_reference_t<F>& make, task_context& parent)
      : scope_(parent, when_all_kind, first, last, make) {}
  when_all_each_awaiter(const when_all_each_awaiter&) = delete;
  when_all_each_awaiter& operator=(const when_all_each_awaiter&) = delete;

  bool await_ready() noexcept { return scope_.refuse() || scope_.empty(); }
  [[gnu::always_inline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept {
    return transfer(scope_.start(self));
  }
  auto await_resume() { return scope_.take(); }

 private:
  each_scope<value, Index, std::remove_reference_t<F>> scope_;
};

template <class Index, class F>
class [[nodiscard]] when_all_each_operation {
 public:
  using only_runs_tasks = void;

  when_all_each_operation(Index first, Index last, F&& make)
      : first_(first), last_(last), make_(std::forward<F>(make)) {}
  when_all_each_awaiter<Index, F> bind(task_context& parent) && {
    once_.take();
    return {first_, last_, make_, parent};
  }

 private:
  awaited_once once_;
  Index first_;
  Index last_;
  F make_;  // a reference for a callable that was passed by name
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
/// The same for make(i), for every i in [first, end), in order. Each task is made when it is to begin, so that however long the range
/// is, there are as many at a time as run or wait. Results by position. An empty or reversed range completes at once. `make`
/// is called by one worker after another, never by two at once. After a failure, which may be one of `make` itself, or a cancellation
/// nothing more is made. std::invalid_argument if the type of `first`, which is that of i, cannot hold `end`. `make` passed by
/// name must stay alive until then, which it does where the call stands in a co_await expression.
template <std::integral Index, std::integral Last, class F>
  requires impl::makes_tasks<F, Index> && (!std::same_as<Index, bool>)
impl::when_all_each_operation<Index, F> when_all(Index first, Last end, F&& make) {
  static_assert(impl::callable_survives<F>,
                "g++ 12 destroys a temporary lambda with such captures twice inside co_await: name the lambda first, "
                "then pass it by name");
  const Index last = impl::checked_end<Index>(end, "when_all");
  return {first, last < first ? first : last, std::forward<F>(make)};
}

}  // namespace sluice
