// models: queues/ring.hpp queues/stack.hpp queues/spsc_ring.hpp
// What the stores say of themselves, of which ring_answers_model.cpp has more for the ring: who meets a frozen or a closed word is told so,
// full and empty are true at some moment, nothing gets in behind a close, and every put counts.
#include <sluice/model/program.hpp>
#include <sluice/queues/ring.hpp>
#include <sluice/queues/spsc_ring.hpp>
#include <sluice/queues/stack.hpp>

#include "model_payload.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace {

using namespace sluice::impl;
using namespace sluice::test;

template <class Store>
struct state {
  explicit state(std::size_t capacity) : items(capacity) {}
  Store items;
  int sum[2]{};
};

using fifo = ring<payload>;
using lifo = stack<payload>;
using spsc = spsc_ring<payload>;

template <class Store>
item_status push_one(state<Store>& s) {
  payload item(1);
  const item_status status = s.items.try_push(item);
  model::check(is_done(status) == (item.value() == -1), "Just what was put was moved from.");
  return status;
}
template <class Store>
item_batch push_some(state<Store>& s) {
  payload item(1);
  const item_batch step = s.items.try_push_many(&item, 1);
  model::check((step.moved == 1) == (item.value() == -1), "Just what was put was moved from.");
  return step;
}
template <class Store>
item_status pop_one(state<Store>& s) {
  return s.items.try_pop([](payload&& item) { (void)payload(std::move(item)); });
}
template <class Store>
item_batch pop_some(state<Store>& s) {
  payload out(0);
  return s.items.try_pop_many(&out, 1);
}

template <class Store>
void frozen_is_said(model::run& r) {
  auto& s = r.make<state<Store>>(std::size_t{2});
  model::check(is_done(push_one(s)), "There is room.");
  s.items.freeze_tail();
  s.items.freeze_head();
  r.thread("tries", [&s] {
    model::check(push_one(s) == item_status::frozen, "Putters wait.");
    model::check(push_some(s).status == item_status::frozen, "Putters wait.");
    model::check(pop_one(s) == item_status::frozen, "Getters wait.");
    model::check(pop_some(s).status == item_status::frozen, "Getters wait.");
    s.items.thaw_tail();
    s.items.thaw_head();
    model::check(is_done(push_one(s)) && is_done(pop_one(s)), "Nobody waits any more.");
  });
}

template <class Store>
void closed_is_said(model::run& r) {
  auto& s = r.make<state<Store>>(std::size_t{2});
  model::check(is_done(push_one(s)), "There is room.");
  r.thread("closes", [&s] {
    model::check(s.items.close().first && !s.items.close().first, "The first one closes it.");
    model::check(push_one(s) == item_status::closed, "It is closed.");
    model::check(push_some(s).status == item_status::closed, "It is closed.");
    model::check(!s.items.confirm_open() && !s.items.pass_tail(), "It is closed.");
    payload item(1);
    s.items.freeze_tail();
    model::check(!s.items.push_back(item, false) && item.value() == 1, "It is closed.");
    model::check(s.items.push_back(item, false, true) && s.items.size() == 2, "It was reserved.");
    model::check(pop_some(s).moved == 1 && is_done(pop_one(s)), "Both are there.");
    model::check(pop_one(s) == item_status::closed && pop_some(s).moved == 0, "It is drained.");
  });
}

// Several at a time too: a step that moves nothing says why.
template <class Store>
void nothing_has_a_reason(model::run& r) {
  auto& s = r.make<state<Store>>(std::size_t{2});
  r.thread("putter", [&s] {
    for (int i = 0; i < 3; ++i) {
      const item_batch step = push_some(s);
      model::check(step.moved == 1 || step.status == item_status::nothing, "It was put, or it is full.");
    }
  });
  r.thread("getter", [&s] {
    for (int i = 0; i < 2; ++i) {
      const item_batch step = pop_some(s);
      model::check(step.moved == 1 || step.status == item_status::nothing, "It was got, or it is empty.");
    }
  });
}

