// models: queues/broadcast.hpp queues/broadcast_core.hpp queues/broadcast_waits.hpp queues/shared_slot.hpp
// queues/waiter_hub.hpp The shipped broadcast: sending, waiting, lagging, cancelling, closing and destroying, in every
// interleaving. The waiting tasks are plain threads: see model_broadcast.hpp.
#include <sluice/model/program.hpp>
#include <sluice/queues/broadcast.hpp>

#include "model_broadcast.hpp"
#include "model_payload.hpp"

#include <memory>
#include <optional>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

// Who waits is woken, and sees what was written before the send.
auto hand_over(std::size_t capacity) {
  return [=](model::run& r) {
    auto& s = r.make<broadcast_state>(capacity);
    auto& reader = r.make<model_reader>(s.subscribe());
    r.thread("sender", [&s] {
      s.written.set(7);
      send(*s.core, 1);
    });
    r.thread("subscriber", [&s, &reader] {
      model::check(next(reader) == 1, "The subscriber has the item.");
      model::check(s.written.get() == 7, "What was written before the send is visible.");
    });
  };
}

// The items come in order, and what was skipped is counted.
auto lag(std::size_t capacity, int items) {
  return [=](model::run& r) {
    auto& s = r.make<broadcast_state>(capacity);
    auto& reader = r.make<model_reader>(s.subscribe());
    r.thread("sender", [&s, items] {
      for (int i = 1; i <= items; ++i) send(*s.core, i);
    });
    r.thread("subscriber", [&reader, items] {
      int seen = 0;
      for (int last = 0; last != items; ++seen) {
        const int got = next(reader);
        model::check(got > last, "They come in order.");
        model::check(reader.gap() == static_cast<std::uint64_t>(got - last - 1), "The gap is known.");
        last = got;
      }
      model::check(seen + static_cast<int>(reader.missed()) == items, "Each is seen or missed.");
    });
  };
}

// Two senders, and one who helps the other over its second step. Both items are seen, each once, by all in the same
// order.
void two_senders(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{2});
  auto& one = r.make<model_reader>(s.subscribe());
  auto& two = r.make<model_reader>(s.subscribe());
  r.thread("sender 1", [&s] { send(*s.core, 1); });
  r.thread("sender 2", [&s] { send(*s.core, 2); });
  r.thread("subscriber", [&s, &one] { s.got[0] = next(one); });
  r.finally([&s, &one, &two] {
    s.got[1] = try_next(one);
    model::check(s.got[0] + s.got[1] == 3, "Both are seen once.");
    model::check(try_next(two) == s.got[0] && try_next(two) == s.got[1], "All see one order.");
    model::check(s.core->sent() == 2, "Both count.");
  });
}

// The same in one slot: one of the two may be overwritten, and is counted then.
void two_senders_one_slot(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  auto& reader = r.make<model_reader>(s.subscribe());
  r.thread("sender 1", [&s] { send(*s.core, 1); });
  r.thread("sender 2", [&s] { send(*s.core, 2); });
  r.thread("subscriber", [&s, &reader] { s.got[0] = next(reader); });
  r.finally([&s, &reader] {
    s.got[1] = try_next(reader);
    model::check(s.got[1] == -1 ? reader.missed() == 1 : s.got[0] + s.got[1] == 3, "Each is seen or missed.");
    model::check(try_next(reader) == -1, "There is no more.");
  });
}

// Both wait, and one send wakes both.
void two_subscribers(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  for (int i = 0; i < 2; ++i) {
    auto& reader = r.make<model_reader>(s.subscribe());
    r.thread("subscriber", [&reader] { model::check(next(reader) == 1, "Every subscriber has the item."); });
  }
  r.thread("sender", [&s] { send(*s.core, 1); });
}

// send x cancelled wait: the wait ends in one of two ways, and the item stays for the next.
void cancelled_wait(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  auto& reader = r.make<model_reader>(s.subscribe());
  r.thread("subscriber", [&s, &reader] { s.got[0] = next(reader, s.one); });
  r.thread("sender", [&s] { send(*s.core, 1); });
  r.thread("canceller", [&s] { s.one.cancel(); });
  r.finally([&s, &reader] {
    model::check(s.got[0] == 1 || s.got[0] == was_cancelled, "It has the item or was cancelled.");
    model::check(try_next(reader) == (s.got[0] == 1 ? -1 : 1), "A cancelled wait has passed nothing.");
  });
}

