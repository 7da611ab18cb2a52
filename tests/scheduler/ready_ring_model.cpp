// The ready ring at capacity 2 and 4: pushes that wrap around, pops, half-steals and spills.

#include "crew.hpp"

#include <sluice/scheduler/idle.hpp>
#include <sluice/scheduler/parker.hpp>
#include <sluice/scheduler/ready_ring.hpp>

namespace {

using namespace sluice::test;
using namespace sluice::impl;

template <std::uint32_t Capacity, std::size_t Items, std::uint32_t First = 0>
struct shared {
  ready_ring<item, Capacity, First> ring;
  std::array<item, Items> items;

  void push_or_spill(item& it) {
    if (ring.push(filled(it))) return;
    item* out[Capacity / 2];
    const std::uint32_t n = ring.spill(out);
    for (std::uint32_t i = 0; i < n; ++i) take(out[i]);
    take(&it);
  }
  void pop_all() {
    while (item* const it = ring.pop()) take(it);
  }
  void steal_some(std::uint32_t room) {
    item* out[Capacity];
    const std::uint32_t n = ring.steal(out, room);
    for (std::uint32_t i = 0; i < n; ++i) take(out[i]);
  }
};

template <std::uint32_t First>
auto wraps(model::run& r) {
  auto& s = r.make<shared<2, 4, First>>();
  r.thread("owner", [&s] {
    for (item& it : s.items) {
      while (!s.ring.push(filled(it))) {
        if (item* const old = s.ring.pop()) {
          take(old);
        } else {
          yield_thread();  // a thief is copying
        }
      }
    }
    s.pop_all();
  });
  r.thread("thief", [&s] {
    s.steal_some(2);
    s.steal_some(2);
  });
  r.finally([&s] { check_all_taken(s.items); });
}
const model::program wraps_slots{"ready ring: wraps around under one thief", {}, wraps<0>};
const model::program wraps_indexes{
    "ready ring: wraps around under one thief, and the indexes go round", {}, wraps<~std::uint32_t{1}>};

const model::program spills{"ready ring: spills while a thief claims", {}, [](model::run& r) {
                              auto& s = r.make<shared<2, 4>>();
                              r.thread("owner", [&s] {
                                for (item& it : s.items) s.push_or_spill(it);
                                s.pop_all();
                              });
                              r.thread("thief", [&s] { s.steal_some(1); });
                              r.finally([&s] { check_all_taken(s.items); });
                            }};

const model::program spill_is_seen{"ready ring: what a spill leaves is there for thieves", {}, [](model::run& r) {
                                     auto& s = r.make<shared<2, 3>>();
                                     auto& spilled = r.make<atomic<int>>(0);
                                     r.thread("owner", [&s, &spilled] {
                                       for (item& it : s.items) s.push_or_spill(it);
                                       spilled.store(1, release);
                                     });
                                     r.thread("thief", [&s, &spilled] {
                                       if (spilled.load(acquire) == 0) return;
                                       model::check(s.ring.has_items(), "One item was put back.");
                                       s.steal_some(1);
                                     });
                                     r.finally([&s] {
                                       s.pop_all();
                                       check_all_taken(s.items);
                                     });
                                   }};

// One of them is in the middle of copying while the other comes. `Before` items are there when they begin.
template <std::size_t Before>
auto two_thieves(model::run& r) {
  auto& s = r.make<shared<2, 3>>();
  for (std::size_t i = 0; i < Before; ++i) s.push_or_spill(s.items[i]);
  r.thread("owner", [&s] {
    for (std::size_t i = Before; i < 3; ++i) {
      if (!s.ring.push(filled(s.items[i]))) take(&s.items[i]);
    }
  });
  r.thread("thief", [&s] { s.steal_some(1); });
  r.thread("thief", [&s] { s.steal_some(1); });
  r.finally([&s] {
    s.pop_all();
    check_all_taken(s.items);
  });
}
const model::program two_at_a_full_one{"ready ring: two thieves, one of them in the middle", {}, two_thieves<2>};
const model::program two_at_an_empty_one{
    "ready ring: two thieves, one of them before there is anything", {}, two_thieves<0>};

// D1, as in next and park of worker.cpp: of two tasks the owner runs one, which then waits until the other has run.
template <bool Looks>
auto looks_after_pop(model::run& r) {
  struct den : shared<2, 2> {
    idle_state idle{2};
    parker bed;
    long_slice slice;
  };
  auto& s = r.make<den>();
  r.thread("owner", [&s] {
    for (item& it : s.items) model::check(s.ring.push(filled(it)), "There is room.");
    item* const it = s.ring.pop();
    if (Looks && s.idle.must_wake() && s.ring.size() != 0 && s.idle.wake_one() != idle_state::nobody) s.bed.unpark();
    take(it);
    s.slice.wait();
  });
  r.thread("sleeper", [&s] {
    (void)s.ring.has_items();  // as found_work asks
    for (bool searching = false;;) {
      s.idle.announce_sleep(1, searching);
      const bool stay = !s.ring.has_items();
      if (stay) s.bed.park_until(time_point::max());
      searching = s.idle.leave_sleep(1);
      item* it = nullptr;
      if (s.ring.steal(&it, 1) != 0) {
        take(it);
        return s.slice.done();
      }
      if (!stay) yield_thread();
    }
  });
  r.finally([&s] { check_all_taken(s.items); });
}
const model::program sleeper_is_woken{
    "ready ring: a sleeper is woken for what is left behind a pop", {.timeouts = 0}, looks_after_pop<true>};
const model::program sleeper_is_forgotten{"ready ring: a pop that does not look for sleepers (canary)",
                                          {.must_fail = "lost wakeup", .timeouts = 0},
                                          looks_after_pop<false>};

const model::program between_rings{"ready ring: stolen into a ring whose owner pops", {}, [](model::run& r) {
                                     struct two {
                                       shared<4, 4> from;
                                       ready_ring<item, 4> to;
                                     };
                                     auto& s = r.make<two>();
                                     r.thread("owner", [&s] {
                                       for (item& it : s.from.items) s.from.push_or_spill(it);
                                       s.from.pop_all();
                                     });
                                     r.thread("thief", [&s] {
                                       if (item* const it = s.from.ring.steal_into(s.to)) take(it);
                                       while (item* const it = s.to.pop()) take(it);
                                     });
                                     r.finally([&s] { check_all_taken(s.from.items); });
                                   }};

}  // namespace
