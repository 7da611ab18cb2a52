// models: queues/queue_core.hpp queues/queue_waits.hpp queues/queue_waiters.hpp queues/waiter_hub.hpp queues/waiter_hub.cpp
// Queues without a bound, with a capacity that changes, and without any room; and waits for several items, which the runner may have to
// put back in front of their list.
#include <sluice/model/program.hpp>
#include <sluice/queues/queue.hpp>

#include "model_queue.hpp"

#include <span>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

bool try_put(queue_state& s, int value) {
  payload item(value);
  const item_status status = s.items->try_put(item);
  model::check(is_done(status) == (item.value() == -1), "Just what was put was moved from.");
  return is_done(status);
}

int try_get(queue_state& s) {
  int value = 0;
  (void)s.items->try_get([&](payload&& item) { value = payload(std::move(item)).value(); });
  return value;
}

// ------------------------------------------------------------------------------------------ close

// Whoever gets until the queue says that it is closed and drained has got everything that was put.
auto drained_is_drained(std::size_t capacity) {
  return [=](model::run& r) {
    auto& s = r.make<queue_state>(capacity);
    for (std::size_t i = 0; i < capacity; ++i) put_now(*s.items, 1);
    r.thread("putter", [&s] { s.got[0] = put(s, s.one, 2); });
    r.thread("closer", [&s] { s.items->close(); });
    r.thread("getter", [&s, capacity] {
      for (;;) {
        thread_context own;
        const int item = get(s, own);
        if (item == was_closed) break;
        s.got[1] += item;
      }
      const int accepted = s.got[1] - static_cast<int>(capacity);
      model::check(s.items->items().size() == 0 && (accepted == 0 || accepted == 2), "Drained.");
    });
    r.finally([&s, capacity] {
      model::check(drain(s) == 0, "Nothing comes after that.");
      model::check(s.got[1] == static_cast<int>(capacity) + (s.got[0] == 2 ? 2 : 0), "What was put is got.");
    });
  };
}

// ------------------------------------------------------------------------------------------ unbounded

// Two putters past the room that there is at first, and a getter: nobody waits for a get, each item is delivered once.
void unbounded_puts(model::run& r) {
  auto& s = r.make<queue_state>(queue_kind::unbounded, std::size_t{0});
  put_now(*s.items, 1);
  for (int i = 0; i < 2; ++i) {
    r.thread(i == 0 ? "putter 1" : "putter 2", [&s, i] { model::check(try_put(s, 2 << i), "It is never full."); });
  }
  r.thread("getter", [&s] { s.got[0] = try_get(s); });
  r.finally([&s] {
    model::check(s.got[0] == 1, "The first item comes first.");
    model::check(drain(s) == 6, "The others are there.");
  });
}

void unbounded_waits(model::run& r) {
  auto& s = r.make<queue_state>(queue_kind::unbounded, std::size_t{0});
  put_now(*s.items, 1);
  put_now(*s.items, 2);
  r.thread("putter", [&s] { model::check(put(s, s.one, 4) == 4, "A put does not wait."); });
  r.thread("second putter", [&s] { s.got[0] = put(s, s.two, 8); });
  r.thread("canceller", [&s] { s.two.cancel(); });
  r.finally([&s] { model::check(drain(s) == 7 + (s.got[0] == 8 ? 8 : 0), "Each item is in one place."); });
}

void unbounded_close(model::run& r) {
  auto& s = r.make<queue_state>(queue_kind::unbounded, std::size_t{0});
  put_now(*s.items, 1);
  put_now(*s.items, 2);
  r.thread("putter", [&s] { s.got[0] = put(s, s.one, 4); });
  r.thread("closer", [&s] {
    for (auto& item : s.items->close_now()) s.got[1] += item.value();
  });
  r.finally(
      [&s] { model::check(s.got[1] == 3 + (s.got[0] == 4 ? 4 : 0), "What was put before close is handed back."); });
}

// ------------------------------------------------------------------------------------------ a capacity that changes

void more_room_for_a_waiting_put(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  put_now(*s.items, 1);
  r.thread("putter", [&s] { model::check(put(s, s.one, 2) == 2, "There is room."); });
  r.thread("owner", [&s] { s.items->set_capacity(3); });
  r.finally([&s] { model::check(drain(s) == 3 && s.items->capacity() == 3, "Both are there."); });
}