void cancelled_beside_another(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  auto& one = r.make<model_reader>(s.subscribe());
  auto& two = r.make<model_reader>(s.subscribe());
  r.thread("cancelled", [&s, &one] { next(one, s.one); });
  r.thread("subscriber", [&two] { model::check(next(two) == 1, "Nobody cancelled this one."); });
  r.thread("sender", [&s] {
    s.one.cancel();
    send(*s.core, 1);
  });
}

// A wait gives up, and another one of the same subscription has the item.
void timed_wait(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  auto& reader = r.make<model_reader>(s.subscribe());
  r.thread("subscriber", [&reader] {
    if (next_in_time(reader) == came_too_late) model::check(next(reader) == 1, "It is still there.");
  });
  r.thread("sender", [&s] { send(*s.core, 1); });
}

// close x send x wait: the item is before the close, or was not sent.
void close_send_wait(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  auto& reader = r.make<model_reader>(s.subscribe());
  r.thread("sender", [&s] {
    s.got[0] = send(*s.core, 1);
    if (s.got[0] == was_closed) model::check(s.written.get() == 7, "What was written before the close is visible.");
  });
  r.thread("subscriber", [&s, &reader] { s.got[1] = next(reader); });
  r.thread("closer", [&s] {
    s.written.set(7);
    s.core->close();
  });
  r.finally([&s, &reader] {
    model::check(s.got[0] == s.got[1], "What was sent before the close is seen; otherwise both hear of the close.");
    model::check(s.core->is_closed(), "It is closed.");
    model::check(next(reader) == was_closed, "And then the end.");
  });
}

void close_wakes_all(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{2});
  for (int i = 0; i < 2; ++i) {
    auto& reader = r.make<model_reader>(s.subscribe());
    r.thread("subscriber", [&s, &reader] {
      model::check(next(reader) == was_closed, "It hears of the close.");
      model::check(s.written.get() == 7, "What was written before the close is visible.");
    });
  }
  r.thread("closer", [&s] {
    s.written.set(7);
    s.core->close();
    s.core->close();
  });
}

// Two of a kind at the same moment.
void two_closers(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  auto& reader = r.make<model_reader>(s.subscribe());
  r.thread("closer 1", [&s] { s.core->close(); });
  r.thread("closer 2", [&s] { s.core->close(); });
  r.thread("subscriber", [&reader] { model::check(next(reader) == was_closed, "It hears of the close."); });
}

// The woken side destroys the broadcast while the sender is still returning.
auto destroyed(std::size_t capacity, int sent_before) {
  return [=](model::run& r) {
    auto& s = r.make<broadcast_state>(capacity);
    for (int i = 0; i < sent_before; ++i) send(*s.core, 10 + i);
    r.thread("sender", [core = s.core.get()] { send(*core, 1); });
    r.thread("subscriber", [&s] {
      {
        model_reader reader(*s.core, s.core->oldest());
        while (next(reader) != 1) {
        }
      }
      s.core.reset();
    });
  };
}

void destroyed_after_close(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  r.thread("closer", [core = s.core.get()] { core->close(); });
  r.thread("subscriber", [&s] {
    {
      model_reader reader(s.subscribe());
      model::check(next(reader) == was_closed, "It hears of the close.");
    }
    s.core.reset();
  });
}

// Two senders are still returning, and one subscriber goes before the other.
void destroyed_beside_two(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{2});
  r.thread("sender 1", [core = s.core.get()] { send(*core, 1); });
  r.thread("sender 2", [core = s.core.get()] { send(*core, 2); });
  r.thread("subscriber", [&s] {
    {
      model_reader reader(*s.core, 0);
      model::check(next(reader) + next(reader) == 3, "Both come.");
    }
    s.core.reset();
  });
}

// A wait that has timed out, and a send that clears its kick; whoever knows that it has taken effect may destroy the
// broadcast.
void destroyed_beside_a_kick(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  r.thread("sender", [core = s.core.get()] { send(*core, 1); });
  r.thread("subscriber", [&s] {
    {
      model_reader reader(*s.core, 0);
      if (next_in_time(reader) == came_too_late && try_next(reader) != 1) return;
    }
    s.core.reset();
  });
}

