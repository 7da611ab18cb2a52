// models: queues/queue.hpp queues/queue_core.hpp queues/queue_waits.hpp queues/thread_context.hpp
// Operations on several items at their edges: items that need no destructor, which a get_many takes several at a time; a span that is not
// overrun; waits without patience; queues that are closed. And waits whose other side is cancelled while they meet.
#include <sluice/model/program.hpp>
#include <sluice/queues/queue.hpp>

#include "model_queue.hpp"

#include <chrono>
#include <span>
#include <stdexcept>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

// ------------------------------------------------------------------------------------------ items without a destructor

// A get_many that makes room wakes the put that waits for it.
void room_for_a_waiting_put(model::run& r) {
  auto& items = r.make<queue<int>>(std::size_t{1});
  model::check(items.try_put(1), "There is room.");
  r.thread("putter", [&items] { items.blocking_put(2); });
  r.thread("getter", [&items] {
    for (int next = 1; next <= 2;) {
      int out[2] = {};
      const std::size_t count = items.blocking_get_many(out);
      for (std::size_t i = 0; i < count; ++i) model::check(out[i] == next++, "In the order of the puts.");
    }
  });
}

auto many_to_many(std::size_t capacity) {
  return [=](model::run& r) {
    auto& items = r.make<queue<int>>(capacity);
    r.thread("putter", [&items] {
      int own[3] = {1, 2, 3};
      model::check(items.blocking_put_many(own) == 3, "All were put.");
    });
    r.thread("getter", [&items] {
      for (int next = 1; next <= 3;) {
        int out[2] = {};
        const std::size_t count = items.blocking_get_many(out);
        for (std::size_t i = 0; i < count; ++i) model::check(out[i] == next++, "In the order of the puts.");
      }
    });
  };
}

void meets_several(model::run& r) {
  auto& items = r.make<queue<int>>(rendezvous);
  r.thread("putter", [&items] {
    int own[2] = {1, 2};
    model::check(items.blocking_put_many(own) == 2, "They meet.");
  });
  r.thread("getter", [&items] {
    for (int next = 1; next <= 2;) {
      int out[2] = {};
      const std::size_t count = items.blocking_get_many(out);
      for (std::size_t i = 0; i < count; ++i) model::check(out[i] == next++, "In the order of the puts.");
    }
  });
}

// It takes no more than there is room for in the span.
void stays_in_its_span(model::run& r) {
  auto& items = r.make<queue<int>>(std::size_t{3});
  r.thread("thread", [&items] {
    int own[3] = {1, 2, 3};
    model::check(items.blocking_put_many(own) == 3, "There is room.");
    int out[3] = {};
    model::check(items.blocking_get_many(std::span<int>(out, 2)) == 2 && out[2] == 0, "Two, and no more.");
    model::check(items.blocking_get() == 3, "The third is there.");
  });
}

// Three puts come before the runner: more waits have their item than it serves before it wakes them, and one of these goes on serving.
void for_three(model::run& r) {
  struct crowd : queue_state {
    crowd() : queue_state(3) {}
    payload out[3] = {payload(0), payload(0), payload(0)};
    get_many_awaiter<model_core> gets[3] = {
        {*items, one, {&out[0], 1}}, {*items, two, {&out[1], 1}}, {*items, three, {&out[2], 1}}};
  };
  auto& s = r.make<crowd>();
  for (auto& each : s.gets) model::check(each.await_suspend(std::coroutine_handle<>{}), "There is nothing.");
  r.thread("putter", [&s] { put_now(*s.items, 1); });
  r.thread("other putter", [&s] {
    put_now(*s.items, 1);
    put_now(*s.items, 1);
  });
  r.finally([&s] {
    thread_context* const contexts[] = {&s.one, &s.two, &s.three};
    for (int i = 0; i < 3; ++i) {  // the first may be the heir, which serves the others when it goes on
      contexts[i]->park();
      model::check(s.gets[i].await_resume() == 1 && s.out[i].value() == 1, "Each has its item.");
    }
  });
}

// ------------------------------------------------------------------------------------------ no waiting

