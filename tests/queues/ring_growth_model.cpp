// models: queues/ring.hpp
// The flag ring while its items move to a larger array, and operations on several items: claims that meant the older array, cells that are
// still being filled or emptied there, and steps that claim more than one cell.
#include <sluice/model/program.hpp>

#include "model_ring.hpp"

#include <initializer_list>
#include <vector>

namespace {

using namespace sluice::impl;
using namespace sluice::test;
using state = ring_state;

int try_get(state& s) {
  int value = 0;
  (void)s.items.try_pop([&](payload&& item) { value = payload(std::move(item)).value(); });
  return value;
}

// The others wait while items move, and find them where they are then: in order, each once.
auto one_to_one(std::size_t from, std::initializer_list<std::size_t> capacities, int items) {
  return [=, sizes = std::vector<std::size_t>(capacities)](model::run& r) {
    auto& s = r.make<state>(from);
    r.thread("putter", [=, &s] {
      for (int i = 1; i <= items; ++i) put(s, i);
    });
    r.thread("getter", [=, &s] {
      for (int i = 1; i <= items; ++i) model::check(get(s) == i, "Items leave in the order in which they were put.");
    });
    r.thread("runner", [=, &s] {
      for (std::size_t size : sizes) model::check(s.items.resize(size), "There is memory.");
    });
  };
}

// A put that waits for room has it once the ring has grown, without any get.
void room_for_one_more(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  put(s, 1);
  put(s, 2);
  r.thread("putter", [&s] { put(s, 3); });
  r.thread("runner", [&s] { model::check(s.items.resize(3), "There is memory."); });
  r.finally([&s] {
    for (int i = 1; i <= 3; ++i) model::check(try_get(s) == i, "Each item is there, in order.");
    model::check(s.items.capacity() == 3, "It has the new capacity.");
  });
}

// Two gets beside the move: an item that was claimed in the old array is not moved, too.
void gets_while_it_grows(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  put(s, 1);
  put(s, 2);
  for (int i = 0; i < 2; ++i) {
    r.thread(i == 0 ? "getter 1" : "getter 2", [=, &s] { s.sum[i] = try_get(s); });
  }
  r.thread("runner", [&s] { model::check(s.items.resize(4), "There is memory."); });
  r.finally([&s] {
    model::check(s.sum[0] + s.sum[1] == 3, "A ring that holds two is not empty for two.");
    model::check(s.items.size() == 0, "Nothing is left.");
  });
}

// Nobody finds it full or empty because its items move.
void neither_full_nor_empty(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  put(s, 1);
  r.thread("getter", [&s] { model::check(try_get(s) == 1, "It holds an item."); });
  r.thread("putter", [&s] {
    payload item(2);
    model::check(s.items.try_push(item) == item_status::done, "There is room.");
  });
  r.thread("runner", [&s] { model::check(s.items.resize(3), "There is memory."); });
  r.finally([&s] { model::check(try_get(s) == 2, "The other item is there."); });
}

// A ring that is closed while its items move stays closed, and keeps them.
void closed_while_it_grows(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  put(s, 1);
  r.thread("putter", [&s] {
    payload item(2);
    s.sum[0] = s.items.try_push(item) == item_status::done ? 2 : 0;
  });
  r.thread("closer", [&s] { s.items.close(); });
  r.thread("runner", [&s] { model::check(s.items.resize(4), "There is memory."); });
  r.finally([&s] {
    model::check(s.items.is_closed(), "It is closed.");
    model::check(try_get(s) + try_get(s) == 1 + s.sum[0], "What got in is there.");
  });
}

// Shrinking drops nothing, and puts that come later wait.
void shrinks(model::run& r) {
  auto& s = r.make<state>(std::size_t{3});
  put(s, 1);
  put(s, 2);
  r.thread("runner and putter", [&s] {
    model::check(s.items.resize(1), "There is memory.");
    payload item(4);
    model::check(s.items.try_push(item) == item_status::nothing && item.value() == 4, "With one it is still full.");
  });
  r.thread("getter", [&s] { s.sum[0] = try_get(s); });
  r.finally([&s] {
    int left = 0;
    for (int i = 0; i < 3; ++i) left += try_get(s);
    model::check(s.sum[0] == 1 && left == 2, "Each item is there.");
  });
}

// ------------------------------------------------------------------------------------------ several at a time

int put_many(state& s, int first, std::size_t count) {
  payload items[3] = {payload(first), payload(first + 1), payload(first + 2)};
  std::size_t moved = 0;
  while (moved < count) {
    const item_batch step = s.items.try_push_many(items + moved, count - moved);
    for (std::size_t i = moved; i < count; ++i) {
      model::check((items[i].value() == -1) == (i < moved + step.moved), "Just what was put was moved from.");
    }
    moved += step.moved;
    if (step.moved == 0) yield_thread();
  }
  return static_cast<int>(moved);
}

// Both sides move several: in order, each once, at every capacity.
auto many_to_many(std::size_t capacity) {
  return [=](model::run& r) {
    auto& s = r.make<state>(capacity);
    r.thread("putter", [&s] { put_many(s, 1, 3); });
    r.thread("getter", [&s] {
      payload out[2] = {payload(0), payload(0)};
      for (int next = 1; next <= 3;) {
        const item_batch step = s.items.try_pop_many(out, 2);
        for (std::size_t i = 0; i < step.moved; ++i)
          model::check(out[i].value() == next++, "In the order of the puts.");
        if (step.moved == 0) yield_thread();
      }
    });
  };
}

// Several beside single ones: what one step claimed nobody else has.
void many_beside_single(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  r.thread("putter of two", [&s] { put_many(s, 1, 2); });
  r.thread("putter", [&s] { put(s, 4); });
  r.thread("getter", [&s] {
    payload out[2] = {payload(0), payload(0)};
    for (std::size_t got = 0; got < 3;) {
      const item_batch step = s.items.try_pop_many(out, 2);
      for (std::size_t i = 0; i < step.moved; ++i) s.sum[0] += out[i].value();
      got += step.moved;
      if (step.moved == 0) yield_thread();
    }
  });
  r.finally([&s] { model::check(s.sum[0] == 7, "Each item is delivered once."); });
}

void two_get_many(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  put(s, 1);
  put(s, 2);
  for (int i = 0; i < 2; ++i) {
    r.thread(i == 0 ? "getter 1" : "getter 2", [=, &s] {
      payload out[2] = {payload(0), payload(0)};
      const item_batch step = s.items.try_pop_many(out, 2);
      for (std::size_t k = 0; k < step.moved; ++k) s.sum[i] += out[k].value();
    });
  }
  r.finally([&s] { model::check(s.sum[0] + s.sum[1] == 3, "Each item is delivered once."); });
}

void many_while_it_grows(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  r.thread("putter", [&s] { put_many(s, 1, 2); });
  r.thread("getter", [&s] {
    payload out[2] = {payload(0), payload(0)};
    for (int next = 1; next <= 2;) {
      const item_batch step = s.items.try_pop_many(out, 2);
      for (std::size_t i = 0; i < step.moved; ++i) model::check(out[i].value() == next++, "In the order of the puts.");
      if (step.moved == 0) yield_thread();
    }
  });
  r.thread("runner", [&s] { model::check(s.items.resize(4), "There is memory."); });
}

void many_or_close(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  r.thread("putter", [&s] {
    payload items[2] = {payload(1), payload(2)};
    const item_batch step = s.items.try_push_many(items, 2);
    s.sum[0] = static_cast<int>(step.moved);
    model::check(step.status == (step.moved != 0 ? item_status::done : item_status::closed), "Some, or it is closed.");
  });
  r.thread("closer", [&s] {
    s.items.close();
    payload out[2] = {payload(0), payload(0)};
    for (;;) {
      const item_batch step = s.items.try_pop_many(out, 2);
      s.sum[1] += static_cast<int>(step.moved);
      if (step.status == item_status::closed) break;
      if (step.moved == 0) yield_thread();
    }
  });
  r.finally([&s] { model::check(s.sum[0] == s.sum[1], "What was accepted before close is delivered."); });
}

const model::program p1{"ring: 1 to 1 while it grows once", {}, one_to_one(2, {3}, 3)};
const model::program p2{"ring: 1 to 1 while it grows twice", {}, one_to_one(1, {3, 8}, 2)};
const model::program p3{"ring: room for one more", {}, room_for_one_more};
const model::program p4{"ring: two gets while it grows", {}, gets_while_it_grows};
const model::program p5{"ring: neither full nor empty while it grows", {}, neither_full_nor_empty};
const model::program p6{"ring: closed while it grows", {}, closed_while_it_grows};
const model::program p7{"ring: shrinks", {}, shrinks};
const model::program p8{"ring: many to many, capacity 1", {}, many_to_many(1)};
const model::program p9{"ring: many to many, capacity 2", {}, many_to_many(2)};
const model::program p10{"ring: many to many, capacity 3", {}, many_to_many(3)};
const model::program p11{"ring: many beside single", {}, many_beside_single};
const model::program p12{"ring: two get many", {}, two_get_many};
const model::program p13{"ring: many while it grows", {}, many_while_it_grows};
const model::program p14{"ring: many or close", {}, many_or_close};

}  // namespace
