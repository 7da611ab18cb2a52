#pragma once
// The parties of a spawned task's record: the task, the handle, at most one waiter, and passing visitors (dump, the
// runtime's destructor). The last of task, handle and visitors to leave frees the record.
//
//   bit      set by                          cleared by
//   task     open                            the task at its end (finish): from then on the result may be read
//   handle   open                            the handle (drop)
//   waiter   the handle's side (add_waiter)  the task at its end, or a canceller (remove_waiter): whoever clears it wakes
//   orphan   the runtime's destructor        open
//   watched  the runtime's destructor        the task at its end, which tells the destructor
//   visitor  a count from here up            each visitor
//
//                     finish                       drop
//   task+handle ------------------> handle ------------------> 0 (free)
//        | add_waiter / finish: clears both and wakes
//        | drop                        finish
//        +------------------> task ------------------------> 0 (free)
//
// I1  A record whose word is 0 belongs to the pool; the word survives in the block, so anyone may read it at any time.
// I2  While `task` is set the result belongs to the task; afterwards to the handle, or without one to the task.
// I3  Leaving is the last touch, except for the one that leaves 0 behind: it frees the block.
// E1  finish (release) -> done, add_waiter, drop (acquire): the result.
// E2  add_waiter (release) -> finish (acquire): the waiter's address.
// E3  every leave (release) -> the leave that reaches 0 (acquire): nobody else uses the record any more.
// E4  open (release) -> visit (acquire): the record as it was built.
// E5  remove_waiter (release) -> add_waiter (acquire): a canceller came too early, and its cancellation is to be seen.

#include <sluice/queues/atomic.hpp>

namespace sluice::impl {

class record_word {
 public:
  enum class finish_result : std::uint8_t { kept, free, wake, dispose };
  struct finished {
    finish_result what;
    bool watched;  // the runtime's destructor is to be told
  };

  /// The record is built: a task, and a handle where there is one.
  void open(bool with_handle) noexcept {
    word_.store(with_handle ? task | handle : task, release);  // E4 publish
  }

  bool done() const noexcept { return (word_.load(acquire) & task) == 0; }  // E1 observe

  /// Nobody will ask for the result any more. False: no more than that somebody still might.
  bool handle_gone() const noexcept { return (word_.load(relaxed) & handle) == 0; }  // relaxed: only the bit is used

  /// The task's result is there. free: the caller frees the record. wake: the caller wakes the waiter. dispose: nothing has
  /// changed; nobody will ask for the result, so the caller disposes of it and calls again with `disposed`. (To look for the
  /// handle first and finish then is not enough: the handle may be dropped in between.)
  [[nodiscard]] finished finish(bool disposed) noexcept {
    std::uint32_t before = word_.load(relaxed);  // relaxed: the result was the task's all the time (I2)
    do {
      if (!disposed && (before & handle) == 0) return {finish_result::dispose, false};
      // E1 publish, E2 observe, E3 publish, E3 observe
    } while (!word_.compare_exchange_weak(before, before & ~(task | waiter | watched), acq_rel, relaxed));
    const bool told = (before & watched) != 0;
    if ((before & waiter) != 0) return {finish_result::wake, told};
    return {parties(before & ~task) == 0 ? finish_result::free : finish_result::kept, told};
  }

  /// The handle asks to be told of the end. False: the task has ended, its result is there.
  [[nodiscard]] bool add_waiter() noexcept {
    std::uint32_t before = word_.load(acquire);  // E1 observe
    do {
      if ((before & task) == 0) return false;
      // E2 publish, E1 observe, E5 observe
    } while (!word_.compare_exchange_weak(before, before | waiter, acq_rel, acquire));
    return true;
  }

  /// A canceller takes the waiter back. False: the task has ended and wakes it.
  [[nodiscard]] bool remove_waiter() noexcept {
    return (word_.fetch_and(~waiter, release) & waiter) != 0;  // E3 publish, E5 publish
  }

  /// The handle lets go of a task that still runs. False: it has ended, the result is the handle's to dispose of.
  [[nodiscard]] bool drop_running() noexcept {
    std::uint32_t before = word_.load(acquire);  // E1 observe
    do {
      if ((before & task) == 0) return false;
      // E3 publish, E1 observe
    } while (!word_.compare_exchange_weak(before, before & ~handle, release, acquire));
    return true;
  }

  /// The handle lets go of a task that has ended. free is true when the caller frees the record.
  [[nodiscard]] bool drop_done() noexcept { return leave(handle); }

  /// A look at a record that may be free: false if it is. Visiting keeps it from being freed.
  [[nodiscard]] bool visit() noexcept {
    std::uint32_t before = word_.load(relaxed);  // relaxed: the exchange observes
    do {
      if ((before & (task | handle)) == 0) return false;
      // E4 observe
    } while (!word_.compare_exchange_weak(before, before + visitor, acquire, relaxed));
    return true;
  }
  /// The runtime's destructor visits a task, and is told of its end. False: there is none that has not ended.
  [[nodiscard]] bool watch() noexcept {
    std::uint32_t before = word_.load(acquire);  // E3 observe: what an ended task has counted
    do {
      if ((before & task) == 0) return false;
      // E4 observe, E3 observe
    } while (!word_.compare_exchange_weak(before, (before | watched) + visitor, acquire, acquire));
    return true;
  }
  /// True: the caller frees the record.
  [[nodiscard]] bool leave_visit() noexcept {
    const std::uint32_t before = word_.fetch_sub(visitor, acq_rel);  // E3 publish, E3 observe
    return parties(before - visitor) == 0;
  }

  /// The runtime is going: whoever frees this record frees it on its own account. False: there is none.
  [[nodiscard]] bool make_orphan() noexcept {
    // relaxed: this only marks the record; whoever frees it synchronises through the count of owners
    std::uint32_t before = word_.load(relaxed);
    do {
      if (parties(before) == 0) return false;
    } while (!word_.compare_exchange_weak(before, before | orphan, relaxed, relaxed));
    return true;
  }
  /// For the one that frees the record.
  bool orphaned() const noexcept { return word_.load(relaxed) != 0; }  // relaxed: nobody writes it any more

 private:
  static constexpr std::uint32_t task = 1;
  static constexpr std::uint32_t handle = 2;
  static constexpr std::uint32_t waiter = 4;
  static constexpr std::uint32_t orphan = 8;
  static constexpr std::uint32_t watched = 16;
  static constexpr std::uint32_t visitor = 32;

  static constexpr std::uint32_t parties(std::uint32_t word) noexcept { return word & ~(waiter | orphan | watched); }

  bool leave(std::uint32_t party) noexcept {
    const std::uint32_t before = word_.fetch_and(~party, acq_rel);  // E3 publish, E3 observe
    return parties(before & ~party) == 0;
  }

  atomic<std::uint32_t> word_{0};  // the bits above; written as the table says
};

}  // namespace sluice::impl