template <class T>
void closed_and_drained(model::run& r) {
  auto& items = r.make<queue<T>>(std::size_t{1});
  r.thread("putter", [&items] {
    model::check(items.try_put(T(1)), "There is room.");
    items.close();
  });
  r.thread("getter", [&items] {
    T out[2] = {T(0), T(0)};
    model::check(items.blocking_get_many(out) == 1, "What was put before close is got.");
    model::check(items.blocking_get_many(out) == 0, "Closed and drained.");
    model::check(items.blocking_get_many(out, std::chrono::hours(1)) == 0, "It stays so.");
  });
}

void without_patience(model::run& r) {
  auto& items = r.make<queue<payload>>(std::size_t{1});
  r.thread("putter", [&items] {
    payload own[2] = {payload(1), payload(2)};
    model::check(items.blocking_put_many(own, std::chrono::hours(0)) == 1, "There is room for one.");
    model::check(own[0].value() == -1 && own[1].value() == 2, "Just what was put is gone.");
  });
}

template <class Call>
bool refused(Call&& call) {
  try {
    call();
    return false;
  } catch (const std::invalid_argument&) {
    return true;
  }
}

void no_room_to_get_into(model::run& r) {
  auto& items = r.make<queue<payload>>(std::size_t{1});
  r.thread("getter", [&items] {
    const std::span<payload> none;
    model::check(refused([&] { (void)items.get_many(none); }), "It cannot give anything.");
    model::check(refused([&] { (void)items.blocking_get_many(none); }), "It cannot give anything.");
    model::check(refused([&] { (void)items.blocking_get_many(none, std::chrono::hours(1)); }), "Nor in time.");
  });
}

void capacity_of_nothing(model::run& r) {
  auto& items = r.make<queue<payload>>(std::size_t{1});
  r.thread("owner", [&items] {
    model::check(refused([&] { items.set_capacity(0); }) && items.capacity() == 1, "It stays as it is.");
    model::check(refused([] { queue<payload> none(0); }), "A queue of nothing is a rendezvous.");
  });
}

// ------------------------------------------------------------------------------------------ the other side is cancelled

// A next() that is cancelled says so, and is not the end of the queue.
void cancelled_next(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  r.thread("getter", [&s] {
    try {
      get_awaiter<model_core, std::optional<payload>> awaiter(*s.items, s.one);
      model::check(!wait(awaiter, s.one), "Closed and drained.");
      s.got[0] = was_closed;
    } catch (const cancelled&) {
      s.got[0] = was_cancelled;
    }
  });
  r.thread("canceller", [&s] {
    s.one.cancel();
    s.got[1] = 1;
  });
  r.finally([&s] { model::check(s.got[0] == was_cancelled, "Nobody has closed it."); });
}

// A get that is cancelled took nothing and says so.
void cancelled_get_many(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  r.thread("getter", [&s] {
    payload out[2] = {payload(0), payload(0)};
    try {
      get_many_awaiter<model_core> awaiter(*s.items, s.one, out);
      s.got[0] = static_cast<int>(wait(awaiter, s.one));
    } catch (const cancelled&) {
      s.got[0] = was_cancelled;
    }
    model::check(out[0].value() == (s.got[0] == 1 ? 1 : 0) && out[1].value() == 0, "What it got is there.");
  });
  r.thread("putter and canceller", [&s] {
    s.one.cancel();
    put_now(*s.items, 1);
  });
  r.finally([&s] { model::check(drain(s) == (s.got[0] == 1 ? 0 : 1), "The item is in one place."); });
}

// Two wait, and one of them may be handed what the runner has left to do.
void get_many_beside_a_get(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{2});
  r.thread("putter", [&s] {
    put_now(*s.items, 1);
    put_now(*s.items, 2);
  });
  r.thread("getter of many", [&s] {
    payload out[1] = {payload(0)};
    get_many_awaiter<model_core> awaiter(*s.items, s.one, out);
    model::check(wait(awaiter, s.one) == 1, "There is room for one.");
    s.got[0] = out[0].value();
  });
  r.thread("getter", [&s] { s.got[1] = get(s, s.two); });
  r.finally([&s] { model::check(s.got[0] + s.got[1] == 3, "Each item is delivered once."); });
}

