#pragma once
// task<T>: a coroutine that starts when it is awaited or spawned.
//
// A chain of co_awaited tasks is one line of execution and shares one task_context. Control moves down and up the
// chain by symmetric transfer (transfer.hpp): the stack stays flat however long or deep the chain is.
//
//   promise { after, context, outcome }     after: the coroutine that awaits this one, or the owner of the frame
//                                           outcome: where the result goes, in the hands of whoever runs the task
//
// I1  A frame is owned by exactly one of: the task object, the awaiter that runs it, the frame_owner that runs it.
// I2  At the end of a coroutine that nobody awaits its owner takes over; the frame is destroyed before anybody hears of the end.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/result.hpp>
#include <sluice/runtime/root_context.hpp>
#include <sluice/runtime/step_back.hpp>
#include <sluice/scheduler/frame_pool.hpp>
#include <sluice/scheduler/transfer.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace sluice {

template <class T = void>
class task;

namespace impl {

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

/// A task, or a class derived from one.
template <class X>
concept holds_task = requires(X* x) { []<class T>(task<T>*) {}(x); };

/// Types that may also be awaited as lvalues say `using awaited_by_reference = void`.
template <class T>
concept awaited_as_lvalue = requires { typename T::awaited_by_reference; };

/// In promise_base::after: what stands there is a frame_owner.
inline constexpr std::uintptr_t owned = 1;

/// Operations that are no waits of their own, but those of the tasks that they run, say `using only_runs_tasks = void`.
template <class T>
concept runs_tasks = requires { typename T::only_runs_tasks; };

struct final_awaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  [[gnu::always_inline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> frame) const noexcept {
    auto& promise = frame.promise();
    if ((promise.after & owned) == 0) [[likely]]
      return transfer(std::coroutine_handle<>::from_address(reinterpret_cast<void*>(promise.after)));
    auto* owner = reinterpret_cast<frame_owner*>(promise.after & ~owned);
    return transfer(owner->finished(frame, *promise.context));
  }
  void await_resume() const noexcept {}
};

class promise_base {
 public:
  std::uintptr_t after = 0;  // the address of a coroutine, or of a frame_owner with `owned`
  task_context* context = nullptr;

  static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept { free_frame(frame, bytes); }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  final_awaiter final_suspend() const noexcept { return {}; }

  template <class X>
  auto await_transform(X&& operation) {
    using plain_type = std::remove_cvref_t<X>;
    if constexpr (std::is_lvalue_reference_v<X> && !awaited_as_lvalue<plain_type>) {
      static_assert(!std::is_lvalue_reference_v<X>,
                    "a wait is awaited once, as an rvalue: write co_await std::move(x), or co_await the call itself");
      return std::suspend_never{};
    } else if constexpr (!bindable<X>) {
      static_assert(bindable<X>,
                    "a sluice task awaits sluice operations only: a task, a join_handle, an operation of a queue, "
                    "semaphore or event, sleep_for, when_all and the like. Wrap anything else in one of them, or in "
                    "run_blocking");
      return std::suspend_never{};
    } else if constexpr (is_task<plain_type> || runs_tasks<plain_type>) {
      return std::forward<X>(operation).bind(*context);
    } else {
      return in_slice<decltype(std::forward<X>(operation).bind(*context))>(std::forward<X>(operation), *context);
    }
  }
};

template <class T>
class task_promise : public promise_base {
 public:
  task<T> get_return_object() noexcept;
  template <class U = T>
    requires std::constructible_from<T, U&&>
  void return_value(U&& value) {
    outcome->set_first_value(std::forward<U>(value));
  }
  void unhandled_exception() noexcept { outcome->set_error(std::current_exception()); }

  result<T>* outcome = nullptr;
};

template <>
class task_promise<void> : public promise_base {
 public:
  task<void> get_return_object() noexcept;
  void return_void() noexcept { outcome->set_first_value(); }
  void unhandled_exception() noexcept { outcome->set_error(std::current_exception()); }

