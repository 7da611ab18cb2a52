#include <sluice/runtime/precise_sleep.hpp>

#include <sluice/runtime/sleep.hpp>
#include <sluice/runtime/this_task.hpp>

#include <algorithm>

namespace sluice {

impl::time_point impl::precise_stop(time_point deadline, time_point now) noexcept {
  constexpr std::chrono::nanoseconds coarse{1 << 20};  // the wheel rounds up by no more
  constexpr std::chrono::nanoseconds near{32 << 14};   // and so little ahead to a tick only
  const auto left = deadline - now;
  if (left <= precise_margin) return now;
  const auto ahead = left - precise_margin;
  return ahead <= near ? now + ahead : now + (ahead - std::min<time_point::duration>(ahead / 16, coarse));
}

task<> sleep_until(std::chrono::steady_clock::time_point deadline, precise_t) {
  impl::scheduler& home = *impl::scheduler::current();
  co_await this_task::checkpoint();
  if (home.simulated() || deadline == impl::time_point::max()) co_await sleep_until(deadline);
  for (impl::time_point now = home.now(); now < deadline; now = home.now()) {
    const impl::time_point stop = impl::precise_stop(deadline, now);
    if (stop > now) {
      co_await sleep_until(stop);
    } else {
      co_await yield();
    }
  }
}

task<> impl::sleep_precisely_for(time_point::duration wait) {
  co_await sleep_until(deadline_after(scheduler::current()->now(), wait), precise);
}

}  // namespace sluice
