#pragma once
// strand: mutual exclusion by turns instead of by a lock.

#include <sluice/runtime/executor.hpp>
#include <sluice/runtime/runtime.hpp>
#include <sluice/scheduler/strand_core.hpp>

namespace sluice {

/// An executor whose tasks run one at a time, in the order in which they became ready, on whatever workers are free: between two of its
/// waits a task on a strand has the strand for itself, and what it wrote is seen by the next. While it waits others have their turn, so
/// what must stay true meanwhile needs a semaphore of 1, held across the wait.
///
/// What a task on a strand calls and awaits (co_await task, the body of with_group, timeout and shield of a task) is part of it, and begins
/// there. Children of when_all and of groups, and spawned tasks, run anywhere unless they are put on the strand: on(strand, child).
///
/// Must outlive the tasks on it; destroyed with a ready one, or by one, it prints so and aborts; destroyed while one of
/// them waits it says nothing, and that task's going on is undefined behaviour. It may go when they have ended, though the
/// last may just be leaving it on another thread, and before or after its runtime.
class strand {
 public:
  /// Of the runtime of the running task. Throws std::logic_error outside of every task, std::bad_alloc.
  strand();
  explicit strand(runtime& home);  ///< Throws std::bad_alloc.
  ~strand();
  strand(const strand&) = delete;
  strand& operator=(const strand&) = delete;

 private:
  friend executor;
  impl::strand_core* core_;  // frees itself, once its owner and its last worker have let go
};

}  // namespace sluice