// Three gets make room before the runner comes: more putters are let in than it serves before it wakes them.
void room_for_three(model::run& r) {
  struct crowd : queue_state {
    crowd() : queue_state(3) {}
    payload values[3] = {payload(2), payload(4), payload(8)};
    put_awaiter<model_core> puts[3] = {{*items, one, values[0]}, {*items, two, values[1]}, {*items, three, values[2]}};
  };
  auto& s = r.make<crowd>();
  for (int i = 0; i < 3; ++i) put_now(*s.items, 1);
  for (auto& each : s.puts) model::check(each.await_suspend(std::coroutine_handle<>{}), "There is no room.");
  r.thread("getter", [&s] { model::check(try_get(s) == 1, "There is an item."); });
  r.thread("other getter", [&s] { model::check(try_get(s) == 1 && try_get(s) == 1, "There are two more."); });
  r.finally([&s] {
    thread_context* const contexts[] = {&s.one, &s.two, &s.three};
    for (int i = 0; i < 3; ++i) {  // the first may be the heir, which serves the others when it goes on
      contexts[i]->park();
      s.puts[i].await_resume();
    }
    for (int value : {2, 4, 8}) model::check(try_get(s) == value, "Each is there, in order.");
  });
}

void less_room(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{2});
  put_now(*s.items, 1);
  r.thread("putter", [&s] { model::check(put(s, s.one, 2) == 2, "There will be room."); });
  r.thread("owner", [&s] { s.items->set_capacity(1); });
  r.thread("getter", [&s] { model::check(get(s, s.two) == 1, "The first item comes first."); });
  r.finally([&s] { model::check(drain(s) == 2, "The other one is there."); });
}

// ------------------------------------------------------------------------------------------ a rendezvous

void meet(model::run& r) {
  auto& s = r.make<queue_state>(queue_kind::rendezvous, std::size_t{0});
  r.thread("putter", [&s] { model::check(put(s, s.one, 1) == 1, "They meet."); });
  r.thread("getter", [&s] {
    model::check(get(s, s.two) == 1, "They meet.");
    s.items->task_done(1);
  });
  r.thread("joiner", [&s] { join(s, s.three); });
  r.finally([&s] { model::check(s.items->items().size() == 0 && s.items->unfinished() == 0, "It holds nothing."); });
}

// A cancelled side takes nothing; a get that was claimed for a put that is cancelled waits on, or is cancelled itself.
void meet_cancelled_put(model::run& r) {
  auto& s = r.make<queue_state>(queue_kind::rendezvous, std::size_t{0});
  r.thread("getter", [&s] { s.got[0] = get(s, s.one); });
  r.thread("putter", [&s] { s.got[1] = put(s, s.two, 1); });
  r.thread("canceller", [&s] {
    s.two.cancel();
    s.one.cancel();
  });
  r.finally([&s] { model::check(s.got[0] == s.got[1], "They met, or neither did."); });
}

// A get that waits on behind a cancelled put is served by the next.
void meet_the_next_put(model::run& r) {
  auto& s = r.make<queue_state>(queue_kind::rendezvous, std::size_t{0});
  s.two.cancel();
  r.thread("getter", [&s] { s.got[0] = get(s, s.one); });
  r.thread("putters", [&s] {
    s.got[1] = put(s, s.two, 1);
    model::check(put(s, s.three, 2) == 2, "They meet.");
  });
  r.finally([&s] { model::check(s.got[0] == 2 && s.got[1] == was_cancelled, "The second item is got."); });
}

void meet_or_close(model::run& r) {
  auto& s = r.make<queue_state>(queue_kind::rendezvous, std::size_t{0});
  r.thread("putter", [&s] { s.got[0] = put(s, s.one, 1); });
  r.thread("getter", [&s] { s.got[1] = get(s, s.two); });
  r.thread("closer", [&s] { s.items->close(); });
  r.finally([&s] { model::check(s.got[0] == s.got[1], "They met, or both hear of the close."); });
}

// What passes a rendezvous passes before close() has returned: who closes and joins has seen it.
void meet_close_join(model::run& r) {
  struct noted : queue_state {
    noted() : queue_state(queue_kind::rendezvous, 0) {}
    plain<int> work{0};
  };
  auto& s = r.make<noted>();
  r.thread("putter", [&s] { s.got[0] = put(s, s.one, 1); });
  r.thread("getter", [&s] {
    if (get(s, s.two) != 1) return;
    s.work.set(7);
    s.items->task_done(1);
  });
  r.thread("closer", [&s] {
    s.items->close();
    join(s, s.three);
    s.got[2] = s.work.get();
  });
  r.finally([&s] { model::check(s.got[2] == (s.got[0] == 1 ? 7 : 0), "The join has seen what passed."); });
}

