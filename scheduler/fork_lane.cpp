#include <sluice/scheduler/fork_lane.hpp>

#include <algorithm>
#include <utility>

namespace sluice::impl {

void fork_lane::run_job(native_job& job) noexcept {
  job.thief_.store(this, relaxed);
  task_context* const outer = std::exchange(running_, job.on_behalf_);
  job.call_(job);
  running_ = outer;
  // E1 publish. Nothing of the job is touched afterwards: waking somebody on a word that is gone does no harm.
  if (job.state_.exchange(native_job::done, release) == native_job::awaited) futex::wake(job.state_, 1);
}

// Steals a part of `job` and runs it. False: there was none.
bool fork_lane::help(native_job& job) noexcept {
  fork_lane* const thief = job.thief_.load(relaxed);
  if (thief == nullptr) return false;
  // I3. relaxed: what the thief forks after the job is published after `done`, so whoever sees it there (E1 of the deque) sees that.
  const auto open = [&job] { return job.state_.load(relaxed) != native_job::done; };
  runnable* part = nullptr;
  if (thief->forks_.steal(part, open) != decltype(forks_)::outcome::took) return false;
  run_job(static_cast<native_job&>(*part));  // no coroutine: plain functions fork none
  return true;
}

void fork_lane::await(native_job& job) noexcept {
  unsigned looks = 0;
  auto sleep = shortest_sleep;
  while (job.state_.load(acquire) != native_job::done) {  // E1 observe
    if (help(job)) {
      looks = 0;
      sleep = shortest_sleep;
      continue;
    }
    if (++looks <= looks_before_sleep) {
      pause();
      continue;
    }
    // The thief may fork parts later: so look again, more and more seldom.
    std::uint32_t state = native_job::forked;
    // relaxed: the loop looks again
    if (job.state_.compare_exchange_strong(state, native_job::awaited, relaxed, relaxed)) state = native_job::awaited;
    if (state == native_job::awaited) futex::wait_until(job.state_, native_job::awaited, now() + sleep);
    sleep = std::min(sleep * 2, longest_sleep);
  }
}

}  // namespace sluice::impl
