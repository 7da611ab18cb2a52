// models: runtime/select.hpp runtime/select.cpp runtime/join_handle.hpp runtime/sleep.hpp
// select over what the scheduler has a part in: the handle of a task, and a sleep. Who was not chosen can be awaited afterwards; and an arm
// that is refused where it begins to wait is the choice.
#include "model_world.hpp"

#include <sluice/queues/queue.hpp>
#include <sluice/runtime/select.hpp>
#include <sluice/runtime/sleep.hpp>

#include <chrono>
#include <stdexcept>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;
using value = checked_value;
using namespace std::chrono_literals;

struct state : one_task {
  thread_context context;
  queue<value> items{1};
  int got = 0;
};

task<value> answers(in_model, state& s) { co_return value(s.argument.get() + 1); }

template <class Operation>
auto select_here(thread_context& context, Operation operation) {
  auto awaiter = std::move(operation).bind(context);
  if (!awaiter.await_ready() && awaiter.await_suspend(std::coroutine_handle<>{})) context.park();
  return awaiter.await_resume();
}

int left_in(queue<value>& q) {
  auto left = q.try_get();
  return left ? left->value() : 0;
}

// The task ends beside a put: one of them is chosen, and the other one is there afterwards.
void handle_x_put(model::run& r) {
  auto& s = r.make<state>();
  s.spawn(answers(in_model{}, s));
  r.thread("selects", [&s] {
    auto got = select_here(s.context, select(*s.handle, s.items.get()));
    s.got = got.index() == 0 ? std::get<0>(got).value() : std::get<1>(got).value();
    thread_context afterwards;
    if (s.got == 2)
      model::check(std::get<0>(select_here(afterwards, select(*s.handle))).value() == 7, "It has its result.");
  });
  r.thread("worker", [&s] { fake::run(*s.root); });
  r.thread("putter", [&s] { model::check(s.items.try_put(value(2)), "There is room."); });
  r.finally([&s] { model::check(s.got == 7 ? left_in(s.items) == 2 : s.got == 2, "The item is in one place."); });
}

// A handle on which somebody waits refuses the second arm, and that is the answer.
void same_handle_twice(model::run& r) {
  auto& s = r.make<state>();
  s.spawn(answers(in_model{}, s));
  r.thread("selects", [&s] {
    try {
      (void)select_here(s.context, select(in_order, *s.handle, *s.handle));
      model::fail("One at a time waits on a handle.");
    } catch (const std::logic_error&) {
      s.got = 1;
    }
  });
  r.finally([&s] {
    fake::run(*s.root);
    model::check(s.got == 1, "It was refused.");
  });
}

// The time is over beside a put.
void sleep_x_put(model::run& r) {
  auto& s = r.make<state>();
  r.thread("selects", [&s] {
    fake::become_worker(s.core->sched(), nullptr);
    auto got = select_here(s.context, select(sleep_for(1h), s.items.get()));
    s.got = got.index() == 0 ? 0 : std::get<1>(got).value();
  });
  r.thread("timer", [] { fake::fire_timer(0); });
  r.thread("putter", [&s] { model::check(s.items.try_put(value(2)), "There is room."); });
  r.finally([&s] { model::check(s.got + left_in(s.items) == 2, "The item is in one place."); });
}

const model::program p1{"select: a handle x put", {}, handle_x_put};
const model::program p2{"select: the same handle twice", {}, same_handle_twice};
const model::program p3{"select: a sleep x put", {}, sleep_x_put};

}  // namespace
