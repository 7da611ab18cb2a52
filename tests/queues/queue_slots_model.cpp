// models: queues/queue_slots.hpp queues/queue_server.hpp
// Slots: room that somebody keeps, and puts into later. And looks at the item that is the next to go.
#include <sluice/model/program.hpp>
#include <sluice/queues/queue.hpp>

#include "model_queue.hpp"

#include <optional>
#include <utility>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

template <class Core>
std::optional<queue_slot<Core>> reserve(state_of<Core>& s, thread_context& context, int& outcome) {
  try {
    reserve_awaiter<Core> awaiter(*s.items, context);
    outcome = 1;
    return wait(awaiter, context);
  } catch (const cancelled&) {
    outcome = was_cancelled;
  } catch (const queue_closed&) {
    outcome = was_closed;
  }
  return std::nullopt;
}

template <class Core>
void put_into(queue_slot<Core>& kept, int value) {
  kept.put(payload(value));
}

// One cell: a slot and a put want it; a get makes room for the other.
template <class Core>
void slot_or_put(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  r.thread("reserver", [&s] {
    int outcome = 0;
    auto kept = reserve(s, s.one, outcome);
    model::check(s.items->items().size() == 0, "A slot and an item do not share a cell.");
    put_into(*kept, 1);
  });
  r.thread("putter", [&s] { model::check(put(s, s.two, 2) == 2, "There will be room."); });
  r.thread("getter", [&s] { s.got[0] = get(s, s.three); });
  r.finally([&s] { model::check(s.got[0] + drain(s) == 3, "Each item is delivered once."); });
}

// A try_put beside a slot that is reserved or given back, in a queue with room for both.
template <class Core>
void room_for_both(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{2});
  r.thread("reserver", [&s] {
    auto status = s.items->try_reserve();
    model::check(status == item_status::done, "There is room.");
    s.items->give_up();
  });
  r.thread("putter", [&s] {
    payload item(1);
    model::check(is_done(s.items->try_put(item)), "A queue with room for one more is not full.");
  });
  r.thread("getter", [&s] { s.got[0] = get(s, s.one); });
  r.finally([&s] { model::check(s.got[0] == 1 && drain(s) == 0, "Delivered once."); });
}

// Never more than there is room for: the putters and the slot together.
template <class Core>
void exact(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  for (int i = 0; i < 2; ++i) {
    r.thread(i == 0 ? "reserver" : "putter", [&s, i] {
      if (i == 0) {
        s.got[0] = is_done(s.items->try_reserve()) ? 1 : 0;
      } else {
        payload item(2);
        s.got[1] = is_done(s.items->try_put(item)) ? 1 : 0;
      }
    });
  }
  r.finally([&s] {
    model::check(s.got[0] + s.got[1] == 1, "One of them has it.");
    if (s.got[0] == 1) s.items->give_up();
    model::check(drain(s) == 2 * s.got[1], "It is there.");
  });
}

// A get waits for what will be put into the slot, though the queue is closed meanwhile.
template <class Core>
void closed_with_a_slot(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  r.thread("reserver", [&s] {
    int outcome = 0;
    if (auto kept = reserve(s, s.one, outcome)) {
      put_into(*kept, 1);
      s.got[0] = 1;
    } else {
      model::check(outcome == was_closed, "Refused, because it is closed.");
    }
  });
  r.thread("closer", [&s] { s.items->close(); });
  r.thread("getter", [&s] { s.got[1] = get(s, s.two); });
  r.finally([&s] {
    model::check(s.got[1] == (s.got[0] == 1 ? 1 : was_closed), "Drained is drained: what was put is got.");
    model::check(drain(s) == 0, "Nothing is left.");
  });
}

