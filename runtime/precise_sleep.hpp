#pragma once
// sleep_for and sleep_until for waits that must not be late: by the timer wheel until shortly before the deadline, then by
// stepping back behind what is ready until it has come.
//
//   begin ---- wheel ----> first stop -- wheel --> last stop ......... yield, yield, yield ......... deadline
//                          1/16 of what was left   precise_margin before the deadline
//
// The wheel rounds far deadlines up by 1/16 of what is left, 1 ms at most (scheduler/timer_wheel.hpp), so a far one is approached in
// stops that leave as much: three for an hour. Near ones are rounded up to a tick of 16 us. The kernel adds a microsecond of
// timer slack (scheduler/driver.cpp) and the time until the worker's thread runs again, some tens of microseconds. The margin
// is the sum of these.

#include <sluice/runtime/deadline.hpp>
#include <sluice/runtime/task.hpp>

#include <chrono>

namespace sluice {

/// Says that a sleep shall be precise.
struct precise_t {
  explicit precise_t() = default;
};
inline constexpr precise_t precise{};

namespace impl {

inline constexpr auto precise_margin = std::chrono::microseconds(100);

/// Until when the wheel is asked to wait, such that it is over at most a tick after precise_margin before `deadline`. `now`: not
/// at all. Precondition: `now` is before `deadline`.
time_point precise_stop(time_point deadline, time_point now) noexcept;

task<> sleep_precisely_for(time_point::duration wait);

}  // namespace impl

/// A task, so it can also be spawned and given to block_on. Waits until `deadline`, never less, and later only by what else is ready on
/// the worker at that moment and takes its turn. The
/// last 100 us are spent by stepping back again and again, so this much processor time is burnt when nothing else is ready:
/// for waits that are few, or short anyway. Cancellable at every moment. In a simulation exact, and nothing is burnt. Throws
/// std::bad_alloc here for the frame, and when it is awaited if there is no memory for a timer.
task<> sleep_until(std::chrono::steady_clock::time_point deadline, precise_t);

/// The same for a time from when it is awaited; zero or less returns at once. Centuries mean for ever.
template <class Rep, class Period>
task<> sleep_for(std::chrono::duration<Rep, Period> wait, precise_t) {
  return impl::sleep_precisely_for(impl::deadline_after(impl::time_point{}, wait).time_since_epoch());
}

}  // namespace sluice
