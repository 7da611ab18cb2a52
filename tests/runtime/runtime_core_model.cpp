// models: runtime/runtime_core.hpp runtime/sleep.hpp runtime/record_word.hpp
// The runtime's counters as they are shipped: tasks that are spawned and end while the runtime goes, handles that outlive it, and
// what a task's end means to whoever only counts. The workers are threads of the fake scheduler, which the runtime joins.
#include "model_world.hpp"

#include <sluice/runtime/sleep.hpp>

#include <chrono>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;
using value = checked_value;
using namespace std::chrono_literals;

struct state {
  explicit state(int workers) : core(workers, [](const unhandled_exception&) {}) {}
  plain<int> argument{6};
  core_holder core;
  std::optional<join_handle<value>> handle;
  int cancelled_tasks = 0;  // of workers, read when they have gone

  join_handle<value> spawn(task<value> t) { return spawner::spawn(*core, t, "model", "", 0); }
};

task<value> answer(in_model, plain<int>& argument) { co_return value(argument.get() + 1); }

// Ends only by cancellation.
task<value> waits(in_model, state& s) {
  try {
    co_await sleep_for(1h);
  } catch (const cancelled&) {
    ++s.cancelled_tasks;
    throw;
  }
  co_return value(0);
}

task<value> spawns_one_that_waits(in_model, state& s) {
  spawner::spawn(spawner::current_core(), *std::make_unique<task<value>>(waits(in_model{}, s)), "child", "", 0)
      .detach();
  co_return value(0);
}

// The runtime goes while a task spawns another: that one is found and cancelled, or sees for itself that the runtime goes.
void spawned_late(model::run& r) {
  auto& s = r.make<state>(1);
  s.spawn(spawns_one_that_waits(in_model{}, s)).detach();
  r.thread("worker", [] { fake::work(); });
  r.thread("owner", [&s] { s.core.retire(); });
  r.finally([&s] { model::check(s.cancelled_tasks == 1, "The task that waits for ever is cancelled once."); });
}

// A task that is about to sleep, or sleeps, when the runtime goes.
void asleep(model::run& r) {
  auto& s = r.make<state>(1);
  s.spawn(waits(in_model{}, s)).detach();
  r.thread("worker", [] { fake::work(); });
  r.thread("owner", [&s] { s.core.retire(); });
  r.finally([&s] { model::check(s.cancelled_tasks == 1, "The task that waits for ever is cancelled once."); });
}

// Two workers count tasks out while the runtime waits for none: what the tasks used may go with it.
void two_end(model::run& r) {
  struct two : state {
    two() : state(2) {
      spawn(answer(in_model{}, argument)).detach();
      spawn(answer(in_model{}, argument)).detach();
    }
  };
  auto& s = r.make<two>();
  r.thread("worker", [] { fake::work(); });
  r.thread("worker", [] { fake::work(); });
  r.thread("owner", [&s] { s.core.retire(); });
}

// The handle goes while the runtime does, and its task has ended or ends just then.
void handle_goes(model::run& r) {
  auto& s = r.make<state>(1);
  s.handle.emplace(s.spawn(answer(in_model{}, s.argument)));
  r.thread("worker", [] { fake::work(); });
  r.thread("handle", [&s] { s.handle.reset(); });
  r.thread("owner", [&s] { s.core.retire(); });
}

// Handles that outlive the runtime: the last of them and the runtime frees the core.
void handles_outlive(model::run& r) {
  struct ended : state {
    ended() : state(0) {
      handle.emplace(spawn(answer(in_model{}, argument)));
      other.emplace(spawn(answer(in_model{}, argument)));
      fake::work(2);
    }
    std::optional<join_handle<value>> other;
    int got = 0;
  };
  auto& s = r.make<ended>();
  r.thread("handle", [&s] {
    s.got = s.handle->wait().value();
    s.handle.reset();
  });
  r.thread("other", [&s] { s.other.reset(); });
  r.thread("owner", [&s] { s.core.retire(); });
  r.finally([&s] { model::check(s.got == 7, "The result outlives the runtime."); });
}

// Who sees that no task is left may take away what the task used.
void counts(model::run& r) {
  auto& s = r.make<state>(0);
  s.spawn(answer(in_model{}, s.argument)).detach();
  r.thread("worker", [] { fake::work(1); });
  r.thread("owner", [&s] {
    if (s.core->task_count() == 0) s.argument.set(0);
  });
}

const model::program late{"runtime: it goes while a task spawns another", {}, spawned_late};
const model::program sleeping{"runtime: it goes while a task falls asleep", {}, asleep};
const model::program ends{"runtime: it goes while two tasks end", {}, two_end};
const model::program goes{"runtime: it goes as a task ends and its handle goes", {}, handle_goes};
const model::program outlives{"runtime: handles outlive it", {}, handles_outlive};
const model::program counted{"runtime: a task is counted out", {}, counts};

}  // namespace
