#pragma once
// A task that is always ready, for the models of worker.cpp.

#include <sluice/model/program.hpp>
#include <sluice/scheduler/worker.hpp>

#include <chrono>
#include <coroutine>
#include <functional>
#include <utility>

namespace sluice::test {

/// Comes back as soon as it has run, until `over`.
class restless {
 public:
  explicit restless(std::function<bool()> over) : over_(std::move(over)) { context_.handle = turns(*this).handle; }
  impl::runnable& ready() { return context_; }
  int turns_taken() const { return taken_; }

 private:
  struct never_woken final : impl::waker {
    void wake(impl::runnable&) noexcept override { model::fail("It waits for nothing."); }
  };
  struct coroutine {
    struct promise_type {
      coroutine get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
      std::suspend_always initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() noexcept {}
      void unhandled_exception() noexcept { model::fail("It throws."); }
    };
    std::coroutine_handle<> handle;
  };
  struct once_more {
    bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) noexcept { impl::worker::current()->yield(self.context_); }
    void await_resume() noexcept {}
    restless& self;
  };
  static coroutine turns(restless& self) {
    while (!self.over_()) {
      ++self.taken_;
      model::advance(std::chrono::microseconds(1));
      co_await once_more{self};
    }
  }

  static inline never_woken nobody;
  std::function<bool()> over_;
  int taken_ = 0;
  impl::task_context context_{nobody};
};

}  // namespace sluice::test