// The same for one that does not wait.
template <class Core>
void drained_with_a_slot(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  model::check(is_done(s.items->try_reserve()), "There is room.");
  s.items->close();
  r.thread("holder", [&s] {
    payload item(1);
    s.items->fill(item);
  });
  r.thread("getter", [&s] {
    item_status status{};
    while ((status = s.items->try_get([&](payload&& item) { s.got[0] += payload(std::move(item)).value(); })) !=
           item_status::closed) {
      yield_thread();
    }
    model::check(s.got[0] == 1, "Drained is drained.");
  });
}

// A slot that is reserved as the queue is closed: nobody hears "drained" before it is filled.
template <class Core>
void drained_beside_a_reserve(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  r.thread("reserver", [&s] {
    if (!is_done(s.items->try_reserve())) return;
    payload item(1);
    s.items->fill(item);
    s.got[0] = 1;
  });
  r.thread("closer", [&s] { s.items->close(); });
  r.thread("getter", [&s] {
    const auto status = s.items->try_get([&s](payload&& item) { s.got[1] = payload(std::move(item)).value(); });
    s.got[2] = status == item_status::closed ? 1 : 0;
  });
  r.finally([&s] {
    model::check(s.got[2] == 0 || s.got[0] == 0, "Drained is drained.");
    model::check(s.got[1] + drain(s) == s.got[0], "What was put is there.");
  });
}

template <class Core>
void given_back_when_closed(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  model::check(is_done(s.items->try_reserve()), "There is room.");
  r.thread("holder", [&s] { s.items->give_up(); });
  r.thread("closer", [&s] { s.items->close(); });
  r.thread("getter", [&s] { s.got[1] = get(s, s.one); });
  r.thread("putter", [&s] { s.got[0] = put(s, s.two, 1); });
  r.finally([&s] {
    model::check(s.got[0] == was_closed ? s.got[1] == was_closed : s.got[0] == 1 && s.got[1] == 1, "Both have ended.");
    model::check(drain(s) == 0, "Nothing is left.");
  });
}

template <class Core>
void given_back(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  model::check(is_done(s.items->try_reserve()), "There is room.");
  r.thread("holder", [&s] { s.items->give_up(); });
  r.thread("putter", [&s] { model::check(put(s, s.one, 1) == 1, "There is room then."); });
  r.thread("second reserver", [&s] {
    int outcome = 0;
    auto kept = reserve(s, s.two, outcome);
    model::check(kept.has_value(), "There is room at last.");
  });
  r.thread("getter", [&s] { model::check(get(s, s.three) == 1, "The item."); });
}

// Two that try to put as a slot is given back find room for one.
template <class Core>
void given_back_to_one(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  model::check(is_done(s.items->try_reserve()), "There is room.");
  r.thread("holder", [&s] { s.items->give_up(); });
  for (int i = 0; i < 2; ++i) {
    r.thread(i == 0 ? "putter 1" : "putter 2", [&s, i] {
      payload item(1);
      s.got[i] = is_done(s.items->try_put(item)) ? 1 : 0;
    });
  }
  r.finally([&s] {
    model::check(s.items->items().size() <= 1, "Never more than there is room for.");
    model::check(drain(s) == s.got[0] + s.got[1], "What was put is there.");
  });
}

// A queue with one cell, where slots are known; a put waits for room.
template <class Core>
struct with_a_putter : state_of<Core> {
  using state = state_of<Core>;
  using state::items;
  using state::one;

  explicit with_a_putter(bool has_slot) : state(1) {
    model::check(is_done(items->try_reserve()), "There is room.");
    if (!has_slot) {
      items->give_up();
      put_now(*items, 1);
    }
    model::check(waiting.await_suspend(std::coroutine_handle<>{}), "There is no room.");
  }

  payload value{2};
  put_awaiter<Core> waiting{*items, one, value};
};

