// models: runtime/task_group.hpp runtime/roster.hpp runtime/delegation.hpp
// with_group as it is shipped: a body and its children that end, fail, are joined or cancelled on several workers. The caller's frame,
// with the group in it, goes as soon as the group has ended; a child's record goes with its end.
#include "model_world.hpp"

#include <sluice/runtime/sleep.hpp>
#include <sluice/runtime/task_group.hpp>
#include <sluice/runtime/this_task.hpp>
#include <sluice/runtime/timeout.hpp>
#include <sluice/runtime/when_all.hpp>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;
using value = checked_value;
using namespace std::chrono_literals;

struct state : one_task {
  plain<int> answers[2];
  atomic<int> begun{0};  // relaxed: what a canceller does must not depend on it
  bool thief_over = false;
};

task<> child(in_model, state& s, int n) {
  model::check(co_await current{}, runs_as_itself);
  s.answers[n].set(s.argument.get() + n);
  co_return;
}
task<> fails(in_model, state&) {
  throw 7;
  co_return;
}
task<> fails_otherwise(in_model, state&) {
  throw 8;
  co_return;
}
task<> sleeper(in_model, state& s) {
  const struct last_words {
    ~last_words() {
      of.thief_over = true;
      fake::nudge();
    }
    state& of;
  } end{s};
  co_await sleep_for(1h);
}

// What the bodies do.
task<> spawns(in_model, state& s, task_group& g) {
  g.spawn(child(in_model{}, s, 0));
  s.begun.store(1, relaxed);
  model::check(co_await current{}, runs_as_itself);
}
task<> spawns_and_joins(in_model, state& s, task_group& g) {
  g.spawn(child(in_model{}, s, 0));
  s.begun.store(1, relaxed);
  co_await g.join();
  model::check(g.size() == 0, "No child is left.");
  s.answers[0].set(s.answers[0].get() + 1);
}
task<> joins_a_failure(in_model, state& s, task_group& g) {
  g.spawn(fails(in_model{}, s));
  co_await g.join();
}
// The child lets a second joiner in before it ends.
task<> child_that_yields(in_model, state& s) {
  co_await yield();
  s.answers[0].set(s.argument.get());
}
task<> joins(in_model, state& s, task_group& g) {
  co_await g.join();
  if (!this_task::cancelled()) (void)s.answers[0].get();
}
task<> two_join(in_model, state& s, task_group& g) {
  g.spawn(child_that_yields(in_model{}, s));
  (void)co_await when_all(joins(in_model{}, s, g), joins(in_model{}, s, g));
}
task<> spawns_two(in_model, state& s, task_group& g) {
  g.spawn(child(in_model{}, s, 0));
  g.spawn(child(in_model{}, s, 1));
  co_return;
}
task<> looks(in_model, state& s, task_group& g) {
  g.spawn(child(in_model{}, s, 0));
  if (g.size() == 0) s.answers[0].set(s.answers[0].get());
  co_return;
}
task<> spawns_a_sleeper_and_fails(in_model, state& s, task_group& g) {
  g.spawn(sleeper(in_model{}, s));
  throw 7;
  co_return;
}
task<> two_fail(in_model, state& s, task_group& g) {
  g.spawn(fails(in_model{}, s));
  g.spawn(fails_otherwise(in_model{}, s));
  co_return;
}
// A child that waits for tasks of its own, of which each is to hear of a cancellation.
task<> sleeps(in_model, state&) { co_await sleep_for(1h); }
task<> waits_for_sleepers(in_model, state& s) { (void)co_await when_all(sleeps(in_model{}, s), sleeps(in_model{}, s)); }
task<> cancels_who_waits_for_sleepers(in_model, state& s, task_group& g) {
  g.spawn(waits_for_sleepers(in_model{}, s));
  co_await yield();
  g.cancel();
}
task<> fails_beside_who_waits_for_sleepers(in_model, state& s, task_group& g) {
  g.spawn(waits_for_sleepers(in_model{}, s));
  co_await yield();
  throw 7;
}
task<> sleeps_beside_a_failure(in_model, state& s, task_group& g) {
  g.spawn(fails(in_model{}, s));
  co_await sleep_for(1h);
}
task<> spawns_a_sleeper_and_cancels(in_model, state& s, task_group& g) {
  g.spawn(sleeper(in_model{}, s));
  g.cancel();
  co_return;
}

