#pragma once
// The context of a line of execution of its own: a spawned task, a child of a group, of timeout or of shield, or what a when_all
// begins beside its parent's line. All but the last own the coroutine that the line begins with.

#include <sluice/runtime/frame_owner.hpp>
#include <sluice/scheduler/scheduler.hpp>

namespace sluice::impl {

class runtime_core;

class root_context : public frame_owner, public task_context {
 public:
  /// Goes on wherever `home` says.
  root_context(waker& home, runtime_core& core) noexcept : task_context(home), core_(&core) {}
  /// Part of what the running task does: goes on where that does.
  root_context() noexcept : root_context(current().current_waker(), current().core()) {}

  /// Whether it is made to step back when it has gone on for long enough.
  virtual bool steps_back() const noexcept { return true; }

  runtime_core& core() const noexcept { return *core_; }

  /// The root that this worker runs on behalf of. Precondition: called by a task.
  static root_context& current() noexcept { return static_cast<root_context&>(*scheduler::current_task()); }

 protected:
  ~root_context() = default;

 private:
  runtime_core* core_;
};

}  // namespace sluice::impl
