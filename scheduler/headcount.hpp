#pragma once
// How many of a scheduler's workers may run: as many as the affinity mask and the quota allow, which is looked up again while it runs.
//
// Workers 0 .. allowed-1 run, the others stand by: they have given away what others can run, keep only their timers and the tasks that
// are pinned to them, and sleep outside of the idle word, so nobody wakes them for work. A worker that finds itself beyond the number
// stands by at its next look outside; one that is allowed again is unparked, and goes on like one that has just woken.
// Threads are started when their worker is first allowed to run.
//
// I1  allowed <= started <= the workers there are; started only grows. One thread at a time looks the number up (`due`), and changes both.
// All accesses but those of next_ and of D1 are relaxed: who changes a number unparks those that it concerns, and the token carries it (E1
// of parker.hpp); anybody else only works a little with the old one.
// D1  a worker stands up, then looks at the idle word when it has filled its LIFO slot; a worker announces its sleep in the idle word, then
//     reads how many stand by: one of the two sees the other, and somebody watches the slot.
// E1  open and looked_up (release) -> due and fix (acquire): what the last one to look has left: I1, and the threads that it has started.

#include <sluice/queues/atomic.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sluice::impl {

class headcount {
 public:
  /// `changes`: the number is to be looked up now and then.
  headcount(std::size_t allowed, bool changes) noexcept
      : allowed_(allowed), started_(allowed), next_(changes ? in_progress : fixed) {}
  /// How long the number holds; before any worker runs.
  void set_interval(std::chrono::nanoseconds interval) noexcept { interval_ = interval; }

  std::size_t allowed() const noexcept { return allowed_.load(relaxed); }
  std::size_t started() const noexcept { return started_.load(relaxed); }
  std::size_t standing_by() const noexcept { return standing_by_.load(seq_cst); }  // D1 load

  /// The first workers have their threads: from now on the number is looked up.
  void open() noexcept {
    std::int64_t closed = in_progress;
    (void)next_.compare_exchange_strong(closed, 0, release, relaxed);  // E1 publish
  }
  /// Whether the number must be looked up now, by the caller, which calls looked_up() afterwards.
  bool due(time_point now) noexcept {
    std::int64_t next = next_.load(relaxed);
    // acquire, E1 observe
    return ns(now) >= next && next_.compare_exchange_strong(next, in_progress, acquire, relaxed);
  }
  void looked_up(time_point now) noexcept { next_.store(ns(now + interval_), release); }  // E1 publish
  /// From now on nobody looks it up; waits for the one who just does.
  void fix() noexcept {
    for (std::int64_t next = next_.load(relaxed); next != fixed; next = next_.load(relaxed)) {
      // acquire, E1 observe
      if (next != in_progress && next_.compare_exchange_strong(next, fixed, acquire, relaxed)) return;
      yield_thread();
    }
  }

  // Between due() and looked_up().
  void allow(std::size_t workers) noexcept { allowed_.store(workers, relaxed); }
  void one_more_started() noexcept { started_.fetch_add(1, relaxed); }

  // A worker that begins and ends to stand by.
  void stand_by() noexcept { standing_by_.fetch_add(1, relaxed); }
  void stand_up() noexcept { standing_by_.fetch_sub(1, seq_cst); }  // D1 store

 private:
  static constexpr std::int64_t in_progress = INT64_MAX;
  static constexpr std::int64_t fixed = INT64_MAX - 1;
  static std::int64_t ns(time_point t) noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
  }

  std::chrono::nanoseconds interval_ = std::chrono::seconds(2);
  atomic<std::size_t> allowed_;             // at least 1; written by who looks it up
  atomic<std::size_t> started_;             // written by who looks it up
  atomic<std::size_t> standing_by_{0};      // written by workers
  alignas(128) atomic<std::int64_t> next_;  // ns when it is due, or in_progress, or fixed
};

}  // namespace sluice::impl