task<> spawns_a_sleeper(in_model, state& s, task_group& g) {
  g.spawn(sleeper(in_model{}, s));
  co_return;
}
task<> sleeps_beside_a_child(in_model, state& s, task_group& g) {
  g.spawn(child(in_model{}, s, 0));
  co_await sleep_for(1h);
}
task<> cancels_and_spawns_a_sleeper(in_model, state& s, task_group& g) {
  g.cancel();
  g.spawn(sleeper(in_model{}, s));
  co_return;
}
task<> child_that_cancels(in_model, task_group& g) {
  g.cancel();
  co_return;
}
task<> sleeps_until_a_child_cancels(in_model, state&, task_group& g) {
  g.spawn(child_that_cancels(in_model{}, g));
  co_await sleep_for(1h);
}
task<> cancels_beside_a_child(in_model, state&, task_group& g) {
  g.spawn(child_that_cancels(in_model{}, g));
  g.cancel();
  co_return;
}
// A task that was used already is refused before anything has changed.
task<> spawns_a_used_task(in_model, state& s, task_group& g) {
  task<> used = child(in_model{}, s, 0);
  co_await std::move(used);
  try {
    g.spawn(std::move(used));
    model::fail("A used task can be spawned.");
  } catch (const std::logic_error&) {
    model::check(g.size() == 0, "Nothing was spawned.");
  }
}

// Bodies that are no coroutines: a child is there before the body's task is, or the task never comes.
task<> answers_alone(in_model, state& s) {
  s.answers[1].set(1);
  co_return;
}
task<> spawns_before_it_begins(in_model, state& s, task_group& g) {
  g.spawn(child(in_model{}, s, 0));
  return answers_alone(in_model{}, s);
}
task<> spawns_and_has_no_task(in_model, state& s, task_group& g) {
  g.spawn(child(in_model{}, s, 0));
  s.begun.store(1, relaxed);
  throw 7;
}

using body = task<> (*)(in_model, state&, task_group&);

task<value> caller(in_model, state& s, body inner) {
  auto in_group = [&s, inner](task_group& g) { return inner(in_model{}, s, g); };
  try {
    co_await with_group(in_group);
    s.outcome = 1;
  } catch (const cancelled&) {
    s.outcome = 2;
  } catch (int n) {
    s.outcome = n == 7 ? 3 : 4;
  }
  model::check(co_await current{}, runs_as_itself);
  co_return value(0);
}

// As the operation of a timeout, which hears of the group's end, or of its refusal, through its waker.
task<value> limits_group(in_model, state& s, body inner) {
  auto in_group = [&s, inner](task_group& g) { return inner(in_model{}, s, g); };
  try {
    co_await timeout(1h, with_group(in_group));
    s.outcome = 1;
  } catch (const cancelled&) {
    s.outcome = 2;
  } catch (int) {
    s.outcome = 3;
  }
  co_return value(0);
}

// A group may be awaited by any coroutine of a task, not only by the one that its context began with.
task<value> calls_caller(in_model, state& s, body inner) { co_return co_await caller(in_model{}, s, inner); }

/// Who takes part besides the worker that runs the body.
struct cast {
  int thief = 1;   // resumes so many, the child first; without one the child runs when all the others have ended
  int worker = 0;  // resumes so many when the body does not go on
  int before = 0;  // so many are resumed, the body first, before the threads begin
  bool sleeps = false;
  bool canceller = false;      // when the body has begun
  bool early = false;          // a canceller that waits for nothing
  bool thief_cancels = false;  // the caller, when the child has ended or sleeps
  task<value> (*caller)(in_model, state&, body) = calls_caller;
};