// The same when it was waited for again while the kick was on its way: it owes one, and not two.
void destroyed_after_two_waits(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  r.thread("sender", [core = s.core.get()] { send(*core, 1); });
  r.thread("subscriber", [&s] {
    {
      model_reader reader(*s.core, 0);
      if (next_in_time(reader) == came_too_late && try_next(reader) != 1) return;
      model::check(next_in_time(reader) == came_too_late, "There is no more.");
    }
    s.core.reset();
  });
}

// The same by one who holds on to a value that the sender replaces, and so is the last to give its node back.
void destroyed_by_a_borrower(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  send(*s.core, 1);
  r.thread("sender", [core = s.core.get()] { send(*core, 2); });
  r.thread("subscriber", [&s] {
    {
      model_reader reader(*s.core, 0);
      const auto held = reader.take<std::optional<snapshot<heavy>>>();
      if ((*held)->number() == 1) model::check(next(reader) == 2, "The next item.");
    }
    s.core.reset();
  });
}

// Who sees that nobody reads any more may destroy it.
void destroyed_when_all_have_gone(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  send(*s.core, 1);
  auto reader = std::make_shared<std::optional<model_reader>>(model_reader(*s.core, 0));
  r.thread("subscriber", [reader] {
    model::check(try_next(**reader) == 1, "The item.");
    reader->reset();
  });
  r.thread("owner", [&s] {
    while (s.core->readers() != 0) yield_thread();
    s.core.reset();
  });
}

// Who has seen an item and subscribes once more begins behind it, though its sender has not moved the tail yet.
void begins_behind_what_was_seen(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{2});
  auto& reader = r.make<model_reader>(s.subscribe());
  r.thread("sender", [&s] { send(*s.core, 1); });
  r.thread("subscriber", [&s, &reader] {
    if (try_next(reader) == -1) return;
    model_reader again = s.subscribe();
    model::check(try_next(again) == -1, "There is nothing new.");
  });
}

// One who looks again and again misses nothing while there is room.
void polled(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{2});
  auto& reader = r.make<model_reader>(s.subscribe());
  r.thread("sender", [&s] {
    send(*s.core, 1);
    send(*s.core, 2);
  });
  r.thread("subscriber", [&reader] {
    const int first = try_next(reader);
    const int second = try_next(reader);
    if (first != -1 || second != -1) model::check(first == 1 || second == 1, "The first comes first.");
    model::check(reader.missed() == 0, "Nothing was missed.");
  });
}

// A subscriber that slept while the count of replacements, which has two bits here, went round exactly.
auto gone_round(int sends) {
  return [=](model::run& r) {
    auto& s = r.make<broadcast_state>(std::size_t{1}, slot_layout(50));
    auto& reader = r.make<model_reader>(s.subscribe());
    for (int i = 1; i <= sends; ++i) send(*s.core, i);
    r.thread("sender", [&s, sends] { send(*s.core, sends + 1); });
    r.thread("subscriber", [&s, &reader, sends] {
      model::check(s.core->peek(0) == reading::item, "There is one.");
      const int got = next(reader);
      model::check(got == sends || got == sends + 1, "It has what is kept.");
      model::check(reader.missed() == static_cast<std::uint64_t>(got - 1), "It knows what it has missed.");
      if (got == sends) model::check(next(reader) == sends + 1, "And then the next.");
    });
  };
}

// What was borrowed stays as it is, and makes no sender wait: the pool grows.
void borrowed(model::run& r) {
  auto& s = r.make<broadcast_state>(std::size_t{1});
  auto& reader = r.make<model_reader>(s.subscribe());
  r.thread("sender", [&s] {
    for (int i = 1; i <= 3; ++i) send(*s.core, i);
  });
  r.thread("subscriber", [&reader] {
    const auto first = reader.take<std::optional<snapshot<heavy>>>();
    const int before = first ? (*first)->number() : 0;
    const auto second = reader.take<std::optional<snapshot<heavy>>>();
    if (first && second) model::check((*second)->number() > before, "A later one.");
    if (first) model::check((*first)->number() == before, "It does not change.");
  });
}

