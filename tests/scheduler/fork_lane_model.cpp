// models: scheduler/fork_lane.hpp scheduler/fork_lane.cpp
// Jobs that are forked on one thread's stack, taken back, or stolen and awaited; their frames go as soon as they are joined.

#include <sluice/model/program.hpp>
#include <sluice/scheduler/fork_lane.hpp>

#include <memory>

namespace {

using namespace sluice::impl;

// A worker without a loop.
class lane : public fork_lane {
 public:
  lane() noexcept : fork_lane(0) {}
  bool steal_from(lane& victim) {
    runnable* r = nullptr;
    if (victim.forks_.steal(r) != decltype(forks_)::outcome::took) return false;
    (void)begin(static_cast<chore&>(*r));
    return true;
  }
  void demand() { forks_.demand(); }

 private:
  void offer() noexcept override { forks_.publish(kept_public); }
  void feed_thieves() noexcept override {
    forks_.publish();
    forks_.set_wanted(false);
  }
  void put_aside(runnable&) noexcept override { model::fail("There is memory."); }
  void submit(runnable&) noexcept override { model::fail("Nothing is spawned."); }
  bool others_wait() noexcept override { return true; }
  bool may_go_on() noexcept override { return true; }
  bool run_slice(task_context&) noexcept override { model::fail("Only calls are forked here."); }
};

class model_call : public native_call {
 public:
  explicit model_call(void (*body)(model_call&)) : native_call(&run), body_(body) {}
  plain<int> argument{0};
  plain<int> answer{0};
  lane* here = nullptr;   // where the body runs, if it needs to know
  lane* other = nullptr;  // where it must not run

  void make() { body_(*this); }

