// The first whole scheduler: one list of ready runnables and one set of timers behind a short lock that is never held
// around a resumption, a timer target or a sleep; workers sleep on one futex word.

#include <sluice/scheduler/scheduler.hpp>

#include <sluice/scheduler/cpu_budget.hpp>
#include <sluice/scheduler/transfer.hpp>

#include <memory>
#include <mutex>
#include <pthread.h>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace sluice::impl {

struct timer {
  enum class phase { armed, firing, fired };
  time_point deadline;
  std::uint64_t sequence;
  timer_target* target;
  phase at = phase::armed;
  bool released = false;
};

namespace {

thread_local constinit scheduler* current_scheduler = nullptr;
thread_local constinit task_context* running_task = nullptr;

struct earlier {
  bool operator()(const timer* a, const timer* b) const noexcept {
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->sequence < b->sequence;
  }
};

}  // namespace

struct scheduler::state {
  std::string name;
  std::size_t workers = 1;
  bool simulated = false;
  std::mt19937_64 random;
  time_point virtual_now{};
  std::uint64_t busy_steps = 0;

  mutable std::mutex lock;
  runnable* first = nullptr;
  runnable* last = nullptr;
  std::size_t ready = 0;
  std::set<timer*, earlier> timers;
  std::uint64_t sequence = 0;
  std::size_t sleeping = 0;
  std::size_t running = 0;
  std::uint64_t steps = 0;
  bool stopping = false;
  atomic<std::uint32_t> epoch{0};
  std::vector<std::thread> threads;

  void wake_one() noexcept {  // with the lock held
    if (sleeping == 0) return;
    epoch.fetch_add(1, relaxed);  // relaxed: changed and read under the lock; the futex compares it once more
    futex::wake(epoch, 1);
  }

  void push_back(runnable& r) noexcept {
    const std::lock_guard hold(lock);
    r.next = nullptr;
    (last != nullptr ? last->next : first) = &r;
    last = &r;
    ++ready;
    wake_one();
  }

  void push_front(runnable& r) noexcept {
    const std::lock_guard hold(lock);
    r.next = first;
    first = &r;
    if (last == nullptr) last = &r;
    ++ready;
    wake_one();
  }

  runnable* take(std::size_t skip) noexcept {  // with the lock held
    runnable* before = nullptr;
    runnable* r = first;
    for (; skip > 0; --skip) before = std::exchange(r, r->next);
    (before != nullptr ? before->next : first) = r->next;
    if (last == r) last = before;
    --ready;
    return r;
  }

  void run(runnable& r) {
    running_task = static_cast<task_context*>(&r);
    resume(r.handle);
    running_task = nullptr;
  }

  void fire(timer* t, std::unique_lock<std::mutex>& hold) {
    timers.erase(t);
    t->at = timer::phase::firing;
    hold.unlock();
    t->target->fired();
    hold.lock();
    t->at = timer::phase::fired;
    if (t->released) delete t;
  }

  void work() {
    std::unique_lock hold(lock);
    while (!stopping || first != nullptr) {
      if (!timers.empty() && (*timers.begin())->deadline <= impl::now()) {
        fire(*timers.begin(), hold);
      } else if (first != nullptr) {
        runnable* r = take(0);
        ++steps;
        ++running;
        hold.unlock();
        run(*r);
        hold.lock();
        --running;
      } else {
        const time_point deadline = timers.empty() ? time_point::max() : (*timers.begin())->deadline;
        const std::uint32_t seen = epoch.load(relaxed);
        ++sleeping;
        hold.unlock();
        futex::wait_until(epoch, seen, deadline);
        hold.lock();
        --sleeping;
      }
    }
  }

  // One step of a simulation. False: nothing can run any more.
  bool step() {
    constexpr std::uint64_t patience = 4096;  // so many steps in a row, and the clock moves although somebody is busy
    std::unique_lock hold(lock);
    if (!timers.empty() && (first == nullptr || ++busy_steps >= patience)) {
      busy_steps = 0;
      virtual_now = std::max(virtual_now, (*timers.begin())->deadline);
    }
    if (!timers.empty() && (*timers.begin())->deadline <= virtual_now) {
      fire(*timers.begin(), hold);
      return true;
    }
    if (first == nullptr) return false;
    runnable* r = take(random() % 2 == 0 ? 0 : random() % std::min<std::size_t>(ready, 2 * workers));
    ++steps;
    hold.unlock();
    run(*r);
    return true;
  }
};