void in_group(model::run& r, body inner, cast who, std::function<bool(state&)> right) {
  auto& s = r.make<state>();
  s.spawn(who.caller(in_model{}, s, inner));
  if (who.before != 0) {
    fake::run(*s.root);
    fake::work(who.before - 1);
  }
  r.thread("worker", [&s, who] {
    if (who.before == 0) fake::run(*s.root);
    fake::work(who.worker);
  });
  if (who.thief != 0) {
    r.thread("thief", [&s, who] {
      fake::work(who.thief);
      if (who.thief_cancels) s.handle->cancel();
      while (who.sleeps && !s.thief_over) fake::work(1);
    });
  }
  if (who.canceller) {
    r.thread("canceller", [&s] {
      if (s.begun.load(relaxed) == 1) s.handle->cancel();
    });
  }
  if (who.early) r.thread("canceller", [&s] { s.handle->cancel(); });
  r.finally([&s, right] {
    fake::work_off();
    model::check(right(s), "The caller has what its group answered.");
    s.handle.reset();
  });
}

const model::program ends{"group: a child and the body end", {}, [](model::run& r) {
                            in_group(r, spawns, {}, [](state& s) { return s.outcome == 1 && s.answers[0].get() == 6; });
                          }};
const model::program seen{"group: the body looks whether its child has ended", {}, [](model::run& r) {
                            in_group(r, looks, {}, [](state& s) { return s.outcome == 1; });
                          }};
const model::program joined{"group: the body joins its child", {}, [](model::run& r) {
                              in_group(r, spawns_and_joins, {},
                                       [](state& s) { return s.outcome == 1 && s.answers[0].get() == 7; });
                            }};
const model::program cancelled_end{"group: a child and the body end, the caller is cancelled", {}, [](model::run& r) {
                                     in_group(r, spawns, {.canceller = true}, [](state& s) { return s.outcome == 1; });
                                   }};
const model::program cancelled_join{"group: the body joins its child, the caller is cancelled", {}, [](model::run& r) {
                                      in_group(r, spawns_and_joins, {.thief_cancels = true},
                                               [](state& s) { return s.outcome == 1 || s.outcome == 2; });
                                    }};
const model::program join_failed{"group: the body joins a child that fails", {}, [](model::run& r) {
                                   in_group(r, joins_a_failure, {}, [](state& s) { return s.outcome == 3; });
                                 }};
const model::program failed_twice{
    "group: two children fail, and the first failure is the group's", {}, [](model::run& r) {
      in_group(r, two_fail, {.thief = 2}, [](state& s) { return s.outcome == 3; });
    }};
const model::program cancels_deeply{
    "group: the body cancels a child that waits for tasks of its own", {}, [](model::run& r) {
      in_group(r, cancels_who_waits_for_sleepers, {.thief = 0, .worker = 2}, [](state& s) { return s.outcome == 1; });
    }};
const model::program fails_deeply{
    "group: the body fails beside a child that waits for tasks of its own", {}, [](model::run& r) {
      in_group(r, fails_beside_who_waits_for_sleepers, {.thief = 0, .worker = 2},
               [](state& s) { return s.outcome == 3; });
    }};
const model::program joined_twice{"group: two of the body join its child", {.bound = 1}, [](model::run& r) {
                                    in_group(r, two_join, {.thief = 3}, [](state& s) { return s.outcome == 1; });
                                  }};
const model::program joined_twice_cancelled{
    "group: two of the body join its child, the caller is cancelled", {}, [](model::run& r) {
      in_group(r, two_join, {.before = 3, .early = true}, [](state& s) { return s.outcome == 1 || s.outcome == 2; });
    }};
const model::program two_children{"group: two children end on two workers", {}, [](model::run& r) {
                                    in_group(r, spawns_two, {.worker = 1, .before = 1}, [](state& s) {
                                      return s.outcome == 1 && s.answers[0].get() == 6 && s.answers[1].get() == 7;
                                    });
                                  }};
