// models: runtime/split_scope.hpp runtime/split_scope.cpp runtime/join_scope.hpp runtime/each_scope.hpp
// when_all as it is shipped where lines of execution are begun beside the parent's: the rest of the children is stolen, once or
// twice, or taken by the same worker when a child has suspended; scopes lie within each other; and all of that is cancelled
// or fails. The frames with all the contexts in them go as soon as the last line has ended.
#include "crowd.hpp"

#include <sluice/runtime/when_any.hpp>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;
using namespace std::chrono_literals;

task<value> plain_number(in_model, int n) { co_return value(n); }
task<value> prefers_woken(in_model, state& s) {
  fake::prefer_woken(fake::always);
  return sleeper(in_model{}, s);
}
task<value> refuses(in_model, state& s) {
  fake::refuse_once();
  co_return value(s.argument.get());
}
task<value> three(in_model, state& s) {
  return sum_of(in_model{}, s, child(in_model{}, s, 1), child(in_model{}, s, 2), child(in_model{}, s, 3));
}
// When all children have ended, the line waits as before.
task<value> two_then_asleep(in_model, state& s) {
  auto both = co_await sum(in_model{}, s, child(in_model{}, s, 1), child(in_model{}, s, 2));
  auto slept = co_await sleeper(in_model{}, s);
  co_return value(both.value() + slept.value());
}
task<value> three_refused(in_model, state& s) {
  return sum_of(in_model{}, s, refuses(in_model{}, s), child(in_model{}, s, 2), child(in_model{}, s, 3));
}
task<value> nested(in_model, state& s) {
  return sum(in_model{}, s, sum(in_model{}, s, child(in_model{}, s, 1), child(in_model{}, s, 2)),
             child(in_model{}, s, 3));
}
task<value> nested_asleep(in_model, state& s) {
  return sum(in_model{}, s, sum(in_model{}, s, child(in_model{}, s, 1), sleeper(in_model{}, s)),
             child(in_model{}, s, 3));
}
task<value> asleep_nested(in_model, state& s) {
  return sum(in_model{}, s, child(in_model{}, s, 3),
             sum(in_model{}, s, sleeper(in_model{}, s), child(in_model{}, s, 1)));
}
// The outer scope's second child fails, while its first sleeps in a scope within.
task<value> outer_fails(in_model, state& s) {
  return sum(in_model{}, s, sum(in_model{}, s, sleeper(in_model{}, s), child(in_model{}, s, 2)),
             failing(in_model{}, s));
}
// The inner scope fails, and the caller of the outer one goes on.
task<value> inner_fails(in_model, state& s) {
  auto inner = [](in_model, state& of) -> task<value> {
    try {
      (void)co_await sum(in_model{}, of, sleeper(in_model{}, of), failing(in_model{}, of));
    } catch (int n) {
      co_return value(n);
    }
    co_return value(0);
  };
  return sum(in_model{}, s, inner(in_model{}, s), child(in_model{}, s, 1));
}
// The first child wakes on the worker that has the rest in its deque, and goes on with it.
task<value> wakes_to_the_rest(in_model, state& s) {
  return sum_of(in_model{}, s, prefers_woken(in_model{}, s), sleeper(in_model{}, s), child(in_model{}, s, 1));
}
task<value> sleeps_first(in_model, state& s) {
  return sum(in_model{}, s, sleeper(in_model{}, s), child(in_model{}, s, 1));
}
task<value> within_timeout(in_model, state& s) {
  try {
    auto both = co_await timeout(1h, when_all(child(in_model{}, s, 1), child(in_model{}, s, 2)));
    co_return value(std::get<0>(both).value() + std::get<1>(both).value());
  } catch (const timed_out&) {
    co_return value(-2);
  }
}
task<value> out_of_time(in_model, state& s) {
  try {
    (void)co_await timeout(1h, when_all(child(in_model{}, s, 1), sleeper(in_model{}, s)));
  } catch (const timed_out&) {
    co_return value(-2);
  }
  co_return value(0);
}

task<value> range(in_model, state& s) {
  return each(in_model{}, s, [&s](int i) { return child(in_model{}, s, i); }, 3);
}
task<value> range_calls_in_turn(in_model, state& s) {
  const auto make = [&s](int i) {
    s.argument.set(s.argument.get() + 1);  // a data race if two call at once
    return plain_number(in_model{}, i);
  };
  return each(in_model{}, s, make, 3);
}
task<value> range_fails(in_model, state& s) {
  const auto make = [&s](int i) { return i == 1 ? failing(in_model{}, s) : sleeper(in_model{}, s); };
  return each(in_model{}, s, make, 3);
}
task<value> range_cannot_make(in_model, state& s) {
  const auto make = [&s](int i) {
    if (i == 1) throw 7;
    return sleeper(in_model{}, s);
  };
  return each(in_model{}, s, make, 3);
}
task<value> range_asleep(in_model, state& s) {
  const auto make = [&s](int i) { return i == 1 ? sleeper(in_model{}, s) : child(in_model{}, s, i); };
  return each(in_model{}, s, make, 3);
}
task<value> range_within_timeout(in_model, state& s) {
  try {
    const auto make = [&s](int i) { return child(in_model{}, s, i); };
    auto all = co_await timeout(1h, when_all(0, 2, make));
    co_return value(all[0].value() + all[1].value());
  } catch (const timed_out&) {
    co_return value(-2);
  }
}

