#pragma once
// What timeout, when_all, with_group and shield share: a wait for coroutines or operations that run in contexts of
// their own, nested in the frame of the one that waits.

#include <sluice/runtime/gate.hpp>
#include <sluice/runtime/root_context.hpp>
#include <sluice/runtime/task.hpp>
#include <sluice/scheduler/transfer.hpp>

#include <coroutine>
#include <type_traits>
#include <utility>

namespace sluice::impl {

/// The context that waits for nested ones. It is a task's own context, resumed by transfer or through the scheduler;
/// or one that must hear of the end through its waker: part of another wait (the operation of a timeout), or a task that
/// does not go on just anywhere.
class waiting_parent {
 public:
  explicit waiting_parent(task_context& context) noexcept : context_(context) {}

  task_context& context() const noexcept { return context_; }

  /// Called by await_suspend, before anything else can happen.
  void suspend(std::coroutine_handle<> self, const char* operation, const void* object) noexcept {
    context_.handle = self;
    direct_ = scheduler::current_task() == &context_ && context_.current_waker().roams();
    context_.note_wait(operation, object);
  }

  /// Goes on with the parent from a nested coroutine that has ended on this worker, and that went on where `ended_at` says. The
  /// parent may be gone afterwards.
  std::coroutine_handle<> go_on(const waker& ended_at) const noexcept {
    if (!direct_ || !ended_at.roams()) {
      context_.wake();
      return std::noop_coroutine();
    }
    scheduler::set_current_task(&context_);
    return context_.handle;
  }

  /// Goes on with the parent from await_suspend itself: it does not suspend after all. A parent that is part of another wait
  /// must hear of it like of any other end, or that wait would leave its timer and its link behind.
  std::coroutine_handle<> not_suspended() const noexcept {
    if (direct_) return context_.handle;
    context_.wake();
    return std::noop_coroutine();
  }

 private:
  task_context& context_;
  bool direct_ = false;
};

/// What an awaiter's await_suspend said, whatever its shape.
struct suspension {
  bool suspended;
  std::coroutine_handle<> next;
};

template <class Awaiter>
suspension suspend_in(Awaiter& awaiter, std::coroutine_handle<> self) {
  using answer = decltype(awaiter.await_suspend(self));
  if constexpr (std::is_void_v<answer>) {
    awaiter.await_suspend(self);
    return {true, std::noop_coroutine()};
  } else if constexpr (std::is_same_v<answer, bool>) {
    return {awaiter.await_suspend(self), std::noop_coroutine()};
  } else {
    return {true, awaiter.await_suspend(self)};
  }
}

/// The runtime of the task that runs now.
inline runtime_core& current_core() noexcept { return root_context::current().core(); }

}  // namespace sluice::impl