// A put_many that is cancelled, or closed out, before anything was moved has no number to give.
void nothing_was_put(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  put_now(*s.items, 8);
  r.thread("putter", [&s] {
    payload own[2] = {payload(1), payload(2)};
    try {
      put_many_awaiter<model_core> awaiter(*s.items, s.one, own);
      s.got[0] = static_cast<int>(wait(awaiter, s.one));
      model::fail("There was no room.");
    } catch (const cancelled&) {
      s.got[0] = was_cancelled;
    } catch (const queue_closed&) {
      s.got[0] = was_closed;
    }
    model::check(own[0].value() == 1 && own[1].value() == 2, "Nothing was taken.");
  });
  r.thread("canceller", [&s] { s.one.cancel(); });
  r.thread("closer", [&s] { s.items->close(); });
}

// A put_many that is claimed, put back for want of room and cancelled meanwhile is over, and stands in no list.
void cancelled_while_claimed(model::run& r) {
  struct registered : queue_state {
    registered() : queue_state(1) {}
    payload own[2] = {payload(1), payload(2)};
    put_many_awaiter<model_core> putter{*items, one, own};
  };
  auto& s = r.make<registered>();
  put_now(*s.items, 8);
  model::check(!s.putter.await_ready() && s.putter.await_suspend(std::coroutine_handle<>{}), "There is no room.");
  r.thread("getter", [&s] {
    const item_status status = s.items->try_get([](payload&&) {});
    model::check(is_done(status), "There is an item.");
  });
  r.thread("canceller", [&s] { s.one.cancel(); });
  r.finally([&s] {
    s.one.park();
    int moved = 0;
    try {
      moved = static_cast<int>(s.putter.await_resume());
    } catch (const cancelled&) {
    }
    model::check(moved < 2 && s.items->items().size() == static_cast<std::size_t>(moved), "What was put is there.");
    s.items.reset();  // aborts if somebody waits
  });
}

// A put that is claimed for a get that is just cancelled waits on, and meets the next get. Both have found nobody before they register.
void meet_behind_a_cancelled_get(model::run& r) {
  struct registering : queue_state {
    registering() : queue_state(queue_kind::rendezvous, 0) {}
    payload item{1};
    put_awaiter<model_core> putter{*items, three, item};
    get_awaiter<model_core, payload> getter{*items, one};
  };
  auto& s = r.make<registering>();
  model::check(!s.putter.await_ready() && !s.getter.await_ready(), "Nobody waits.");
  model::check(s.getter.await_suspend(std::coroutine_handle<>{}), "Nobody puts.");
  r.thread("putter", [&s] {
    if (s.putter.await_suspend(std::coroutine_handle<>{})) s.three.park();
    s.putter.await_resume();
  });
  r.thread("getter", [&s] {
    s.one.cancel();
    s.one.park();
    try {
      s.got[0] = s.getter.await_resume().value();
    } catch (const cancelled&) {
      s.got[0] = get(s, s.two);
    }
  });
  r.finally([&s] { model::check(s.got[0] == 1, "The item is got once."); });
}

const model::program p01{"queue: get_many makes room for a waiting put", {}, room_for_a_waiting_put};
const model::program p02{"queue: numbers, put_many x get_many, capacity 1", {}, many_to_many(1)};
const model::program p03{"queue: numbers, put_many x get_many, capacity 2", {}, many_to_many(2)};
const model::program p04{"queue: numbers, put_many x get_many, rendezvous", {}, meets_several};
const model::program p05{"queue: three get_many, one goes on as the runner", {}, for_three};
const model::program p06{"queue: get_many stays in its span", {}, stays_in_its_span};
const model::program p07{"queue: get_many of a closed queue", {}, closed_and_drained<payload>};
const model::program p08{"queue: get_many of a closed queue of numbers", {}, closed_and_drained<int>};
const model::program p09{"queue: put_many without patience", {}, without_patience};
const model::program p10{"queue: get_many into nothing", {}, no_room_to_get_into};
const model::program p11{"queue: a capacity of nothing", {}, capacity_of_nothing};
const model::program p12{"queue: next x cancel", {}, cancelled_next};
const model::program p13{"queue: get_many x cancel, then put", {}, cancelled_get_many};
const model::program p14{"queue: put_many x cancel x close", {}, nothing_was_put};
const model::program p15{"queue: get_many x get x two puts", {}, get_many_beside_a_get};
const model::program p16{"queue: put_many x get x cancel while it is claimed", {}, cancelled_while_claimed};
const model::program p17{"queue: rendezvous, a put behind a cancelled get", {}, meet_behind_a_cancelled_get};

}  // namespace
