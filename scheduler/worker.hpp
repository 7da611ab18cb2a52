#pragma once
// One worker: its queues, its timers, and one step of its loop. A driver (driver.hpp) decides which thread takes the steps.
//
// What a worker takes next, in this order:
//   every 64 steps at most (fewer when steps are long, so that it is about every 100 us):
//                  timers, then one task: at 16 looks of 17 a critical one if there is any, else from inbox, overflow,
//                  injection, the ready ring or the pinned ones, each of them first in turn; at every 16th such look one of the
//                  background lane comes first. Where steps are so long that each begins with a look, every other gives nothing.
//   critical lane  at most 16 in a row (lanes.hpp)
//   LIFO slot      what the task that just ran has woken; at most 16 in a row
//   fork deque     the newest forked child
//   ready ring     the oldest ready task
//   pinned tasks, inbox, overflow, injection
// and when all that is empty: timers, then a search through the other workers, then the background lane, then a few short naps
// (napper.hpp) if it had work a moment ago and another worker is awake, then sleep.
//
// So a ready task waits at most for the tasks before it in its ring, and each of those for at most 16 tasks out of the LIFO slot;
// forked children hold up the ring, and the ring holds up what comes from outside and what is pinned, for at most 384 steps for
// each task, 17 times that while critical tasks are always ready (the bounds in full: README, "Order and fairness").
//
// I1  A worker never sleeps while its LIFO slot, the private part of its fork deque or its ring hold something.
// I2  A runnable is in one place. Once handed over it is not touched.
// I3  While a worker is awake and others sleep, one sleeper watches: it wakes by itself after 250 us to 8 ms and takes what it
//     finds, even from the LIFO slot of a worker that has not moved between two looks. So what a long task has woken or spawned
//     does not wait for its end. Who fills a LIFO slot while nobody watches asks a sleeper to; a watcher that finds work
//     hands the watch on (watch.hpp).
// I4  A worker that stands by (headcount.hpp) holds nothing that another could run: what its timers wake it gives away.
// I5  Tasks that take turns, such as the putters and getters of a queue, stay on one worker, where the cache lines of their queue are:
//     where steps are short, a few ready tasks are not worth another worker's while. `keeps_` says how many (keeper.hpp): set at looks,
//     cleared by what makes tasks ready otherwise than by being woken by a task or stepping back, and by one too many. Nobody is woken
//     for tasks that are kept, and a thief takes them only from a worker that has not moved between two looks: the watch (I3) sees to it.
// E1  into the LIFO slot (release) -> out of it (acquire).
// The other edges are those of the queues, and the pair that keeps work and sleep apart is D1 of idle.hpp: its sources are the
// rings, the deques, the inbox, the injection queues and the lanes. A pinned task has its worker woken by a token, whether it sleeps
// or not: a token that is there before the sleep ends it at once (E1 of parker.hpp brings the mail).
// While anybody sleeps, `want` of every deque is set (D2 of fork_deque.hpp): so what is forked is made public at once.

#include <sluice/queues/task_context.hpp>
#include <sluice/scheduler/fork_lane.hpp>
#include <sluice/scheduler/headcount.hpp>
#include <sluice/scheduler/idle.hpp>
#include <sluice/scheduler/inbox.hpp>
#include <sluice/scheduler/injection.hpp>
#include <sluice/scheduler/keeper.hpp>
#include <sluice/scheduler/lanes.hpp>
#include <sluice/scheduler/napper.hpp>
#include <sluice/scheduler/parker.hpp>
#include <sluice/scheduler/process.hpp>
#include <sluice/scheduler/ready_ring.hpp>
#include <sluice/scheduler/slice.hpp>
#include <sluice/scheduler/timers.hpp>
#include <sluice/scheduler/topology.hpp>
#include <sluice/scheduler/transfer.hpp>
#include <sluice/scheduler/watch.hpp>
#include <sluice/scheduler/worker_hooks.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::impl {

class worker;

/// Who can start a thread for the next worker that has none.
class worker_starter {
 public:
  [[nodiscard]] virtual bool start_another() noexcept = 0;

 protected:
  ~worker_starter() = default;
};

/// What the workers of one scheduler share.
struct worker_pool {
  /// `count` workers, of which `allowed` may run at first.
  worker_pool(scheduler& owner, std::string name, std::size_t count, bool simulated, std::uint64_t seed,
              std::uint32_t ready_budget = 0, std::size_t allowed = ~std::size_t{0});
  ~worker_pool();
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  time_point now() const noexcept {
    // relaxed: one thread moves virtual time, others only look at it
    return simulated ? time_point(std::chrono::nanoseconds(virtual_now.load(relaxed))) : impl::now();
  }

