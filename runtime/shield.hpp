#pragma once
// shield(task): a root that nobody cancels, in the frame of the caller that waits for it.

#include <sluice/runtime/nested.hpp>

namespace sluice {
namespace impl {

template <class T>
class [[nodiscard]] shield_awaiter final : private root_context {
 public:
  shield_awaiter(task<T>&& t, task_context& parent) : parent_(parent), frame_(task_access::take(t)) {
    attach(frame_, *this, outcome_);
  }
  ~shield_awaiter() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept {
    parent_.suspend(self, "shield", this);
    scheduler::set_current_task(this);
    return transfer(std::exchange(frame_, {}));
  }
  T await_resume() {
    parent_.context().note_wait(nullptr, nullptr);
    return outcome_.get();
  }

 private:
  std::coroutine_handle<> finished(std::coroutine_handle<> frame, task_context&) noexcept override {
    frame.destroy();
    return parent_.go_on(current_waker());
  }

  waiting_parent parent_;
  task_frame<T> frame_;
  result<T> outcome_;
};

template <class T>
class [[nodiscard]] shield_operation {
 public:
  explicit shield_operation(task<T>&& t) noexcept : task_(std::move(t)) {}
  shield_awaiter<T> bind(task_context& parent) && { return {std::move(task_), parent}; }

 private:
  task<T> task_;
};

}  // namespace impl

/// Runs the task to its end whatever happens to the caller: cancellation of the caller does not reach it, not even when it
/// came before. The caller waits and gets the result; its own cancellation stays latched for its next wait.
template <class T>
impl::shield_operation<T> shield(task<T> t) {
  impl::task_access::check(t);
  return impl::shield_operation<T>(std::move(t));
}

}  // namespace sluice
