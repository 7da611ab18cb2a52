// The scheduler over its workers; tests/scheduler/scheduler_model.cpp runs it in model builds.
// The interface: sends each call to the calling thread's own worker, or to the pool from outside.
//
// I1  A thread outside that hands a runnable over may be the last to know of it: the task may end, and somebody may destroy the
//     scheduler, before the call returns. So such a call counts itself as a visitor before it hands anything over, and the
//     destructor waits for the visitors to leave.
// E1  a visitor leaves (release, in worker.hpp) -> the destructor (acquire).
// E2  unblock (release) -> block_until (acquire): what was done before is visible after.

#include <sluice/scheduler/scheduler.hpp>

#include <sluice/queues/thread_context.hpp>
#include <sluice/scheduler/binding.hpp>
#include <sluice/scheduler/cpu_budget.hpp>
#include <sluice/scheduler/driver.hpp>
#include <sluice/scheduler/topology.hpp>
#include <sluice/scheduler/worker.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sluice::impl {

namespace {

struct worker_numbers {
  std::size_t most;
  std::size_t allowed;  // at first; every bit set: all, and that does not change
};

worker_numbers numbers(const scheduler_options& options) {
  constexpr std::size_t most = 4096;
  if (options.workers > most) {
    throw std::invalid_argument("sluice: a scheduler of " + std::to_string(options.workers) +
                                " workers was asked for; give at most " + std::to_string(most) +
                                ", or 0 for what the machine allows");
  }
  if (options.budget) return {options.most_workers, options.budget()};
  if (options.workers != 0 || options.simulation) {
    return {options.workers != 0 ? options.workers : cpu_budget(), ~std::size_t{0}};
  }
  const std::size_t processors = std::min(allowed_processors().size(), most);
  return {processors, std::min(cpu_budget(), processors)};
}

}  // namespace

struct scheduler::state {
  state(scheduler& owner, worker_numbers workers, const scheduler_options& options)
      : pool(owner, options.name, workers.most, options.simulation.has_value(), options.simulation.value_or(0),
             options.ready_budget, workers.allowed) {
    if (options.simulation) {
      simulation.emplace(pool, *options.simulation);
    } else {
      start_threads(options);
    }
  }

  void start_threads(const scheduler_options& options) {
    pool.hooks = options.hooks;
    topology map = this_topology();
    std::vector<unsigned> processors;
    if (options.pin_workers) processors = map.pinning_order();
    // A bound worker sees only its own processor in its mask: then the quota alone may change.
    pool.budget = options.budget        ? options.budget
                  : options.pin_workers ? [n = processors.size()] { return cpu_budget_from("", n); }
                                        : std::function<std::size_t()>(&cpu_budget);
    if (options.budget) pool.headcount.set_interval(options.budget_interval);
    if (map.caches() > 1 || map.nodes() > 1) {
      pool.map = std::move(map);
      pool.current_processor = &current_processor;
    }
    threads.emplace(pool, std::move(processors));
  }

  /// The worker that the calling thread is, if it is one of ours.
  worker* own_worker() noexcept {
    worker* const w = worker::current();
    return w != nullptr && &w->pool() == &pool ? w : nullptr;
  }

  worker_pool pool;
  std::optional<sim_driver> simulation;
  std::optional<threads_driver> threads;
};

scheduler::scheduler(scheduler_options options) : state_(new state(*this, numbers(options), options)) {}

scheduler::~scheduler() {
  state_->pool.require_threads();
  while (state_->pool.visitors.load(acquire) != 0) yield_thread();  // E1 observe
  delete state_;
}

void scheduler::wake(runnable& r) noexcept {
  if (worker* const w = state_->own_worker()) return w->wake(r);
  const visit here(state_->pool);
  state_->pool.put_outside(r);
}

void scheduler::submit(runnable& r) noexcept {
  if (worker* const w = state_->own_worker()) return w->submit(r);
  const visit here(state_->pool);
  state_->pool.submit_outside(r);
}

void scheduler::yield(runnable& r) noexcept { worker::current()->yield(r); }

