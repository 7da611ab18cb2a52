// models: queues/weighted_queue.hpp
#include <sluice/model/program.hpp>
#include <sluice/queues/weighted_queue.hpp>

#include "model_payload.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

using core = weighted_core<payload>;

struct state {
  std::unique_ptr<core> items = std::make_unique<core>(std::size_t{2}, "model");
  thread_context one;
  thread_context two;
  thread_context three;
  int got[2]{};
  bool told = false;  // whether the last put that was refused heard why
};

enum outcome { refused = -1, gave_up = -2, too_heavy = -3 };

int put(state& s, thread_context& context, int value, std::size_t weight) {
  payload item(value);
  try {
    weighted_put_awaiter<payload, payload&> awaiter(*s.items, context, item, weight);
    block_on_awaiter(awaiter, context, time_point::max());
    return value;
  } catch (const queue_closed& error) {
    model::check(item.value() == value, "A put that failed left the value.");
    s.told = error.cause() != nullptr;
    return refused;
  } catch (const cancelled&) {
    model::check(item.value() == value, "A put that failed left the value.");
    return gave_up;
  } catch (const std::invalid_argument&) {
    model::check(item.value() == value, "A put that failed left the value.");
    return too_heavy;
  }
}

int get(state& s, thread_context& context) {
  weighted_get_awaiter<payload, std::optional<payload>> awaiter(*s.items, context);
  const auto item = block_on_awaiter(awaiter, context, time_point::max());
  return item ? item->value() : refused;
}

// Two puts that do not fit together, and who gets both.
void room_comes_back(model::run& r) {
  auto& s = r.make<state>();
  r.thread("putter 1", [&s] { model::check(put(s, s.one, 1, 2) == 1, "There is room at last."); });
  r.thread("putter 2", [&s] { model::check(put(s, s.two, 2, 1) == 2, "There is room at last."); });
  r.thread("getter", [&s] {
    thread_context own;
    s.got[0] = get(s, s.three) + get(s, own);
  });
  r.finally([&s] {
    model::check(s.got[0] == 3, "Each item is delivered once.");
    model::check(s.items->room().available() == 2, "All room is free.");
  });
}

// A put that waits for room beside a close and a get: in, and then got; or refused.
void closed(model::run& r) {
  auto& s = r.make<state>();
  model::check(put(s, s.one, 1, 2) == 1, "There is room.");
  r.thread("putter", [&s] { s.got[0] = put(s, s.two, 2, 1); });
  r.thread("closer", [&s] { s.items->close(); });
  r.thread("getter", [&s] {
    for (;;) {
      thread_context own;
      const int item = get(s, own);
      if (item == refused) return;
      s.got[1] += item;
    }
  });
  r.finally([&s] { model::check(s.got[1] == (s.got[0] == 2 ? 3 : 1), "What was put is got."); });
}

void cancelled_put(model::run& r) {
  auto& s = r.make<state>();
  model::check(put(s, s.one, 1, 2) == 1, "There is room.");
  r.thread("putter", [&s] { s.got[0] = put(s, s.two, 2, 2); });
  r.thread("canceller", [&s] { s.two.cancel(); });
  r.thread("getter", [&s] { model::check(get(s, s.three) == 1, "The first item."); });
  r.finally([&s] { model::check(s.items->room().available() == (s.got[0] == 2 ? 0U : 2U), "No room is lost."); });
}

// The capacity shrinks below what a put that waits weighs: it is refused when its turn comes, and who is behind it has room.
void shrinks(model::run& r) {
  auto& s = r.make<state>();
  model::check(put(s, s.one, 1, 2) == 1, "There is room.");
  r.thread("putter", [&s] { s.got[0] = put(s, s.two, 2, 2); });
  r.thread("owner", [&s] {
    s.items->room().resize(1);
    thread_context own;
    model::check(put(s, own, 4, 1) == 4, "There is room at last.");
  });
  r.thread("getter", [&s] {
    thread_context own;
    s.got[1] = get(s, s.three) + get(s, own);
  });
  r.finally([&s] { model::check(s.got[1] == (s.got[0] == 2 ? 3 : 5), "In, or refused."); });
}

// A put that is about to wait, or waits for room, hears of a close, though no room comes.
void heard_by_a_put(model::run& r) {
  auto& s = r.make<state>();
  model::check(put(s, s.one, 1, 2) == 1, "There is room.");
  r.thread("putter", [&s] {
    model::check(put(s, s.two, 2, 1) == refused, "There is no room.");
    model::check(s.told, "It says why.");
  });
  r.thread("closer", [&s] {
    s.items->items().give_cause(std::make_exception_ptr(1));
    s.items->close();
  });
  r.finally([&s] {
    model::check(s.items->room().out() == 2, "What is queued weighs what it did.");
    model::check(put(s, s.three, 4, 1) == refused && s.items->room().out() == 2, "It stays closed.");
  });
}

// Two change the capacity: what is said is what there is.
void two_capacities(model::run& r) {
  auto& s = r.make<state>();
  r.thread("five", [&s] { s.items->room().resize(5); });
  r.thread("seven", [&s] { s.items->room().resize(7); });
  r.thread("closer", [&s] { s.items->close(); });
  r.finally([&s] {
    model::check(s.items->capacity() == 5 || s.items->capacity() == 7, "One of them was last.");
    model::check(s.items->room().available() == s.items->capacity(), "It is empty.");
    model::check(put(s, s.one, 1, 1) == refused, "It stays closed.");
  });
}

void woken_getter_destroys(model::run& r) {
  auto& s = r.make<state>();
  r.thread("putter", [&s] { model::check(put(s, s.one, 1, 2) == 1, "There is room."); });
  r.thread("getter", [&s] {
    model::check(get(s, s.two) == 1, "The item.");
    s.items.reset();
  });
}

// The same by the face that the user sees.
void face(model::run& r) {
  auto& items = r.make<weighted_queue<payload>>(
      std::size_t{2}, [](const payload& item) { return static_cast<std::size_t>(item.value()); });
  auto& sum = r.make<int>(0);
  r.thread("putter", [&items] {
    model::check(items.try_put(payload(1)), "There is room.");
    items.blocking_put(payload(2));
    items.close();
    try {
      (void)items.try_put(payload(1));
      model::check(false, "It is closed.");
    } catch (const queue_closed&) {
    }
  });
  r.thread("getter", [&items, &sum] {
    for (payload& item : items.blocking_items()) {
      sum += item.value();
      items.task_done();
    }
    items.blocking_join();
    model::check(sum == 3 && items.close_now().empty() && items.weight() == 0, "Everything that was put is got.");
  });
}

const model::program p01{"weight: put x close", {}, heard_by_a_put};
const model::program p02{"weight: two puts that do not fit together", {}, room_comes_back};
const model::program p03{"weight: put x close x get", {}, closed};
const model::program p04{"weight: a put is cancelled", {}, cancelled_put};
const model::program p05{"weight: the capacity shrinks below a waiting put", {}, shrinks};
const model::program p06{"weight: two capacities x close", {}, two_capacities};
const model::program p07{"weight: put x get by the face", {}, face};
const model::program p08{"weight: the getter destroys the queue", {}, woken_getter_destroys};

}  // namespace
