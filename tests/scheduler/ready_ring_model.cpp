// The ready ring at capacity 2 and 4: pushes that wrap around, pops, half-steals and spills.

#include "items.hpp"

#include <sluice/scheduler/ready_ring.hpp>

namespace {

using namespace sluice::test;
using sluice::impl::ready_ring;

template <std::uint32_t Capacity, std::size_t Items>
struct shared {
  ready_ring<item, Capacity> ring;
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

const model::program wraps{"ready ring: wraps around under one thief", {}, [](model::run& r) {
                             auto& s = r.make<shared<2, 4>>();
                             r.thread("owner", [&s] {
                               for (item& it : s.items) {
                                 while (!s.ring.push(filled(it))) {
                                   if (item* const old = s.ring.pop()) {
                                     take(old);
                                   } else {
                                     sluice::impl::yield_thread();  // a thief is copying
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
                           }};

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
                                     auto& spilled = r.make<sluice::impl::atomic<int>>(0);
                                     r.thread("owner", [&s, &spilled] {
                                       for (item& it : s.items) s.push_or_spill(it);
                                       spilled.store(1, sluice::impl::release);
                                     });
                                     r.thread("thief", [&s, &spilled] {
                                       if (spilled.load(sluice::impl::acquire) == 0) return;
                                       model::check(s.ring.has_items(), "One item was put back.");
                                       s.steal_some(1);
                                     });
                                     r.finally([&s] {
                                       s.pop_all();
                                       check_all_taken(s.items);
                                     });
                                   }};

const model::program two_thieves{"ready ring: two thieves, one of them in the middle", {}, [](model::run& r) {
                                   auto& s = r.make<shared<4, 4>>();
                                   r.thread("owner", [&s] {
                                     for (item& it : s.items) s.push_or_spill(it);
                                     s.pop_all();
                                   });
                                   r.thread("thief", [&s] { s.steal_some(2); });
                                   r.thread("thief", [&s] { s.steal_some(2); });
                                   r.finally([&s] { check_all_taken(s.items); });
                                 }};

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
