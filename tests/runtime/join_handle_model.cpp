// models: runtime/join_handle.hpp runtime/stable_pool.hpp runtime/runtime_core.hpp runtime/task.hpp
// Spawned tasks and their handles as they are shipped: the end of the task against a handle that waits, is cancelled in its
// wait, or goes; dump's visitor; and the record in its next use.
#include "model_world.hpp"

#include <sluice/runtime/sleep.hpp>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;
using value = checked_value;

task<value> answer(in_model, plain<int>& argument) { co_return value(argument.get() + 1); }
task<value> failure(in_model, plain<int>& argument) {
  (void)argument.get();
  throw 7;
  co_return value(0);
}

struct state {
  state() { argument.set(6); }
  plain<int> argument{0};
  core_holder core{0, [](const unhandled_exception&) {}};
  std::optional<join_handle<value>> handle;
  thread_context waiter;
  thread_context second_waiter;
  int got = 0;

  void spawn(task<value> t) { handle.emplace(spawner::spawn(*core, t, "model", "", 0)); }
  // The frame with the awaiter in it goes as soon as the wait is over.
  int wait(thread_context& as) {
    auto awaiter = std::make_unique<join_awaiter<value>>(*handle, as);
    return await(*awaiter, as);
  }
};

struct answering : state {
  answering() { spawn(answer(in_model{}, argument)); }
};

void collects(model::run& r) {
  auto& s = r.make<answering>();
  r.thread("worker", [] { fake::work(1); });
  r.thread("handle", [&s] {
    s.got = s.wait(s.waiter);
    s.handle.reset();
    s.argument.set(0);
  });
  r.finally([&s] { model::check(s.got == 7, "The result is there."); });
}

// The next task gets the same record while the first one's worker may not have left it yet.
void collects_twice(model::run& r) {
  auto& s = r.make<answering>();
  r.thread("worker", [] { fake::work(1); });
  r.thread("handle", [&s] {
    s.got = s.wait(s.waiter);
    s.handle.reset();
    s.argument.set(7);
    s.spawn(answer(in_model{}, s.argument));
    fake::work(1);
    s.got += s.wait(s.second_waiter);
    s.handle.reset();
  });
  r.finally([&s] {
    model::check(s.got == 7 + 8, "Both results are there.");
    model::check(s.core->records().used() == 1, "The record was used again.");
  });
}

// A plain thread waits: its place to wait lies on its stack.
void a_thread_collects(model::run& r) {
  auto& s = r.make<answering>();
  r.thread("worker", [] { fake::work(1); });
  r.thread("handle", [&s] {
    s.got = s.handle->wait().value();
    s.handle.reset();
  });
  r.finally([&s] { model::check(s.got == 7, "The result is there."); });
}

// Whoever finds the task done may take the result without waiting.
void looks(model::run& r) {
  auto& s = r.make<answering>();
  r.thread("worker", [] { fake::work(1); });
  r.thread("handle", [&s] {
    if (s.handle->done()) s.argument.set(s.handle->wait().value());
    s.handle.reset();
  });
}

void is_cancelled(model::run& r) {
  auto& s = r.make<answering>();
  r.thread("worker", [] { fake::work(1); });
  r.thread("handle", [&s] {
    s.got = s.wait(s.waiter);
    s.handle.reset();
  });
  r.thread("canceller", [&s] { s.waiter.cancel(); });
  r.finally([&s] { model::check(s.got == 7 || s.got == -1, "The wait ended one way."); });
}

// The task does not end before the wait has: so the wait ends by the cancellation, whenever that comes.
void is_cancelled_alone(model::run& r) {
  auto& s = r.make<answering>();
  r.thread("handle", [&s] {
    s.got = s.wait(s.waiter);
    fake::work(1);
    s.got += s.wait(s.second_waiter);
    s.handle.reset();
  });
  r.thread("canceller", [&s] { s.waiter.cancel(); });
  r.thread("another canceller", [&s] { s.waiter.cancel(); });
  r.finally([&s] { model::check(s.got == 7 - 1, "The wait was cancelled, the next one has the result."); });
}

// The handle can be waited on again after a wait that was cancelled, while the task ends.
void waits_again(model::run& r) {
  auto& s = r.make<answering>();
  r.thread("worker", [] { fake::work(1); });
  r.thread("handle", [&s] {
    s.got = s.wait(s.waiter);
    if (s.got == -1) s.got = s.wait(s.second_waiter);
    s.handle.reset();
  });
  r.thread("canceller", [&s] { s.waiter.cancel(); });
  r.finally([&s] { model::check(s.got == 7, "The result is there."); });
}

