#pragma once
// A wait that several parties hold a pointer into: the thing waited for, a canceller on its way, a timer. The gate
// counts the parties that have yet to let go; the coroutine becomes runnable only then.
//
//   inner ----+
//   link  ----+--> parties_ --0--> the coroutine goes on, and its frame (with this gate in it) may go
//   timer ----+
//
// A party that was withdrawn (task_context::disarm or scheduler::stop_timer said true) is counted off by whoever
// withdrew it. A party that is in the middle counts itself off as its last touch.
//
// I1  parties_ only falls, and reaches 0 exactly once.
// I2  Whoever brings it to 0 makes the coroutine go on; nobody else touches the wait afterwards.
// E1  every party's leave (release) -> the one that reaches 0 (acquire): what they wrote is visible to the coroutine.

#include <sluice/queues/task_context.hpp>

namespace sluice::impl {

class gate {
 public:
  explicit gate(std::uint32_t parties) noexcept : parties_(parties) {}

  /// Counts off `n` parties. True: they were the last, and the caller makes the coroutine go on.
  [[nodiscard]] bool leave(std::uint32_t n) noexcept {
    // The last ones need no read-modify-write: nobody is left to race with.
    if (parties_.load(acquire) == n) return true;  // E1 observe
    return parties_.fetch_sub(n, acq_rel) == n;    // E1 publish, E1 observe
  }

  /// The same, making `waiting` runnable through its waker.
  void leave_and_wake(std::uint32_t n, task_context& waiting) noexcept {
    if (leave(n)) waiting.wake();
  }

 private:
  atomic<std::uint32_t> parties_;  // how many have yet to let go; written by all of them
};

}  // namespace sluice::impl