scheduler::scheduler(scheduler_options options) : state_(nullptr) {
  if (options.workers > 4096) {
    throw std::invalid_argument("sluice: a scheduler of " + std::to_string(options.workers) +
                                " workers was asked for; give at most 4096, or 0 for what the machine allows");
  }
  auto s = std::make_unique<state>();
  s->name = options.name;
  s->workers = options.workers != 0 ? options.workers : cpu_budget();
  s->simulated = options.simulation.has_value();
  if (s->simulated) s->random.seed(*options.simulation);
  if (!s->simulated) {
    try {
      for (std::size_t i = 0; i < s->workers; ++i) {
        s->threads.emplace_back([this, all = s.get()] {
          current_scheduler = this;
          all->work();
        });
        const std::string label = s->name.substr(0, 11) + "/" + std::to_string(i);
        pthread_setname_np(s->threads.back().native_handle(), label.substr(0, 15).c_str());
      }
    } catch (...) {
      {
        const std::lock_guard hold(s->lock);
        s->stopping = true;
        s->epoch.fetch_add(1, relaxed);
      }
      futex::wake(s->epoch, INT32_MAX);
      for (auto& thread : s->threads) thread.join();
      throw;
    }
  }
  state_ = s.release();
}

scheduler::~scheduler() {
  {
    const std::lock_guard hold(state_->lock);
    state_->stopping = true;
    state_->epoch.fetch_add(1, relaxed);
  }
  futex::wake(state_->epoch, INT32_MAX);
  for (auto& thread : state_->threads) thread.join();
  for (timer* t : state_->timers) delete t;
  delete state_;
}

void scheduler::wake(runnable& r) noexcept { state_->push_back(r); }
void scheduler::submit(runnable& r) noexcept { state_->push_back(r); }
void scheduler::fork(runnable& r) noexcept { state_->push_front(r); }
void scheduler::yield(runnable& r) noexcept { state_->push_back(r); }

std::size_t scheduler::worker_count() const noexcept { return state_->workers; }
bool scheduler::simulated() const noexcept { return state_->simulated; }

time_point scheduler::now() const noexcept {
  if (!state_->simulated) return impl::now();
  const std::lock_guard hold(state_->lock);
  return state_->virtual_now;
}

timer* scheduler::start_timer(time_point deadline, timer_target& target) {
  auto t = std::make_unique<timer>(timer{deadline, 0, &target});
  const std::lock_guard hold(state_->lock);
  t->sequence = state_->sequence++;
  if (deadline != time_point::max()) {
    state_->timers.insert(t.get());
    if (*state_->timers.begin() == t.get()) state_->wake_one();
  }
  return t.release();
}

bool scheduler::stop_timer(timer* t) noexcept {
  const std::lock_guard hold(state_->lock);
  if (t->at == timer::phase::armed) {
    state_->timers.erase(t);
    delete t;
    return true;
  }
  if (t->at == timer::phase::fired) {
    delete t;
  } else {
    t->released = true;
  }
  return false;
}

void scheduler::block_until(atomic<std::uint32_t>& done) {
  if (!state_->simulated) {
    while (done.load(acquire) == 0) futex::wait(done, 0);  // E1 observe
    return;
  }
  scheduler* const outer = std::exchange(current_scheduler, this);
  task_context* const outer_task = std::exchange(running_task, nullptr);
  bool can_run = true;
  while (done.load(acquire) == 0 && can_run) can_run = state_->step();  // E1 observe
  current_scheduler = outer;
  running_task = outer_task;
  if (can_run || done.load(acquire) != 0) return;
  std::string message =
      "sluice: the simulation has come to a standstill: nothing is ready, no timer is pending, and what is waited for "
      "has not happened; look for a wait that nobody ends.\n";
  describe(message);
  throw std::logic_error(message);
}

// E1  unblock -> block_until: what was done before is visible after.
void scheduler::unblock(atomic<std::uint32_t>& done) noexcept {
  done.store(1, release);  // E1 publish
  futex::wake(done, 1);    // an address that is gone by now wakes nobody, or somebody who looks again
}

void scheduler::describe(std::string& out) const {
  const std::lock_guard hold(state_->lock);
  out += "scheduler \"" + state_->name + "\": " + std::to_string(state_->workers) + " workers, " +
         std::to_string(state_->running) + " running, " + std::to_string(state_->sleeping) + " parked, " +
         std::to_string(state_->ready) + " ready, " + std::to_string(state_->steps) + " steps\n";
  const time_point at = state_->simulated ? state_->virtual_now : impl::now();
  for (const timer* t : state_->timers) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(t->deadline - at).count();
    out += "  timer in " + std::to_string(left) + " us\n";
  }
}

scheduler* scheduler::current() noexcept { return current_scheduler; }
task_context* scheduler::current_task() noexcept { return running_task; }
void scheduler::set_current_task(task_context* context) noexcept { running_task = context; }

}  // namespace sluice::impl
