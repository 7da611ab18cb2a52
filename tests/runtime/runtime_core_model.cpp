// models: runtime/runtime_core.hpp runtime/runtime.hpp runtime/sleep.hpp runtime/record_word.hpp
// The runtime's counters as they are shipped: tasks that are spawned and end while the runtime goes, handles that outlive it, and
// what a task's end means to whoever only counts. The workers are threads of the fake scheduler, which the runtime joins.
#include "model_world.hpp"

#include <sluice/runtime/sleep.hpp>

#include <chrono>
#include <cstdio>
#include <new>
#include <string>

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

// A task is counted from the moment at which it is spawned.
void counts_at_once(model::run& r) {
  auto& s = r.make<state>(0);
  r.thread("worker", [] { fake::work(1); });
  r.thread("owner", [&s] {
    s.spawn(answer(in_model{}, s.argument)).detach();
    if (s.core->task_count() == 0) s.argument.set(0);
  });
  r.finally([&s] { model::check(s.core->task_count() == 0, "It is counted out."); });
}

// The runtime joins its workers, also where a handle keeps the core alive.
void handle_stays(model::run& r) {
  auto& s = r.make<state>(1);
  s.handle.emplace(s.spawn(answer(in_model{}, s.argument)));
  r.thread("worker", [] { fake::work(); });
  r.thread("owner", [&s] { s.core.retire(); });
  r.finally([&s] {
    model::check(s.handle->wait().value() == 7, "The result outlives the runtime.");
    s.handle.reset();
  });
}

// The runtime joins the threads of its pool, also where a handle keeps the core alive.
void goes_beside_a_thread(model::run& r) {
  struct call final : blocking_job {
    void run() noexcept override {
      done.store(1, release);
      futex::wake(done, 1);
    }
    atomic<std::uint32_t> done{0};
  };
  struct ended : state {
    ended() : state(0) {
      fake::allow_threads(1);
      handle.emplace(spawn(answer(in_model{}, argument)));
      fake::work(1);
    }
    call job;
  };
  auto& s = r.make<ended>();
  r.thread("pool", [] { fake::be_thread(0); });
  r.thread("owner", [&s] {
    s.core->blocking().submit(s.job);
    while (s.job.done.load(acquire) == 0) futex::wait(s.job.done, 0);
    s.core.retire();
    model::check(fake::all_joined(), "The runtime joins its threads.");
  });
  r.finally([&s] { s.handle.reset(); });
}

// A runtime from its first line to its last, as a user writes it.
void from_beginning_to_end(model::run& r) {
  struct shared {
    plain<int> argument{6};
    atomic<std::uint32_t> there{0};
  };
  auto& s = r.make<shared>();
  r.thread("owner", [&s] {
    runtime_options options;
    options.workers = 1;
    runtime all(std::move(options));
    s.there.store(1, release);
    futex::wake(s.there, 1);
    model::check(all.block_on(answer(in_model{}, s.argument)).value() == 7, "The result is there.");
    s.argument.set(0);
  });
  r.thread("worker", [&s] {
    while (s.there.load(acquire) == 0) futex::wait(s.there, 0);
    fake::work();
  });
}

// What dump_all() prints.
std::string printed() {
  char text[400] = "";
  std::FILE* const out = fmemopen(text, sizeof text, "w");
  runtime_core::dump_all(out);
  std::fclose(out);
  return text;
}

// A watchdog prints every runtime there is, while one comes and goes.
void watched(model::run& r) {
  r.thread("owner", [] {
    {
      core_holder core(0);
      model::check(printed().find("runtime \"") == 0, "A runtime is shown.");
    }
    model::check(printed().empty(), "A runtime that is gone is not shown.");
  });
  r.thread("watchdog", [] { (void)printed(); });
}

// An exception that nobody collects, of a task that ends as its handle goes.
task<value> fails(in_model, plain<int>& argument) {
  (void)argument.get();
  throw 7;
  co_return value(0);
}
void unheard(model::run& r) {
  struct shared {
    plain<int> argument{6};
    int heard = 0;
    core_holder core{0, [this](const unhandled_exception&) { ++heard; }};
    std::optional<join_handle<value>> handle;
  };
  auto& s = r.make<shared>();
  s.handle.emplace(spawner::spawn(*s.core, *std::make_unique<task<value>>(fails(in_model{}, s.argument)), "", "", 0));
  r.thread("worker", [] { fake::work(1); });
  r.thread("handle", [&s] { s.handle.reset(); });
  r.finally([&s] { model::check(s.heard == 1, "The hook hears of the exception once."); });
}

// A record that cannot be built leaves its block behind for the next one, and the runtime does not wait for it.
class unbuildable final : public record {
 public:
  explicit unbuildable(runtime_core& core) : record(core, "", "", 0) { throw std::bad_alloc(); }
  std::coroutine_handle<> finished(std::coroutine_handle<>, task_context&) noexcept override {
    return std::noop_coroutine();
  }
};
void not_built(model::run& r) {
  auto& s = r.make<state>(0);
  r.thread("spawner", [&s] {
    try {
      s.core->make_record<unbuildable>();
      model::fail("The record was built.");
    } catch (const std::bad_alloc&) {
    }
  });
  r.thread("another", [&s] { s.spawn(answer(in_model{}, s.argument)).detach(); });
  r.finally([&s] {
    fake::work_off();
    s.core.retire();
  });
}

const model::program late{"runtime: it goes while a task spawns another", {}, spawned_late};
const model::program sleeping{"runtime: it goes while a task falls asleep", {}, asleep};
const model::program ends{"runtime: it goes while two tasks end", {}, two_end};
const model::program goes{"runtime: it goes as a task ends and its handle goes", {}, handle_goes};
const model::program outlives{"runtime: handles outlive it", {}, handles_outlive};
const model::program called{
    "runtime: it goes as a call has ended, and a handle outlives it", {.bound = 1}, goes_beside_a_thread};
const model::program whole{"runtime: made, used and destroyed", {}, from_beginning_to_end};
const model::program shown{"runtime: a watchdog dumps while it comes and goes", {}, watched};
const model::program failed{"runtime: a task fails as its handle goes", {}, unheard};
const model::program unbuilt{"runtime: a record that cannot be built", {}, not_built};
const model::program counted{"runtime: a task is counted out", {}, counts};
const model::program counted_in{"runtime: a task is counted at once", {}, counts_at_once};
const model::program joined{"runtime: a handle outlives it and its workers", {}, handle_stays};

}  // namespace
