// models: runtime/join_scope.hpp runtime/nested.hpp runtime/task.hpp
// when_all and when_any as they are shipped: children that end on two workers at once, fail, or are cancelled. The caller's frame,
// with the children's contexts in it, goes as soon as the last one has ended.
#include "model_world.hpp"

#include <sluice/runtime/sleep.hpp>
#include <sluice/runtime/when_all.hpp>
#include <sluice/runtime/when_any.hpp>

#include <chrono>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;
using value = checked_value;
using namespace std::chrono_literals;

struct state : one_task {
  atomic<std::uint32_t> begun{0};  // relaxed: a canceller learns nothing from it
  bool thief_over = false;
};

task<value> child(in_model, state& s, int n) {
  s.begun.store(1, relaxed);
  futex::wake(s.begun, 1);
  model::check(co_await current{}, runs_as_itself);
  co_return value(s.argument.get() + n);
}
task<value> failing(in_model, state&) {
  throw 7;
  co_return value(0);
}
// The second child. Who runs as thief, and waits for it, is told of its end.
task<value> sleeper(in_model, state& s) {
  const struct last_words {
    ~last_words() {
      of.thief_over = true;
      fake::nudge();
    }
    state& of;
  } end{s};
  co_await sleep_for(1h);
  co_return value(0);
}

task<value> all(in_model, state& s) {
  auto results = co_await when_all(child(in_model{}, s, 1), child(in_model{}, s, 2));
  s.outcome = std::get<0>(results).value() + std::get<1>(results).value();
  model::check(co_await current{}, runs_as_itself);
  co_return value(0);
}
task<value> list(in_model, state& s) {
  std::vector<task<value>> tasks;
  tasks.push_back(child(in_model{}, s, 1));
  tasks.push_back(child(in_model{}, s, 2));
  const auto results = co_await when_all(std::move(tasks));
  s.outcome = results[0].value() + results[1].value();
  co_return value(0);
}
task<value> both_fail(in_model, state& s) {
  try {
    (void)co_await when_all(failing(in_model{}, s), failing(in_model{}, s));
  } catch (int n) {
    s.outcome = n;
  }
  co_return value(0);
}
task<value> one_fails(in_model, state& s) {
  try {
    (void)co_await when_all(failing(in_model{}, s), sleeper(in_model{}, s));
  } catch (int n) {
    s.outcome = n;
  }
  co_return value(0);
}
task<value> any(in_model, state& s) {
  try {
    auto first = co_await when_any(child(in_model{}, s, 1), sleeper(in_model{}, s));
    s.outcome = std::get<0>(first).value();
  } catch (const cancelled&) {
    s.outcome = -1;  // the canceller was there first, and the sleeper the first to end
  }
  co_return value(0);
}
// The second time there is nothing left to run, and nothing of it is left behind.
task<value> list_twice(in_model, state& s) {
  std::vector<task<value>> tasks;
  tasks.push_back(child(in_model{}, s, 1));
  auto once = when_all(std::move(tasks));
  s.outcome = (co_await std::move(once))[0].value();
  try {
    (void)co_await std::move(once);
    model::fail("A list can be awaited twice.");
  } catch (const std::logic_error&) {
  }
  co_return value(0);
}
task<value> second_first(in_model, state& s) {
  auto first = co_await when_any(sleeper(in_model{}, s), child(in_model{}, s, 2));
  s.outcome = std::get<1>(first).value();
  co_return value(0);
}
task<value> two_race(in_model, state& s) {
  auto first = co_await when_any(child(in_model{}, s, 1), child(in_model{}, s, 2));
  s.outcome = std::visit([](const value& v) { return v.value(); }, first);
  co_return value(0);
}

// Its caller may be cancelled before anything has begun.
template <task<value> (*Inner)(in_model, state&)>
task<value> or_nothing(in_model, state& s) {
  try {
    (void)co_await Inner(in_model{}, s);
  } catch (const cancelled&) {
    s.outcome = -1;
  }
  model::check(co_await current{}, runs_as_itself);
  co_return value(0);
}