// A get makes room: it is for who waits, and for nobody who comes just then.
template <class Core, class Come>
void pass_nobody(model::run& r, Come come) {
  auto& s = r.make<with_a_putter<Core>>(false);
  r.thread("getter", [&s] {
    model::check(is_done(s.items->try_get([](payload&& item) { (void)payload(std::move(item)); })),
                 "There is an item.");
  });
  r.thread("newcomer", [&s, come] { model::check(!is_done(come(*s.items)), "Others were there before."); });
  r.finally([&s] {
    s.one.park();
    s.waiting.await_resume();
    model::check(drain(s) == 2, "Who waited has put.");
  });
}
template <class Core>
void put_passes_nobody(model::run& r) {
  pass_nobody<Core>(r, [](Core& items) {
    payload item(4);
    return items.try_put(item);
  });
}
template <class Core>
void reserve_passes_nobody(model::run& r) {
  pass_nobody<Core>(r, [](Core& items) { return items.try_reserve(); });
}

// The last item comes as the queue is closed; who gets it owes what the waiting put has asked for.
template <class Core>
void last_item_when_closed(model::run& r) {
  auto& s = r.make<with_a_putter<Core>>(true);
  r.thread("holder", [&s] {
    payload item(1);
    s.items->fill(item);
  });
  r.thread("closer", [&s] { s.items->close(); });
  r.thread("getter",
           [&s] { (void)s.items->try_get([&](payload&& item) { s.got[0] = payload(std::move(item)).value(); }); });
  r.finally([&s] {
    s.one.park();
    bool refused = false;
    try {
      s.waiting.await_resume();
    } catch (const queue_closed&) {
      refused = true;
    }
    model::check(s.got[0] + drain(s) == (refused ? 1 : 3), "What was put is got.");
  });
}

template <class Core>
void cancelled_reserve(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  put_now(*s.items, 1);
  r.thread("reserver", [&s] {
    int outcome = 0;
    auto kept = reserve(s, s.one, outcome);
    model::check(kept.has_value() || outcome == was_cancelled, "Reserved, or cancelled.");
    if (kept) put_into(*kept, 2);
    s.got[0] = kept ? 2 : 0;
  });
  r.thread("getter", [&s] { s.got[1] = get(s, s.two); });
  r.thread("canceller", [&s] { s.one.cancel(); });
  r.finally([&s] { model::check(s.got[1] == 1 && drain(s) == s.got[0], "No slot is lost, and no item."); });
}

template <class Core>
void woken_getter_destroys(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  model::check(is_done(s.items->try_reserve()), "There is room.");
  r.thread("holder", [items = s.items.get()] {
    payload item(1);
    items->fill(item);
  });
  r.thread("getter", [&s] {
    model::check(get(s, s.one) == 1, "The item.");
    s.items.reset();
  });
}

template <class Core>
void unbounded_slots(model::run& r) {
  auto& s = r.make<state_of<Core>>(queue_kind::unbounded, std::size_t{0});
  put_now(*s.items, 1);
  put_now(*s.items, 2);
  r.thread("reserver", [&s] {
    model::check(is_done(s.items->try_reserve()), "There is always room.");
    payload item(4);
    s.items->fill(item);
  });
  r.thread("putter", [&s] {
    payload item(8);
    model::check(is_done(s.items->try_put(item)), "There is always room.");
  });
  r.finally([&s] { model::check(drain(s) == 15, "Everything is there."); });
}

// ------------------------------------------------------------------------------------------ looks

struct number {  // trivially copyable, as what is looked at must be
  int value;
};
using numbers = state_of<queue_core<number, ring<number>>>;
using stacked_numbers = state_of<queue_core<number, stack<number>>>;

template <class State>
int look(State& s, thread_context& context) {
  peek_awaiter<typename State::core> awaiter(*s.items, context);
  return wait(awaiter, context).value;
}
template <class State>
int take(State& s) {
  int value = 0;
  (void)s.items->try_get([&](number&& item) { value = item.value; });
  return value;
}
template <class State>
void give(State& s, int value) {
  number item{value};
  model::check(is_done(s.items->try_put(item)), "There is room.");
}

