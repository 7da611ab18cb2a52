#pragma once
// What a thread knows of the others: a vector clock of happens-before, and the newest seq_cst fence behind it.

#include <sluice/model/hooks.hpp>

#include <algorithm>
#include <cstdint>

namespace model {

inline constexpr int max_threads = most_threads;

/// Counts the operations of one thread within one execution, from 1.
using tick = std::uint16_t;

struct view {
  tick clock[max_threads] = {};  ///< per thread: its newest operation that happens before
  tick fence = 0;                ///< number (from 1) of the newest seq_cst fence that happens before; 0: none

  void join(const view& other) noexcept {
    for (int i = 0; i < max_threads; ++i) clock[i] = std::max(clock[i], other.clock[i]);
    fence = std::max(fence, other.fence);
  }
  bool saw(int thread, tick when) const noexcept { return when <= clock[thread]; }
};

}  // namespace model
