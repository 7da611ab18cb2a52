#pragma once
// What the models of the queue share: a queue with contexts for its waits, and its waits as plain threads do them. Each context
// may be cancelled by others, which takes the same path as a coroutine's.

#include <sluice/model/program.hpp>
#include <sluice/queues/lifo_queue.hpp>
#include <sluice/queues/queue.hpp>
#include <sluice/queues/spsc_queue.hpp>

#include "model_payload.hpp"

#include <chrono>
#include <memory>

namespace sluice::test {

using namespace sluice::impl;

using model_core = queue_core<payload, ring<payload>>;
using lifo_core = queue_core<payload, stack<payload>>;
using spsc_core = queue_core<payload, spsc_ring<payload>>;

inline constexpr int was_cancelled = -10;
inline constexpr int was_closed = -11;

template <class Core>
struct state_of {
  using core = Core;

  explicit state_of(std::size_t capacity) : state_of(queue_kind::bounded, capacity) {}
  state_of(queue_kind kind, std::size_t capacity) : items(std::make_unique<core>(kind, capacity, "model")) {}

  std::unique_ptr<core> items;
  thread_context one;
  thread_context two;
  thread_context three;
  int got[3]{};
};
using queue_state = state_of<model_core>;
using lifo_state = state_of<lifo_core>;

template <class Awaiter>
decltype(auto) wait(Awaiter& awaiter, thread_context& context) {
  return block_on_awaiter(awaiter, context, time_point::max());
}

template <class Core>
int get(state_of<Core>& s, thread_context& context) {
  try {
    get_awaiter<Core, payload> awaiter(*s.items, context);
    return wait(awaiter, context).value();
  } catch (const cancelled&) {
    return was_cancelled;
  } catch (const queue_closed&) {
    return was_closed;
  }
}

// The value, if the queue took it.
template <class Core>
int put(state_of<Core>& s, thread_context& context, int value) {
  payload item(value);
  try {
    put_awaiter<Core> awaiter(*s.items, context, item);
    wait(awaiter, context);
    model::check(item.value() == -1, "A put that succeeded took the value.");
    return value;
  } catch (const cancelled&) {
    model::check(item.value() == value, "A cancelled put left the value in the caller's object.");
    return was_cancelled;
  } catch (const queue_closed&) {
    model::check(item.value() == value, "A put into a closed queue left the value in the caller's object.");
    return was_closed;
  }
}

template <class Core>
int drain(state_of<Core>& s) {
  int sum = 0;
  const auto take = [&](payload&& item) { sum += payload(std::move(item)).value(); };
  for (;;) {
    const item_status status = s.items->try_get(take);
    if (status != item_status::done && status != item_status::done_kick) return sum;
  }
}

template <class Core>
void join(state_of<Core>& s, thread_context& context) {
  join_awaiter<Core> awaiter(*s.items, context);
  wait(awaiter, context);
}

// The waits again, but they give up: at any moment, as far as a model is concerned.
template <class Wait>
bool in_time(Wait&& wait_until) {
  try {
    wait_until(now() + std::chrono::seconds(1));
    return true;
  } catch (const timed_out&) {
    return false;
  }
}

template <class Core>
bool get_in_time(Core& items) {
  thread_context context;
  get_awaiter<Core, payload> awaiter(items, context);
  return in_time([&](time_point deadline) { block_on_awaiter(awaiter, context, deadline); });
}

template <class Core>
bool put_in_time(Core& items, int value) {
  thread_context context;
  payload item(value);
  put_awaiter<Core> awaiter(items, context, item);
  return in_time([&](time_point deadline) { block_on_awaiter(awaiter, context, deadline); });
}

template <class Core>
bool join_in_time(Core& items) {
  thread_context context;
  join_awaiter<Core> awaiter(items, context);
  return in_time([&](time_point deadline) { block_on_awaiter(awaiter, context, deadline); });
}

template <class Core>
void put_now(Core& items, int value) {
  payload item(value);
  const item_status status = items.try_put(item);
  model::check(status == item_status::done || status == item_status::done_kick, "There is room.");
}

}  // namespace sluice::test