void look_and_put(model::run& r) {
  auto& s = r.make<numbers>(std::size_t{2});
  r.thread("looker", [&s] { model::check(look(s, s.one) == 1, "The first item."); });
  r.thread("putter", [&s] {
    give(s, 1);
    give(s, 2);
  });
  r.finally([&s] { model::check(take(s) == 1 && take(s) == 2, "Both are still there."); });
}

// A try_get beside a look, in a queue that always holds an item.
template <class State>
void look_and_get(model::run& r) {
  auto& s = r.make<State>(std::size_t{2});
  give(s, 1);
  give(s, 2);
  r.thread("looker", [&s] {
    std::optional<number> seen;
    (void)s.items->try_peek(seen);
    model::check(seen && (seen->value == 1 || seen->value == 2), "There is one.");
  });
  r.thread("getter", [&s] { model::check(take(s) != 0, "A queue that holds an item is not empty."); });
  r.finally([&s] { model::check(take(s) != 0, "The other one is there."); });
}

template <class State>
void look_before_get(model::run& r) {
  auto& s = r.make<State>(std::size_t{1});
  r.thread("looker",
           [&s] { model::check(look(s, s.one) == 1, "It is seen before somebody takes it, or the next one."); });
  r.thread("getter", [&s] {
    get_awaiter<typename State::core, number> awaiter(*s.items, s.two);
    model::check(wait(awaiter, s.two).value == 1, "The item.");
    give(s, 1);
  });
  r.thread("putter", [&s] { give(s, 1); });
}

// A look that has nothing to see says why.
template <class State>
void look_in_vain(model::run& r) {
  auto& s = r.make<State>(std::size_t{1});
  r.thread("looker", [&s] {
    try {
      (void)look(s, s.one);
      model::check(false, "There is nothing.");
    } catch (const cancelled&) {
      s.got[0] = was_cancelled;
    } catch (const queue_closed&) {
      s.got[0] = was_closed;
    }
  });
  r.thread("closer", [&s] {
    s.one.cancel();
    s.items->close();
  });
  r.finally([&s] { model::check(s.got[0] != 0, "It says why."); });
}

// Who looks holds the getters up for a moment: one that tries just then still hears that all is drained.
template <class State>
void look_when_drained(model::run& r) {
  auto& s = r.make<State>(std::size_t{1});
  std::optional<number> seen;
  model::check(s.items->try_peek(seen) == item_status::nothing, "It is empty.");
  s.items->close();
  r.thread("looker", [&s] {
    std::optional<number> copy;
    model::check(s.items->try_peek(copy) == item_status::closed, "It is drained.");
  });
  r.thread("getter", [&s] {
    model::check(s.items->try_get([](number&&) {}) == item_status::closed, "It is drained, whoever looks.");
  });
}

// It holds an item until it is closed: it is never empty and open.
template <class State>
void look_while_the_last_goes(model::run& r) {
  auto& s = r.make<State>(std::size_t{1});
  give(s, 1);
  r.thread("looker", [&s] {
    std::optional<number> copy;
    const item_status status = s.items->try_peek(copy);
    model::check(status == item_status::done || status == item_status::closed, "There is an item, or it is drained.");
  });
  r.thread("closer and getter", [&s] {
    s.items->close();
    model::check(take(s) == 1, "The item.");
  });
}

