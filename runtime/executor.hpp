#pragma once
// executor: where a task goes on when it becomes ready. Any worker, in one of three lanes; one worker; or a strand.

#include <sluice/scheduler/scheduler.hpp>

#include <cstddef>
#include <cstdint>

namespace sluice {

/// How urgent a task is among those that are ready. A critical one goes before all others, but of 17 tasks in a row on a worker 16 at
/// most are critical while others are ready; a background one is run by a worker that finds nothing else, and on a busy worker after about
/// 1000 slices of others, 2048 at most, for each before it (17 times that beside critical ones): so none starves. A lane orders tasks that
/// are ready. It makes no timer earlier: timers are fired by their own worker, so one that computes delays a critical sleep as well.
enum class lane : std::uint8_t { critical, normal, background };

class strand;

namespace impl {
struct executor_access;
}

/// A handle to copy, for `on` and `resume_on`. Made from a lane, from a strand (by reference: the strand must outlive the tasks that it runs),
/// by runtime::worker(), or by this_task::worker().
class executor {
 public:
  /// Any worker of the runtime whose task uses it.
  executor(lane of) noexcept : lane_(of) {}  // NOLINT: an executor wherever one is asked for
  executor(const strand& s) noexcept;        // NOLINT: as above
  executor(const strand&& s) = delete;       // it would be gone at once

 private:
  friend impl::executor_access;
  executor(impl::scheduler& home, impl::waker& where) noexcept : home_(&home), waker_(&where) {}

  impl::scheduler* home_ = nullptr;  // null: a lane
  impl::waker* waker_ = nullptr;
  lane lane_ = lane::normal;
};

namespace impl {

struct executor_access {
  static executor make(scheduler& home, waker& where) noexcept { return {home, where}; }
  /// For a task that runs on a worker of `here`. Throws std::logic_error for an executor of another runtime, and std::bad_alloc for a
  /// lane that nobody has used yet.
  static waker& resolve(const executor& e, scheduler& here);
};

}  // namespace impl

namespace this_task {

/// The worker that runs this task now, as an executor: `co_await resume_on(this_task::worker())` stays there from then on. Throws
/// std::logic_error outside of every task.
executor worker();
/// Its number, from 0, as hooks and runtime::worker() count. May differ after every wait unless the task is pinned. Throws
/// std::logic_error outside of every task; valid in functions that fork_join and parallel_for call, not in run_blocking.
std::size_t worker_index();

}  // namespace this_task
}  // namespace sluice
