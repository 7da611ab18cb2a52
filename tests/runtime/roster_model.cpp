// models: runtime/roster.hpp runtime/roster_page.hpp runtime/roster.cpp runtime/task_group.cpp
// Groups as they are shipped, whose children fill more than one page (of two places, in a model), are spawned on several workers, come
// again after all had left, and are cancelled and looked at meanwhile. The group goes as soon as all have left.
#include "model_world.hpp"

#include <sluice/runtime/sleep.hpp>
#include <sluice/runtime/task_group.hpp>
#include <sluice/runtime/this_task.hpp>
#include <sluice/runtime/timeout.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;
using value = checked_value;
using namespace std::chrono_literals;

struct state : one_task {
  plain<int> answers[6];
  int thieves = 0;
  bool over = false;
  atomic<std::uint32_t> ready{0};  // 1 once what comes first has been done, 2 once the other has begun
};

task<> child(in_model, state& s, int n) {
  s.answers[n].set(s.argument.get() + n);
  co_return;
}
task<> parent(in_model, state& s, task_group& g, int n, int more) {
  g.spawn(child(in_model{}, s, more));
  s.answers[n].set(s.argument.get() + n);
  co_return;
}
task<> sleeper(in_model, state&) { co_await sleep_for(1h); }
task<> cancels(in_model, task_group& g) {
  g.cancel();
  co_return;
}

task<> three(in_model, state& s, task_group& g) {
  for (int i = 0; i < 3; ++i) g.spawn(child(in_model{}, s, i));
  co_return;
}
// Of the body and its first child nobody knows which is the last to spawn.
task<> grandchild(in_model, state& s, task_group& g) {
  g.spawn(parent(in_model{}, s, g, 0, 1));
  co_return;
}
task<> grandchildren(in_model, state& s, task_group& g) {
  g.spawn(parent(in_model{}, s, g, 0, 1));
  g.spawn(parent(in_model{}, s, g, 2, 3));
  co_return;
}
// Its page is closed when it has joined the first, and opened again.
task<> again(in_model, state& s, task_group& g) {
  g.spawn(child(in_model{}, s, 0));
  co_await g.join();
  s.answers[0].set(s.answers[0].get() + 1);
  g.spawn(child(in_model{}, s, 1));
  co_await g.join();
  s.answers[1].set(s.answers[1].get() + 1);
}
// The page is full and closed: whoever spawns next takes it.
task<> third_by_a_child(in_model, state& s, task_group& g) {
  g.spawn(child(in_model{}, s, 0));
  g.spawn(parent(in_model{}, s, g, 1, 2));
  co_await g.join();
  s.answers[2].set(s.answers[2].get() + 1);
}
task<> two_sleepers(in_model, state& s, task_group& g) {
  g.spawn(sleeper(in_model{}, s));
  g.spawn(sleeper(in_model{}, s));
  co_return;
}
// A child cancels the group while the body spawns another.
task<> cancelled_by_a_child(in_model, state& s, task_group& g) {
  g.spawn(cancels(in_model{}, g));
  g.spawn(sleeper(in_model{}, s));
  co_return;
}
task<> one(in_model, state& s, task_group& g) {
  g.spawn(child(in_model{}, s, 0), "", "", 0);
  co_return;
}
task<> once(in_model, state& s, task_group& g, int n) {
  g.spawn(child(in_model{}, s, n));
  co_return;
}
task<> one_asleep(in_model, state& s, task_group& g) {
  g.spawn(sleeper(in_model{}, s), "", "", 0);
  co_return;
}

