// models: queues/spsc_ring.hpp
// The store of one putter and one getter, under a queue.
#include <sluice/model/program.hpp>
#include <sluice/queues/spsc_queue.hpp>

#include "model_queue.hpp"

#include <array>
#include <utility>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

using state = state_of<spsc_core>;

auto through(std::size_t capacity, int count) {
  return [=](model::run& r) {
    auto& s = r.make<state>(capacity);
    r.thread("putter", [=, &s] {
      for (int i = 1; i <= count; ++i) {
        thread_context own;
        model::check(put(s, own, i) == i, "There is room at last.");
      }
    });
    r.thread("getter", [=, &s] {
      for (int i = 1; i <= count; ++i) {
        thread_context own;
        model::check(get(s, own) == i, "Items come in order.");
      }
    });
  };
}

auto cancelled_side(bool getter) {
  return [=](model::run& r) {
    auto& s = r.make<state>(std::size_t{1});
    if (!getter) put_now(*s.items, 1);
    r.thread("putter", [&s] { s.got[0] = put(s, s.one, 2); });
    r.thread("getter", [&s] { s.got[1] = get(s, s.two); });
    r.thread("canceller", [&s, getter] { (getter ? s.two : s.one).cancel(); });
    r.finally([&s, getter] {
      const int in = (getter ? 0 : 1) + (s.got[0] == 2 ? 2 : 0);
      model::check((s.got[1] > 0 ? s.got[1] : 0) + drain(s) == in, "Each item is in one place.");
    });
  };
}

void closed(model::run& r) {
  auto& s = r.make<state>(std::size_t{1});
  r.thread("putter", [&s] {
    for (int i = 1; i <= 2; ++i) {
      thread_context own;
      if (put(s, own, i) == i) s.got[0] += i;
    }
  });
  r.thread("closer", [&s] { s.items->close(); });
  r.thread("getter", [&s] {
    for (;;) {
      thread_context own;
      const int item = get(s, own);
      if (item == was_closed) break;
      s.got[1] += item;
    }
    model::check(s.items->items().size() == 0, "Drained.");
  });
  r.finally([&s] { model::check(s.got[0] == s.got[1] && drain(s) == 0, "What was put is got."); });
}

void tries(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  put_now(*s.items, 1);
  r.thread("putter", [&s] {
    payload item(2);
    model::check(is_done(s.items->try_put(item)), "A queue with room for one more is not full.");
  });
  r.thread("getter", [&s] {
    const item_status status = s.items->try_get([&](payload&& item) { s.got[0] = payload(std::move(item)).value(); });
    model::check(is_done(status) && s.got[0] == 1, "A queue that holds an item is not empty.");
  });
  r.thread("looker", [&s] { model::check(s.items->items().size() <= 2, "Never more than there is room for."); });
}

void batches(model::run& r) {
  auto& s = r.make<state>(std::size_t{2});
  r.thread("putter", [&s] {
    std::array<payload, 3> items{payload(1), payload(2), payload(4)};
    std::size_t moved = 0;
    while (moved < 3) {
      moved += s.items->put_many(items.data() + moved, 3 - moved).moved;
      yield_thread();
    }
  });
  r.thread("getter", [&s] {
    while (s.got[0] < 7) {
      std::array<payload, 2> out{payload(0), payload(0)};
      const std::size_t moved = s.items->get_many(out.data(), 2).moved;
      for (std::size_t i = 0; i < moved; ++i) s.got[0] += out[i].value();
      yield_thread();
    }
    model::check(s.got[0] == 7, "Each item is delivered once.");
  });
}

void woken_getter_destroys(model::run& r) {
  auto& s = r.make<state>(std::size_t{1});
  r.thread("putter", [items = s.items.get()] { put_now(*items, 1); });
  r.thread("getter", [&s] {
    model::check(get(s, s.one) == 1, "The item.");
    s.items.reset();
  });
}

const model::program p1{"spsc: three items, one cell", {}, through(1, 3)};
const model::program p2{"spsc: three items, two cells", {}, through(2, 3)};
const model::program p3{"spsc: a get is cancelled", {}, cancelled_side(true)};
const model::program p4{"spsc: a put is cancelled", {}, cancelled_side(false)};
const model::program p5{"spsc: puts x close x gets", {}, closed};
const model::program p6{"spsc: tries and a look at the size", {}, tries};
const model::program p7{"spsc: batches", {}, batches};
const model::program p8{"spsc: the woken getter destroys the queue", {}, woken_getter_destroys};

}  // namespace
