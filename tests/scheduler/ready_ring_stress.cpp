// The ready ring on real threads: pushes, pops and spills against thieves; each item comes out once.

#include <sluice/scheduler/ready_ring.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace sluice::impl {
namespace {

TEST(ReadyRingStress, EachItemComesOutOnce) {
  constexpr std::size_t items = 200000;
  using counter = std::atomic<int>;
  std::vector<counter> taken(items);
  ready_ring<counter, 8> ring;
  std::atomic<bool> over = false;
  auto thief = [&] {
    ready_ring<counter, 8> own;
    while (!over.load()) {
      if (counter* const it = ring.steal_into(own)) {
        it->fetch_add(1);
        while (counter* const more = own.pop()) more->fetch_add(1);
      } else {
        yield_thread();
      }
    }
  };
  std::thread one(thief);
  std::thread two(thief);
  for (std::size_t i = 0; i < items; ++i) {
    if (!ring.push(&taken[i])) {
      counter* out[4];
      const std::uint32_t n = ring.spill(out);
      for (std::uint32_t k = 0; k < n; ++k) out[k]->fetch_add(1);
      taken[i].fetch_add(1);
    }
    if (i % 3 == 0) {
      if (counter* const it = ring.pop()) it->fetch_add(1);
    }
  }
  while (counter* const it = ring.pop()) it->fetch_add(1);
  over = true;
  one.join();
  two.join();
  while (counter* const it = ring.pop()) it->fetch_add(1);
  for (auto& t : taken) ASSERT_EQ(t.load(), 1);
}

}  // namespace
}  // namespace sluice::impl
