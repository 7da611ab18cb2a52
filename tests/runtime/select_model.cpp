// models: runtime/select.hpp runtime/select.cpp
// select as it is shipped, over queues, an event and a semaphore: exactly one arm commits, whoever comes at the same time, and nobody is
// inside any more when it returns. The tasks are plain threads, whose context takes the same path.
#include <sluice/model/program.hpp>
#include <sluice/queues/event.hpp>
#include <sluice/queues/queue.hpp>
#include <sluice/queues/semaphore.hpp>
#include <sluice/queues/thread_context.hpp>
#include <sluice/runtime/select.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace {

using namespace sluice;
using namespace sluice::impl;

// An item whose every touch is race-checked.
class item {
 public:
  explicit item(int value) noexcept : value_(value) {}
  item(item&& other) noexcept : value_(other.value_.get()) { other.value_.set(0); }
  item& operator=(item&&) = delete;
  int value() const noexcept { return value_.get(); }

 private:
  plain<int> value_;
};

struct state {
  std::unique_ptr<queue<item>> a = std::make_unique<queue<item>>(1);
  std::unique_ptr<queue<item>> b = std::make_unique<queue<item>>(1);
  event over;
  thread_context task;
  int got = 0;
  int other = 0;
};

constexpr int was_cancelled = -1;

// What `operation` gives to a thread that waits for it as a task would.
template <class Operation>
auto await(thread_context& context, Operation operation) {
  auto awaiter = std::move(operation).bind(context);
  if (!awaiter.await_ready() && awaiter.await_suspend(std::coroutine_handle<>{})) context.park();
  return awaiter.await_resume();
}

int get_either(state& s, thread_context& context) {
  try {
    auto got = await(context, select(s.a->get(), s.b->get()));
    return got.index() == 0 ? std::get<0>(got).value() : std::get<1>(got).value();
  } catch (const cancelled&) {
    return was_cancelled;
  } catch (const queue_closed&) {
    return 0;
  }
}

void put(queue<item>& q, int value) { model::check(q.try_put(item(value)), "There is room."); }

int left_in(queue<item>& q) {
  auto left = q.try_get();
  return left ? left->value() : 0;
}

// Both queues get an item: one is taken, the other one stays.
void put_x_put(model::run& r) {
  auto& s = r.make<state>();
  r.thread("task", [&s] { s.got = get_either(s, s.task); });
  r.thread("putter", [&s] { put(*s.a, 1); });
  r.thread("other putter", [&s] { put(*s.b, 2); });
  r.finally([&s] {
    model::check(s.got == 1 || s.got == 2, "One item is taken.");
    model::check(s.got + left_in(*s.a) + left_in(*s.b) == 3, "The other one is where it was put.");
  });
}

// When it has returned, nobody touches the queues any more.
void destroys_both(model::run& r) {
  auto& s = r.make<state>();
  r.thread("task", [&s] {
    s.got = get_either(s, s.task);
    model::check(s.got == 1, "The item is taken.");
    s.a.reset();
    s.b.reset();
  });
  r.thread("putter", [a = s.a.get()] { put(*a, 1); });
}

void put_x_cancel(model::run& r) {
  auto& s = r.make<state>();
  r.thread("task", [&s] { s.got = get_either(s, s.task); });
  r.thread("putter", [&s] { put(*s.a, 1); });
  r.thread("canceller", [&s] { s.task.cancel(); });
  r.finally([&s] {
    const int left = left_in(*s.a);
    model::check(s.got == 1 ? left == 0 : s.got == was_cancelled && left == 1, "The item is in one place.");
  });
}

void put_x_close(model::run& r) {
  auto& s = r.make<state>();
  r.thread("task", [&s] { s.got = get_either(s, s.task); });
  r.thread("putter", [&s] { put(*s.a, 1); });
  r.thread("closer", [&s] { s.b->close(); });
  r.finally([&s] { model::check(s.got + left_in(*s.a) == 1, "The item is in one place."); });
}

// Two selects over the same two queues, in opposite order, and an item for each.
void two_selects(model::run& r) {
  auto& s = r.make<state>();
  auto& second = r.make<thread_context>();
  r.thread("task", [&s] { s.got = get_either(s, s.task); });
  r.thread("other task", [&s, &second] {
    auto got = await(second, select(in_order, s.b->get(), s.a->get()));
    s.other = got.index() == 0 ? std::get<0>(got).value() : std::get<1>(got).value();
  });
  r.thread("putter", [&s] {
    put(*s.a, 1);
    put(*s.b, 2);
  });
  r.finally([&s] { model::check(s.got + s.other == 3, "Each has one."); });
}