// A try meets whoever waits; it never waits itself.
void try_to_meet_a_get(model::run& r) {
  auto& s = r.make<queue_state>(queue_kind::rendezvous, std::size_t{0});
  r.thread("getter", [&s] { s.got[0] = get(s, s.one); });
  r.thread("putter", [&s] {
    for (s.got[1] = 1; !try_put(s, 1);) yield_thread();
  });
  r.finally([&s] { model::check(s.got[0] == 1 && s.items->unfinished() == 1, "They met."); });
}

void try_to_meet_a_put(model::run& r) {
  auto& s = r.make<queue_state>(queue_kind::rendezvous, std::size_t{0});
  r.thread("putter", [&s] { s.got[0] = put(s, s.one, 1); });
  r.thread("getter", [&s] {
    while ((s.got[1] = try_get(s)) == 0) yield_thread();
  });
  r.thread("canceller", [&s] {
    thread_context own;
    (void)try_put(s, 8);
  });
  r.finally([&s] { model::check(s.got[0] == 1 && s.got[1] == 1, "They met, and nobody else."); });
}

// The get that a try has met destroys the queue.
void met_getter_destroys(model::run& r) {
  auto& s = r.make<queue_state>(queue_kind::rendezvous, std::size_t{0});
  r.thread("putter", [items = s.items.get()] {
    payload item(1);
    while (!is_done(items->try_put(item))) yield_thread();
  });
  r.thread("getter", [&s] {
    model::check(get(s, s.one) == 1, "They meet.");
    s.items.reset();
  });
}

// ------------------------------------------------------------------------------------------ several items

struct several {
  payload items[3] = {payload(1), payload(2), payload(4)};
  int sum() const { return items[0].value() + items[1].value() + items[2].value(); }
};

int put_many(queue_state& s, thread_context& context, several& own) {
  try {
    put_many_awaiter<model_core> awaiter(*s.items, context, own.items);
    return static_cast<int>(wait(awaiter, context));
  } catch (const cancelled&) {
    return was_cancelled;
  } catch (const queue_closed&) {
    return was_closed;
  }
}

// The sum of what it got.
int get_many(queue_state& s, thread_context& context) {
  payload out[2] = {payload(0), payload(0)};
  try {
    get_many_awaiter<model_core> awaiter(*s.items, context, out);
    const std::size_t count = wait(awaiter, context);
    if (count == 0) return was_closed;
    return out[0].value() + (count > 1 ? out[1].value() : 0);
  } catch (const cancelled&) {
    return was_cancelled;
  }
}

// The items go in, in order, as there is room for them.
auto many_through(queue_kind kind, std::size_t capacity) {
  return [=](model::run& r) {
    auto& s = r.make<queue_state>(kind, capacity);
    r.thread("putter", [&s] {
      several own;
      model::check(put_many(s, s.one, own) == 3 && own.sum() == -3, "All were put.");
    });
    r.thread("getter", [&s] {
      for (int expected : {1, 2, 4}) {
        thread_context own;
        model::check(get(s, own) == expected, "In order.");
      }
    });
  };
}

// A get of several takes what there is, and waits for one at least.
auto many_at_once(queue_kind kind, std::size_t capacity) {
  return [=](model::run& r) {
    auto& s = r.make<queue_state>(kind, capacity);
    r.thread("putter", [&s] {
      several own;
      model::check(put_many(s, s.one, own) == 3, "All were put.");
    });
    r.thread("getter", [&s] {
      while (s.got[0] < 7) {
        thread_context own;
        s.got[0] += get_many(s, own);
      }
      model::check(s.got[0] == 7, "Each item is got once.");
    });
  };
}

// Cancelled midway it says how many got in; the others are in the caller's hands.
auto many_cancelled(queue_kind kind, std::size_t capacity) {
  return [=](model::run& r) {
    auto& s = r.make<queue_state>(kind, capacity);
    r.thread("putter", [&s] {
      several own;
      s.got[0] = put_many(s, s.one, own);
      const int moved = s.got[0] == was_cancelled ? 0 : s.got[0];
      for (int i = 0; i < 3; ++i)
        model::check((own.items[i].value() == -1) == (i < moved), "Just what was put is gone.");
    });
    r.thread("getter", [&s] {
      s.got[1] = get(s, s.two);
      if (s.got[1] > 0) s.got[2] = 1;
    });
    r.thread("canceller", [&s] {
      s.one.cancel();
      s.two.cancel();
    });
    r.finally([&s] {
      const int moved = s.got[0] == was_cancelled ? 0 : s.got[0];
      const int sums[] = {0, 1, 3, 7};
      model::check((s.got[2] == 1 ? s.got[1] : 0) + drain(s) == sums[moved], "Each item is in one place.");
    });
  };
}

