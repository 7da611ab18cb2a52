// stresses: queues/weighted_queue.hpp
#include <sluice/queues/weighted_queue.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <thread>
#include <vector>

namespace sluice {
namespace {

// Puts of all weights that give up now and then, while the capacity changes: nothing is lost, and all room comes back.
TEST(weighted_queue_stress, all_room_comes_back) {
  constexpr int each = 20000;
  weighted_queue<std::size_t> q{8, [](const std::size_t& weight) { return weight; }};
  impl::atomic<std::size_t> put{0};  // relaxed: read when the threads have ended
  std::size_t got = 0;
  std::vector<std::thread> putters;
  for (unsigned seed = 1; seed <= 3; ++seed) {
    putters.emplace_back([&, seed] {
      std::minstd_rand random(seed);
      for (int i = 0; i < each; ++i) {
        const std::size_t weight = random() % 6;
        if (random() % 50 == 0) q.set_capacity(6 + random() % 6);
        try {
          q.blocking_put(weight, std::chrono::microseconds(random() % 30));
          put.fetch_add(weight, impl::relaxed);
        } catch (const timed_out&) {
        }
      }
    });
  }
  std::thread getter([&] {
    while (auto item = q.blocking_next()) got += *item;
  });
  for (auto& t : putters) t.join();
  q.set_capacity(8);
  EXPECT_LE(q.weight(), 11U);
  q.close();
  getter.join();
  EXPECT_EQ(got, put.load(impl::relaxed));
  EXPECT_TRUE(q.empty());
}

}  // namespace
}  // namespace sluice
