// The split deque on real threads: an owner that forks and joins at random, thieves all the time; each item comes out once.

#include <sluice/scheduler/fork_deque.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace sluice::impl {
namespace {

TEST(ForkDequeStress, EachItemComesOutOnce) {
  constexpr std::size_t items = 200000;
  std::vector<std::atomic<int>> taken(items);
  fork_deque<std::atomic<int>> d(2);
  std::atomic<bool> over = false;
  auto thief = [&] {
    std::atomic<int>* it = nullptr;
    while (!over.load()) {
      if (d.steal(it) == decltype(d)::outcome::took) {
        it->fetch_add(1);
      } else {
        yield_thread();
      }
    }
  };
  std::thread one(thief);
  std::thread two(thief);
  std::mt19937 random(1);
  std::size_t next = 0;
  while (next < items) {
    for (auto n = random() % 40; n > 0 && next < items; --n) {
      ASSERT_TRUE(d.push(&taken[next++]));
      if (d.wanted()) {
        d.publish();
        d.set_wanted(false);
      }
    }
    for (auto n = random() % 40; n > 0; --n) {
      if (auto* const it = d.pop()) it->fetch_add(1);
    }
  }
  while (auto* const it = d.pop()) it->fetch_add(1);
  over = true;
  one.join();
  two.join();
  for (auto& t : taken) ASSERT_EQ(t.load(), 1);
}

}  // namespace
}  // namespace sluice::impl