// Nobody knows which of three children, on two pages, is the last to leave.
task<> three_joined(in_model, state& s, task_group& g) {
  for (int i = 0; i < 3; ++i) g.spawn(child(in_model{}, s, i));
  co_await g.join();
  for (int i = 0; i < 3; ++i) s.answers[i].set(s.answers[i].get() + 1);
}
// The page that the second child lies on is opened while the body begins to wait.
task<> grandchild_joined(in_model, state& s, task_group& g) {
  g.spawn(parent(in_model{}, s, g, 0, 1));
  co_await g.join();
  for (int i = 0; i < 2; ++i) s.answers[i].set(s.answers[i].get() + 1);
}
task<> late(in_model, state& s) {
  co_await sleep_for(1h);
  s.answers[1].set(7);
}
// Its wait is over in time, or not; then it waits for another child.
task<> joined_twice(in_model, state& s, task_group& g) {
  g.spawn(child(in_model{}, s, 0));
  try {
    co_await timeout(1h, g.join());
  } catch (const timed_out&) {
  }
  g.spawn(late(in_model{}, s));
  fake::nudge();
  co_await g.join();
  s.answers[1].set(s.answers[1].get() + 1);
}
// Two full pages; the children of the second spawn one each, and one of them finds the first page closed.
task<> two_want_a_page(in_model, state& s, task_group& g) {
  for (int i = 0; i < 2; ++i) g.spawn(child(in_model{}, s, i));
  for (int i = 2; i < 4; ++i) g.spawn(parent(in_model{}, s, g, i, i + 2));
  co_return;
}
task<> two(in_model, state& s, task_group& g) {
  for (int i = 0; i < 2; ++i) g.spawn(child(in_model{}, s, i), "", "", 0);
  co_return;
}
// Full pages that were closed are filled again.
task<> four_and_four(in_model, state& s, task_group& g) {
  for (int n = 0; n < 2; ++n) {
    for (int i = 0; i < 4; ++i) g.spawn(child(in_model{}, s, i));
    model::check(g.size() == 4, "Each child has a place.");
    co_await g.join();
  }
  model::check(s.core->roster_pages().used() == 2, "Closed pages are used again.");
}

// One full page, and a child alone on the next, which one of the others fills and the other one is given anew.
task<> spawns_three(in_model, state& s, task_group& g) {
  for (int i = 0; i < 4; i += 2) g.spawn(parent(in_model{}, s, g, i, i + 1));
  g.spawn(child(in_model{}, s, 4));
  co_return;
}

// What the first group used is there for the second.
task<value> one_after_another(in_model, state& s) {
  for (int i = 0; i < 2; ++i) {
    auto in_group = [&s, i](task_group& g) -> task<> { return once(in_model{}, s, g, i); };
    co_await with_group(in_group);
  }
  model::check(s.core->roster_pages().used() == 1, "The page of a group that has ended is used again.");
  s.outcome = 1;
  co_return value(0);
}

using body = task<> (*)(in_model, state&, task_group&);

task<value> whole(in_model, state& s, body inner) {
  auto in_group = [&s, inner](task_group& g) { return inner(in_model{}, s, g); };
  try {
    co_await with_group(in_group);
    for (const auto& each : s.answers) (void)each.get();  // whoever goes on sees what every child did
    s.outcome = 1;
  } catch (const cancelled&) {
    s.outcome = 2;
  }
  s.over = true;
  for (int i = 0; i < s.thieves; ++i) fake::nudge();
  co_return value(0);
}

struct cast {
  int thieves = 1;
  bool canceller = false;
  int lookers = 0;
  bool before = false;  // the body ends before the others begin
};

void run(model::run& r, body inner, cast who, int children, std::initializer_list<int> outcomes) {
  auto& s = r.make<state>();
  s.thieves = who.thieves;
  s.spawn(whole(in_model{}, s, inner));
  if (who.before) {
    fake::run(*s.root);
  } else {
    r.thread("worker", [&s] { fake::run(*s.root); });
  }
  for (int i = 0; i < who.thieves; ++i) {
    r.thread("thief", [&s] {
      while (!s.over) fake::work(1);
    });
  }
  if (who.canceller) r.thread("canceller", [&s] { s.handle->cancel(); });
  for (int i = 0; i < who.lookers; ++i) {
    r.thread("looker", [&s] {
      roster::look_at_all(s.core->roster_pages(), [](const group_child& seen) {
        model::check(seen.line == 0, "Who is seen is there.");
        (void)seen.cancelled();
      });
    });
  }
  r.finally([&s, children, allowed = std::vector<int>(outcomes)] {
    fake::work_off();
    model::check(std::ranges::find(allowed, s.outcome) != allowed.end(), "The caller has what its group answered.");
    for (int i = 0; s.outcome == 1 && i < children; ++i) {
      model::check(s.answers[i].get() >= 6 + i, "Every child has ended.");
    }
    model::check(s.core->task_count() == 0, "All are counted out.");
    s.handle.reset();
  });
}