// A get behind an arm that is not chosen gets what that arm would have had.
void get_behind_an_arm(model::run& r) {
  auto& s = r.make<state>();
  r.thread("task", [&s] { s.got = get_either(s, s.task); });
  r.thread("getter", [&s] {
    try {
      thread_context own;
      s.other = await(own, s.b->get()).value();
    } catch (const queue_closed&) {
    }
  });
  r.thread("putter", [&s] {
    put(*s.a, 1);
    put(*s.b, 2);
    s.b->close();
  });
  r.finally([&s] { model::check(s.got + s.other + left_in(*s.a) + left_in(*s.b) == 3, "Each item is in one place."); });
}

// A put keeps its value unless it is chosen; a permit that is not taken is there for others.
void put_x_acquire(model::run& r) {
  struct more : state {
    semaphore permits{1};
  };
  auto& s = r.make<more>();
  put(*s.a, 8);
  std::optional<permit> held = s.permits.try_acquire();
  auto& kept = r.make<std::optional<permit>>(std::move(held));
  r.thread("task", [&s] {
    item own(2);
    auto got = await(s.task, select(s.a->put(std::move(own)), s.permits.acquire()));
    s.got = static_cast<int>(got.index());
    model::check(own.value() == (s.got == 0 ? 0 : 2), "A put that was not chosen kept its value.");
  });
  r.thread("getter", [&s] { model::check(left_in(*s.a) == 8, "The first item comes first."); });
  r.thread("releaser", [&kept] { kept.reset(); });
  r.finally([&s] {
    model::check(s.permits.available() == 1, "Nobody holds a permit.");
    model::check(left_in(*s.a) == (s.got == 0 ? 2 : 0), "The value is in one place.");
  });
}

void event_x_put(model::run& r) {
  auto& s = r.make<state>();
  r.thread("task", [&s] {
    auto got = await(s.task, select(s.over.wait(), s.a->next()));
    s.got = got.index() == 0 ? 0 : std::get<1>(got)->value();
  });
  r.thread("setter", [&s] { s.over.set(); });
  r.thread("putter", [&s] { put(*s.a, 1); });
  r.finally([&s] { model::check(s.got + left_in(*s.a) == 1, "The item is in one place."); });
}

// A select meets a put at a rendezvous, or hears of the event: never both.
void rendezvous_x_event(model::run& r) {
  struct meeting : state {
    queue<item> q{rendezvous};
  };
  auto& s = r.make<meeting>();
  r.thread("task", [&s] {
    auto got = await(s.task, select(s.over.wait(), s.q.get()));
    s.got = got.index() == 0 ? 0 : std::get<1>(got).value();
    s.q.close();
  });
  r.thread("setter", [&s] { s.over.set(); });
  r.thread("putter", [&s] {
    try {
      thread_context own;
      await(own, s.q.put(item(1)));
      s.other = 1;
    } catch (const queue_closed&) {
    }
  });
  r.finally([&s] { model::check(s.got == s.other, "They met, or neither did."); });
}

// A get that says whether it was cancelled although it was chosen.
struct watched_get {
  struct awaiter {
    static constexpr bool is_arm = true;

    bool await_ready() noexcept { return get.await_ready(); }
    bool await_suspend(std::coroutine_handle<> self) noexcept { return get.await_suspend(self); }
    item await_resume() {
      model::check(!context->cancelled(), "The chosen arm is not cancelled.");
      return get.await_resume();
    }

    task_context* context;
    awaiter_of<decltype(std::declval<queue<item>&>().get())> get;
  };
  awaiter bind(task_context& context) && { return {&context, from->get().bind(context)}; }

  queue<item>* from;
};

// Whoever lets the losers go knows who was chosen.
void chosen_is_not_cancelled(model::run& r) {
  auto& s = r.make<state>();
  r.thread("task", [&s] {
    auto got = await(s.task, select(watched_get{s.a.get()}, watched_get{s.b.get()}));
    model::check(got.index() == 0 && std::get<0>(got).value() == 1, "The item is taken.");
  });
  r.thread("putter", [&s] { put(*s.a, 1); });
}