void many_closed(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{1});
  r.thread("putter", [&s] {
    several own;
    s.got[0] = put_many(s, s.one, own);
  });
  r.thread("getter", [&s] { s.got[1] = get(s, s.two); });
  r.thread("closer", [&s] { s.items->close(); });
  r.finally([&s] {
    const int moved = s.got[0] == was_closed ? 0 : s.got[0];
    const int sums[] = {0, 1, 3, 7};
    model::check((s.got[1] == was_closed ? 0 : s.got[1]) + drain(s) == sums[moved], "Each item is in one place.");
  });
}

// Nobody passes a put of several that waits for more room.
void many_first(model::run& r) {
  auto& s = r.make<queue_state>(std::size_t{2});
  r.thread("putter", [&s] {
    several own;
    model::check(put_many(s, s.one, own) == 3, "All were put.");
  });
  r.thread("other putter", [&s] { s.got[1] = try_put(s, 8) ? 8 : 0; });
  r.thread("getter", [&s] {
    for (int i = 0; i < 2; ++i) {
      thread_context own;
      s.got[0] += get(s, own);
    }
  });
  r.finally([&s] { model::check(s.got[0] + drain(s) == 7 + s.got[1], "Each item is got once."); });
}

const model::program p01{"queue: drained is drained, capacity 1", {}, drained_is_drained(1)};
const model::program p02{"queue: drained is drained, capacity 2", {}, drained_is_drained(2)};
const model::program p03{"queue: unbounded, two puts x get", {}, unbounded_puts};
const model::program p04{"queue: unbounded, put x cancelled put", {}, unbounded_waits};
const model::program p05{"queue: unbounded, put x close_now", {}, unbounded_close};
const model::program p06{"queue: more room for a waiting put", {}, more_room_for_a_waiting_put};
const model::program p27{"queue: room for three waiting puts", {}, room_for_three};
const model::program p07{"queue: less room x put x get", {}, less_room};
const model::program p08{"queue: rendezvous, put x get x join", {}, meet};
const model::program p09{"queue: rendezvous, cancelled put x cancelled get", {}, meet_cancelled_put};
const model::program p10{"queue: rendezvous, the next put", {}, meet_the_next_put};
const model::program p11{"queue: rendezvous, put x get x close", {}, meet_or_close};
const model::program p26{"queue: rendezvous, put x get x close and join", {}, meet_close_join};
const model::program p12{"queue: rendezvous, try_put x get", {}, try_to_meet_a_get};
const model::program p13{"queue: rendezvous, try_get x put", {}, try_to_meet_a_put};
const model::program p14{"queue: rendezvous, the getter destroys it", {}, met_getter_destroys};
const model::program p15{"queue: put_many x get, capacity 1", {}, many_through(queue_kind::bounded, 1)};
const model::program p16{"queue: put_many x get, capacity 2", {}, many_through(queue_kind::bounded, 2)};
const model::program p17{"queue: put_many x get, unbounded", {}, many_through(queue_kind::unbounded, 0)};
const model::program p18{"queue: put_many x get, rendezvous", {}, many_through(queue_kind::rendezvous, 0)};
const model::program p19{"queue: put_many x get_many, capacity 1", {}, many_at_once(queue_kind::bounded, 1)};
const model::program p20{"queue: put_many x get_many, capacity 2", {}, many_at_once(queue_kind::bounded, 2)};
const model::program p21{"queue: put_many x get_many, rendezvous", {}, many_at_once(queue_kind::rendezvous, 0)};
const model::program p22{"queue: cancelled put_many x get", {}, many_cancelled(queue_kind::bounded, 1)};
const model::program p23{"queue: cancelled put_many x get, rendezvous", {}, many_cancelled(queue_kind::rendezvous, 0)};
const model::program p24{"queue: put_many x get x close", {}, many_closed};
const model::program p25{"queue: nobody passes a put_many", {}, many_first};

}  // namespace
