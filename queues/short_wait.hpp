#pragma once
// Short waits: for the few instructions of another thread, and for a cache line that others are at.

#include <sluice/queues/atomic.hpp>

#include <algorithm>
#include <chrono>

namespace sluice::impl {

/// Pauses at first, then lets other threads run. Not for waits whose length a user decides.
class short_wait {
 public:
  void operator()() noexcept {
    if (polls_ < polls_before_yield) {
      ++polls_;
      pause();
    } else {
      yield_thread();
    }
  }

 private:
  static constexpr unsigned polls_before_yield = model_build ? 1 : 64;

  unsigned polls_ = 0;
};

/// How long a thread stays away from a cache line after it has lost a race for it: 1 us at first; twice as long each time that it loses the next
/// race within twice the time that it stayed away, 32 us at most, because then the others do nothing else, and longer turns for
/// each cost nobody anything; half as long when it went well for more than four times as long, and 1 us after sixteen times.
class turn_length {
 public:
  static constexpr std::chrono::nanoseconds shortest{1000};
  static constexpr std::chrono::nanoseconds longest{32'000};

  /// A race was lost now: when to come back.
  time_point lost(time_point now) noexcept {
    const auto calm = now - end_;
    if (calm < 2 * length_) {
      length_ = std::min(2 * length_, longest);
    } else if (calm > 16 * length_) {
      length_ = shortest;
    } else if (calm > 4 * length_) {
      length_ = std::max(length_ / 2, shortest);
    }
    return end_ = now + length_;
  }

 private:
  time_point end_{};
  std::chrono::nanoseconds length_ = shortest;
};

/// What an operation does whose compare-and-swap failed because others advance the same word. Each time that a cache line goes to another
/// core costs as much as ten operations on it, so who has lost a race leaves the line to the others for long enough to do many of
/// theirs. Progress: lock-free as before.
/// Source: exponential backoff, after Anderson (IEEE TPDS 1990), with what a burst is worth for its unit; the length is the
/// thread's, not the operation's.
class backoff {
 public:
  void operator()() noexcept {
    pause();
    if constexpr (model_build) return;
    turn_length length = mine::get();
    const time_point end = length.lost(now());
    mine::set(length);
    while (now() < end) pause();
  }

 private:
  using mine = per_thread<backoff, turn_length>;
};

}  // namespace sluice::impl
