#pragma once
// What the models of the scheduler's queues pass around: items that are taken exactly once, with what their maker wrote.

#include <sluice/model/program.hpp>
#include <sluice/queues/atomic.hpp>

#include <array>
#include <cstddef>

namespace sluice::test {

struct item {
  impl::plain<int> payload{0};
  impl::atomic<int> taken{0};
};

/// Writes what the taker must see.
inline item* filled(item& it) {
  it.payload.set(7);
  return &it;
}

inline void take(item* it) {
  model::check(it->taken.fetch_add(1, impl::relaxed) == 0, "An item is taken once.");
  model::check(it->payload.get() == 7, "Whoever takes an item sees what was written into it.");
}

template <std::size_t N>
void check_all_taken(std::array<item, N>& items) {
  for (item& it : items) model::check(it.taken.load(impl::relaxed) == 1, "No item is lost.");
}

}  // namespace sluice::test
