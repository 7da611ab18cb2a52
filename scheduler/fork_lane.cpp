#include <sluice/scheduler/fork_lane.hpp>

#include <algorithm>

namespace sluice::impl {

task_context* native_call::begin(chore& self, fork_lane& by) noexcept {
  by.run_call(static_cast<native_call&>(self));
  return nullptr;
}

// Makes a call that was stolen.
void fork_lane::run_call(native_call& call) noexcept {
  call.thief_.store(this, relaxed);
  task_context* const outer = running_task::get();
  running_task::set(call.on_behalf_);
  call.call_(call);
  running_task::set(outer);
  // E1 publish. Nothing of the job is touched afterwards: waking somebody on a word that is gone does no harm.
  if (call.state_.exchange(native_call::done, release) == native_call::awaited) futex::wake(call.state_, 1);
}

// Steals a part of `call` and runs it. False: there was none.
bool fork_lane::help(native_call& call) noexcept {
  fork_lane* const thief = call.thief_.load(relaxed);
  if (thief == nullptr) return false;
  // I3. relaxed: what the thief forks after the job is published after `done`, so whoever sees it there (E1 of the deque) sees that.
  const auto open = [&call] { return call.state_.load(relaxed) != native_call::done; };
  runnable* part = nullptr;
  if (thief->forks_.steal(part, open) != decltype(forks_)::outcome::took) return false;
  run_call(static_cast<native_call&>(*part));  // nothing else: plain functions fork no coroutine
  return true;
}

void fork_lane::await(native_call& call) noexcept {
  unsigned looks = 0;
  auto sleep = shortest_sleep;
  while (call.state_.load(acquire) != native_call::done) {  // E1 observe
    if (made_in_.in_child()) abort_made_before_fork();      // the thief is not there
    if (help(call)) {
      looks = 0;
      sleep = shortest_sleep;
      continue;
    }
    if (++looks <= looks_before_sleep) {
      pause();
      continue;
    }
    // The thief may fork parts later: so look again, more and more seldom.
    std::uint32_t state = native_call::forked;
    // relaxed: the loop looks again
    if (call.state_.compare_exchange_strong(state, native_call::awaited, relaxed, relaxed))
      state = native_call::awaited;
    if (state == native_call::awaited) futex::wait_until(call.state_, native_call::awaited, now() + sleep);
    sleep = std::min(sleep * 2, longest_sleep);
  }
}

}  // namespace sluice::impl