waker& scheduler::critical_lane() { return state_->pool.lanes.get(lane_set::critical); }
waker& scheduler::background_lane() { return state_->pool.lanes.get(lane_set::background); }
waker& scheduler::pinned(std::size_t worker) noexcept { return state_->pool.workers[worker]->pinned(); }
std::uint64_t scheduler::random() noexcept { return worker::current() != nullptr ? worker::current()->random() : 0; }

std::size_t scheduler::current_worker() noexcept { return worker::current()->index(); }

std::size_t scheduler::worker_count() const noexcept { return state_->pool.headcount.allowed(); }
std::size_t scheduler::worker_slots() const noexcept { return state_->pool.workers.size(); }
bool scheduler::simulated() const noexcept { return state_->pool.simulated; }
bool scheduler::left_behind() const noexcept { return state_->pool.left_behind(); }
const std::vector<unsigned>& scheduler::processors() const noexcept {
  static const std::vector<unsigned> none;
  return state_->threads ? state_->threads->processors() : none;
}
time_point scheduler::now() const noexcept { return state_->pool.now(); }

timer* scheduler::start_timer(time_point deadline, timer_target& target, time_point present) {
  if (worker* const w = state_->own_worker()) return w->timers().start(deadline, target, present);
  worker_pool& pool = state_->pool;
  const visit here(pool);
  std::size_t home = pool.idle.any_sleeper();
  if (home == idle_state::nobody) home = pool.next_home.fetch_add(1, relaxed) % pool.headcount.allowed();
  worker& w = *pool.workers[home];
  timer* const t = w.timers().start_outside(deadline, target);
  if (w.timers().must_wake_for(deadline)) w.parker().unpark();
  return t;
}

bool scheduler::stop_timer(timer* t) noexcept {
  worker* const w = state_->own_worker();
  if (w != nullptr && &w->timers() == t->home) return w->timers().stop(*t);
  const visit here(state_->pool);
  return t->home->stop_outside(*t);
}

void scheduler::block_until(atomic<std::uint32_t>& done) {
  if (!state_->simulation) {
    if (left_behind()) throw_made_before_fork();
    while (done.load(acquire) == 0) futex::wait(done, 0);  // E2 observe
    return;
  }
  worker* const outer = worker::current();
  task_context* const outer_task = scheduler::current_task();
  scheduler::set_current_task(nullptr);
  const char* const outer_name = std::exchange(worker_thread_name, state_->pool.name.c_str());
  bool can_run = true;
  while (done.load(acquire) == 0 && can_run) can_run = state_->simulation->step();  // E2 observe
  worker_thread_name = outer_name;
  worker::set_current(outer);
  scheduler::set_current_task(outer_task);
  if (done.load(acquire) != 0) return;  // E2 observe
  std::string message =
      "sluice: the simulation has come to a standstill: nothing is ready, no timer is pending, and what is waited for "
      "has not happened; look for a wait that nobody ends.\n";
  describe(message);
  throw std::logic_error(message);
}

void scheduler::unblock(atomic<std::uint32_t>& done) noexcept {
  done.store(1, release);  // E2 publish
  futex::wake(done, 1);    // an address that is gone by now wakes nobody, or somebody who looks again
}

void scheduler::describe(std::string& out) const {
  const worker_pool& pool = state_->pool;
  const std::size_t count = pool.headcount.allowed();
  out += "scheduler \"" + pool.name + "\": " + std::to_string(count) + " workers, " +
         (count == pool.workers.size() ? "" : std::to_string(pool.workers.size()) + " at most, ") +
         std::to_string(pool.idle.sleeping()) + " asleep, " + std::to_string(pool.idle.searching()) + " searching, " +
         std::to_string(pool.injection.size()) + " injected, " + std::to_string(pool.overflow.size()) +
         " overflowed, " + std::to_string(pool.lanes.size(lane_set::critical)) + " critical, " +
         std::to_string(pool.lanes.size(lane_set::background)) + " in the background, inbox " +
         (pool.inbox.has_items() ? "waiting" : "empty") + "\n";
  for (std::size_t i = 0; i < pool.headcount.started(); ++i) pool.workers[i]->describe(out);
}

}  // namespace sluice::impl
