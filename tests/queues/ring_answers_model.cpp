// models: queues/ring.hpp
// What the flag ring says of itself: full, empty and a size are true at some moment, also for steps of several items and for those of the
// runner; who meets a frozen word is told so; and who holds an old word while items move looks at no cell that is not there.
#include <sluice/model/program.hpp>

#include "model_ring.hpp"

#include <cstddef>
#include <optional>

namespace {

using namespace sluice::impl;
using namespace sluice::test;
using state = ring_state;

// One item by the steps for several.
item_batch put_one(state& s, int value) {
  payload item(value);
  return s.items.try_push_many(&item, 1);
}
item_batch get_one(state& s) {
  payload out(0);
  return s.items.try_pop_many(&out, 1);
}

void put_many(state& s, int value) { model::check(put_one(s, value).status == item_status::done, "There is room."); }
void get_many(state& s) { model::check(get_one(s).status == item_status::done, "There is an item."); }

// A ring that never held more than it might is not full, and one that always holds an item is not empty.
auto full_is_exact(int laps) {
  return [=](model::run& r) {
    auto& s = r.make<state>(std::size_t{2});
    r.thread("putter and getter", [=, &s] {
      for (int i = 0; i < laps; ++i) {
        put_many(s, 1);
        get_many(s);
      }
      put_many(s, 1);
    });
    r.thread("putter", [&s] { model::check(put_one(s, 2).moved == 1, "A ring with room for one more is not full."); });
  };
}

auto empty_is_exact(int laps) {
  return [=](model::run& r) {
    auto& s = r.make<state>(std::size_t{2});
    put(s, 1);
    r.thread("putter and getter", [=, &s] {
      for (int i = 0; i < laps; ++i) {
        put_many(s, 2);
        get_many(s);
      }
    });
    r.thread("getter", [&s] { model::check(get_one(s).moved == 1, "A ring that always holds an item is not empty."); });
  };
}

// The same of what the runner puts, while nobody waits longer than it takes.
void full_is_exact_beside_the_runner(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  r.thread("runner and getter", [&s] {
    for (int i = 0; i < 2; ++i) {
      payload item(1);
      s.items.freeze_tail();
      while (!s.items.is_back_free()) yield_thread();
      model::check(s.items.push_back(item, true), "It is open.");
      (void)get(s);
    }
  });
  r.thread("putter", [&s] {
    item_batch step = put_one(s, 2);
    while (step.status == item_status::frozen) {
      yield_thread();
      step = put_one(s, 2);
    }
    model::check(step.moved == 1, "A ring with room for one more is not full.");
  });
}

// A step that moves nothing says why.
void nothing_has_a_reason(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  r.thread("putter", [&s] {
    for (int i = 0; i < 3; ++i) {
      const item_batch step = put_one(s, 1);
      model::check(step.moved == 1 || step.status == item_status::nothing, "It was put, or the ring is full.");
    }
  });
  r.thread("getter", [&s] {
    for (int i = 0; i < 2; ++i) {
      const item_batch step = get_one(s);
      model::check(step.moved == 1 || step.status == item_status::nothing, "It was got, or the ring is empty.");
    }
  });
}

// The size is one that it had, however its ends are advanced. `lap` puts an item and gets it.
template <class Lap>
auto size_is_exact(Lap lap) {
  return [=](model::run& r) {
    auto& s = r.make<state>(std::size_t{2});
    r.thread("putter and getter", [=, &s] {
      for (int i = 0; i < 2; ++i) lap(s);
    });
    r.thread("asks", [&s] { model::check(s.items.size() <= 1, "It never held two."); });
  };
}

void single_lap(state& s) {
  put(s, 1);
  get(s);
}
void many_lap(state& s) {
  put_many(s, 1);
  get_many(s);
}
void runner_lap(state& s) {
  payload item(1);
  s.items.freeze_tail();
  model::check(s.items.is_back_free() && s.items.push_back(item, true), "There is room.");
  s.items.freeze_head();
  model::check(s.items.front() != nullptr, "There is an item.");
  std::optional<payload> taken;
  s.items.pop_front(taken, true);
}
void passing_lap(state& s) {
  model::check(s.items.pass_tail(), "It is open.");
  s.items.pass_head();
}

// Waiters come first: who meets a frozen word is told so, and does not wait for its end.
template <std::size_t Capacity>
void frozen_is_said(model::run& r) {
  auto& s = r.make<state>(Capacity);
  put(s, 1);
  s.items.freeze_tail();
  s.items.freeze_head();
  r.thread("tries", [&s] {
    payload item(2);
    model::check(s.items.try_push(item) == item_status::frozen && item.value() == 2, "Putters wait.");
    model::check(put_one(s, 2).status == item_status::frozen, "Putters wait.");
    model::check(s.items.try_pop([](payload&&) {}) == item_status::frozen, "Getters wait.");
    model::check(get_one(s).status == item_status::frozen, "Getters wait.");
  });
}

// Two have gone, so the next index lies behind the end of the old array: who has read the old word meets the old cells and
// the old mask, or the new cells.
template <class Act>
auto old_word_beside_a_move(Act act) {
  return [=](model::run& r) {
    auto& s = r.make<state>(std::size_t{2});
    for (int i = 0; i < 2; ++i) single_lap(s);
    r.thread("putter and getter", [=, &s] { act(s); });
    r.thread("runner", [&s] { model::check(s.items.resize(4), "There is memory."); });
  };
}

const model::program p01{"ring: full is exact for several, one lap", {}, full_is_exact(1)};
const model::program p02{"ring: full is exact for several, two laps", {}, full_is_exact(2)};
const model::program p16{"ring: full is exact beside the runner", {}, full_is_exact_beside_the_runner};
const model::program p03{"ring: empty is exact for several, one lap", {}, empty_is_exact(1)};
const model::program p04{"ring: empty is exact for several, two laps", {}, empty_is_exact(2)};
const model::program p05{"ring: nothing has a reason", {}, nothing_has_a_reason};
const model::program p06{"ring: size is exact", {}, size_is_exact(single_lap)};
const model::program p07{"ring: size is exact beside several", {}, size_is_exact(many_lap)};
const model::program p08{"ring: size is exact beside the runner", {}, size_is_exact(runner_lap)};
const model::program p09{"ring: size is exact beside a hand-over", {}, size_is_exact(passing_lap)};
const model::program p10{"ring: frozen is said", {}, frozen_is_said<2>};
const model::program p15{"ring: frozen is said, with a hint", {}, frozen_is_said<3>};
const model::program p13{"ring: an old word beside a move", {}, old_word_beside_a_move(single_lap)};
const model::program p14{"ring: an old word beside a move, several", {}, old_word_beside_a_move(many_lap)};

}  // namespace
