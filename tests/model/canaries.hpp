#pragma once
// What the canaries share. A canary is a bug that shipped elsewhere, rebuilt in a few lines beside its repair: a
// checker that misses one is broken. Each is one function with a parameter, and two programs.
//
// canaries_orders_model.cpp     an order too weak, or an RMW taken for a fence
// canaries_wakeups_model.cpp    work or news that nobody wakes up for
// canaries_permits_model.cpp    permits and items lost, doubled or given to the wrong one
// canaries_lifetimes_model.cpp  nodes, buffers and frames used after their end, or found twice

#include <sluice/model/program.hpp>
#include <sluice/queues/atomic.hpp>

#include <cstdint>

namespace canaries {

using namespace sluice::impl;
using model::program;
using model::run;
using word = atomic<std::uint32_t>;

// Found and passed with and without sleep sets, where that takes no time.
inline constexpr model::options must_hang{.must_fail = "lost wakeup", .cross_check = true};
inline constexpr model::options must_race{.must_fail = "Data race", .cross_check = true};
inline constexpr model::options passes{.cross_check = true};

inline model::options must_say(const char* text) { return {.must_fail = text, .cross_check = true}; }

/// A lock that sleeps on its word: 0 free, 1 held.
class lock {
 public:
  void take() {
    while (held_.exchange(1, acquire) == 1) futex::wait(held_, 1);
  }
  void drop() {
    held_.store(0, release);
    futex::wake(held_, 1);
  }

 private:
  word held_{0};
};

}  // namespace canaries
