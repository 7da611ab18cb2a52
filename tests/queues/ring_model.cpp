// The flag ring: items and order, at the smallest capacities, with laps; from capacity 3 on, with hints.
#include <sluice/model/program.hpp>

#include "model_ring.hpp"

#include <optional>

namespace {

using namespace sluice::impl;
using namespace sluice::test;
using state = ring_state;

// One putter and one getter: the order is kept; the second item laps a ring of capacity 1.
auto one_to_one(std::size_t capacity, int items) {
  return [=](model::run& r) {
    auto& s = r.make<state>(capacity);
    r.thread("putter", [=, &s] {
      for (int i = 1; i <= items; ++i) put(s, i);
    });
    r.thread("getter", [=, &s] {
      for (int i = 1; i <= items; ++i) model::check(get(s) == i, "Items leave in the order in which they were put.");
    });
  };
}

auto two_to_one(std::size_t capacity) {
  return [=](model::run& r) {
    auto& s = r.make<state>(capacity);
    r.thread("putter 1", [&s] { put(s, 1); });
    r.thread("putter 2", [&s] { put(s, 2); });
    r.thread("getter", [&s] { s.sum[0] = get(s) + get(s); });
    r.finally([&s] { model::check(s.sum[0] == 3, "Each item is delivered once."); });
  };
}

auto one_to_two(std::size_t capacity) {
  return [=](model::run& r) {
    auto& s = r.make<state>(capacity);
    r.thread("putter", [&s] {
      put(s, 1);
      put(s, 2);
    });
    r.thread("getter 1", [&s] { s.sum[0] = get(s); });
    r.thread("getter 2", [&s] { s.sum[1] = get(s); });
    r.finally([&s] { model::check(s.sum[0] + s.sum[1] == 3, "Each item is delivered once."); });
  };
}

// "Empty" is exact: once a put has returned, its own thread never finds the ring empty while nobody else gets.
auto empty_is_exact(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  r.thread("putter", [&s] { put(s, 1); });
  r.thread("putter and getter", [&s] {
    put(s, 2);
    const item_status status = s.items.try_pop([](payload&&) {});
    model::check(status == item_status::done, "A ring into which this thread has put is not empty.");
  });
}

// The same for a getter that only heard of the first put: there is always one item.
auto empty_is_exact_for_others(int laps, std::size_t capacity = 2) {
  return [=](model::run& r) {
    auto& s = r.make<state>(capacity);
    auto& there = r.make<atomic<bool>>();
    r.thread("putter", [=, &s, &there] {
      put(s, 1);
      there.store(true, release);  // M1 publish
      for (int i = 0; i < laps; ++i) {
        put(s, 2);
        get(s);
      }
    });
    r.thread("getter", [&s, &there] {
      while (!there.load(acquire)) yield_thread();  // M1 observe
      const item_status status = s.items.try_pop([](payload&&) {});
      model::check(status == item_status::done, "A ring that always holds an item is not empty.");
    });
  };
}

// "Full" is exact: a ring that never held more than it might is not full, however old the indices are that a putter reads.
auto full_is_exact(int laps, std::size_t capacity = 2) {
  return [=](model::run& r) {
    auto& s = r.make<state>(capacity);
    for (std::size_t i = 2; i < capacity; ++i) put(s, 0);
    r.thread("putter and getter", [=, &s] {
      for (int i = 0; i < laps; ++i) {
        put(s, 1);
        get(s);
      }
      put(s, 1);
    });
    r.thread("putter", [&s] {
      payload item(2);
      model::check(s.items.try_push(item) == item_status::done, "A ring with room for one more is not full.");
    });
  };
}

auto size_is_possible(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  r.thread("putter and getter", [&s] {
    put(s, 1);
    get(s);
  });
  r.thread("asks", [&s] { model::check(s.items.size() <= 1, "It never held two."); });
}

// A cell that the runner emptied: a putter may hear of it by head_seen_ alone, from another one.
void runner_pops(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  put(s, 1);
  put(s, 2);
  r.thread("runner", [&s] {
    s.items.freeze_head();
    std::optional<payload> taken;
    s.items.pop_front(taken, true);
    model::check(payload(std::move(*taken)).value() == 1, "The first item comes first.");
  });
  for (int i = 0; i < 2; ++i) {
    r.thread(i == 0 ? "putter 1" : "putter 2", [=, &s] {
      payload item(4);
      s.sum[i] = s.items.try_push(item) == item_status::done ? 4 : 0;
    });
  }
  r.finally([&s] {
    int left = 0;
    while (s.items.try_pop([&](payload&& item) { left += payload(std::move(item)).value(); }) == item_status::done) {
    }
    model::check(left == 2 + s.sum[0] + s.sum[1] && left <= 6, "There was room for one of them.");
  });
}

// A put races with close: accepted and delivered, or refused.
template <std::size_t Capacity>
void close_or_put(model::run& r) {
  auto& s = r.make<state>(Capacity);
  r.thread("putter", [&s] {
    payload item(1);
    s.sum[0] = s.items.try_push(item) == item_status::done ? 1 : 0;
    model::check((item.value() == -1) == (s.sum[0] == 1), "A refused item stays where it was.");
  });
  r.thread("closer", [&s] {
    s.items.close();
    while (s.items.try_pop([&s](payload&& item) { s.sum[1] += item.value(); }) != item_status::closed) yield_thread();
  });
  r.finally([&s] { model::check(s.sum[0] == s.sum[1], "What was accepted before close is delivered."); });
}

const model::program p1{"ring: 1 to 1, capacity 1, 3 items", {}, one_to_one(1, 3)};
const model::program p2{"ring: 1 to 1, capacity 2, 4 items", {}, one_to_one(2, 4)};
const model::program p3{"ring: 1 to 1, capacity 3, 4 items", {}, one_to_one(3, 4)};
const model::program p4{"ring: 2 to 1, capacity 1", {}, two_to_one(1)};
const model::program p5{"ring: 2 to 1, capacity 2", {}, two_to_one(2)};
const model::program p6{"ring: 1 to 2, capacity 1", {}, one_to_two(1)};
const model::program p7{"ring: 1 to 2, capacity 2", {}, one_to_two(2)};
const model::program p8{"ring: empty is exact", {}, empty_is_exact};
const model::program p9{"ring: close or put", {}, close_or_put<1>};
const model::program p19{"ring: close or put, with a hint", {}, close_or_put<3>};
const model::program p10{"ring: empty is exact for others, one lap", {}, empty_is_exact_for_others(1)};
const model::program p14{"ring: empty is exact for others, two laps", {}, empty_is_exact_for_others(2)};
const model::program p20{"ring: empty is exact for others, with a hint", {}, empty_is_exact_for_others(2, 3)};
const model::program p21{"ring: full is exact, two laps with a hint", {}, full_is_exact(2, 3)};
const model::program p15{"ring: full is exact, three laps", {}, full_is_exact(3)};
const model::program p18{"ring: the runner pops x two puts", {}, runner_pops};
const model::program p16{"ring: 2 to 1, capacity 3", {}, two_to_one(3)};
const model::program p17{"ring: 1 to 2, capacity 3", {}, one_to_two(3)};
const model::program p11{"ring: full is exact, one lap", {}, full_is_exact(1)};
const model::program p12{"ring: full is exact, two laps", {}, full_is_exact(2)};
const model::program p13{"ring: size is possible", {}, size_is_possible};

}  // namespace
