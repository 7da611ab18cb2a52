// models: runtime/sleep.hpp runtime/run_blocking.hpp runtime/timeout.hpp runtime/gate.hpp
// The waits of tasks as they are shipped: sleep, run_blocking and timeout, each ended by what it waits for, by a timer and by a
// cancellation at once. The coroutine, with the wait in its frame, goes as soon as it is over.
#include "model_world.hpp"

#include <sluice/runtime/run_blocking.hpp>
#include <sluice/runtime/sleep.hpp>
#include <sluice/runtime/this_task.hpp>
#include <sluice/runtime/timeout.hpp>

#include <algorithm>
#include <chrono>
#include <new>
#include <system_error>
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
  int outcome = 0;    // likewise: 1 the wait was over, 2 it was cancelled, 3 it was too long, 4 it failed

  void spawn(task<value> t) {
    t = awaits(in_model{}, std::move(t));
    handle.emplace(spawner::spawn(*core, t, "model", "", 0));
    root = &fake::take();
  }
  // The coroutine that waits is not the task's outermost, so who resumes the wrong one is found out.
  static task<value> awaits(in_model, task<value> inner) { co_return co_await std::move(inner); }
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
  } catch (const std::bad_alloc&) {
    s.outcome = 4;
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
  } catch (const std::system_error&) {
    model::check(answer.get() == 0, "The call was not made.");
    s.outcome = 4;
  }
  co_return value(0);
}

// A call that gives a value, and one that fails.
task<value> calls_for_a_value(in_model, state& s) {
  const last_words end(s);
  auto call = [&s] { return value(s.argument.get() + 1); };
  const value v = co_await run_blocking(call);
  model::check(v.value() == 7, "The result is there.");
  s.outcome = 1;
  co_return value(0);
}
task<value> calls_in_vain(in_model, state& s) {
  const last_words end(s);
  auto call = [&s] {
    s.argument.set(7);
    throw 7;
  };
  try {
    co_await run_blocking(call);
  } catch (int thrown) {
    model::check(thrown == s.argument.get(), "The exception is there.");
    s.outcome = 4;
  }
  co_return value(0);
}

task<value> answers(in_model, state& s) { co_return value(s.argument.get() + 1); }

task<value> waits_for_a_task(in_model, state& s, join_handle<value>& other, std::chrono::hours patience) {
  const last_words end(s);
  try {
    const value v = co_await timeout(patience, other);
    model::check(v.value() == 7, "The result is there.");
    s.outcome = 1;
  } catch (const cancelled&) {
    s.outcome = 2;
  } catch (const timed_out&) {
    s.outcome = 3;
  } catch (const std::bad_alloc&) {
    s.outcome = 4;
  }
  co_return value(0);
}

task<value> sleeps_inside(in_model, state&) {
  co_await sleep_until(sluice::impl::now() + 1h);
  co_return value(7);
}

// Runs only once it is cancelled, and knows itself.
task<value> is_cancelled_at_once(in_model) {
  model::check(this_task::cancelled(), "The task that has no time is cancelled.");
  co_await this_task::checkpoint();
  co_return value(7);
}

task<value> limited_task(in_model, state& s, task<value> inner, std::chrono::hours patience = 1h) {
  const last_words end(s);
  try {
    const value v = co_await timeout(patience, std::move(inner));
    model::check(v.value() == 7, "The result is there.");
    s.outcome = 1;
  } catch (const cancelled&) {
    s.outcome = 2;
  } catch (const timed_out&) {
    s.outcome = 3;
  } catch (const std::bad_alloc&) {
    s.outcome = 4;
  }
  co_return value(0);
}

task<value> limits_a_sleeper(in_model, state& s) { return limited_task(in_model{}, s, sleeps_inside(in_model{}, s)); }
task<value> limits_a_task(in_model, state& s) { return limited_task(in_model{}, s, answers(in_model{}, s)); }
task<value> gives_no_time(in_model, state& s) {
  return limited_task(in_model{}, s, is_cancelled_at_once(in_model{}), 0h);
}

// An operation that is ready never waits.
task<value> limits_what_is_ready(in_model, state& s) {
  const last_words end(s);
  try {
    co_await timeout(1h, this_task::checkpoint());
    s.outcome = 1;
  } catch (const cancelled&) {
    s.outcome = 2;
  }
  co_return value(0);
}

enum : unsigned {
  timer = 1,
  canceller = 2,
  pool = 4,
  worker_is_pool = 8,
  late_timer = 16,
  no_timer = 32,
  no_thread = 64
};

// One task, and whoever may end its wait.
void waiting(model::run& r, task<value> (*body)(in_model, state&), unsigned who, std::initializer_list<int> outcomes) {
  auto& s = r.make<state>();
  s.spawn(body(in_model{}, s));
  r.thread("worker", [&s, who] { s.work((who & worker_is_pool) != 0); });
  if ((who & timer) != 0) r.thread("timer", [] { fake::fire_timer(0); });
  if ((who & late_timer) != 0) r.thread("timer", [] { fake::await_timer_and_fire(0); });
  if ((who & no_timer) != 0) fake::refuse_timers();
  if ((who & no_thread) != 0) fake::allow_threads(0);
  if ((who & pool) != 0) r.thread("pool", [] { fake::be_thread(0); });
  if ((who & canceller) != 0) r.thread("canceller", [&s] { s.handle->cancel(); });
  r.finally([&s, allowed = std::vector<int>(outcomes)] {
    model::check(std::ranges::find(allowed, s.outcome) != allowed.end(), "The wait ended in a way that it may.");
    s.handle.reset();
  });
}