const model::program stays{
    "group: the body joins a child that goes on, the caller is cancelled", {}, [](model::run& r) {
      in_group(r, spawns_and_joins, {.thief = 0, .canceller = true},
               [](state& s) { return s.outcome == 1 || s.outcome == 2; });
    }};
const model::program passed_on{"group: a child falls asleep, the caller is cancelled", {}, [](model::run& r) {
                                 in_group(r, spawns_a_sleeper, {.sleeps = true, .thief_cancels = true},
                                          [](state& s) { return s.outcome == 2; });
                               }};
const model::program to_body{"group: the body falls asleep, the caller is cancelled", {}, [](model::run& r) {
                               in_group(r, sleeps_beside_a_child, {.thief_cancels = true},
                                        [](state& s) { return s.outcome == 2; });
                             }};
const model::program late{"group: a child starts in a group that was cancelled", {}, [](model::run& r) {
                            in_group(r, cancels_and_spawns_a_sleeper, {.sleeps = true},
                                     [](state& s) { return s.outcome == 1; });
                          }};
const model::program by_child{"group: a child cancels the group as the body falls asleep", {}, [](model::run& r) {
                                in_group(r, sleeps_until_a_child_cancels, {}, [](state& s) { return s.outcome == 1; });
                              }};
const model::program failed{"group: the body fails as a child falls asleep", {}, [](model::run& r) {
                              in_group(r, spawns_a_sleeper_and_fails, {.sleeps = true},
                                       [](state& s) { return s.outcome == 3; });
                            }};
const model::program body_stopped{"group: a child fails as the body falls asleep", {}, [](model::run& r) {
                                    in_group(r, sleeps_beside_a_failure, {}, [](state& s) { return s.outcome == 3; });
                                  }};
const model::program stopped{"group: the body cancels a child that falls asleep", {}, [](model::run& r) {
                               in_group(r, spawns_a_sleeper_and_cancels, {.sleeps = true},
                                        [](state& s) { return s.outcome == 1; });
                             }};
const model::program two_cancel{"group: the body and its child cancel the group", {}, [](model::run& r) {
                                  in_group(r, cancels_beside_a_child, {}, [](state& s) { return s.outcome == 1; });
                                }};
const model::program used{"group: a used task is spawned", {}, [](model::run& r) {
                            in_group(r, spawns_a_used_task, {.thief = 0}, [](state& s) { return s.outcome == 1; });
                          }};
const model::program at_entry{"group: the caller is cancelled at its entry", {}, [](model::run& r) {
                                in_group(r, spawns, {.thief = 0, .early = true},
                                         [](state& s) { return s.outcome == 1 || s.outcome == 2; });
                              }};
const model::program limited{"group: the caller is cancelled at its entry, in a timeout", {}, [](model::run& r) {
                               in_group(r, spawns, {.thief = 0, .early = true, .caller = limits_group},
                                        [](state& s) { return s.outcome == 1 || s.outcome == 2; });
                             }};
const model::program no_body_limited{
    "group: a child is spawned and no body begins, in a timeout", {}, [](model::run& r) {
      in_group(r, spawns_and_has_no_task, {.caller = limits_group}, [](state& s) { return s.outcome == 3; });
    }};
const model::program before_body{
    "group: a child is spawned before the body begins, the caller is cancelled", {}, [](model::run& r) {
      in_group(r, spawns_before_it_begins, {.thief = 0, .early = true},
               [](state& s) { return s.outcome == 1 || s.outcome == 2; });
    }};
const model::program no_body{"group: a child is spawned and no body begins", {}, [](model::run& r) {
                               in_group(r, spawns_and_has_no_task, {},
                                        [](state& s) { return s.outcome == 3 && s.answers[0].get() == 6; });
                             }};
const model::program no_body_cancelled{
    "group: a child is spawned and no body begins, the caller is cancelled", {}, [](model::run& r) {
      in_group(r, spawns_and_has_no_task, {.thief = 0, .early = true},
               [](state& s) { return s.outcome == 2 || s.outcome == 3; });
    }};

}  // namespace