  /// Whether this is a child of the process that the threads of this pool are in.
  bool left_behind() const noexcept { return made_in.in_child() && !simulated; }
  /// If so: says that, and aborts.
  void require_threads() const noexcept {
    if (left_behind()) [[unlikely]]
      abort_made_before_fork();
  }
  /// Wakes a sleeper to search, if there is one and nobody searches.
  void wake_one() noexcept;
  /// I3: somebody sleeps and nobody watches. Whoever searches then, or is woken here, watches in the end or wakes the next.
  void ask_for_watch() noexcept;
  /// After publishing from outside: as wake_one, or disturbs the one that naps.
  void wake_for_outside() noexcept;
  /// Looks up how many workers may run, if it is time to, and starts, unparks or stops them.
  void recount(time_point now) noexcept {
    if (headcount.due(now)) [[unlikely]]
      look_up(now);
  }
  /// Whether something waits that belongs to no worker.
  bool any_outside() const noexcept {
    return injection.has_items() || inbox.has_items() || overflow.has_items() || lanes.have_items();
  }
  /// Whether any source holds something that a searcher could take.
  bool any_work() const noexcept;
  /// To be called by threads that are not workers of this pool.
  void put_outside(runnable& r) noexcept;
  void submit_outside(runnable& r) noexcept;

  void look_up(time_point now) noexcept;

  scheduler& owner;
  const std::string name;
  const bool simulated;
  const process_stamp made_in;
  const std::uint32_t ready_budget;  // waits over at once until a task steps back; 0: never
  std::vector<std::unique_ptr<worker>> workers;
  lane_set lanes;
  sluice::impl::headcount headcount;
  std::function<std::size_t()> budget;  // how many may run; asked if the number changes
  worker_starter* starter = nullptr;    // likewise
  worker_hooks hooks;
  std::optional<topology> map;                         // if some processors are nearer to each other than to others
  unsigned (*current_processor)() noexcept = nullptr;  // with a map
  idle_state idle;
  napper nap;
  watch_post watch;  // I3
  sluice::impl::inbox inbox;
  sluice::impl::injection overflow;     // what the rings could not hold: it has waited longer than what is new
  sluice::impl::injection injection;    // what was submitted from outside
  atomic<std::uint32_t> stopping{0};    // 0 | 1
  atomic<std::int64_t> virtual_now{0};  // ns
  atomic<std::uint32_t> next_home{0};   // which worker gets the next timer from outside; relaxed: any will do
  // threads outside that are inside one of our calls, see scheduler.cpp
  alignas(128) atomic<std::uint32_t> visitors{0};
};

/// A thread outside that hands a runnable over: I1 of scheduler.cpp.
class visit {
 public:
  explicit visit(worker_pool& pool) noexcept : pool_(pool) {
    pool_.require_threads();
    pool_.visitors.fetch_add(1, relaxed);  // relaxed: what is handed over afterwards carries it to the destructor
  }
  ~visit() { pool_.visitors.fetch_sub(1, release); }  // E1 of scheduler.cpp
  visit(const visit&) = delete;
  visit& operator=(const visit&) = delete;

 private:
  worker_pool& pool_;
};

/// Where the tasks that stay on one worker become runnable.
class pinned_post final : public waker {
 public:
  explicit pinned_post(worker& home) noexcept : waker(false), home_(home) {}

  void wake(runnable& r) noexcept override;
  // The worker.
  runnable* take() noexcept {
    if (first_ == nullptr) first_ = mail_.take_all();
    runnable* const r = first_;
    if (r != nullptr) first_ = r->next;
    return r;
  }
  bool has_items() const noexcept { return first_ != nullptr || mail_.has_items(); }

 private:
  worker& home_;
  inbox mail_;
  runnable* first_ = nullptr;  // the worker's: what it has taken out of the mail, oldest first
};

class worker final : public fork_lane {
 public:
  worker(worker_pool& pool, std::size_t index, std::uint64_t seed);

  // The thread that is this worker now.
  void wake(runnable& r) noexcept;
  void submit(runnable& r) noexcept override { push_ready(r); }
  void yield(runnable& r) noexcept;
  bool others_wait() noexcept override;
  runnable* next() noexcept;    // without looking at other workers
  runnable* search() noexcept;  // at other workers
  void run(runnable& r) noexcept;
  bool run_slice(task_context& task) noexcept override;
  bool step() noexcept;  // for a driver that never parks. False: nothing to do
  void work() noexcept;  // steps and parks until the pool stops

  worker_pool& pool() const noexcept { return pool_; }
  worker_timers& timers() noexcept { return timers_; }
  pinned_post& pinned() noexcept { return pinned_; }
  sluice::impl::parker& parker() noexcept { return parker_; }
  /// The next step begins with a look outside.
  void look_soon() noexcept { until_look_ = 1; }
  bool has_public_work() const noexcept { return (ring_.has_items() && shares_ring()) || forks_.has_public(); }
  void describe(std::string& out) const;