// One that never held more than it might is not full, and one that always holds an item is not empty.
void full_and_empty_are_exact(model::run& r) {
  auto& s = r.make<state<lifo>>(std::size_t{3});
  model::check(is_done(push_one(s)), "There is room.");
  r.thread("putter and getter", [&s] {
    model::check(push_some(s).moved == 1, "There is room.");
    model::check(pop_some(s).moved == 1, "There is an item.");
  });
  r.thread("putter", [&s] { model::check(push_some(s).moved == 1, "There is room."); });
  r.thread("getter", [&s] { model::check(pop_some(s).moved == 1, "There is an item."); });
}

// What the runner puts is not put behind a close: who has heard that all is drained has got it.
template <class Store, class Put>
auto runner_puts_or_close(Put runner_put) {
  return [=](model::run& r) {
    auto& s = r.make<state<Store>>(std::size_t{2});
    s.items.freeze_tail();
    r.thread("runner", [=, &s] { s.sum[0] = runner_put(s) ? 1 : 0; });
    r.thread("closer", [&s] {
      s.items.close();
      s.sum[1] = static_cast<int>(s.items.tail());
    });
    r.finally([&s] { model::check(s.items.tail() <= 1 && s.sum[1] >= s.sum[0], "Nothing comes after that."); });
  };
}
template <class Store>
bool push_back(state<Store>& s) {  // tail is frozen
  payload item(1);
  return s.items.push_back(item, true);
}

template <class Store>
bool hand_over(state<Store>& s) {
  if (!s.items.pass_tail()) return false;
  s.items.pass_head();
  return true;
}

// The number of puts has 3 bits in a model: it comes round several times.
void every_put_counts(model::run& r) {
  auto& s = r.make<state<lifo>>(std::size_t{1});
  r.thread("putter and getter", [&s] {
    std::uint64_t puts = 0;
    for (int lap = 0; lap < 5; ++lap) {
      for (int way = 0; way < 4; ++way) {
        for (int i = 0; i < 4; ++i) {
          bool done = true;
          if (way == 0) done = is_done(push_one(s));
          if (way == 1) done = push_some(s).moved == 1;
          if (way == 2) s.items.freeze_tail();
          if (way == 2) done = push_back(s);
          if (way == 3) done = s.items.pass_tail();
          if (way != 3) done = done && is_done(pop_one(s));
          model::check(done && s.items.tail() == ++puts, "Each put counts.");
        }
      }
    }
  });
}

const model::program p01{"stack: frozen is said", {}, frozen_is_said<lifo>};
const model::program p02{"spsc ring: frozen is said", {}, frozen_is_said<spsc>};
const model::program p03{"stack: closed is said", {}, closed_is_said<lifo>};
const model::program p04{"spsc ring: closed is said", {}, closed_is_said<spsc>};
const model::program p05{"stack: nothing has a reason", {}, nothing_has_a_reason<lifo>};
const model::program p06{"spsc ring: nothing has a reason", {}, nothing_has_a_reason<spsc>};
const model::program p07{"stack: full and empty are exact", {}, full_and_empty_are_exact};
const model::program p08{"stack: the runner puts or close", {}, runner_puts_or_close<lifo>(push_back<lifo>)};
const model::program p09{"spsc ring: the runner puts or close", {}, runner_puts_or_close<spsc>(push_back<spsc>)};
const model::program p10{"stack: a hand-over or close", {}, runner_puts_or_close<lifo>(hand_over<lifo>)};
const model::program p12{"ring: the runner puts or close", {}, runner_puts_or_close<fifo>(push_back<fifo>)};
const model::program p13{"ring: a hand-over or close", {}, runner_puts_or_close<fifo>(hand_over<fifo>)};
const model::program p11{"stack: every put counts", {}, every_put_counts};

}  // namespace
