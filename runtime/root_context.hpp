#pragma once
// The context of a coroutine that has no awaiting coroutine: a spawned task, a child of when_all, of a group, of
// timeout or of shield. It learns of the end of its coroutine.

#include <sluice/queues/task_context.hpp>
#include <sluice/scheduler/scheduler.hpp>

namespace sluice::impl {

class runtime_core;

class root_context : public task_context {
 public:
  root_context(scheduler& home, runtime_core& core) noexcept : task_context(home), core_(&core) {}

  /// The coroutine has come to its end: takes its result, destroys `frame`, and says who goes on in its place.
  virtual std::coroutine_handle<> finished(std::coroutine_handle<> frame) noexcept = 0;

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