  static worker* current() noexcept { return static_cast<worker*>(current_lane::get()); }
  std::uint64_t random() noexcept {  // xorshift64*, Vigna 2016; its own thread's
    seed_ ^= seed_ >> 12;
    seed_ ^= seed_ << 25;
    seed_ ^= seed_ >> 27;
    return seed_ * 0x2545f4914f6cdd1du >> 16;
  }
  static void set_current(worker* w) noexcept {
    current_lane::set(w);
    running_scheduler::set(w == nullptr ? nullptr : &w->pool_.owner);
  }

 private:
  enum class mode : std::uint32_t { running, searching, parked, standing_by };

  /// How many are in the ring and the LIFO slot. Exact for the owner.
  std::uint32_t ready() const noexcept {
    return ring_.size() + (lifo_.load(relaxed) != nullptr ? 1 : 0);  // relaxed: a number
  }
  /// Whether the ready ring is worth another worker's while (I5). Anybody may ask.
  bool shares_ring() const noexcept { return keeps_.shares(ready()); }
  void push_ready(runnable& r) noexcept {
    keeps_.nothing();
    if (!ring_.push(&r)) [[unlikely]]
      overflow(r);
    else if (pool_.idle
                 .worth_waking())  // nearly always enough; the look after the next pop of the ring makes it certain
      pool_.wake_one();
  }
  void push_woken(runnable& r) noexcept;
  void push_quietly(runnable& r) noexcept;
  /// Something was left that only the watch sees: I3.
  void require_watch() noexcept {
    if (!pool_.watch.taken() && pool_.idle.anybody_sleeps()) [[unlikely]]
      pool_.ask_for_watch();
  }
  void overflow(runnable& r) noexcept;
  void give_away(runnable** items, std::size_t n) noexcept;
  void offer() noexcept override;
  void feed_thieves() noexcept override;
  void put_aside(runnable& r) noexcept override { push_ready(r); }
  bool may_go_on() noexcept override;
  void resume_task(task_context& task) noexcept;
  runnable* take_lifo() noexcept;
  runnable* put_into_lifo(runnable* r) noexcept;
  runnable* pop_ring() noexcept { return alone_ ? ring_.pop_alone() : ring_.pop(); }
  runnable* take_critical() noexcept;
  time_point adapt_interval() noexcept;
  void begin_steps(time_point now) noexcept;
  runnable* look_outside() noexcept;
  runnable* look_for_turn() noexcept;
  bool stands_by() const noexcept { return index_ >= pool_.headcount.allowed(); }
  runnable* keep_only_mine() noexcept;
  void stand_by() noexcept;
  void sleep_until(time_point deadline, mode how) noexcept;
  /// Whether somebody is awake if so many sleep. (Those that stand by are no sleepers.)
  bool others_awake(std::size_t sleeping) const noexcept {
    return sleeping + pool_.headcount.standing_by() < pool_.headcount.started();
  }
  unsigned distance_to(const worker& other) const noexcept;
  runnable* steal_at(unsigned distance, std::size_t start, bool comes_by) noexcept;
  runnable* refill() noexcept;
  runnable* refill_from(injection& queue) noexcept;
  runnable* unpack_inbox(runnable* chain) noexcept;
  runnable* steal_from(worker& victim, bool comes_by) noexcept;
  void found_work() noexcept;
  bool nap() noexcept;
  void park() noexcept;
  bool chance(std::uint64_t one_in) noexcept { return random() % one_in == 0; }
  static void count(atomic<std::uint64_t>& counter) noexcept {  // relaxed: one writer, read by dumps and thieves
    counter.store(counter.load(relaxed) + 1, relaxed);
  }

  static constexpr std::uint32_t lifo_limit = model_build ? 1 : 16;
  static constexpr std::uint32_t critical_limit = model_build ? 1 : 16;
  static constexpr std::uint32_t looks_for_background = 16;  // at one of so many looks the background lane comes first
  static constexpr std::uint32_t longest_interval = 64;
  static constexpr std::uint32_t naps_before_sleep = 4;
  static constexpr std::uint64_t steps_before_handover = 256;  // of free frames, before a sleep
  static constexpr auto nap_length = std::chrono::microseconds(50);
  static constexpr auto shortest_watch = std::chrono::microseconds(250);
  static constexpr auto longest_watch = std::chrono::microseconds(8000);
  static constexpr auto wanted_interval = std::chrono::microseconds(100);

