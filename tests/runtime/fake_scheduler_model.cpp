// The models' scheduler and the models' threads of the blocking pool, see fake_scheduler.hpp.
#include "fake_scheduler.hpp"

#include <sluice/model/program.hpp>
#include <sluice/runtime/blocking_thread.hpp>
#include <sluice/scheduler/fork_lane.hpp>

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

namespace sluice::impl {

struct timer {
  explicit timer(timer_target& t) noexcept : target(&t) {}
  timer_target* target;
  atomic<std::uint32_t> word{0};  // 0 armed, 1 stopped, 2 fired
  plain<int> given_back{0};
};

/// A model thread's fork deque. What is forked is public at once, and a token in the line tells one thread to come for it.
class fake_lane final : public fork_lane {
 public:
  explicit fake_lane(int thread) noexcept : fork_lane(static_cast<std::size_t>(thread)) { forks_.demand(); }

  static fake_lane& mine() noexcept { return static_cast<fake_lane&>(*current()); }
  void become_current() noexcept { current_lane::set(this); }
  runnable& token() noexcept { return token_; }
  bool refuses = false;      // to take back what was forked, once
  unsigned woken_first = 0;  // so many times it takes what is in the line before what it has forked

  runnable* steal() noexcept {
    runnable* r = nullptr;
    using outcome = decltype(forks_)::outcome;
    while (true) {
      const outcome got = forks_.steal(r);
      if (got == outcome::took) return r;
      if (got == outcome::empty) return nullptr;
    }
  }
  /// Resumes `r`, and then what it left in this lane.
  void run(runnable* r) {
    for (; r != nullptr; r = next()) {
      task_context* const task = r->handle ? static_cast<task_context*>(r) : begin(static_cast<chore&>(*r));
      if (task != nullptr) (void)run_slice(*task);
    }
  }
  bool run_slice(task_context& task) noexcept override {
    running_task::set(&task);
    resume(task.handle);
    running_task::set(nullptr);
    return true;
  }

 private:
  void offer() noexcept override { feed_thieves(); }
  void feed_thieves() noexcept override;
  void put_aside(runnable&) noexcept override { model::fail("There is memory."); }
  void submit(runnable& r) noexcept override;
  bool others_wait() noexcept override { return true; }
  bool may_go_on() noexcept override {
    turns_ = ~std::uint32_t{0};
    return !std::exchange(refuses, false);
  }

  runnable* next() noexcept;

  runnable token_;
};

/// What the scheduler is made of.
struct fake_line {
  static constexpr std::uint32_t most = 20;
  struct place {
    plain<runnable*> item;
    atomic<std::uint32_t> full{0};
  };

  explicit fake_line(std::size_t n) noexcept : workers(static_cast<std::uint32_t>(n)) {}

  void push(runnable* r) noexcept {
    const std::uint32_t i = tail.fetch_add(1, relaxed);
    if (i >= most) model::fail("The fake scheduler has too few places for this program.");
    line[i].item.set(r);
    line[i].full.store(1, release);
    futex::wake(line[i].full, 1);
  }
  runnable* pop() noexcept {
    const std::uint32_t i = head.fetch_add(1, relaxed);
    if (i >= most) model::fail("The fake scheduler has too few places for this program.");
    while (line[i].full.load(acquire) == 0) futex::wait(line[i].full, 0);
    return line[i].item.get();
  }

  bool empty() const noexcept { return head.load(relaxed) >= tail.load(relaxed); }
  /// The lane that `r` is the token of, or null.
  fake_lane* lane_of(const runnable& r) noexcept {
    for (auto& each : lanes) {
      if (each && &each->token() == &r) return &*each;
    }
    return nullptr;
  }