// The task waits for another one that ends meanwhile, for a limited time.
void limited_join(model::run& r, unsigned who, std::initializer_list<int> outcomes, std::chrono::hours patience = 1h) {
  struct two : state {
    two() {
      other.emplace(spawner::spawn(*core, *std::make_unique<task<value>>(answers(in_model{}, *this)), "other", "", 0));
      other_root = &fake::take();
    }
    std::optional<join_handle<value>> other;
    runnable* other_root = nullptr;
  };
  auto& s = r.make<two>();
  s.spawn(waits_for_a_task(in_model{}, s, *s.other, patience));
  r.thread("worker", [&s] { s.work(false); });
  r.thread("other worker", [&s] { fake::run(*s.other_root); });
  if ((who & timer) != 0) r.thread("timer", [] { fake::fire_timer(0); });
  if ((who & no_timer) != 0) fake::refuse_timers();
  if ((who & canceller) != 0) r.thread("canceller", [&s] { s.handle->cancel(); });
  r.finally([&s, allowed = std::vector<int>(outcomes)] {
    model::check(std::ranges::find(allowed, s.outcome) != allowed.end(), "The wait ended in a way that it may.");
    s.handle.reset();
    s.other.reset();
  });
}

// The pool's one thread is busy until the task goes on: the call is withdrawn, or the cancellation is lost.
void behind_another_call(model::run& r) {
  struct busy final : blocking_job {
    void run() noexcept override {
      while (free.load(acquire) == 0) futex::wait(free, 0);
    }
    atomic<std::uint32_t> free{0};
  };
  struct shared : state {
    shared() { core->blocking().submit(before); }
    busy before;
  };
  auto& s = r.make<shared>();
  s.spawn(calls(in_model{}, s));
  r.thread("worker", [&s] {
    s.work(false);
    s.before.free.store(1, release);
    futex::wake(s.before.free, 1);
  });
  r.thread("pool", [] { fake::be_thread(0); });
  r.thread("canceller", [&s] { s.handle->cancel(); });
  r.finally([&s] {
    model::check(s.outcome == 2, "The call was withdrawn.");
    s.handle.reset();
  });
}

const model::program slept{
    "sleep: a timer and a canceller", {}, [](model::run& r) { waiting(r, sleeps, timer | canceller, {1, 2}); }};
const model::program sleep_cancelled{
    "sleep: a canceller", {}, [](model::run& r) { waiting(r, sleeps, canceller, {2}); }};
const model::program slept_through{"sleep: a timer", {}, [](model::run& r) { waiting(r, sleeps, late_timer, {1}); }};
const model::program sleep_refused{"sleep: no memory for a timer, and a canceller", {}, [](model::run& r) {
                                     waiting(r, sleeps, no_timer | canceller, {2, 4});
                                   }};
const model::program called_for_a_value{
    "run_blocking: a call that gives a value", {}, [](model::run& r) { waiting(r, calls_for_a_value, pool, {1}); }};
const model::program called_in_vain{
    "run_blocking: a call that throws", {}, [](model::run& r) { waiting(r, calls_in_vain, pool, {4}); }};
const model::program call_refused{"run_blocking: no thread can be had, and a canceller", {}, [](model::run& r) {
                                    waiting(r, calls, no_thread | canceller, {2, 4});
                                  }};
const model::program call_behind{
    "run_blocking: a call behind another one that goes on, and a canceller", {}, behind_another_call};
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
const model::program join_untimed{
    "timeout: no time for a handle whose task ends", {}, [](model::run& r) { limited_join(r, 0, {1, 3}, 0h); }};
const model::program join_refused{"timeout: of a handle, no memory for the timer, and a canceller",
                                  {},
                                  [](model::run& r) { limited_join(r, no_timer | canceller, {1, 2, 4}); }};
const model::program ready{"timeout: of what is ready, and a canceller", {}, [](model::run& r) {
                             waiting(r, limits_what_is_ready, canceller, {1, 2});
                           }};
const model::program without_time{
    "timeout: no time for a task", {}, [](model::run& r) { waiting(r, gives_no_time, 0, {3}); }};
const model::program untimed{"timeout: no time for a task, and a canceller", {}, [](model::run& r) {
                               waiting(r, gives_no_time, canceller, {2, 3});
                             }};
const model::program expired{"timeout: of a task that sleeps, its timer alone", {}, [](model::run& r) {
                               waiting(r, limits_a_sleeper, late_timer, {3});
                             }};
const model::program limited_refused{"timeout: of a task, no memory for the timer, and a canceller",
                                     {},
                                     [](model::run& r) { waiting(r, limits_a_task, no_timer | canceller, {2, 4}); }};
const model::program limited{"timeout: of a task that sleeps, its timer and a canceller", {}, [](model::run& r) {
                               waiting(r, limits_a_sleeper, timer | canceller, {2, 3});
                             }};
const model::program ended{"timeout: of a task that ends, its timer and a canceller", {}, [](model::run& r) {
                             waiting(r, limits_a_task, timer | canceller, {1, 2});
                           }};

}  // namespace