// ------------------------------------------------------------------------------------------ without others that would help

// Nothing but the cancellation ends it.
void cancelled_alone(model::run& r) {
  auto& s = r.make<state>();
  r.thread("task", [&s] {
    model::check(get_either(s, s.task) == was_cancelled, "It is cancelled.");
    s.a.reset();
    s.b.reset();
  });
  r.thread("canceller", [&s] { s.task.cancel(); });
}

// A task that is cancelled already takes nothing, though something is there.
void cancelled_before(model::run& r) {
  auto& s = r.make<state>();
  put(*s.a, 1);
  put(*s.b, 2);
  s.task.cancel();
  r.thread("task", [&s] { model::check(get_either(s, s.task) == was_cancelled, "It is cancelled."); });
  r.finally([&s] { model::check(left_in(*s.a) + left_in(*s.b) == 3, "Nothing was taken."); });
}

// Of arms that are ready at once the first is chosen, in order.
void first_in_order(model::run& r) {
  auto& s = r.make<state>();
  put(*s.a, 1);
  put(*s.b, 2);
  r.thread("task", [&s] {
    auto first = await(s.task, select(in_order, s.a->get(), s.b->get()));
    model::check(first.index() == 0 && std::get<0>(first).value() == 1, "The first one is ready.");
    auto second = await(s.task, select(in_order, s.a->get(), s.b->get()));
    model::check(second.index() == 1 && std::get<1>(second).value() == 2, "The second one alone is ready.");
  });
}

// A put that is chosen because its queue was closed says so.
void closed_for_a_put(model::run& r) {
  auto& s = r.make<state>();
  put(*s.a, 8);
  r.thread("task", [&s] {
    item own(2);
    try {
      (void)await(s.task, select(s.a->put(std::move(own)), s.b->get()));
      model::fail("There was no room.");
    } catch (const queue_closed&) {
      model::check(own.value() == 2, "Nothing was taken.");
    }
  });
  r.thread("closer", [&s] { s.a->close(); });
}

template <class Error, class Call>
bool throws(Call&& call) {
  try {
    call();
    return false;
  } catch (const Error&) {
    return true;
  }
}

// An arm that is left out takes nothing, and need not be possible; one at least takes part.
void left_out(model::run& r) {
  struct more : state {
    queue<item> meeting{rendezvous};
    item own{4};
  };
  auto& s = r.make<more>();
  put(*s.a, 1);
  r.thread("task", [&s] {
    auto got = await(s.task, select(in_order, arm_if(false, s.a->get()), s.b->get(),
                                    arm_if(false, s.meeting.put(std::move(s.own)))));
    model::check(got.index() == 1 && std::get<1>(got).value() == 2, "The second arm takes part.");
    model::check(throws<std::invalid_argument>([&s] { (void)await(s.task, select(arm_if(false, s.a->get()))); }),
                 "It would wait for ever.");
    model::check(
        throws<std::logic_error>([&s] { (void)await(s.task, select(s.a->get(), s.meeting.put(std::move(s.own)))); }),
        "A put on a rendezvous may have been claimed when another arm is chosen.");
  });
  r.thread("putter", [&s] { put(*s.b, 2); });
  r.finally([&s] { model::check(left_in(*s.a) == 1 && s.own.value() == 4, "Nothing was taken there."); });
}

const model::program p10{"select: cancel", {}, cancelled_alone};
const model::program p11{"select: of a cancelled task", {}, cancelled_before};
const model::program p12{"select: in order", {}, first_in_order};
const model::program p13{"select: an arm that is left out x put", {}, left_out};
const model::program p15{"select: close x a put that has no room", {}, closed_for_a_put};
const model::program p14{"select: the chosen arm is not cancelled", {}, chosen_is_not_cancelled};
const model::program p1{"select: put x put", {}, put_x_put};
const model::program p2{"select: destroys both queues", {}, destroys_both};
const model::program p3{"select: put x cancel", {}, put_x_cancel};
const model::program p4{"select: put x close", {}, put_x_close};
const model::program p5{"select: two selects x two puts", {}, two_selects};
const model::program p6{"select: a get behind an arm", {}, get_behind_an_arm};
const model::program p7{"select: put x acquire", {}, put_x_acquire};
const model::program p8{"select: event x put", {}, event_x_put};
const model::program p9{"select: rendezvous x event", {}, rendezvous_x_event};

}  // namespace