  const std::uint32_t workers;
  std::optional<fake_lane> lanes[model::most_threads];  // of those that are workers
  place line[most];
  atomic<std::uint32_t> tail{0};
  atomic<std::uint32_t> head{0};
  atomic<std::uint32_t> left{0};
  static constexpr std::uint32_t most_timers = 3;
  atomic<timer*> timers[most_timers];
  atomic<std::uint32_t> timer_there[most_timers];  // 1 once timers is set
  atomic<std::uint32_t> timer_count{0};
};

struct scheduler::state final : fake_line {
  using fake_line::fake_line;
};

namespace {

// Ordinary memory, written before the threads start or by the one thread that reads it.
scheduler* the_scheduler = nullptr;
fake_line* the_state = nullptr;
bool timers_refused = false;
void run_one(runnable& r) {
  fake_lane* const others = the_state->lane_of(r);
  fake_lane::mine().run(others == nullptr ? &r : others->steal());
}

}  // namespace

void fake_lane::submit(runnable& r) noexcept { the_state->push(&r); }

runnable* fake_lane::next() noexcept {
  while (woken_first != 0 && !the_state->empty()) {
    if (woken_first != fake::always) --woken_first;
    runnable* const r = the_state->pop();
    fake_lane* const others = the_state->lane_of(*r);
    if (others == nullptr) return r;
    if (runnable* const stolen = others->steal()) return stolen;
  }
  return forks_.pop();
}

void fake_lane::feed_thieves() noexcept {
  if (forks_.publish(~std::uint32_t{0})) the_state->push(&token_);
}

scheduler::scheduler(scheduler_options options) : state_(new state(options.workers)) {
  the_scheduler = this;
  the_state = state_;
  timers_refused = false;
}

scheduler::~scheduler() {
  for (std::uint32_t i = 0; i < state_->workers; ++i) state_->push(nullptr);
  for (std::uint32_t n = state_->left.load(acquire); n != state_->workers; n = state_->left.load(acquire)) {
    futex::wait(state_->left, n);
  }
  for (auto& each : state_->timers) {
    timer* const t = each.load(relaxed);
    model::check(t == nullptr || t->given_back.get() == 1, "Each timer is given back once by who started it.");
    delete t;
  }
  delete state_;
}

void scheduler::wake(runnable& r) noexcept { state_->push(&r); }
void scheduler::submit(runnable& r) noexcept { state_->push(&r); }
void scheduler::yield(runnable& r) noexcept { state_->push(&r); }
// Any model thread may work.
// All tasks go on in the one line.
waker& scheduler::critical_lane() { return *this; }
waker& scheduler::background_lane() { return *this; }
waker& scheduler::pinned(std::size_t) noexcept { return *this; }
std::uint64_t scheduler::random() noexcept { return 0; }
std::size_t scheduler::current_worker() noexcept { return fork_lane::current()->index(); }

std::size_t scheduler::worker_slots() const noexcept { return worker_count(); }
std::size_t scheduler::worker_count() const noexcept { return model::most_threads; }
bool scheduler::simulated() const noexcept { return false; }
bool scheduler::left_behind() const noexcept { return false; }
time_point scheduler::now() const noexcept { return impl::now(); }

timer* scheduler::start_timer(time_point, timer_target& target, time_point) {
  if (timers_refused) throw std::bad_alloc();
  const std::uint32_t i = state_->timer_count.fetch_add(1, relaxed);
  if (i >= fake_line::most_timers) model::fail("The fake scheduler has too few timers for this program.");
  auto* made = new timer(target);
  state_->timers[i].store(made, release);
  state_->timer_there[i].store(1, release);
  futex::wake(state_->timer_there[i], 1);
  return made;
}
bool scheduler::stop_timer(timer* t) noexcept {
  t->given_back.set(t->given_back.get() + 1);
  std::uint32_t expected = 0;
  return t->word.compare_exchange_strong(expected, 1, acq_rel, acquire);
}

void scheduler::block_until(atomic<std::uint32_t>& done) {
  while (done.load(acquire) == 0) futex::wait(done, 0);
}
void scheduler::unblock(atomic<std::uint32_t>& done) noexcept {
  done.store(1, release);
  futex::wake(done, 1);
}
void scheduler::describe(std::string&) const {}

namespace fake {

void become_worker(scheduler& s, task_context* context) noexcept {
  running_scheduler::set(&s);
  running_task::set(context);
  auto& lane = the_state->lanes[model::thread_index()];
  if (!lane) lane.emplace(model::thread_index());
  lane->become_current();
}

void nudge() noexcept { the_state->push(&fake_lane::mine().token()); }

void prefer_woken(unsigned times) noexcept { fake_lane::mine().woken_first = times; }
void refuse_once() noexcept { fake_lane::mine().refuses = true; }

void work() {
  auto& s = *the_state;
  become_worker(*the_scheduler, nullptr);
  while (runnable* r = s.pop()) run_one(*r);
  s.left.fetch_add(1, release);
  futex::wake(s.left, 1);
}

void work(int n) {
  auto& s = *the_state;
  become_worker(*the_scheduler, nullptr);
  while (n-- > 0) run_one(*s.pop());
}

runnable& take() { return *the_state->pop(); }

void run(runnable& r) {
  become_worker(*the_scheduler, nullptr);
  run_one(r);
}

void work_off() {
  auto& s = *the_state;
  while (!s.empty()) work(1);
}

void fire_timer(int which) noexcept {
  timer* const t = the_state->timers[which].load(acquire);
  if (t == nullptr) return;
  std::uint32_t expected = 0;
  if (t->word.compare_exchange_strong(expected, 2, acq_rel, acquire)) t->target->fired();
}

void await_timer_and_fire(int which) noexcept {
  auto& there = the_state->timer_there[which];
  while (there.load(acquire) == 0) futex::wait(there, 0);
  fire_timer(which);
}

void refuse_timers() noexcept { timers_refused = true; }

}  // namespace fake

// Threads of the blocking pool: model threads that wait to be started.
namespace {

struct hired {
  const blocking_thread* as = nullptr;
  void (*run)(void*) = nullptr;
  void* of = nullptr;
  atomic<std::uint32_t> state{0};  // 0 | 1 started | 2 ended | 3 never
};
hired crew[4];
int allowed = 0;
atomic<std::uint32_t> crew_size{0};

}  // namespace

void blocking_thread::start(const std::string&, void (*run)(void*), void* of) {
  const std::uint32_t i = crew_size.load(relaxed);  // under the pool's lock
  if (static_cast<int>(i) >= allowed) throw std::system_error(std::make_error_code(std::errc::not_enough_memory));
  crew_size.store(i + 1, relaxed);
  hired& h = crew[i];
  h.as = this;
  h.run = run;
  h.of = of;
  h.state.store(1, release);
  futex::wake(h.state, 1);
}

void blocking_thread::join() noexcept {
  for (auto& h : crew) {
    if (h.as != this || h.run == nullptr) continue;
    for (std::uint32_t now = h.state.load(acquire); now != 2; now = h.state.load(acquire)) futex::wait(h.state, now);
    h.as = nullptr;
    return;
  }
  model::fail("A thread was joined that was never started, or twice.");
}

namespace fake {

void allow_threads(int n) noexcept {
  allowed = n;
  crew_size.store(0, relaxed);
  for (auto& h : crew) {
    h.as = nullptr;
    h.run = nullptr;
    h.state.store(0, relaxed);
  }
}

void be_thread(int which) {
  hired& h = crew[which];
  for (std::uint32_t now = h.state.load(acquire); now == 0; now = h.state.load(acquire)) futex::wait(h.state, 0);
  if (h.state.load(relaxed) == 3) return;
  h.run(h.of);
  h.state.store(2, release);
  futex::wake(h.state, 1);
}

void await_end(int which) noexcept {
  auto& state = crew[which].state;
  for (std::uint32_t now = state.load(acquire); now != 2; now = state.load(acquire)) futex::wait(state, now);
}

bool joined(int which) noexcept { return crew[which].as == nullptr; }

bool all_joined() noexcept {
  return std::ranges::all_of(crew, [](const hired& h) { return h.as == nullptr; });
}

void no_more_threads() noexcept {
  for (auto& h : crew) {
    std::uint32_t expected = 0;
    if (h.state.compare_exchange_strong(expected, 3, relaxed, relaxed)) futex::wake(h.state, 1);
  }
}

}  // namespace fake
}  // namespace sluice::impl
