// models: queues/queue.hpp queues/queue_core.hpp queues/waiter_hub.hpp queues/task_context.hpp queues/thread_context.hpp
// The shipped queue: waiting, cancelling, closing, joining and destroying, in every interleaving. The waiting tasks
// are plain threads: see model_queue.hpp.
#include <sluice/model/program.hpp>
#include <sluice/queues/queue.hpp>

#include "model_queue.hpp"

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

// A getter that waits is woken, at every capacity; each thread has one context per wait.
auto hand_over(std::size_t capacity) {
  return [=](model::run& r) {
    auto& s = r.make<queue_state>(capacity);
    r.thread("putter", [&s] { put(s, s.one, 1); });
    r.thread("getter", [&s] { model::check(get(s, s.two) == 1, "The getter gets the item."); });
  };
}

// The second put waits for room, or the first get for an item, and cells are used again.
void lap(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  r.thread("putter", [&s] {
    put(s, s.one, 1);
    put(s, s.three, 2);
  });
  r.thread("getter", [&s] {
    thread_context again;
    model::check(get(s, s.two) == 1, "The first item comes first.");
    model::check(get(s, again) == 2, "The second item comes second.");
  });
}

// Room for both items: a put that waits is in other programs.
void two_getters(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{2});
  r.thread("putter", [&s] {
    put_now(*s.items, 1);
    put_now(*s.items, 2);
  });
  r.thread("getter 1", [&s] { s.got[0] = get(s, s.two); });
  r.thread("getter 2", [&s] { s.got[1] = get(s, s.three); });
  r.finally([&s] { model::check(s.got[0] + s.got[1] == 3, "Each item is delivered once."); });
}

// put x cancelled get: the item goes to the getter or stays in the queue.
void cancelled_get(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  r.thread("getter", [&s] { s.got[0] = get(s, s.one); });
  r.thread("putter", [&s] { put(s, s.two, 1); });
  r.thread("canceller", [&s] { s.one.cancel(); });
  r.finally([&s] {
    const int left = drain(s);
    model::check(s.got[0] == 1 ? left == 0 : s.got[0] == was_cancelled && left == 1, "The item is in one place.");
  });
}

// A cancelled getter in front of another: the item goes to the other. Room for both items, should nobody take the first.
void cancelled_get_in_front(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{2});
  r.thread("getter 1", [&s] { s.got[0] = get(s, s.one); });
  r.thread("getter 2 and putter", [&s] {
    put(s, s.three, 1);
    s.got[1] = get(s, s.two);
  });
  r.thread("canceller", [&s] {
    s.one.cancel();
    thread_context own;
    put(s, own, 2);
  });
  r.finally([&s] {
    const int first = s.got[0] == was_cancelled ? 0 : s.got[0];
    model::check(first + s.got[1] + drain(s) == 3, "Each item is in one place.");
  });
}

// get x cancelled put on a full queue.
void cancelled_put(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  payload first(1);
  (void)s.items->try_put(first);
  r.thread("putter", [&s] { s.got[0] = put(s, s.one, 2); });
  r.thread("getter", [&s] { s.got[1] = get(s, s.two); });
  r.thread("canceller", [&s] { s.one.cancel(); });
  r.finally([&s] {
    model::check(s.got[1] == 1, "The first item comes first.");
    model::check(drain(s) == (s.got[0] == 2 ? 2 : 0), "The second item is in the queue or was never taken.");
    payload third(3);
    model::check(s.items->try_put(third) == item_status::done, "Nobody waits, and there is room.");
  });
}

// A wait that times out while the item comes: the result wins, or the item stays.
void timed_get(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  r.thread("getter", [&s] {
    try {
      get_awaiter<model_core, payload> awaiter(*s.items, s.one);
      s.got[0] = block_on_awaiter(awaiter, s.one, now() + std::chrono::seconds(1)).value();
    } catch (const timed_out&) {
      s.got[0] = was_cancelled;
    }
  });
  r.thread("putter", [&s] { put(s, s.two, 1); });
  r.finally([&s] { model::check((s.got[0] == 1 ? 1 : 0) + drain(s) == 1, "The item is in one place."); });
}

// close x put x get.
void close_put_get(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  r.thread("putter", [&s] { s.got[0] = put(s, s.one, 1); });
  r.thread("getter", [&s] { s.got[1] = get(s, s.two); });
  r.thread("closer", [&s] { s.items->close(); });
  r.finally([&s] {
    model::check(s.got[0] == s.got[1], "An item that was put before close is got; otherwise both hear of the close.");
  });
}

// close x a putter that waits x a getter.
void close_full(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  payload first(1);
  (void)s.items->try_put(first);
  r.thread("putter", [&s] { s.got[0] = put(s, s.one, 2); });
  r.thread("closer", [&s] { s.items->close(); });
  r.finally([&s] {
    model::check(s.got[0] == was_closed, "A putter that waits for room hears of the close.");
    model::check(drain(s) == 1, "What was put before close is still there.");
  });
}