// subscribe(from_kept) beside sends: it begins with an item that is kept, and sees all after it.
void begins_with_what_is_kept(model::run& r) {
  struct shared {
    broadcast<heavy> items{1};
  };
  auto& s = r.make<shared>();
  s.items.send(heavy(1));
  r.thread("sender", [&s] { s.items.send(heavy(2)); });
  r.thread("subscriber", [&s] {
    auto mine = s.items.subscribe(from_kept);
    const auto first = mine.blocking_next();
    model::check(first->number() + static_cast<int>(mine.missed()) == 1 || first->number() == 2, "What is kept.");
    if (first->number() == 1) model::check(mine.blocking_next()->number() == 2, "And what comes then.");
    model::check(test::refused_on_worker([&] { (void)mine.blocking_next(); }), "A worker is not blocked.");
  });
}

// The public face.
void threads(model::run& r) {
  struct shared {
    broadcast<heavy> items{2};
    subscription<heavy> one = items.subscribe();
  };
  auto& s = r.make<shared>();
  r.thread("sender", [&s] {
    const heavy first(1);
    s.items.send(first);
    s.items.close();
  });
  r.thread("subscriber", [&s] {
    model::check((*s.one.blocking_borrow(std::chrono::hours::max()))->number() == 1, "The item.");
    model::check(!s.one.blocking_next(), "The end.");
    model::check(s.one.missed() + s.one.gap() + s.one.lag() == 0, "Nothing was missed.");
    model::check(s.items.closed() && s.items.sent() == 1, "One item was sent.");
  });
}

const model::program p01{"broadcast: a waiting subscriber is woken, capacity 1", {}, hand_over(1)};
const model::program p02{"broadcast: a waiting subscriber is woken, capacity 2", {}, hand_over(2)};
const model::program p03{"broadcast: three items through capacity 1", {}, lag(1, 3)};
const model::program p04{"broadcast: four items through capacity 2", {}, lag(2, 4)};
const model::program p05{"broadcast: two senders x wait", {}, two_senders};
const model::program p06{"broadcast: two senders x wait, capacity 1", {}, two_senders_one_slot};
const model::program p07{"broadcast: two subscribers x send", {}, two_subscribers};
const model::program p08{"broadcast: wait x cancel x send", {}, cancelled_wait};
const model::program p09{"broadcast: a cancelled wait beside another", {}, cancelled_beside_another};
const model::program p10{"broadcast: wait x timeout x send", {}, timed_wait};
const model::program p11{"broadcast: close x send x wait", {}, close_send_wait};
const model::program p12{"broadcast: close wakes all", {}, close_wakes_all};
const model::program p13{"broadcast: close x close x wait", {}, two_closers};
const model::program p14{"broadcast: the woken subscriber destroys it", {}, destroyed(1, 0)};
const model::program p15{"broadcast: a subscriber destroys it, capacity 2", {}, destroyed(2, 1)};
const model::program p16{"broadcast: destroyed after close", {}, destroyed_after_close};
const model::program p17{"broadcast: destroyed beside two senders", {}, destroyed_beside_two};
const model::program p18{"broadcast: destroyed beside a kick", {}, destroyed_beside_a_kick};
const model::program p24{"broadcast: destroyed after two waits", {.timeouts = 2}, destroyed_after_two_waits};
const model::program p25{"broadcast: destroyed when all have gone", {}, destroyed_when_all_have_gone};
const model::program p26{"broadcast: polled x sends", {}, polled};
const model::program p27{"broadcast: destroyed by a borrower", {}, destroyed_by_a_borrower};
const model::program p28{"broadcast: subscribed behind what was seen", {}, begins_behind_what_was_seen};
const model::program p19{"broadcast: the count went round, and one is missed", {}, gone_round(4)};
const model::program p20{"broadcast: the count goes round while it looks", {}, gone_round(3)};
const model::program p21{"broadcast: borrowed x sends", {}, borrowed};
const model::program p22{"broadcast: subscribe(from_kept) x send", {}, begins_with_what_is_kept};
const model::program p23{"broadcast: blocking waits", {}, threads};

}  // namespace
