#pragma once
// executor: where a task goes on when it becomes ready. Any worker, in one of three lanes; one worker; or a strand.

#include <sluice/scheduler/scheduler.hpp>

#include <cstddef>
#include <cstdint>

namespace sluice {

/// How urgent a task is among those that are ready. A critical one goes before all others, but of 17 tasks in a row on a worker 16 at
/// most are critical while others are ready; a background one is run by a worker that finds nothing else, or at every 16th look that a
/// busy worker takes beyond its own queue (every 64 tasks at most, and about every 100 us), so none starves.
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
/// Its number, from 0. Throws std::logic_error outside of every task.
std::size_t worker_index();

}  // namespace this_task
}  // namespace sluice
