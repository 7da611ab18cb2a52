// The hints of the flag ring, which a ring of capacity 3 has in a model: beside the runner, beside those who leave none, and old ones.
// models: queues/ring.hpp
#include <sluice/model/program.hpp>

#include "model_ring.hpp"

namespace {

using namespace sluice::impl;
using namespace sluice::test;
using state = ring_state;

constexpr std::size_t hinted = 3;

// Who gets by the hint has not read the word in which the runner let go of the item that it looked at.
void looked_at(model::run& r) {
  auto& s = r.make<state>(hinted);
  put(s, 1);
  r.thread("runner", [&s] {
    s.items.freeze_head();
    if (const payload* item = s.items.front()) s.sum[0] = item->value();
    s.items.thaw_head();
  });
  r.thread("getter", [&s] { model::check(get(s) == 1, "It is the item."); });
  r.finally([&s] { model::check(s.sum[0] <= 1, "It was looked at, or had gone."); });
}

// Those who claim several leave no hint: whoever comes next begins with an old one.
void old_hint(model::run& r) {
  auto& s = r.make<state>(hinted);
  r.thread("several", [&s] {
    payload items[2] = {payload(1), payload(2)};
    std::size_t done = 0;
    while (done < 2) done += static_cast<std::size_t>(s.items.try_push_many(items + done, 2 - done).moved);
    payload out[1] = {payload(0)};
    while (s.items.try_pop_many(out, 1).moved == 0) yield_thread();
    s.sum[0] = out[0].value();
  });
  r.thread("single", [&s] {
    put(s, 4);
    s.sum[1] = get(s) + get(s);
  });
  r.finally([&s] { model::check(s.sum[0] + s.sum[1] == 7, "Each item is delivered once."); });
}

// Two putters leave the hint in either order; what follows begins with it, old or not.
void left_behind(model::run& r) {
  auto& s = r.make<state>(hinted);
  for (int i = 0; i < 2; ++i) {
    r.thread("putter and getter", [=, &s] {
      put(s, i + 1);
      s.sum[i] = get(s);
    });
  }
  r.finally([&s] {
    model::check(s.sum[0] + s.sum[1] == 3, "Each item is delivered once.");
    model::check(s.items.size() == 0, "Nothing is left.");
    put(s, 5);
    model::check(get(s) == 5, "It goes on.");
  });
}

// The hint names the old array, and the claim lies behind its end.
void hint_beside_a_move(model::run& r) {
  auto& s = r.make<state>(hinted);
  for (int i = 0; i < 4; ++i) {
    put(s, i);
    get(s);
  }
  r.thread("putter and getter", [&s] {
    put(s, 1);
    model::check(get(s) == 1, "It is the item.");
  });
  r.thread("runner", [&s] { model::check(s.items.resize(8), "There is memory."); });
}

// Who begins with a hint that was left in the new array claims in no older one.
void puts_beside_a_move(model::run& r) {
  auto& s = r.make<state>(hinted);
  for (int i = 0; i < 2; ++i) r.thread("putter", [=, &s] { put(s, i + 1); });
  r.thread("runner", [&s] { model::check(s.items.resize(8), "There is memory."); });
  r.finally([&s] { model::check(get(s) + get(s) == 3, "Each item is delivered once."); });
}

void gets_beside_a_move(model::run& r) {
  auto& s = r.make<state>(hinted);
  for (int i = 0; i < 2; ++i) put(s, i + 1);
  for (int i = 0; i < 2; ++i) r.thread("getter", [=, &s] { s.sum[i] = get(s); });
  r.thread("runner", [&s] { model::check(s.items.resize(8), "There is memory."); });
  r.finally([&s] { model::check(s.sum[0] + s.sum[1] == 3, "Each item is delivered once."); });
}

const model::program p1{"ring hints: an item that was looked at", {}, looked_at};
const model::program p2{"ring hints: an old one, after several", {.bound = 2}, old_hint};
const model::program p3{"ring hints: left in either order", {}, left_behind};
const model::program p4{"ring hints: beside a move", {}, hint_beside_a_move};
const model::program p5{"ring hints: two puts beside a move", {}, puts_beside_a_move};
const model::program p6{"ring hints: two gets beside a move", {}, gets_beside_a_move};

}  // namespace
