#pragma once
// A task on one model thread, and others that steal from it, cancel it, and fire its timers: for the models of when_all.
#include "model_world.hpp"

#include <sluice/runtime/sleep.hpp>
#include <sluice/runtime/timeout.hpp>
#include <sluice/runtime/when_all.hpp>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <tuple>
#include <vector>

namespace sluice::test {

using value = checked_value;

struct state : one_task {
  int thieves = 0;
  bool over = false;
  int ended = 0;  // sleepers
};

inline task<value> child(in_model, state& s, int n) {
  model::check(co_await current{}, runs_as_itself);
  co_return value(s.argument.get() + n);
}
inline task<value> failing(in_model, state&) {
  throw 7;
  co_return value(0);
}
// Until a timer fires, if the program has somebody who fires it, or it is cancelled.
inline task<value> sleeper(in_model, state& s) {
  const struct last_words {
    ~last_words() { ++of.ended; }
    state& of;
  } end{s};
  co_await sleep_for(std::chrono::hours(1));
  model::check(co_await current{}, runs_as_itself);
  co_return value(s.argument.get());
}
inline task<value> sum(in_model, state&, task<value> first, task<value> second) {
  auto both = co_await when_all(std::move(first), std::move(second));
  co_return value(std::get<0>(both).value() + std::get<1>(both).value());
}

template <class... T>
task<value> sum_of(in_model, state&, T... tasks) {
  auto all = co_await when_all(std::move(tasks)...);
  co_return value(std::apply([](auto&... each) { return (each.value() + ...); }, all));
}

// The same over a range, whose tasks are made one after another, on whatever worker has the rest.
template <class Make>
task<value> each(in_model, state&, Make make, int n) {
  int all = 0;
  for (value& one : co_await when_all(0, n, make)) all += one.value();
  co_return value(all);
}
using body = task<value> (*)(in_model, state&);

inline task<value> whole(in_model, state& s, body of) {
  try {
    s.outcome = (co_await of(in_model{}, s)).value();
  } catch (const cancelled&) {
    s.outcome = -1;
  } catch (int n) {
    s.outcome = n;
  }
  model::check(co_await current{}, runs_as_itself);
  s.over = true;
  for (int i = 0; i < s.thieves; ++i) fake::nudge();
  co_return value(0);
}

struct crowd {
  int thieves = 1;
  bool canceller = false;
  int timers = 0;  // so many are fired, in the order in which they were started
};

inline void run(model::run& r, body of, crowd who, std::initializer_list<int> outcomes) {
  auto& s = r.make<state>();
  s.thieves = who.thieves;
  s.spawn(whole(in_model{}, s, of));
  r.thread("worker", [&s] { fake::run(*s.root); });
  for (int i = 0; i < who.thieves; ++i) {
    r.thread("thief", [&s] {
      while (!s.over) fake::work(1);
    });
  }
  if (who.canceller) r.thread("canceller", [&s] { s.handle->cancel(); });
  if (who.timers != 0) {
    r.thread("timers", [n = who.timers] {
      for (int i = 0; i < n; ++i) fake::await_timer_and_fire(i);
    });
  }
  r.finally([&s, allowed = std::vector<int>(outcomes)] {
    fake::work_off();
    model::check(std::ranges::find(allowed, s.outcome) != allowed.end(), "The caller has what its children answered.");
    s.handle.reset();
  });
}

}  // namespace sluice::test
