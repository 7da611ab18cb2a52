// models: runtime/sleep.hpp runtime/run_blocking.hpp runtime/timeout.hpp runtime/gate.hpp
// The waits of tasks as they are shipped: sleep, run_blocking and timeout, each ended by what it waits for, by a timer and by a
// cancellation at once. The coroutine, with the wait in its frame, goes as soon as it is over.
#include "model_world.hpp"

#include <sluice/runtime/run_blocking.hpp>
#include <sluice/runtime/sleep.hpp>
#include <sluice/runtime/timeout.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;
using value = checked_value;
using namespace std::chrono_literals;

struct state {
  state() { fake::allow_threads(1); }
  plain<int> argument{6};
  core_holder core{0};
  std::optional<join_handle<value>> handle;  // of the task that waits; it outlives every thread
  runnable* root = nullptr;
  bool over = false;  // of the thread that runs the task
  int outcome = 0;    // likewise: 1 the wait was over, 2 it was cancelled, 3 it was too long

  void spawn(task<value> t) {
    handle.emplace(spawner::spawn(*core, t, "model", "", 0));
    root = &fake::take();
  }
  // Runs the task to its end: once more for each time that it was really suspended.
  void work(bool also_the_pool) {
    fake::run(*root);
    if (also_the_pool) {  // until nobody else can go on
      fake::no_more_threads();
      fake::be_thread(0);
    }
    while (!over) fake::work(1);
    fake::no_more_threads();
  }
};

// The end of a task that waited: `over` is the last thing before its frame goes.
struct last_words {
  explicit last_words(state& of) noexcept : s(of) {}
  ~last_words() { s.over = true; }
  state& s;
};

task<value> sleeps(in_model, state& s) {
  const last_words end(s);
  try {
    co_await sleep_for(1h);
    s.outcome = 1;
  } catch (const cancelled&) {
    s.outcome = 2;
  }
  co_return value(0);
}

// What the call writes is there for the task, and what the task wrote for the call.
task<value> calls(in_model, state& s) {
  const last_words end(s);
  plain<int> answer{0};
  auto call = [&s, &answer] { answer.set(s.argument.get() + 1); };
  try {
    co_await run_blocking(call);
    model::check(answer.get() == 7, "The call was made.");
    s.outcome = 1;
  } catch (const cancelled&) {
    model::check(answer.get() == 0, "The call was not made.");
    s.outcome = 2;
  }
  co_return value(0);
}

task<value> answers(in_model, state& s) { co_return value(s.argument.get() + 1); }

task<value> waits_for_a_task(in_model, state& s, join_handle<value>& other) {
  const last_words end(s);
  try {
    const value v = co_await timeout(1h, other);
    model::check(v.value() == 7, "The result is there.");
    s.outcome = 1;
  } catch (const cancelled&) {
    s.outcome = 2;
  } catch (const timed_out&) {
    s.outcome = 3;
  }
  co_return value(0);
}

task<value> sleeps_inside(in_model, state&) {
  co_await sleep_for(1h);
  co_return value(7);
}

task<value> limited_task(in_model, state& s, task<value> inner) {
  const last_words end(s);
  try {
    const value v = co_await timeout(1h, std::move(inner));
    model::check(v.value() == 7, "The result is there.");
    s.outcome = 1;
  } catch (const cancelled&) {
    s.outcome = 2;
  } catch (const timed_out&) {
    s.outcome = 3;
  }
  co_return value(0);
}

task<value> limits_a_sleeper(in_model, state& s) { return limited_task(in_model{}, s, sleeps_inside(in_model{}, s)); }
task<value> limits_a_task(in_model, state& s) { return limited_task(in_model{}, s, answers(in_model{}, s)); }

enum : unsigned { timer = 1, canceller = 2, pool = 4, worker_is_pool = 8 };

// One task, and whoever may end its wait.
void waiting(model::run& r, task<value> (*body)(in_model, state&), unsigned who, std::initializer_list<int> outcomes) {
  auto& s = r.make<state>();
  s.spawn(body(in_model{}, s));
  r.thread("worker", [&s, who] { s.work((who & worker_is_pool) != 0); });
  if ((who & timer) != 0) r.thread("timer", [] { fake::fire_timer(0); });
  if ((who & pool) != 0) r.thread("pool", [] { fake::be_thread(0); });
  if ((who & canceller) != 0) r.thread("canceller", [&s] { s.handle->cancel(); });
  r.finally([&s, allowed = std::vector<int>(outcomes)] {
    model::check(std::ranges::find(allowed, s.outcome) != allowed.end(), "The wait ended in a way that it may.");
    s.handle.reset();
  });
}

// The task waits for another one that ends meanwhile, for a limited time.
void limited_join(model::run& r, unsigned who, std::initializer_list<int> outcomes) {
  struct two : state {
    two() {
      other.emplace(spawner::spawn(*core, *std::make_unique<task<value>>(answers(in_model{}, *this)), "other", "", 0));
      other_root = &fake::take();
    }
    std::optional<join_handle<value>> other;
    runnable* other_root = nullptr;
  };
  auto& s = r.make<two>();
  s.spawn(waits_for_a_task(in_model{}, s, *s.other));
  r.thread("worker", [&s] { s.work(false); });
  r.thread("other worker", [&s] { fake::run(*s.other_root); });
  if ((who & timer) != 0) r.thread("timer", [] { fake::fire_timer(0); });
  if ((who & canceller) != 0) r.thread("canceller", [&s] { s.handle->cancel(); });
  r.finally([&s, allowed = std::vector<int>(outcomes)] {
    model::check(std::ranges::find(allowed, s.outcome) != allowed.end(), "The wait ended in a way that it may.");
    s.handle.reset();
    s.other.reset();
  });
}

const model::program slept{
    "sleep: a timer and a canceller", {}, [](model::run& r) { waiting(r, sleeps, timer | canceller, {1, 2}); }};
const model::program sleep_cancelled{
    "sleep: a canceller", {}, [](model::run& r) { waiting(r, sleeps, canceller, {2}); }};
const model::program called{"run_blocking: a call", {}, [](model::run& r) { waiting(r, calls, pool, {1}); }};
const model::program call_cancelled{
    "run_blocking: a call and a canceller", {}, [](model::run& r) { waiting(r, calls, pool | canceller, {1, 2}); }};
const model::program queued_cancelled{"run_blocking: a call that is queued and a canceller", {}, [](model::run& r) {
                                        waiting(r, calls, worker_is_pool | canceller, {1, 2});
                                      }};
const model::program joined{
    "timeout: of a handle whose task ends, and a timer", {}, [](model::run& r) { limited_join(r, timer, {1, 3}); }};
const model::program join_cancelled{"timeout: of a handle whose task ends, and a canceller", {}, [](model::run& r) {
                                      limited_join(r, canceller, {1, 2});
                                    }};
const model::program limited{"timeout: of a task that sleeps, its timer and a canceller", {}, [](model::run& r) {
                               waiting(r, limits_a_sleeper, timer | canceller, {2, 3});
                             }};
const model::program ended{"timeout: of a task that ends, its timer and a canceller", {}, [](model::run& r) {
                             waiting(r, limits_a_task, timer | canceller, {1, 2});
                           }};

}  // namespace
