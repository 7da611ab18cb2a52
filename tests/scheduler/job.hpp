#pragma once
// The smallest coroutine that a scheduler can run: fire and forget, counts its end, frees itself.

#include <sluice/scheduler/frame_pool.hpp>
#include <sluice/scheduler/scheduler.hpp>

#include <atomic>
#include <coroutine>
#include <exception>

namespace sluice::test {

using impl::atomic;
using impl::scheduler;
using impl::time_point;

/// Counts jobs down and lets a plain thread wait for the last of them.
class countdown {
 public:
  countdown(scheduler& s, std::uint64_t jobs) : scheduler_(&s), left_(jobs) {}
  void one_less() noexcept {
    scheduler& s = *scheduler_;
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) s.unblock(done_);
  }
  void wait() { scheduler_->block_until(done_); }
  std::uint64_t left() const noexcept { return left_.load(); }

 private:
  scheduler* scheduler_;
  std::atomic<std::uint64_t> left_;
  atomic<std::uint32_t> done_{0};
};

/// A coroutine whose first parameters are the scheduler and the countdown that it belongs to.
struct job {
  struct promise_type : impl::task_context {
    template <class... Rest>
    promise_type(scheduler& s, countdown& all, Rest&&...) noexcept : impl::task_context(s), all_(&all) {
      handle = std::coroutine_handle<promise_type>::from_promise(*this);
    }
    static void* operator new(std::size_t bytes) { return impl::allocate_frame(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept { impl::free_frame(frame, bytes); }
    job get_return_object() noexcept { return {this}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct last {
      bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        countdown* const all = self.promise().all_;
        self.destroy();
        all->one_less();
      }
      void await_resume() noexcept {}
    };
    last final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }

    countdown* all_;
  };

  impl::runnable& operator*() const noexcept { return *context; }
  promise_type* context;
};

/// Goes behind everything that is ready.
struct yield {
  bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<job::promise_type> self) noexcept {
    scheduler::current()->yield(self.promise());
  }
  void await_resume() noexcept {}
};

/// Suspends and hands the suspended context to `then`.
template <class Then>
struct suspend_with {
  Then then;
  bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<job::promise_type> self) noexcept { then(self.promise()); }
  void await_resume() noexcept {}
};
template <class Then>
suspend_with(Then) -> suspend_with<Then>;

/// Sleeps until a deadline. A timer may fire before start_timer has returned, so two sides must have been here before the
/// task is woken: the one that armed the timer, and the timer.
struct sleep_until final : impl::timer_target {
  sleep_until(scheduler& s, time_point deadline) noexcept : scheduler_(&s), deadline_(deadline) {}

  bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<job::promise_type> self) {
    context_ = &self.promise();
    pending_ = scheduler_->start_timer(deadline_, *this);
    fired();
  }
  bool await_resume() noexcept { return scheduler_->stop_timer(pending_); }  // false: it has fired

  void fired() noexcept override {
    if (sides_.fetch_add(1, std::memory_order_acq_rel) == 1) context_->wake();
  }

 private:
  scheduler* scheduler_;
  time_point deadline_;
  impl::task_context* context_ = nullptr;
  impl::timer* pending_ = nullptr;
  std::atomic<int> sides_{0};
};

}  // namespace sluice::test
