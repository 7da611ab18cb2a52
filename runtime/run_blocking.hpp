#pragma once
// run_blocking(f): a call that blocks, made on a thread of the blocking pool while the task waits.
//
// The gate's parties: the call, the link to the caller's cancellation, and await_suspend. A canceller that finds the call still
// queued withdraws it; one that comes later leaves, and the call is waited for.
//
// I1  The link is armed before the call is queued, so that its end finds it; a canceller that comes before the call is
//     queued says so in phase_, and await_suspend withdraws it.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/awaited_once.hpp>
#include <sluice/runtime/blocking_pool.hpp>
#include <sluice/runtime/callable.hpp>
#include <sluice/runtime/gate.hpp>
#include <sluice/runtime/nested.hpp>

#include <exception>
#include <functional>

namespace sluice {
namespace impl {

/// The part of run_blocking that knows nothing of types.
class blocking_wait : public blocking_job, public canceller {
 public:
  explicit blocking_wait(task_context& context) noexcept : context_(context), core_(current_core()) {}
  blocking_wait(const blocking_wait&) = delete;
  blocking_wait& operator=(const blocking_wait&) = delete;

  bool await_ready() noexcept {
    cancelled_ = context_.cancelled();
    return cancelled_;
  }
  bool await_suspend(std::coroutine_handle<> self);

  void cancel(cancellable&, cancellation&) noexcept override;

 protected:
  ~blocking_wait() = default;
  virtual void call() noexcept = 0;
  void check();

 private:
  enum : std::uint32_t { starting, queued, asked };

  void run() noexcept final;

  task_context& context_;
  runtime_core& core_;
  cancellable link_{this};
  gate gate_{3};
  // The enumerators; written once by await_suspend and once by the canceller, all accesses relaxed: who came second
  // withdraws, and the pool's lock and the gate hand over everything else.
  atomic<std::uint32_t> phase_{starting};
  bool cancelled_ = false;
};

template <class F>
class [[nodiscard]] blocking_awaiter final : public blocking_wait {
  using value = std::invoke_result_t<F&>;

 public:
  blocking_awaiter(F&& f, task_context& context) : blocking_wait(context), f_(std::forward<F>(f)) {}

  value await_resume() {
    check();
    return outcome_.get();
  }

 private:
  void call() noexcept override {
    try {
      if constexpr (std::is_void_v<value>) {
        std::invoke(f_);  // an empty result<void> is as good as one with its value
      } else {
        outcome_.set_value(std::invoke(f_));
      }
    } catch (...) {
      outcome_.set_error(std::current_exception());
    }
  }

  F f_;  // a reference for a callable that was passed by name
  result<value> outcome_;
};

template <class F>
class [[nodiscard]] blocking_operation {
 public:
  explicit blocking_operation(F&& f) : f_(std::forward<F>(f)) {}
  blocking_awaiter<F> bind(task_context& context) && {
    once_.take();
    return {std::forward<F>(f_), context};
  }

 private:
  awaited_once once_;
  F f_;
};

}  // namespace impl

/// Calls f() on a thread of the runtime's blocking pool and gives its result or throws its exception. At most
/// runtime_options::blocking_threads calls run at once, more wait their turn first in first out. Cancellation: a call that
/// is still queued is withdrawn; one that has started is waited for. Throws std::system_error when not a single thread can
/// be started. In a simulation the call is made at once, on the simulating thread.
template <class F>
  requires std::invocable<F&>
impl::blocking_operation<F> run_blocking(F&& f) {
  using value = std::invoke_result_t<F&>;
  static_assert(std::is_void_v<value> || std::is_object_v<value>,
                "run_blocking(f): f returns void or an object; for a reference return a pointer");
  static_assert(impl::callable_survives<F>,
                "g++ 12 destroys a temporary lambda with such captures twice inside co_await: name the lambda first, "
                "then pass it by name");
  return impl::blocking_operation<F>(std::forward<F>(f));
}

}  // namespace sluice