// The task ends only when the second wait has begun or has been given up: the first one leaves nothing behind that refuses it.
void waits_again_before_the_end(model::run& r) {
  struct twice : answering {
    atomic<std::uint32_t> over{0};
  };
  auto& s = r.make<twice>();
  r.thread("handle", [&s] {
    s.got = s.wait(s.waiter);
    s.over.store(1, relaxed);
    futex::wake(s.over, 1);
    s.got += s.wait(s.second_waiter);
    s.handle.reset();
  });
  r.thread("worker", [&s] {
    s.waiter.cancel();
    while (s.over.load(relaxed) == 0) futex::wait(s.over, 0);
    fake::work(1);
  });
  r.finally([&s] { model::check(s.got == 7 - 1, "The first wait was cancelled, the second one has the result."); });
}

// A result that lies beside its record goes with the last one who could ask for it.
void large_result(model::run& r) {
  struct large {
    value of;
    char rest[100] = {};
  };
  struct with_large : state {
    static task<large> answer(in_model, plain<int>& argument) { co_return large{value(argument.get() + 1)}; }
    std::optional<join_handle<large>> of;
    with_large() {
      of.emplace(spawner::spawn(*core, *std::make_unique<task<large>>(answer(in_model{}, argument)), "model", "", 0));
    }
  };
  auto& s = r.make<with_large>();
  r.thread("worker", [] { fake::work(1); });
  r.thread("handle", [&s] {
    if (s.of->done()) s.got = s.of->wait().of.value();
    s.of.reset();
  });
  r.finally([&s] { model::check(s.got == 0 || s.got == 7, "The result is there."); });
}

// Two wait at once, which is refused to one of them; the result is given once.
void two_wait(model::run& r) {
  auto& s = r.make<answering>();
  r.thread("worker", [] { fake::work(1); });
  r.thread("one", [&s] { s.got = s.wait(s.waiter); });
  auto& other = r.make<int>(0);
  r.thread("other", [&s, &other] { other = s.wait(s.second_waiter); });
  r.finally([&s, &other] {
    model::check(s.got + other == 7 - 2, "One gets the result, the other is refused.");
    s.handle.reset();
  });
}

void dropped(model::run& r) {
  auto& s = r.make<answering>();
  r.thread("worker", [] { fake::work(1); });
  r.thread("handle", [&s] { s.handle.reset(); });
  r.thread("visitor", [&s] { (void)s.core->dump(); });
  r.finally([&s] { model::check(s.core->free_records() == 1, "The record is free again."); });
}

void fails_unheard(model::run& r) {
  struct failing : state {
    failing() { spawn(failure(in_model{}, argument)); }
  };
  auto& s = r.make<failing>();
  r.thread("worker", [] { fake::work(1); });
  r.thread("handle", [&s] { s.handle.reset(); });
  r.finally([&s] { model::check(s.core->unhandled_count() == 1, "The exception is reported once."); });
}

// A visitor comes as a record is built in a block that was used before.
void visited_while_spawned(model::run& r) {
  struct used : state {
    used() {
      fake::become_worker(core->sched(), nullptr);
      spawn(answer(in_model{}, argument));
      fake::work(1);
      handle.reset();
    }
  };
  auto& s = r.make<used>();
  r.thread("spawner", [&s] {
    for (int i = 0; i < 2; ++i) {
      s.spawn(answer(in_model{}, s.argument));
      fake::work(1);
      s.handle.reset();
    }
  });
  r.thread("visitor", [&s] { (void)s.core->dump(); });
  r.finally([&s] { model::check(s.core->free_records() == s.core->records().used(), "Every record is free again."); });
}

const model::program collected{"join handle: the task ends while the handle waits", {}, collects};
const model::program twice{"join handle: the record is used again", {}, collects_twice};
const model::program on_thread{"join handle: the task ends while a thread waits", {}, a_thread_collects};
const model::program looked{"join handle: the task ends while the handle looks", {}, looks};
const model::program cancelled_wait{
    "join handle: the task ends while the wait is cancelled", {.max = 1'500'000}, is_cancelled};
const model::program alone{"join handle: two cancellers end the wait", {}, is_cancelled_alone};
const model::program again{"join handle: a second wait after a cancelled one", {}, waits_again};
const model::program before_end{
    "join handle: a second wait after a cancelled one, the task goes on", {}, waits_again_before_the_end};
const model::program large{"join handle: a large result, the handle looks and goes", {}, large_result};
const model::program both{"join handle: two wait at once", {}, two_wait};
const model::program gone{"join handle: the task ends, the handle goes, a dump passes", {}, dropped};
const model::program failed{"join handle: a task fails as its handle goes", {}, fails_unheard};
const model::program visited{
    "join handle: a dump comes as the record is used again", {.max = 1'500'000}, visited_while_spawned};

}  // namespace
