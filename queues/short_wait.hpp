#pragma once
// Short waits: for the few instructions of another thread, and for a cache line that others are at.

#include <sluice/queues/atomic.hpp>

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

/// What an operation does whose compare-and-swap failed because others advance the same word. Each time that a cache line goes to another
/// core costs as much as ten operations on it, so who has lost a race leaves the line to the others for long enough to do some
/// tens of theirs: about 1 us, and twice as long each time that it loses again, 8 us at most. Progress: lock-free as before.
/// Source: exponential backoff, after Anderson (IEEE TPDS 1990), with what a burst is worth for its unit.
class backoff {
 public:
  void operator()() noexcept {
    pause();
    if constexpr (model_build) return;
    for (const time_point end = now() + length_; now() < end;) pause();
    if (length_ < longest) length_ *= 2;
  }

 private:
  static constexpr std::chrono::nanoseconds longest{8000};

  std::chrono::nanoseconds length_{1000};
};

}  // namespace sluice::impl