void run_alone(model::run& r, task<value> (*of)(in_model, state&)) {
  auto& s = r.make<state>();
  s.spawn(of(in_model{}, s));
  r.thread("worker", [&s] {
    fake::run(*s.root);
    fake::work_off();
  });
  r.finally([&s] {
    model::check(s.outcome == 1, "The groups have ended.");
    s.handle.reset();
  });
}
task<value> refills(in_model, state& s) { return whole(in_model{}, s, four_and_four); }

// The worker has run the body and what became ready first, `alone` of it, before the thieves begin; then each runs one.
void run_beside(model::run& r, body inner, int alone, int thieves, int children) {
  auto& s = r.make<state>();
  s.spawn(whole(in_model{}, s, inner));
  r.thread("worker", [&s, alone] {
    fake::run(*s.root);
    fake::work(alone);
    s.ready.store(1, release);
    futex::wake(s.ready, 2);
    fake::work(1);
  });
  for (int i = 0; i < thieves; ++i) {
    r.thread("thief", [&s] {
      while (s.ready.load(acquire) == 0) futex::wait(s.ready, 0);
      fake::work(1);
    });
  }
  r.finally([&s, children] {
    fake::work_off();
    model::check(s.outcome == 1, "The caller has what its group answered.");
    for (int i = 0; i < children; ++i) model::check(s.answers[i].get() == 6 + i, "Every child has ended.");
    s.handle.reset();
  });
}

// A child ends while two look at it.
void run_looked_at(model::run& r) {
  auto& s = r.make<state>();
  s.spawn(whole(in_model{}, s, one));
  fake::run(*s.root);
  r.thread("lookers", [&s] {
    fake::become_worker(s.core->sched(), nullptr);
    roster::look_at_all(s.core->roster_pages(), [&s](const group_child&) {
      roster::look_at_all(s.core->roster_pages(), [](const group_child& seen) {
        fake::work(1);
        model::check(!seen.cancelled(), "Who is seen is there.");
      });
    });
  });
  r.finally([&s] {
    fake::work_off();
    model::check(s.outcome == 1, "The group has ended.");
    s.handle.reset();
  });
}

// A child has left its page empty, and is about to close it: meanwhile it is filled and closed, opened for another child, and empty again.
// So it closes that, too, and who goes on has seen what that child did.
void run_closed_meanwhile(model::run& r) {
  auto& s = r.make<state>();
  auto& alone = r.make<atomic<runnable*>>();
  s.spawn(whole(in_model{}, s, spawns_three));
  r.thread("worker", [&s, &alone] {
    fake::run(*s.root);
    runnable* const parents[] = {&fake::take(), &fake::take()};
    alone.store(&fake::take(), release);
    s.ready.store(1, release);
    futex::wake(s.ready, 1);
    while (s.ready.load(relaxed) != 2) futex::wait(s.ready, 1);
    for (runnable* each : parents) {
      fake::run(*each);
      fake::work(1);
    }
  });
  r.thread("thief", [&s, &alone] {
    while (s.ready.load(acquire) == 0) futex::wait(s.ready, 0);
    s.ready.store(2, relaxed);
    futex::wake(s.ready, 1);
    fake::run(*alone.load(relaxed));
  });
  r.finally([&s] {
    fake::work_off();
    model::check(s.outcome == 1, "The caller has what its group answered.");
    for (int i = 0; i < 5; ++i) model::check(s.answers[i].get() == 6 + i, "Every child has ended.");
    s.handle.reset();
  });
}

// The last to be in a full page is one that has looked, and who goes on is not the one that ran the children.
void run_last_looker(model::run& r) {
  auto& s = r.make<state>();
  s.spawn(whole(in_model{}, s, two));
  fake::run(*s.root);
  s.thieves = 1;
  r.thread("worker", [&s] {
    while (!s.over) fake::work(1);
  });
  r.thread("looker", [&s] {
    roster::look_at_all(s.core->roster_pages(), [](const group_child& seen) { (void)seen.cancelled(); });
    while (!s.over) fake::work(1);
  });
  r.finally([&s] {
    model::check(s.outcome == 1, "The group has ended.");
    s.handle.reset();
  });
}