  result<void>* outcome = nullptr;
};

template <class T>
using task_frame = std::coroutine_handle<task_promise<T>>;

/// Runs a task in the context of the coroutine that awaits it.
template <class T>
class [[nodiscard]] task_awaiter {
 public:
  task_awaiter(task_frame<T> frame, task_context& context) noexcept : frame_(frame) {
    frame_.promise().context = &context;
    frame_.promise().outcome = &outcome_;
  }
  task_awaiter(const task_awaiter&) = delete;
  task_awaiter& operator=(const task_awaiter&) = delete;
  ~task_awaiter() { frame_.destroy(); }

  bool await_ready() const noexcept { return false; }
  [[gnu::always_inline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) const noexcept {
    frame_.promise().after = reinterpret_cast<std::uintptr_t>(parent.address());
    return transfer(frame_);
  }
  T await_resume() { return outcome_.get(); }

 private:
  task_frame<T> frame_;
  result<T> outcome_;
};

struct task_access;

[[noreturn]] void throw_task_used();

}  // namespace impl

/// A lazy coroutine. Nothing runs until it is awaited, spawned, or handed to when_all, timeout, shield or
/// block_on; each task once. A task that never started destroys its arguments with itself.
///
/// `co_await task` runs it on the caller's worker as part of the caller: cancellation of the caller is cancellation
/// of the task. In an already cancelled caller it still starts. Errors: what the task threw; std::logic_error
/// when it was already awaited, spawned or moved from.
template <class T>
class [[nodiscard("a task runs only when it is awaited, spawned or handed to when_all and the like")]] task {
  static_assert(std::is_void_v<T> || (std::is_object_v<T> && !std::is_array_v<T> && std::move_constructible<T>),
                "task<T> returns void or a movable object: for a reference return a pointer or std::reference_wrapper");

 public:
  using promise_type = impl::task_promise<T>;
  using value_type = T;

  task(task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  task& operator=(task&& other) noexcept {
    task old(std::move(*this));
    frame_ = std::exchange(other.frame_, {});
    return *this;
  }
  ~task() {
    if (frame_) frame_.destroy();
  }

  /// What co_await calls.
  impl::task_awaiter<T> bind(impl::task_context& context) && { return {take(), context}; }

 private:
  friend impl::task_access;
  friend promise_type;
  explicit task(impl::task_frame<T> frame) noexcept : frame_(frame) {}

  impl::task_frame<T> take() {
    if (!frame_) [[unlikely]]
      impl::throw_task_used();
    return std::exchange(frame_, {});
  }

  impl::task_frame<T> frame_;
};

namespace impl {

struct task_access {
  /// Takes the frame out of a task that has not run. Throws std::logic_error when there is none.
  template <class T>
  static task_frame<T> take(task<T>& t) {
    return t.take();
  }
  template <class T>
  static void check(const task<T>& t) {
    if (!t.frame_) [[unlikely]]
      throw_task_used();
  }
};

/// Makes `frame` run on `line`, leave its result in `outcome`, and then call `owner`.
template <class T>
void attach(task_frame<T> frame, task_context& line, frame_owner& owner, result<T>& outcome) noexcept {
  auto& promise = frame.promise();
  promise.after = reinterpret_cast<std::uintptr_t>(&owner) | owned;
  promise.context = &line;
  promise.outcome = &outcome;
}
/// Makes `frame` a root that runs as `root`, and leaves its result in `outcome`.
template <class T>
void attach(task_frame<T> frame, root_context& root, result<T>& outcome) noexcept {
  attach(frame, root, root, outcome);
  root.handle = frame;
}

template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
  return task<T>(task_frame<T>::from_promise(*this));
}
inline task<void> task_promise<void>::get_return_object() noexcept {
  return task<void>(task_frame<void>::from_promise(*this));
}

}  // namespace impl
}  // namespace sluice
