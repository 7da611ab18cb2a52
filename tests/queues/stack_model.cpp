// models: queues/stack.hpp queues/lifo_queue.hpp
// The flag stack, alone and as the store of a queue. In a model its number of puts has 3 bits, so that it comes round.
#include <sluice/model/program.hpp>
#include <sluice/queues/stack.hpp>

#include "model_payload.hpp"
#include "model_queue.hpp"

#include <optional>
#include <vector>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

struct stack_state {
  explicit stack_state(std::size_t capacity) : items(capacity) {}
  stack<payload> items;
  int sum[2]{};
};

void push(stack_state& s, int value) {
  payload item(value);
  while (s.items.try_push(item) != item_status::done) yield_thread();
}

int pop(stack_state& s) {
  int value = 0;
  while (s.items.try_pop([&](payload&& item) { value = payload(std::move(item)).value(); }) != item_status::done) {
    yield_thread();
  }
  return value;
}

// ------------------------------------------------------------------------------------------ alone

auto two_to_one(std::size_t capacity) {
  return [=](model::run& r) {
    auto& s = r.make<stack_state>(capacity);
    r.thread("pusher 1", [&s] { push(s, 1); });
    r.thread("pusher 2", [&s] { push(s, 2); });
    r.thread("popper", [&s] { s.sum[0] = pop(s) + pop(s); });
    r.finally([&s] { model::check(s.sum[0] == 3 && s.items.size() == 0, "Each item is delivered once."); });
  };
}

// The same depth again, but another item: a pop that looked before must not take it for the first one.
auto pops_and_pushes(std::size_t capacity) {
  return [=](model::run& r) {
    auto& s = r.make<stack_state>(capacity);
    push(s, 1);
    r.thread("popper and pusher", [&s] {
      (void)s.items.try_pop([&s](payload&& item) { s.sum[0] = payload(std::move(item)).value(); });
      push(s, 2);
    });
    r.thread("popper", [&s] { s.sum[1] = pop(s); });
    r.finally([&s] {
      const int left = s.items.size() == 0 ? 0 : pop(s);
      model::check(s.sum[0] + s.sum[1] + left == 3 && s.sum[1] != 0, "Each item is delivered once.");
    });
  };
}

void newest_first(model::run& r) {
  auto& s = r.make<stack_state>(std::size_t{2});
  r.thread("pusher", [&s] {
    push(s, 1);
    push(s, 2);
  });
  r.thread("popper", [&s] {
    const int first = pop(s);
    s.sum[0] = first;
    s.sum[1] = pop(s);
  });
  r.finally([&s] { model::check(s.sum[0] + s.sum[1] == 3, "Each item is delivered once."); });
}

void batches(model::run& r) {
  auto& s = r.make<stack_state>(std::size_t{3});
  push(s, 1);
  r.thread("pusher", [&s] {
    payload items[2] = {payload(2), payload(4)};
    std::size_t moved = 0;
    while (moved < 2) {
      moved += s.items.try_push_many(items + moved, 2 - moved).moved;
      yield_thread();
    }
  });
  for (int i = 0; i < 2; ++i) {
    r.thread(i == 0 ? "popper 1" : "popper 2", [&s, i] {
      payload out[2] = {payload(0), payload(0)};
      while (s.items.try_pop_many(out, 2).moved == 0) yield_thread();
      s.sum[i] = out[0].value() + out[1].value();
    });
  }
  r.finally([&s] {
    int left = 0;
    while (s.items.size() != 0) left += pop(s);
    model::check(s.sum[0] + s.sum[1] + left == 7, "Each item is delivered once.");
  });
}

// The number of puts, while its highest bit changes under who looks.
void count_comes_round(model::run& r) {
  auto& s = r.make<stack_state>(std::size_t{1});
  for (int i = 0; i < 3; ++i) {
    push(s, 1);
    pop(s);
  }
  r.thread("pusher", [&s] { push(s, 1); });
  r.thread("popper and pusher", [&s] {
    pop(s);
    push(s, 1);
  });
  r.thread("looker", [&s] {
    const std::uint64_t first = s.items.tail();
    const std::uint64_t second = s.items.tail();
    model::check(first >= 3 && first <= second && second <= 5, "The number of puts only grows.");
  });
  r.finally([&s] { model::check(s.items.tail() == 5, "Each put counts."); });
}

void runner_pops(model::run& r) {
  auto& s = r.make<stack_state>(std::size_t{3});
  push(s, 1);
  push(s, 4);
  r.thread("runner", [&s] {
    s.items.freeze_head();
    std::optional<payload> taken;
    s.items.pop_front(taken, true);
    s.sum[0] = payload(std::move(*taken)).value();
  });
  r.thread("pusher", [&s] { push(s, 2); });
  r.thread("popper", [&s] {
    const item_status status = s.items.try_pop([&](payload&& item) { s.sum[1] = payload(std::move(item)).value(); });
    model::check((status == item_status::done) == (s.sum[1] != 0), "It has what it says.");
  });
  r.finally([&s] {
    int left = 0;
    while (s.items.size() != 0) left += pop(s);
    model::check(s.sum[0] != 0 && s.sum[0] + s.sum[1] + left == 7, "Each item is delivered once.");
  });
}

void runner_pushes(model::run& r) {
  auto& s = r.make<stack_state>(std::size_t{2});
  push(s, 1);
  r.thread("runner", [&s] {
    s.items.freeze_tail();
    payload item(2);
    model::check(s.items.is_back_free() && s.items.push_back(item, true), "There is room, and it is open.");
  });
  r.thread("popper", [&s] { s.sum[0] = pop(s) + pop(s); });
  r.finally([&s] { model::check(s.sum[0] == 3, "Each item is delivered once."); });
}