// Who goes on with the body need not be the one that ran a child: the worker resumes `own` more, each thief `most`.
void run_joined(model::run& r, body inner, int own, int thieves, int most, int children) {
  auto& s = r.make<state>();
  s.thieves = thieves;
  s.spawn(whole(in_model{}, s, inner));
  r.thread("worker", [&s, own] {
    fake::run(*s.root);
    fake::work(own);
  });
  for (int i = 0; i < thieves; ++i) {
    r.thread("thief", [most] { fake::work(most); });
  }
  r.finally([&s, children] {
    fake::work_off();
    model::check(s.outcome == 1, "The caller has what its group answered.");
    for (int i = 0; i < children; ++i) model::check(s.answers[i].get() == 7 + i, "Every child has ended.");
    s.handle.reset();
  });
}

// The wait for the first child times out, perhaps as that child leaves.
void run_timed_out(model::run& r) {
  auto& s = r.make<state>();
  s.spawn(whole(in_model{}, s, joined_twice));
  r.thread("worker", [&s] {
    fake::run(*s.root);
    fake::work(2);
  });
  r.thread("thief", [] { fake::work(1); });
  r.thread("timer", [] { fake::fire_timer(0); });
  r.finally([&s] {
    fake::work_off();
    for (int i = 0; i < 3; ++i) fake::fire_timer(i);
    fake::work_off();
    model::check(s.outcome == 1 && s.answers[1].get() == 8, "The second child has ended.");
    s.handle.reset();
  });
}

const model::options all{};
const model::options bounded{.bound = 2};
const model::options closely_bounded{.bound = 1};

const model::program p00{"roster: three children, two pages", all, [](model::run& r) { run(r, three, {}, 3, {1}); }};
const model::program p01{"roster: three children, two thieves", closely_bounded,
                         [](model::run& r) { run(r, three, {.thieves = 2}, 3, {1}); }};
const model::program p02{"roster: a child spawns one as the body ends", all,
                         [](model::run& r) { run(r, grandchild, {}, 2, {1}); }};
const model::program p03{"roster: two children spawn after the body has ended", bounded,
                         [](model::run& r) { run(r, grandchildren, {.thieves = 2, .before = true}, 4, {1}); }};
const model::program p04{"roster: all have left, and more come", bounded,
                         [](model::run& r) { run(r, again, {}, 2, {1}); }};
const model::program p05{"roster: a child spawns one more than the page holds", bounded,
                         [](model::run& r) { run(r, third_by_a_child, {}, 3, {1}); }};
const model::program p06{"roster: two children sleep, the caller is cancelled", closely_bounded,
                         [](model::run& r) { run(r, two_sleepers, {.canceller = true}, 0, {2}); }};
const model::program p07{"roster: a child cancels as the body spawns another", bounded,
                         [](model::run& r) { run(r, cancelled_by_a_child, {}, 0, {1}); }};
const model::program p08{"roster: somebody looks as a child ends", bounded,
                         [](model::run& r) { run(r, one, {.lookers = 1}, 1, {1}); }};
const model::program p09{"roster: two look as a child ends", bounded,
                         [](model::run& r) { run(r, one, {.lookers = 2, .before = true}, 1, {1}); }};
const model::program p10{"roster: somebody looks as a sleeper is cancelled", closely_bounded, [](model::run& r) {
                           run(r, one_asleep, {.canceller = true, .lookers = 1, .before = true}, 0, {2});
                         }};
const model::program p11{"roster: a child spawns one as the body ends, the caller is cancelled", closely_bounded,
                         [](model::run& r) { run(r, grandchild, {.canceller = true}, 0, {1, 2}); }};

const model::program p12{"roster: a group after another", all, [](model::run& r) { run_alone(r, one_after_another); }};
const model::program p13{"roster: pages are closed and filled again", all,
                         [](model::run& r) { run_alone(r, refills); }};
const model::program p14{"roster: two children look for a page at once", bounded,
                         [](model::run& r) { run_beside(r, two_want_a_page, 2, 1, 6); }};
const model::program p16{"roster: three children are joined, two thieves", closely_bounded,
                         [](model::run& r) { run_joined(r, three_joined, 2, 2, 1, 3); }};
const model::program p17{"roster: a child spawns one as the body joins", closely_bounded,
                         [](model::run& r) { run_joined(r, grandchild_joined, 1, 1, 2, 2); }};
const model::program p18{"roster: the body joins again after a timeout", closely_bounded, run_timed_out};
const model::program p19{"roster: a child ends while two look", all, run_looked_at};
const model::program p21{"roster: a page is closed and opened as a child is about to close it", bounded,
                         run_closed_meanwhile};
const model::program p20{"roster: a looker is the last in a full page", all, run_last_looker};

}  // namespace
