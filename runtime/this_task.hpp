#pragma once
// What a task asks about itself, and how it steps back.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/awaited_once.hpp>
#include <sluice/runtime/root_context.hpp>

namespace sluice {
namespace impl {

class [[nodiscard]] checkpoint_awaiter {
 public:
  explicit checkpoint_awaiter(task_context& context) noexcept : context_(context) {}
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  void await_resume() const {
    if (context_.cancelled()) throw sluice::cancelled{};
  }

 private:
  task_context& context_;
};

struct [[nodiscard]] checkpoint_operation {
  awaited_once once{};
  checkpoint_awaiter bind(task_context& context) && {
    once.take();
    return checkpoint_awaiter(context);
  }
};

class [[nodiscard]] yield_awaiter {
 public:
  explicit yield_awaiter(task_context& context) noexcept : context_(context) {}
  bool await_ready() const noexcept { return context_.cancelled(); }
  bool await_suspend(std::coroutine_handle<> self) const noexcept {
    // Only a task goes through the run queue; part of another wait, such as an arm of a select, yields nothing.
    if (scheduler::current_task() != &context_) return false;
    context_.handle = self;
    context_.yield();
    return true;
  }
  void await_resume() const {
    if (context_.cancelled()) throw sluice::cancelled{};
  }

 private:
  task_context& context_;
};

struct [[nodiscard]] yield_operation {
  awaited_once once{};
  yield_awaiter bind(task_context& context) && {
    once.take();
    return yield_awaiter(context);
  }
};

}  // namespace impl

/// Goes to the back of the run queue. Cancellation: throws before it steps back, or when it comes back.
inline impl::yield_operation yield() noexcept { return {}; }

namespace this_task {

/// Whether cancellation of the running task was requested. False outside of every task.
inline bool cancelled() noexcept {
  const impl::task_context* context = impl::scheduler::current_task();
  return context != nullptr && context->cancelled();
}

/// Throws sluice::cancelled if cancellation was requested; never suspends.
inline impl::checkpoint_operation checkpoint() noexcept { return {}; }

}  // namespace this_task
}  // namespace sluice
