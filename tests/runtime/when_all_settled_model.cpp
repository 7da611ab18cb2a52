// models: runtime/when_all_settled.hpp runtime/outcome.hpp runtime/join_scope.hpp
// when_all_settled as it is shipped: a child that fails stops nobody, a cancellation of the caller reaches every child, and each
// answer is there, whoever ended last.
#include "model_world.hpp"

#include <sluice/runtime/sleep.hpp>
#include <sluice/runtime/this_task.hpp>
#include <sluice/runtime/when_all_settled.hpp>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;
using value = checked_value;
using namespace std::chrono_literals;

struct state : one_task {
  bool thief_over = false;
};

task<value> fails(in_model, state& s) {
  (void)s.argument.get();
  throw 7;
  co_return value(0);
}
task<value> answers(in_model, state& s) {
  model::check(co_await current{}, runs_as_itself);
  co_return value(s.argument.get() + 1);
}
task<value> answers_unless_cancelled(in_model, state& s) {
  co_await this_task::checkpoint();
  co_return value(s.argument.get() + 1);
}
task<value> sleeps(in_model, state& s) {
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

// 1 a value, 2 cancelled, 3 another failure.
int kind(outcome<value>& of) {
  try {
    model::check(of.value().value() == 7, "The answer is there.");
    return 1;
  } catch (const cancelled&) {
    return 2;
  } catch (int n) {
    model::check(n == 7 && of.error() != nullptr, "The failure is there.");
    return 3;
  }
}

using child = task<value> (*)(in_model, state&);

// What became of both, as tens and ones; 4 where nothing began.
task<value> caller(in_model, state& s, child first, child second) {
  try {
    auto both = co_await when_all_settled(first(in_model{}, s), second(in_model{}, s));
    s.outcome = 10 * kind(std::get<0>(both)) + kind(std::get<1>(both));
  } catch (const cancelled&) {
    s.outcome = 4;
  }
  model::check(co_await current{}, runs_as_itself);
  co_return value(0);
}
task<value> caller_of_list(in_model, state& s, child first, child second) {
  std::vector<task<value>> tasks;
  tasks.push_back(first(in_model{}, s));
  tasks.push_back(second(in_model{}, s));
  try {
    auto both = co_await when_all_settled(std::move(tasks));
    s.outcome = 10 * kind(both[0]) + kind(both[1]);
  } catch (const cancelled&) {
    s.outcome = 4;
  }
  co_return value(0);
}

enum : unsigned { thief = 1, thief_sleeps = 2, canceller = 4, thief_cancels = 8 };

// One worker begins, a thief takes the second child; without a thief that one runs when all the others have ended.
void settled(model::run& r, task<value> (*of)(in_model, state&, child, child), child first, child second, unsigned who,
             std::initializer_list<int> outcomes) {
  auto& s = r.make<state>();
  s.spawn(of(in_model{}, s, first, second));
  r.thread("worker", [&s] { fake::run(*s.root); });
  if ((who & thief) != 0) {
    r.thread("thief", [&s, who] {
      fake::work(1);
      if ((who & thief_cancels) != 0) s.handle->cancel();
      while ((who & thief_sleeps) != 0 && !s.thief_over) fake::work(1);
    });
  }
  if ((who & canceller) != 0) r.thread("canceller", [&s] { s.handle->cancel(); });
  r.finally([&s, allowed = std::vector<int>(outcomes)] {
    fake::work_off();
    model::check(std::find(allowed.begin(), allowed.end(), s.outcome) != allowed.end(),
                 "The caller has an outcome for each.");
    s.handle.reset();
  });
}

const model::program both{"when_all_settled: a child fails as another ends", {}, [](model::run& r) {
                            settled(r, caller, fails, answers, thief, {31});
                          }};
const model::program list{"when_all_settled: a child of a list fails as another ends", {}, [](model::run& r) {
                            settled(r, caller_of_list, fails, answers, thief, {31});
                          }};
const model::program goes_on{"when_all_settled: a child fails, another asks whether it is cancelled",
                             {},
                             [](model::run& r) { settled(r, caller, fails, answers_unless_cancelled, thief, {31}); }};
const model::program asleep{
    "when_all_settled: a child fails as another falls asleep, the caller is cancelled", {}, [](model::run& r) {
      settled(r, caller, fails, sleeps, thief | thief_sleeps | thief_cancels, {32});
    }};
const model::program at_entry{"when_all_settled: the caller is cancelled at its entry", {}, [](model::run& r) {
                                settled(r, caller, answers, sleeps, canceller, {12, 4});
                              }};
const model::program list_at_entry{
    "when_all_settled: the caller of a list is cancelled at its entry", {}, [](model::run& r) {
      settled(r, caller_of_list, answers, sleeps, canceller, {12, 4});
    }};

}  // namespace