 private:
  static void run(native_call& j) noexcept { static_cast<model_call&>(j).make(); }
  void (*body_)(model_call&);
};

void add_one(model_call& j) { j.answer.set(j.argument.get() + 1); }

// Between fork and join comes `meanwhile`. The call is gone afterwards, as a frame is.
template <class Meanwhile>
int fork_and_join(lane& mine, lane* thief, void (*body)(model_call&), int argument, Meanwhile meanwhile) {
  auto second = std::make_unique<model_call>(body);
  second->argument.set(argument);
  second->here = thief;
  model::check(mine.fork_call(*second), "There is memory.");
  meanwhile();
  if (mine.take_call_back()) {
    second->here = &mine;
    second->make();
  } else {
    mine.await(*second);
  }
  return second->answer.get();
}

struct state {
  state() : start(now()) { owner.demand(), thief.demand(); }
  lane owner;
  lane thief;
  const time_point start;
  int rounds = 0;
};

void check_no_time_has_passed(state& s) {
  model::check(now() == s.start, "A wakeup was lost: a time-out had to heal it.");
}

// One fork, and a thief that may be anywhere when the owner joins.
void one(model::run& r) {
  auto& s = r.make<state>();
  r.thread("owner", [&s] {
    model::check(fork_and_join(s.owner, &s.thief, add_one, 6, [] {}) == 7, "The call is done once it is joined.");
  });
  r.thread("thief", [&s] { s.thief.steal_from(s.owner); });
  r.finally([&s] { check_no_time_has_passed(s); });
}

// The same place in the deque again, for another call in other memory.
void again(model::run& r) {
  auto& s = r.make<state>();
  r.thread("owner", [&s] {
    for (int i = 0; i < 2; ++i) {
      model::check(fork_and_join(s.owner, &s.thief, add_one, i, [] {}) == i + 1,
                   "Each call is done once it is joined.");
      s.owner.demand();
    }
  });
  r.thread("thief", [&s] {
    for (int i = 0; i < 2; ++i) s.thief.steal_from(s.owner);
  });
  r.finally([&s] { check_no_time_has_passed(s); });
}

// A fork within a fork: the older is the one that is stolen.
void nested(model::run& r) {
  auto& s = r.make<state>();
  r.thread("owner", [&s] {
    int inner = 0;
    const int outer = fork_and_join(s.owner, &s.thief, add_one, 1, [&] {
      s.owner.demand();
      inner = fork_and_join(s.owner, &s.thief, add_one, 3, [] {});
    });
    model::check(outer == 2 && inner == 4, "Both jobs are done when they are joined.");
  });
  r.thread("thief", [&s] {
    for (int i = 0; i < 2; ++i) s.thief.steal_from(s.owner);
  });
  r.finally([&s] { check_no_time_has_passed(s); });
}

// The call forks a part of itself, which the waiting owner may take.
void forks_a_part(model_call& j) {
  lane& mine = *j.here;
  j.answer.set(fork_and_join(mine, nullptr, add_one, j.argument.get(), [] {}) + 1);
}
void leapfrog(model::run& r) {
  auto& s = r.make<state>();
  r.thread("owner", [&s] {
    model::check(fork_and_join(s.owner, &s.thief, forks_a_part, 1, [] {}) == 3, "The call is done with its part.");
  });
  r.thread("thief", [&s] { s.thief.steal_from(s.owner); });
  r.finally([&s] { check_no_time_has_passed(s); });
}

// The thief is through with the call, and forks another one that the owner must not run while it waits.
void stranger(model::run& r) {
  auto& s = r.make<state>();
  static bool waits;  // the owner does; read by the owner only
  waits = false;
  const auto body = [](model_call& j) {
    model::check(!(j.argument.get() == 10 && waits && model::thread_index() == 1), "Who waits runs nothing foreign.");
    add_one(j);
  };
  r.thread("owner", [&s, body] {
    waits = true;
    model::check(fork_and_join(s.owner, &s.thief, body, 6, [] {}) == 7, "The call is done once it is joined.");
    waits = false;  // and now it may compute for ever
  });
  r.thread("thief", [&s, body] {
    if (!s.thief.steal_from(s.owner)) return;
    model::check(fork_and_join(s.thief, &s.owner, body, 10, [] {}) == 11, "The stranger is done, wherever it ran.");
  });
}

// The call forks a part while the owner waits, and the thief goes on to something else in the same place of its deque.
void part_then_stranger(model::run& r) {
  auto& s = r.make<state>();
  static bool waits;  // as above
  waits = false;
  const auto body = [](model_call& j) {
    model::check(!(j.argument.get() == 10 && waits && model::thread_index() == 1), "Who waits runs nothing foreign.");
    add_one(j);
  };
  r.thread("owner", [&s] {
    waits = true;
    model::check(fork_and_join(s.owner, &s.thief, forks_a_part, 1, [] {}) == 3, "The call is done with its part.");
    waits = false;
  });
  r.thread("thief", [&s, body] {
    if (!s.thief.steal_from(s.owner)) return;
    model::check(fork_and_join(s.thief, &s.owner, body, 10, [] {}) == 11, "The stranger is done, wherever it ran.");
  });
  r.finally([&s] { check_no_time_has_passed(s); });
}

// Both of two nested jobs are public at once, for two thieves, though nobody is hungry.
void for_two_thieves(model::run& r) {
  struct three : state {
    lane late;
  };
  auto& s = r.make<three>();
  r.thread("owner", [&s] {
    int inner = 0;
    const int outer = fork_and_join(s.owner, &s.thief, add_one, 1,
                                    [&] { inner = fork_and_join(s.owner, &s.thief, add_one, 3, [] {}); });
    model::check(outer == 2 && inner == 4, "Both jobs are done when they are joined.");
  });
  r.thread("thief", [&s] { s.thief.steal_from(s.owner); });
  r.thread("late thief", [&s] { s.late.steal_from(s.owner); });
  r.finally([&s] { check_no_time_has_passed(s); });
}

// Nobody has asked, and yet a thief gets both of two nested jobs while the owner computes.
void outermost(model::run& r) {
  struct counts : state {
    atomic<std::uint32_t> forked{0};
    atomic<std::uint32_t> taken{0};
  };
  auto& s = r.make<counts>();
  r.thread("owner", [&s] {
    fork_and_join(s.owner, &s.thief, add_one, 1, [&] {
      fork_and_join(s.owner, &s.thief, add_one, 3, [&] {
        s.forked.store(1, release);
        while (s.taken.load(acquire) != 2) yield_thread();
      });
    });
  });
  r.thread("thief", [&s] {
    while (s.forked.load(acquire) == 0) yield_thread();
    for (std::uint32_t i = 0; i < 2; ++i) {
      model::check(s.thief.steal_from(s.owner), "The outermost jobs are public.");
      s.taken.store(i + 1, release);
    }
  });
  r.finally([&s] { check_no_time_has_passed(s); });
}

// Whoever makes the call makes it for the task that has forked it, and then goes on with its own.
void on_behalf(model::run& r) {
  static constexpr auto task = [](std::size_t i) {
    alignas(task_context) static std::byte two[2 * sizeof(task_context)];  // only their addresses count
    return reinterpret_cast<task_context*>(two) + i;
  };
  auto& s = r.make<state>();
  const auto body = [](model_call& j) {
    model::check(running_task::get() == task(0), "It is made for the task that has forked it.");
    add_one(j);
  };
  r.thread("owner", [&s, body] {
    running_task::set(task(0));
    model::check(fork_and_join(s.owner, &s.thief, body, 6, [] {}) == 7, "The call is done once it is joined.");
  });
  r.thread("thief", [&s] {
    running_task::set(task(1));
    s.thief.steal_from(s.owner);
    model::check(running_task::get() == task(1), "The thief goes on with its own task.");
  });
}

// What one thread knows arrives.
void hinted(model::run& r) {
  auto& h = r.make<hint>();
  r.thread("one", [&h] { h.raise(); });
  r.thread("other", [&h] {
    while (!h.raised()) yield_thread();
  });
}

const model::options no_time_outs{.timeouts = 0};
const model::program p00{"fork lane: one call and a thief", no_time_outs, one};
const model::program p01{"fork lane: two jobs in one place", no_time_outs, again};
const model::program p02{"fork lane: a call within a call", no_time_outs, nested};
const model::program p03{"fork lane: who waits takes a part of the call", no_time_outs, leapfrog};
const model::program p04{"fork lane: the thief goes on to something else", no_time_outs, stranger};
const model::program p05{"fork lane: a part of the call, then something else", no_time_outs, part_then_stranger};
const model::program p06{"fork lane: two nested jobs and two thieves", no_time_outs, for_two_thieves};
const model::program p07{"fork lane: the outermost jobs are public", no_time_outs, outermost};
const model::program p08{"fork lane: a hint arrives", {}, hinted};
const model::program p09{"fork lane: a stolen call belongs to the task that has forked it", no_time_outs, on_behalf};

}  // namespace
