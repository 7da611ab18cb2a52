#pragma once
// Durations of any unit made into deadlines: rounded up, and far ones never reached rather than overflowing.

#include <sluice/queues/atomic.hpp>

#include <chrono>

namespace sluice::impl {

template <class Rep, class Period>
constexpr time_point deadline_after(time_point start, std::chrono::duration<Rep, Period> wait) noexcept {
  // Compared as floating point: no unit and no representation overflows there.
  constexpr double century = 100.0 * 365 * 24 * 3600;
  const double seconds = std::chrono::duration<double>(wait).count();
  if (seconds >= century) return time_point::max();
  if (!(seconds > 0)) return start;
  return start + std::chrono::ceil<time_point::duration>(wait);
}

}  // namespace sluice::impl