  // The owner's.
  worker_pool& pool_;
  const bool alone_;  // the only worker there is or will be: nobody steals
  std::uint64_t seed_;
  std::uint32_t until_look_ = longest_interval;  // steps until look_outside
  std::uint32_t interval_ = longest_interval;
  std::uint32_t lifo_run_ = 0;
  std::uint32_t critical_run_ = 0;
  std::uint32_t critical_looks_ = 0;  // that have given a critical task, in a row
  std::uint32_t looks_ = 0;
  bool look_gave_ = false;  // the last look outside has given a task
  std::uint32_t naps_left_ = 0;
  std::chrono::microseconds watch_length_ = shortest_watch;
  bool watched_ = false;  // gave up the watch, and has not found work since
  bool searching_ = false;
  time_point last_look_{};
  std::uint64_t steps_at_handover_ = 0;
  std::vector<std::uint64_t> seen_steps_;  // of each other worker, when this one last came by in vain
  // Written by the owner, read by others.
  alignas(128) atomic<std::uint64_t> steps_{0};
  atomic<std::uint64_t> steals_{0};
  atomic<std::uint64_t> parks_{0};
  atomic<mode> mode_{mode::running};  // relaxed: for dumps
  atomic<runnable*> lifo_{nullptr};   // into it: the owner; out of it: anybody
  keeper keeps_;                      // I5
  atomic<unsigned> processor_{0};     // where it was last, with a map; all accesses relaxed: a hint
  // Small in a model build: what happens when it is full is within reach.
  ready_ring<runnable, model_build ? 4 : 1024> ring_;
  worker_timers timers_;
  sluice::impl::parker parker_;
  pinned_post pinned_{*this};
};

// ---------------------------------------------------------------------------------------------------------------------------

inline void worker::wake(runnable& r) noexcept {
  // Timers and such wake many at a time: in order. A simulation tries both.
  if (running_task::get() == nullptr || (pool_.simulated && chance(4))) return push_ready(r);
  if (lifo_.load(relaxed) == nullptr) {  // relaxed: only the owner puts something in
    lifo_.store(&r, release);            // E1 publish
  } else if (runnable* const displaced = put_into_lifo(&r)) {
    return push_woken(*displaced);  // the slot stays full, and what follows was done when it was filled
  }
  require_watch();
}

// One more that a task has woken.
inline void worker::push_woken(runnable& r) noexcept {
  if (keeps_.shares(ready() + 1)) return push_ready(r);
  push_quietly(r);
}

// What was in the slot; null puts nothing in.
inline runnable* worker::put_into_lifo(runnable* r) noexcept {
  if (!alone_) return lifo_.exchange(r, release);   // E1 publish
  runnable* const displaced = lifo_.load(relaxed);  // relaxed: nobody else takes it
  lifo_.store(r, relaxed);                          // relaxed: likewise
  return displaced;
}

// Nobody is woken for a task that steps back and is alone: it goes on here at once. Or takes turns with others (I5).
inline void worker::yield(runnable& r) noexcept {
  if (keeps_.shares(ready()) || !forks_.empty() || pinned_.has_items()) return push_ready(r);
  push_quietly(r);
}

inline runnable* worker::next() noexcept {
  if (--until_look_ == 0) [[unlikely]] {
    if (runnable* const r = look_outside()) {
      if (pool_.idle.must_wake() && ring_.size() != 0 && shares_ring()) pool_.wake_one();  // for what was kept
      return r;
    }
  }
  if (pool_.lanes.in_use()) [[unlikely]] {
    if (runnable* const r = take_critical()) return r;
  }
  if (lifo_.load(relaxed) != nullptr) {  // relaxed: E1 in take_lifo
    if (runnable* const r = take_lifo()) return r;
  }
  lifo_run_ = 0;
  if (runnable* const r = forks_.pop()) {
    feed_the_hungry();
    return r;
  }
  if (alone_) {
    if (runnable* const r = ring_.pop_alone()) return r;
  } else if (runnable* const r = ring_.pop()) {
    if (pool_.idle.must_wake() && ring_.size() != 0 && shares_ring()) [[unlikely]]
      pool_.wake_one();
    return r;
  }
  return refill();
}

inline void worker::run(runnable& r) noexcept {
  count(steps_);
  // a runnable with a coroutine is always the base of a task_context
  task_context* const task = r.handle ? static_cast<task_context*>(&r) : begin(static_cast<chore&>(r));
  if (task != nullptr) resume_task(*task);
}

inline bool worker::run_slice(task_context& task) noexcept {
  resume_task(task);
  return until_look_ != 1 && --until_look_ != 0;
}

inline void worker::resume_task(task_context& task) noexcept {
  slice_left::set(pool_.ready_budget);
  running_task::set(&task);
  resume(task.handle);
  running_task::set(nullptr);
}

}  // namespace sluice::impl