void grows(model::run& r) {
  auto& s = r.make<stack_state>(std::size_t{1});
  push(s, 1);
  r.thread("runner", [&s] { model::check(s.items.resize(3), "There is memory."); });
  r.thread("pusher", [&s] {
    push(s, 2);
    push(s, 4);
  });
  r.thread("popper", [&s] { s.sum[0] = pop(s); });
  r.finally([&s] {
    int left = 0;
    while (s.items.size() != 0) left += pop(s);
    model::check(s.sum[0] + left == 7 && s.items.capacity() == 3, "Each item is delivered once.");
  });
}

// ------------------------------------------------------------------------------------------ under a queue

auto waiting_get(bool cancels) {
  return [=](model::run& r) {
    auto& s = r.make<lifo_state>(std::size_t{1});
    r.thread("getter", [&s] { s.got[0] = get(s, s.one); });
    r.thread("putter", [&s] { put_now(*s.items, 1); });
    if (cancels) r.thread("canceller", [&s] { s.one.cancel(); });
    r.finally([&s] {
      const int left = drain(s);
      model::check(s.got[0] == 1 ? left == 0 : s.got[0] == was_cancelled && left == 1,
                   "Delivered once, or still there.");
    });
  };
}

auto waiting_put(bool cancels) {
  return [=](model::run& r) {
    auto& s = r.make<lifo_state>(std::size_t{1});
    put_now(*s.items, 1);
    r.thread("putter", [&s] { s.got[0] = put(s, s.one, 2); });
    r.thread("getter", [&s] { s.got[1] = get(s, s.two); });
    if (cancels) r.thread("canceller", [&s] { s.one.cancel(); });
    r.finally([&s] {
      const int left = drain(s);
      model::check(s.got[1] + left == (s.got[0] == 2 ? 3 : 1), "Each item is in one place.");
    });
  };
}

// Two getters and two putters on one cell: everybody waits for everybody.
void two_and_two(model::run& r) {
  auto& s = r.make<lifo_state>(std::size_t{1});
  r.thread("putter 1", [&s] { model::check(put(s, s.one, 1) == 1, "It has room at last."); });
  r.thread("putter 2", [&s] {
    thread_context own;
    model::check(put(s, own, 2) == 2, "It has room at last.");
  });
  r.thread("getter", [&s] { s.got[0] = get(s, s.two) + get(s, s.three); });
  r.finally([&s] { model::check(s.got[0] == 3, "Each item is delivered once."); });
}

void drained_is_drained(model::run& r) {
  auto& s = r.make<lifo_state>(std::size_t{1});
  put_now(*s.items, 1);
  r.thread("putter", [&s] { s.got[0] = put(s, s.one, 2); });
  r.thread("closer", [&s] { s.items->close(); });
  r.thread("getter", [&s] {
    for (;;) {
      thread_context own;
      const int item = get(s, own);
      if (item == was_closed) return;
      s.got[1] += item;
    }
  });
  r.finally([&s] {
    model::check(drain(s) == 0, "Nothing comes after that.");
    model::check(s.got[1] == 1 + (s.got[0] == 2 ? 2 : 0), "What was put is got.");
  });
}

void woken_getter_destroys(model::run& r) {
  auto& s = r.make<lifo_state>(std::size_t{1});
  r.thread("getter", [&s] {
    model::check(get(s, s.one) == 1, "The item.");
    s.items.reset();
  });
  r.thread("putter", [items = s.items.get()] { put_now(*items, 1); });
}

void joins(model::run& r) {
  auto& s = r.make<lifo_state>(std::size_t{1});
  put_now(*s.items, 1);
  r.thread("worker", [&s] {
    model::check(get(s, s.one) == 1, "The item.");
    s.items->task_done(1);
  });
  r.thread("joiner", [&s] {
    join(s, s.two);
    model::check(s.items->unfinished() == 0, "Nothing is unfinished.");
  });
}

void meets(model::run& r) {
  auto& s = r.make<lifo_state>(queue_kind::rendezvous, std::size_t{0});
  r.thread("putter", [&s] { model::check(put(s, s.one, 1) == 1, "They meet."); });
  r.thread("getter", [&s] { model::check(get(s, s.two) == 1, "They meet."); });
  r.finally([&s] { model::check(s.items->unfinished() == 1, "It counts."); });
}

const model::program p01{"stack: two pushers, one popper, one cell", {}, two_to_one(1)};
const model::program p02{"stack: two pushers, one popper", {}, two_to_one(2)};
const model::program p03{"stack: the same depth again, one cell", {}, pops_and_pushes(1)};
const model::program p04{"stack: the same depth again", {}, pops_and_pushes(2)};
const model::program p05{"stack: one pusher, one popper", {}, newest_first};
const model::program p06{"stack: batches", {}, batches};
const model::program p07{"stack: the number of puts comes round", {}, count_comes_round};
const model::program p08{"stack: the runner pops while others push", {}, runner_pops};
const model::program p09{"stack: the runner pushes while others pop", {}, runner_pushes};
const model::program p10{"stack: grows while others push and pop", {}, grows};
const model::program p11{"lifo: a waiting get", {}, waiting_get(false)};
const model::program p12{"lifo: a waiting get is cancelled", {}, waiting_get(true)};
const model::program p13{"lifo: a waiting put", {}, waiting_put(false)};
const model::program p14{"lifo: a waiting put is cancelled", {}, waiting_put(true)};
const model::program p15{"lifo: everybody waits", {}, two_and_two};
const model::program p16{"lifo: drained is drained", {}, drained_is_drained};
const model::program p17{"lifo: the woken getter destroys the queue", {}, woken_getter_destroys};
const model::program p18{"lifo: join", {}, joins};
const model::program p19{"lifo: a rendezvous", {}, meets};

}  // namespace
