#pragma once
// The scheduler as the runtime sees it: moves runnables between workers, knows time, and nothing of task<T>.

#include <sluice/queues/task_context.hpp>
#include <sluice/scheduler/running.hpp>
#include <sluice/scheduler/worker_hooks.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sluice::impl {

struct timer;  // one pending deadline; pooled by the scheduler, never in a frame

/// What a deadline calls. `fired` runs on a worker, holds up that worker's other timers, and never throws.
class timer_target {
 public:
  virtual void fired() noexcept = 0;

 protected:
  ~timer_target() = default;
};

struct scheduler_options {
  std::size_t workers = 0;                  // 0: what the affinity mask and the cgroup quota allow, also later
  std::string name = "sluice";              // thread names, dumps
  std::uint32_t ready_budget = 128;         // waits over at once until a task steps back; 0: never
  std::optional<std::uint64_t> simulation;  // a seed: one thread, virtual workers, virtual clock
  bool pin_workers = false;                 // worker i on the i-th processor of pinning_order(); not in a simulation
  worker_hooks hooks = {};
  // For tests, with `workers` of 0: what is asked instead of the machine, how often, and the most workers there will be.
  std::function<std::size_t()> budget = {};
  std::chrono::nanoseconds budget_interval = {};
  std::size_t most_workers = 0;
};

class scheduler final : public waker {
 public:
  explicit scheduler(scheduler_options options);  // throws std::invalid_argument, std::system_error
  ~scheduler();                                   // precondition: no task is left. Stops and joins the workers.
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;

  // Making things runnable: from any thread unless said otherwise, lock-free, cannot fail.
  // A runnable handed over may be resumed, and gone, before the call returns.
  void wake(runnable& r) noexcept override;   // a task that was suspended: next on this worker, or an inbox
  void submit(runnable& r) noexcept;          // a new task: back of this worker's ready ring, or injection
  void yield(runnable& r) noexcept override;  // behind everything that is ready; on a worker of this scheduler only

  // Wakers for tasks that do not go on just anywhere; they live as long as the scheduler.
  waker& critical_lane();                      // before all others (lanes.hpp); throws std::bad_alloc
  waker& background_lane();                    // behind all others; throws std::bad_alloc
  waker& pinned(std::size_t worker) noexcept;  // on this worker alone
  static std::uint64_t random() noexcept;  // of the worker that this thread is; 0 elsewhere. Repeats in a simulation
  static std::size_t current_worker() noexcept;  // the number of the one that this thread is; on a worker only

  std::size_t worker_count() const noexcept;  // those that may run now
  std::size_t worker_slots() const noexcept;  // the most there will ever be
  bool simulated() const noexcept;
  /// Whether a fork() lies between the making of this scheduler and the present process, which then has none of its threads. There
  /// block_until throws std::logic_error; what is noexcept, timers and the destructor say so and abort, and so does the loop of a
  /// worker whose task has called fork() and goes on. Never of a simulation, which needs no threads.
  bool left_behind() const noexcept;
  /// Those that the workers are bound to, in turn; empty if they are not bound.
  const std::vector<unsigned>& processors() const noexcept;

  // Time. Fresh, monotonic; virtual in a simulation.
  time_point now() const noexcept;
  /// Arms a timer: `target.fired()` is called once, not before `deadline`; time_point::max() never fires. From any
  /// thread. Who has just looked what time it is says so: the fewer ns are left, the fewer the deadline is rounded up by; otherwise
  /// the worker's last look counts. Throws std::bad_alloc before anything has changed.
  timer* start_timer(time_point deadline, timer_target& target, time_point present = {});
  /// To be called exactly once for each start_timer, by its owner, from any thread, also after it fired. True: fired() was
  /// not and will not be called. False: fired() has been, or is just being, called.
  bool stop_timer(timer* t) noexcept;

  /// A plain thread waits until `done` is not 0: sleeps, or in a simulation runs the workers. Throws std::logic_error in a
  /// simulation where nothing can run any more.
  void block_until(atomic<std::uint32_t>& done);
  /// Sets `done` to 1 and wakes block_until. After the call `done` may be gone.
  void unblock(atomic<std::uint32_t>& done) noexcept;

  /// Appends a line for each worker and each pending timer: a snapshot, from any thread, also while stalled.
  void describe(std::string& out) const;

  /// The scheduler whose worker this thread is, or null.
  static scheduler* current() noexcept { return running_scheduler::get(); }
  /// The task that this worker runs, or null. Never cache either across a suspension.
  static task_context* current_task() noexcept { return running_task::get(); }
  /// Says that this worker now runs on behalf of `context`: for transfers that do not pass the worker loop.
  static void set_current_task(task_context* context) noexcept { running_task::set(context); }

 private:
  struct state;
  state* state_;
};

}  // namespace sluice::impl