const model::program p01{"slot: a slot x put x get, one cell", {}, slot_or_put<model_core>};
const model::program p02{"lifo slot: a slot x put x get, one cell", {}, slot_or_put<lifo_core>};
const model::program p03{"slot: try_put beside a slot", {}, room_for_both<model_core>};
const model::program p04{"lifo slot: try_put beside a slot", {}, room_for_both<lifo_core>};
const model::program p05{"slot: never more than there is room for", {}, exact<model_core>};
const model::program p06{"lifo slot: never more than there is room for", {}, exact<lifo_core>};
const model::program p07{"slot: reserve x close x get", {}, closed_with_a_slot<model_core>};
const model::program p08{"lifo slot: reserve x close x get", {}, closed_with_a_slot<lifo_core>};
const model::program p09{"spsc slot: reserve x close x get", {}, closed_with_a_slot<spsc_core>};
const model::program p10{"slot: put into x try_get until drained", {}, drained_with_a_slot<model_core>};
const model::program p11{"lifo slot: put into x try_get until drained", {}, drained_with_a_slot<lifo_core>};
const model::program p12{"spsc slot: put into x try_get until drained", {}, drained_with_a_slot<spsc_core>};
const model::program p13{"slot: given back x close x get x put", {}, given_back_when_closed<model_core>};
const model::program p14{"lifo slot: given back x close x get x put", {}, given_back_when_closed<lifo_core>};
const model::program p15{"slot: given back x put x reserve", {}, given_back<model_core>};
const model::program p16{"lifo slot: given back x put x reserve", {}, given_back<lifo_core>};
const model::program p17{"slot: a reserve is cancelled", {}, cancelled_reserve<model_core>};
const model::program p18{"lifo slot: a reserve is cancelled", {}, cancelled_reserve<lifo_core>};
const model::program p19{"spsc slot: a reserve is cancelled", {}, cancelled_reserve<spsc_core>};
const model::program p20{"slot: the woken getter destroys the queue", {}, woken_getter_destroys<model_core>};
const model::program p21{"lifo slot: the woken getter destroys the queue", {}, woken_getter_destroys<lifo_core>};
const model::program p22{"spsc slot: the woken getter destroys the queue", {}, woken_getter_destroys<spsc_core>};
const model::program p23{"slot: in an unbounded queue", {}, unbounded_slots<model_core>};
const model::program p24{"lifo slot: in an unbounded queue", {}, unbounded_slots<lifo_core>};
const model::program p25{"slot: given back x try_put x try_put", {}, given_back_to_one<model_core>};
const model::program p26{"lifo slot: given back x try_put x try_put", {}, given_back_to_one<lifo_core>};
const model::program p27{"slot: no put passes one that waits", {}, put_passes_nobody<model_core>};
const model::program p28{"lifo slot: no put passes one that waits", {}, put_passes_nobody<lifo_core>};
const model::program p29{"slot: no slot passes a put that waits", {}, reserve_passes_nobody<model_core>};
const model::program p30{"lifo slot: no slot passes a put that waits", {}, reserve_passes_nobody<lifo_core>};
const model::program p31{"slot: put into x close x try_get, while a put waits", {}, last_item_when_closed<model_core>};
const model::program p32{
    "lifo slot: put into x close x try_get, while a put waits", {}, last_item_when_closed<lifo_core>};
const model::program p33{"slot: reserve x close x try_get", {}, drained_beside_a_reserve<model_core>};
const model::program p34{"lifo slot: reserve x close x try_get", {}, drained_beside_a_reserve<lifo_core>};
const model::program p35{"spsc slot: reserve x close x try_get", {}, drained_beside_a_reserve<spsc_core>};
const model::program p36{"look: look x put", {}, look_and_put};
const model::program p37{"look: look x try_get", {}, look_and_get<numbers>};
const model::program p38{"lifo look: look x try_get", {}, look_and_get<stacked_numbers>};
const model::program p39{"look: look x get x put", {}, look_before_get<numbers>};
const model::program p40{"lifo look: look x get x put", {}, look_before_get<stacked_numbers>};
const model::program p41{"look: look x close, then get", {}, look_while_the_last_goes<numbers>};
const model::program p42{"lifo look: look x close, then get", {}, look_while_the_last_goes<stacked_numbers>};
const model::program p43{"look: look x cancel, then close", {}, look_in_vain<numbers>};
const model::program p44{"lifo look: look x cancel, then close", {}, look_in_vain<stacked_numbers>};
const model::program p45{"look: look x try_get, drained", {}, look_when_drained<numbers>};
const model::program p46{"lifo look: look x try_get, drained", {}, look_when_drained<stacked_numbers>};

}  // namespace
