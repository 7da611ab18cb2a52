#pragma once
// What the run says at its end.

#include "statistics.hpp"

#include <chrono>
#include <string>

namespace sum {

struct run_times {
  std::chrono::duration<double> wall{};
  std::chrono::duration<double> cpu{};  // of the whole process, user and system
};

/// The processor time of this process so far.
std::chrono::duration<double> cpu_time();

/// Several lines, each with its newline.
std::string report(const statistics& counts, const run_times& times);

}  // namespace sum
