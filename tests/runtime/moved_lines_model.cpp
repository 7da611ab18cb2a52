// models: runtime/split_scope.hpp runtime/split_scope.cpp runtime/join_scope.hpp runtime/each_scope.hpp runtime/resume_on.hpp
// Children of a when_all that move the line they run on: their siblings do not begin where they have gone, and the parent goes on where it was.
#include "crowd.hpp"

#include <sluice/runtime/resume_on.hpp>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

// Where tasks go on through the waker only, as on a strand.
class elsewhere final : public waker {
 public:
  elsewhere() noexcept : waker(false) {}
  void wake(runnable& r) noexcept override { home->wake(r); }
  scheduler* home = nullptr;
};
elsewhere& there() {
  static elsewhere place;
  return place;
}

// Where the task that awaits it goes on.
struct place {
  struct awaiter {
    const waker* at;
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    bool await_resume() const noexcept { return at == &there(); }
  };
  awaiter bind(task_context& context) && noexcept { return {&context.current_waker()}; }
};

task<value> moves(in_model, state& s) {
  there().home = &s.core->sched();
  co_await resume_on(executor_access::make(s.core->sched(), there()));
  model::check(co_await place{}, "It has moved.");
  model::check(co_await current{}, runs_as_itself);
  co_return value(s.argument.get());
}
task<value> stays(in_model, state& s, int n) {
  model::check(!co_await place{}, "A child begins where its parent was.");
  model::check(co_await current{}, runs_as_itself);
  co_return value(s.argument.get() + n);
}
task<value> stays_there(in_model, state& s, int n) {
  model::check(co_await current{}, runs_as_itself);
  co_return value(s.argument.get() + n);
}
template <class... T>
task<value> and_back(in_model, state& s, T... tasks) {
  auto answer = co_await sum_of(in_model{}, s, std::move(tasks)...);
  model::check(!co_await place{}, "The parent goes on where it was.");
  co_return value(answer.value());
}

task<value> first_moves(in_model, state& s) {
  return and_back(in_model{}, s, moves(in_model{}, s), stays(in_model{}, s, 1), stays(in_model{}, s, 2));
}
task<value> last_moves(in_model, state& s) {
  return and_back(in_model{}, s, stays(in_model{}, s, 1), moves(in_model{}, s));
}
task<value> only_one(in_model, state& s) { return and_back(in_model{}, s, moves(in_model{}, s)); }
task<value> all_move(in_model, state& s) { return and_back(in_model{}, s, moves(in_model{}, s), moves(in_model{}, s)); }
task<value> inner_moves(in_model, state& s) {
  return and_back(in_model{}, s, and_back(in_model{}, s, moves(in_model{}, s), stays(in_model{}, s, 1)),
                  stays(in_model{}, s, 2));
}
// Goes on before what it has left in the deque is begun.
task<value> moves_and_is_preferred(in_model, state& s, unsigned times) {
  fake::prefer_woken(times);
  return moves(in_model{}, s);
}
task<value> first_moves_preferred(in_model, state& s) {
  return and_back(in_model{}, s, moves_and_is_preferred(in_model{}, s, fake::always), stays(in_model{}, s, 1));
}
// A thief is on its way to the rest meanwhile, and may be late.
task<value> first_moves_in_time(in_model, state& s) {
  return and_back(in_model{}, s, moves_and_is_preferred(in_model{}, s, 1), stays(in_model{}, s, 1));
}
task<value> range_moves(in_model, state& s) {
  const auto make = [&s](int i) { return i != 1 ? moves(in_model{}, s) : stays(in_model{}, s, i); };
  auto answer = co_await each(in_model{}, s, make, 3);
  model::check(!co_await place{}, "The parent goes on where it was.");
  co_return value(answer.value());
}
task<value> range_moves_in_time(in_model, state& s) {
  const auto make = [&s](int i) { return i == 0 ? moves_and_is_preferred(in_model{}, s, 1) : stays(in_model{}, s, i); };
  return each(in_model{}, s, make, 2);
}
// A parent that goes on through its waker only: its children begin with whoever is free.
task<value> from_there(in_model, state& s) {
  there().home = &s.core->sched();
  co_await resume_on(executor_access::make(s.core->sched(), there()));
  auto answer = co_await sum_of(in_model{}, s, stays(in_model{}, s, 1), moves(in_model{}, s));
  model::check(co_await place{}, "The parent goes on where it was.");
  co_return value(answer.value());
}