void close_two_getters(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  r.thread("getter 1", [&s] { s.got[0] = get(s, s.one); });
  r.thread("getter 2", [&s] { s.got[1] = get(s, s.two); });
  r.thread("closer", [&s] {
    put(s, s.three, 5);
    s.items->close();
  });
  r.finally([&s] {
    model::check(s.got[0] + s.got[1] == 5 + was_closed, "One gets the item, the other hears of the close.");
  });
}

// close_now x a waiting getter: the item is delivered or handed back.
void close_now_and_get(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  r.thread("getter", [&s] { s.got[0] = get(s, s.one); });
  r.thread("closer", [&s] {
    put(s, s.two, 1);
    for (auto& item : s.items->close_now()) s.got[1] += item.value();
  });
  r.finally([&s] {
    model::check(s.got[1] == 1 ? s.got[0] == was_closed : s.got[0] == 1 && s.got[1] == 0, "The item is in one place.");
  });
}

// What a worker wrote before task_done is visible after the join, however they meet.
void join_sees_the_work(model::run& r) {
  struct working : queue_state {
    working() : queue_state(2) {}
    plain<int> work[2];
  };
  auto& s = r.make<working>();
  for (int i = 1; i <= 2; ++i) {
    payload item(i);
    (void)s.items->try_put(item);
  }
  for (int i = 0; i < 2; ++i) {
    r.thread(i == 0 ? "worker 1" : "worker 2", [&s, i] {
      s.items->try_get([](payload&&) {});
      s.work[i].set(7);
      s.items->task_done(1);
    });
  }
  r.thread("joiner", [&s] {
    join(s, s.one);
    model::check(s.work[0].get() + s.work[1].get() == 14, "The work is done.");
  });
}

// A zero is met, then gone again at once: the join that waited for it still ends.
void join_meets_a_short_zero(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{2});
  payload first(1);
  (void)s.items->try_put(first);
  r.thread("joiner", [&s] { join(s, s.one); });
  r.thread("worker", [&s] {
    s.items->task_done(1);
    payload second(2);
    (void)s.items->try_put(second);
    s.items->task_done(1);
  });
}

void two_joiners_one_cancelled(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  payload first(1);
  (void)s.items->try_put(first);
  r.thread("joiner", [&s] { join(s, s.one); });
  r.thread("cancelled joiner", [&s] {
    try {
      join(s, s.two);
    } catch (const cancelled&) {
    }
  });
  r.thread("worker", [&s] {
    s.two.cancel();
    s.items->task_done(1);
  });
}

// The woken side destroys the queue while the waking side is still returning.
void getter_destroys(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  r.thread("putter", [items = s.items.get()] {
    payload item(1);
    (void)items->try_put(item);
  });
  r.thread("getter", [&s] {
    model::check(get(s, s.one) == 1, "The getter gets the item.");
    s.items.reset();
  });
}

void waiting_putter_destroys(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  payload first(1);
  (void)s.items->try_put(first);
  r.thread("getter", [&s, items = s.items.get()] {
    thread_context own;
    get_awaiter<model_core, payload> awaiter(*items, own);
    s.got[0] = block_on_awaiter(awaiter, own, time_point::max()).value();
    static_cast<task_context&>(s.two).wake();
  });
  r.thread("putter", [&s] {
    model::check(put(s, s.one, 2) == 2, "There is room.");
    s.two.park();
    s.items.reset();
  });
}

void joiner_destroys(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  payload first(1);
  (void)s.items->try_put(first);
  r.thread("worker", [items = s.items.get()] { items->task_done(1); });
  r.thread("joiner", [&s] {
    join(s, s.one);
    s.items.reset();
  });
}

const model::program p01{"queue: a waiting getter is woken, capacity 1", {}, hand_over(1)};
const model::program p02{"queue: a waiting getter is woken, capacity 2", {}, hand_over(2)};
const model::program p03{"queue: two items through capacity 1", {}, lap};
const model::program p04{"queue: two getters, two items", {}, two_getters};
const model::program p05{"queue: get x cancel x put", {}, cancelled_get};
const model::program p06{"queue: a cancelled getter in front of another", {}, cancelled_get_in_front};
const model::program p07{"queue: put x cancel x get", {}, cancelled_put};
const model::program p08{"queue: get x timeout x put", {}, timed_get};
const model::program p09{"queue: close x put x get", {}, close_put_get};
const model::program p10{"queue: close x waiting put", {}, close_full};
const model::program p11{"queue: close x two getters x put", {}, close_two_getters};
const model::program p12{"queue: close_now x get", {}, close_now_and_get};
const model::program p13{"queue: join sees the work", {}, join_sees_the_work};
const model::program p14{"queue: join x a zero that is soon gone", {}, join_meets_a_short_zero};
const model::program p15{"queue: two joins, one cancelled", {}, two_joiners_one_cancelled};
const model::program p16{"queue: the woken getter destroys it", {}, getter_destroys};
const model::program p17{"queue: the woken putter destroys it", {}, waiting_putter_destroys};
const model::program p18{"queue: the woken joiner destroys it", {}, joiner_destroys};

}  // namespace
