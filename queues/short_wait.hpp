#pragma once
// Waiting for the few instructions of another thread, which may have been preempted.

#include <sluice/queues/atomic.hpp>

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

}  // namespace sluice::impl