task<value> range_from_there(in_model, state& s) {
  there().home = &s.core->sched();
  co_await resume_on(executor_access::make(s.core->sched(), there()));
  auto answer = co_await each(in_model{}, s, [&s](int i) { return stays_there(in_model{}, s, i); }, 2);
  model::check(co_await place{}, "The parent goes on where it was.");
  co_return value(answer.value());
}
// A task that runs elsewhere while its caller stays where it is.
task<value> begins_there(in_model, state& s) {
  model::check(co_await place{}, "It begins there.");
  model::check(co_await current{}, runs_as_itself);
  co_return value(s.argument.get() + 1);
}
task<value> runs_there(in_model, state& s) {
  there().home = &s.core->sched();
  auto answer = co_await on(executor_access::make(s.core->sched(), there()), begins_there(in_model{}, s));
  model::check(!co_await place{}, "The caller stays where it was.");
  co_return value(answer.value());
}
task<value> sleeps_there(in_model, state& s) {
  there().home = &s.core->sched();
  auto answer = co_await on(executor_access::make(s.core->sched(), there()), sleeper(in_model{}, s));
  co_return value(answer.value());
}

const model::options all{};
const model::options bounded{.bound = 2};
const model::options closely_bounded{.bound = 1};

const model::program p00{"moved lines: the first of three children moves, a thief", bounded,
                         [](model::run& r) { run(r, first_moves, {}, {21}); }};
const model::program p01{"moved lines: the first of three children moves, two thieves", closely_bounded,
                         [](model::run& r) { run(r, first_moves, {.thieves = 2}, {21}); }};
const model::program p02{"moved lines: the last child moves, a thief", all,
                         [](model::run& r) { run(r, last_moves, {}, {13}); }};
const model::program p03{"moved lines: an only child moves", all, [](model::run& r) { run(r, only_one, {}, {6}); }};
const model::program p04{"moved lines: both children move, a thief", bounded,
                         [](model::run& r) { run(r, all_move, {}, {12}); }};
const model::program p05{"moved lines: a child of the inner scope moves, a thief", bounded,
                         [](model::run& r) { run(r, inner_moves, {}, {21}); }};
const model::program p06{"moved lines: a child that has moved goes on where the rest is", bounded,
                         [](model::run& r) { run(r, first_moves_preferred, {.thieves = 0}, {13}); }};
const model::program p14{"moved lines: a child that has moved goes on where the rest is, a thief", bounded,
                         [](model::run& r) { run(r, first_moves_in_time, {}, {13}); }};
const model::program p15{"moved lines: a child of a range has moved and goes on where the rest is, a thief", bounded,
                         [](model::run& r) { run(r, range_moves_in_time, {}, {13}); }};
const model::program p07{"moved lines: children of a range move, a thief", bounded,
                         [](model::run& r) { run(r, range_moves, {}, {19}); }};
const model::program p08{"moved lines: a parent that does not go on just anywhere, a thief", bounded,
                         [](model::run& r) { run(r, from_there, {}, {13}); }};
const model::program p09{"moved lines: the first child moves, cancelled", closely_bounded,
                         [](model::run& r) { run(r, first_moves, {.canceller = true}, {21, -1}); }};
const model::program p10{"moved lines: a parent that does not go on just anywhere, cancelled", closely_bounded,
                         [](model::run& r) { run(r, from_there, {.canceller = true}, {13, -1}); }};
const model::program p11{"moved lines: a range of a parent that does not go on just anywhere, a thief", bounded,
                         [](model::run& r) { run(r, range_from_there, {}, {13}); }};
const model::program p12{"moved lines: a task runs elsewhere, a thief", all,
                         [](model::run& r) { run(r, runs_there, {}, {7}); }};
const model::program p13{"moved lines: a task sleeps elsewhere, cancelled", bounded,
                         [](model::run& r) { run(r, sleeps_there, {.canceller = true}, {-1}); }};

}  // namespace