// Ends only when it is cancelled, and is not the coroutine that its context began with.
task<value> all_asleep(in_model, state& s) {
  (void)co_await when_all(child(in_model{}, s, 1), sleeper(in_model{}, s));
  co_return value(0);
}
task<value> calls_all_asleep(in_model, state& s) {
  try {
    (void)co_await all_asleep(in_model{}, s);
  } catch (const cancelled&) {
    s.outcome = -1;
  }
  co_return value(0);
}

using body = task<value> (*)(in_model, state&);

// One worker begins, the other takes the forked child. A caller that is left for a canceller to wake goes on in the end.
void in_parallel(model::run& r, body caller, bool sleeps, bool canceller, int outcome, int or_else = 0) {
  auto& s = r.make<state>();
  s.spawn(caller(in_model{}, s));
  r.thread("worker", [&s] { fake::run(*s.root); });
  r.thread("thief", [&s, sleeps] {
    fake::work(1);
    while (sleeps && !s.thief_over) fake::work(1);
  });
  if (canceller) {
    r.thread("canceller", [&s] {
      while (s.begun.load(relaxed) == 0) futex::wait(s.begun, 0);
      s.handle->cancel();
    });
  }
  r.finally([&s, outcome, or_else] {
    fake::work_off();
    model::check(s.outcome == outcome || (or_else != 0 && s.outcome == or_else),
                 "The caller has what its children answered.");
    s.handle.reset();
  });
}

// The caller is cancelled at any time: nothing begins, or all of it ends.
void at_entry(model::run& r, body caller, int outcome) {
  auto& s = r.make<state>();
  s.spawn(caller(in_model{}, s));
  r.thread("worker", [&s] { fake::run(*s.root); });
  r.thread("canceller", [&s] { s.handle->cancel(); });
  r.finally([&s, outcome] {
    fake::work_off();
    model::check(s.outcome == outcome || s.outcome == -1,
                 "The caller has what its children answered, or is cancelled.");
    s.handle.reset();
  });
}

const model::program both{
    "when_all: two children end", {}, [](model::run& r) { in_parallel(r, all, false, false, 15); }};
const model::program cancelled_both{"when_all: two children end, the caller is cancelled", {}, [](model::run& r) {
                                      in_parallel(r, all, false, true, 15);
                                    }};
const model::program fail{
    "when_all: two children fail", {}, [](model::run& r) { in_parallel(r, both_fail, false, false, 7); }};
const model::program one_fail{"when_all: one child fails as the other falls asleep", {}, [](model::run& r) {
                                in_parallel(r, one_fails, true, false, 7);
                              }};
const model::program asleep{"when_all: a child falls asleep, the caller is cancelled", {}, [](model::run& r) {
                              in_parallel(r, calls_all_asleep, true, true, -1);
                            }};
const model::program first{"when_any: one child ends as the other falls asleep", {}, [](model::run& r) {
                             in_parallel(r, any, true, false, 7);
                           }};
const model::program first_cancelled{"when_any: the same, and the caller is cancelled", {}, [](model::run& r) {
                                       in_parallel(r, any, true, true, 7, -1);
                                     }};
const model::program second{"when_any: the second child ends as the first one falls asleep", {}, [](model::run& r) {
                              in_parallel(r, second_first, false, false, 8);
                            }};
const model::program race{
    "when_any: two children end", {}, [](model::run& r) { in_parallel(r, two_race, false, false, 7, 8); }};
const model::program listed{
    "when_all: two children of a list end", {}, [](model::run& r) { in_parallel(r, list, false, false, 15); }};
const model::program list_again{
    "when_all: a list is awaited twice", {}, [](model::run& r) { at_entry(r, or_nothing<list_twice>, 7); }};
const model::program all_at_entry{
    "when_all: the caller is cancelled at its entry", {}, [](model::run& r) { at_entry(r, or_nothing<all>, 15); }};
const model::program list_at_entry{"when_all: the caller of a list is cancelled at its entry", {}, [](model::run& r) {
                                     at_entry(r, or_nothing<list>, 15);
                                   }};
const model::program any_at_entry{
    "when_any: the caller is cancelled at its entry", {}, [](model::run& r) { at_entry(r, or_nothing<two_race>, 7); }};

}  // namespace
