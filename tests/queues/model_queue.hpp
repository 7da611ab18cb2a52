#pragma once
// What the models of the queue share: a queue with contexts for its waits, and its waits as plain threads do them. Each context
// may be cancelled by others, which takes the same path as a coroutine's.

#include <sluice/model/program.hpp>
#include <sluice/queues/queue.hpp>

#include "model_payload.hpp"

#include <chrono>
#include <memory>

namespace sluice::test {

using namespace sluice::impl;

inline constexpr int was_cancelled = -10;
inline constexpr int was_closed = -11;

struct queue_state {
  explicit queue_state(std::size_t capacity) : queue_state(queue_kind::bounded, capacity) {}
  queue_state(queue_kind kind, std::size_t capacity)
      : items(std::make_unique<queue_core<payload>>(kind, capacity, "model")) {}
  std::unique_ptr<queue_core<payload>> items;
  thread_context one;
  thread_context two;
  thread_context three;
  int got[3]{};
};

template <class Awaiter>
decltype(auto) wait(Awaiter& awaiter, thread_context& context) {
  return block_on_awaiter(awaiter, context, time_point::max());
}

inline int get(queue_state& s, thread_context& context) {
  try {
    get_awaiter<payload, payload> awaiter(*s.items, context);
    return wait(awaiter, context).value();
  } catch (const cancelled&) {
    return was_cancelled;
  } catch (const queue_closed&) {
    return was_closed;
  }
}

// The value, if the queue took it.
inline int put(queue_state& s, thread_context& context, int value) {
  payload item(value);
  try {
    put_awaiter<payload> awaiter(*s.items, context, item);
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

inline int drain(queue_state& s) {
  int sum = 0;
  const auto take = [&](payload&& item) { sum += payload(std::move(item)).value(); };
  for (;;) {
    const ring_status status = s.items->try_get(take);
    if (status != ring_status::done && status != ring_status::done_kick) return sum;
  }
}

inline void join(queue_state& s, thread_context& context) {
  join_awaiter<payload> awaiter(*s.items, context);
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

inline bool get_in_time(queue_core<payload>& items) {
  thread_context context;
  get_awaiter<payload, payload> awaiter(items, context);
  return in_time([&](time_point deadline) { block_on_awaiter(awaiter, context, deadline); });
}

inline bool put_in_time(queue_core<payload>& items, int value) {
  thread_context context;
  payload item(value);
  put_awaiter<payload> awaiter(items, context, item);
  return in_time([&](time_point deadline) { block_on_awaiter(awaiter, context, deadline); });
}

inline bool join_in_time(queue_core<payload>& items) {
  thread_context context;
  join_awaiter<payload> awaiter(items, context);
  return in_time([&](time_point deadline) { block_on_awaiter(awaiter, context, deadline); });
}

inline void put_now(queue_core<payload>& items, int value) {
  payload item(value);
  const ring_status status = items.try_put(item);
  model::check(status == ring_status::done || status == ring_status::done_kick, "There is room.");
}

}  // namespace sluice::test