const model::options all{};
const model::options bounded{.bound = 2};
const model::options closely_bounded{.bound = 1};

const model::program p00{"lines: three children, a thief", all, [](model::run& r) { run(r, three, {}, {24}); }};
const model::program p01{"lines: three children, two thieves", closely_bounded,
                         [](model::run& r) { run(r, three, {.thieves = 2}, {24}); }};
const model::program p02{"lines: three children, others shall have their turn between", all,
                         [](model::run& r) { run(r, three_refused, {}, {23}); }};
const model::program p03{"lines: three children, a thief, cancelled", bounded,
                         [](model::run& r) { run(r, three, {.canceller = true}, {24, -1}); }};
const model::program p04{"lines: a scope within a scope, a thief", all,
                         [](model::run& r) { run(r, nested, {}, {24}); }};
const model::program p05{"lines: a scope within a scope, two thieves", closely_bounded,
                         [](model::run& r) { run(r, nested, {.thieves = 2}, {24}); }};
const model::program p06{"lines: a sleeper in the inner scope, cancelled", closely_bounded,
                         [](model::run& r) { run(r, nested_asleep, {.canceller = true}, {-1}); }};
const model::program p07{"lines: a sleeper in the inner scope of the last child, cancelled", closely_bounded,
                         [](model::run& r) { run(r, asleep_nested, {.canceller = true}, {-1}); }};
const model::program p08{"lines: a sleeper in the inner scope, and the outer one fails", closely_bounded,
                         [](model::run& r) { run(r, outer_fails, {}, {7}); }};
const model::program p09{"lines: the inner scope fails, and the outer one goes on", closely_bounded,
                         [](model::run& r) { run(r, inner_fails, {}, {14}); }};
const model::program p10{"lines: the inner scope fails, cancelled", closely_bounded,
                         [](model::run& r) { run(r, inner_fails, {.canceller = true}, {14, -1}); }};
const model::program p11{"lines: a child sleeps, the rest goes on beside it", bounded,
                         [](model::run& r) { run(r, sleeps_first, {.timers = 1}, {13}); }};
const model::program p12{"lines: a child wakes on the worker that has the rest", bounded,
                         [](model::run& r) { run(r, wakes_to_the_rest, {.thieves = 0, .timers = 2}, {19}); }};
const model::program p13{"lines: within a timeout, a thief", bounded,
                         [](model::run& r) { run(r, within_timeout, {}, {15}); }};
const model::program p14{"lines: out of time", closely_bounded,
                         [](model::run& r) { run(r, out_of_time, {.timers = 1}, {-2}); }};
const model::program p15{"lines: within a timeout, cancelled", closely_bounded,
                         [](model::run& r) { run(r, out_of_time, {.canceller = true}, {-1}); }};

const model::program p16{"lines: children end, then their parent sleeps, a thief", closely_bounded,
                         [](model::run& r) { run(r, two_then_asleep, {.timers = 1}, {21}); }};

const model::program p20{"lines: a range of three, a thief", all, [](model::run& r) { run(r, range, {}, {21}); }};
const model::program p21{"lines: a range of three, two thieves", closely_bounded,
                         [](model::run& r) { run(r, range, {.thieves = 2}, {21}); }};
const model::program p22{"lines: the tasks of a range are made in turn", all,
                         [](model::run& r) { run(r, range_calls_in_turn, {}, {3}); }};
const model::program p23{"lines: a task of a range fails", closely_bounded,
                         [](model::run& r) { run(r, range_fails, {}, {7}); }};
const model::program p24{"lines: a task of a range cannot be made", all,
                         [](model::run& r) { run(r, range_cannot_make, {}, {7}); }};
const model::program p25{"lines: a task of a range sleeps, cancelled", closely_bounded,
                         [](model::run& r) { run(r, range_asleep, {.canceller = true}, {-1}); }};
const model::program p26{"lines: a range within a timeout, a thief", bounded,
                         [](model::run& r) { run(r, range_within_timeout, {}, {13}); }};
const model::program p27{"lines: a range of three, a thief, cancelled", closely_bounded,
                         [](model::run& r) { run(r, range, {.canceller = true}, {21, -1}); }};

}  // namespace
