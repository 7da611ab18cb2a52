// models: runtime/shield.hpp runtime/this_task.hpp runtime/nested.hpp
// shield as it is shipped: its task ends by itself, whenever the caller is cancelled; what a task does about its own
// cancellation, yield and checkpoint; and what a nested wait does with operations that end at once. The caller's frame, with the shielded root in it, goes as soon as the task has ended.
#include "model_world.hpp"

#include <sluice/runtime/shield.hpp>
#include <sluice/runtime/this_task.hpp>
#include <sluice/runtime/timeout.hpp>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <utility>
#include <vector>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;
using value = checked_value;
using namespace std::chrono_literals;

task<value> answers(in_model, plain<int>& argument) {
  model::check(co_await current{}, runs_as_itself);
  co_return value(argument.get() + 1);
}

struct state : one_task {
  std::optional<join_handle<value>> other;
  runnable* other_root = nullptr;
  bool over = false;

  void spawn_other() {
    other.emplace(spawner::spawn(*core, *std::make_unique<task<value>>(answers(in_model{}, argument)), "other", "", 0));
    other_root = &fake::take();
  }
  void work() {
    fake::run(*root);
    while (!over) fake::work(1);
  }
};

task<value> waits_for_other(in_model, state& s) {
  value got = co_await *s.other;
  model::check(!this_task::cancelled(), "The cancellation of the caller does not come in.");
  model::check(co_await current{}, runs_as_itself);
  co_return got;
}
task<value> fails(in_model, state&) {
  co_await yield();
  throw 7;
  co_return value(0);
}
task<value> limited(in_model, state& s) { co_return co_await timeout(1h, shield(answers(in_model{}, s.argument))); }
task<value> shielded(in_model, state& s) { co_return co_await shield(waits_for_other(in_model{}, s)); }
task<value> shields_failure(in_model, state& s) { co_return co_await shield(fails(in_model{}, s)); }

// Whoever runs next sees what was written before, and a request that came meanwhile.
task<value> yields(in_model, state& s) {
  s.argument.set(7);
  co_await yield();
  model::check(co_await current{}, runs_as_itself);
  co_return value(s.argument.get());
}
// As part of another wait it gives nothing up.
task<value> yields_in_timeout(in_model, state&) {
  co_await timeout(1h, yield());
  co_return value(7);
}
// Of an operation whose await_suspend answers nothing, and which is over before that has returned.
struct over_at_once {
  struct awaiter {
    task_context* context;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> self) const noexcept {
      context->handle = self;
      context->wake();
    }
    value await_resume() const noexcept { return value(7); }
  };
  awaiter bind(task_context& context) && noexcept { return {&context}; }
};
task<value> suspends_in_timeout(in_model, state&) { co_return co_await timeout(1h, over_at_once{}); }
task<value> checks(in_model, state&) {
  const bool before = this_task::cancelled();
  try {
    co_await this_task::checkpoint();
    model::check(!before, "Who is cancelled does not pass the checkpoint.");
  } catch (const cancelled&) {
    model::check(this_task::cancelled(), "Only who is cancelled is stopped.");
    throw;
  }
  co_return value(7);
}

task<value> caller(in_model, state& s, task<value> inner) {
  try {
    s.outcome = (co_await std::move(inner)).value();
  } catch (const cancelled&) {
    s.outcome = -1;
  } catch (int) {
    s.outcome = -2;
  }
  model::check(co_await current{}, runs_as_itself);
  s.over = true;
  co_return value(0);
}

void cancelled_caller(model::run& r, task<value> (*body)(in_model, state&), bool other,
                      std::initializer_list<int> outcomes) {
  auto& s = r.make<state>();
  if (other) s.spawn_other();
  s.spawn(caller(in_model{}, s, body(in_model{}, s)));
  r.thread("worker", [&s] { s.work(); });
  r.thread("canceller", [&s] { s.handle->cancel(); });
  if (other) r.thread("other worker", [&s] { fake::run(*s.other_root); });
  r.finally([&s, allowed = std::vector<int>(outcomes)] {
    model::check(std::find(allowed.begin(), allowed.end(), s.outcome) != allowed.end(),
                 "The caller has what came out.");
    s.handle.reset();
    s.other.reset();
  });
}

const model::program waits{"shield: its task waits, the caller is cancelled", {}, [](model::run& r) {
                             cancelled_caller(r, shielded, true, {7});
                           }};
const model::program failed{"shield: its task fails, the caller is cancelled", {}, [](model::run& r) {
                              cancelled_caller(r, shields_failure, false, {-2});
                            }};
const model::program in_timeout{"shield: in a timeout, the caller is cancelled", {}, [](model::run& r) {
                                  cancelled_caller(r, limited, false, {7, -1});
                                }};
const model::program yielded{
    "yield: the task is cancelled", {}, [](model::run& r) { cancelled_caller(r, yields, false, {7, -1}); }};
const model::program yielded_in_timeout{"yield: in a timeout, the task is cancelled", {}, [](model::run& r) {
                                          cancelled_caller(r, yields_in_timeout, false, {7, -1});
                                        }};
const model::program suspended{"timeout: of an operation that is over at once, the task is cancelled",
                               {},
                               [](model::run& r) { cancelled_caller(r, suspends_in_timeout, false, {7, -1}); }};
const model::program checked{
    "checkpoint: the task is cancelled", {}, [](model::run& r) { cancelled_caller(r, checks, false, {7, -1}); }};

}  // namespace
