// The frame pool on real threads: blocks travel, and no block is in two hands.
// stresses: scheduler/tagged_stack.hpp

#include <sluice/scheduler/frame_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace sluice::impl {
namespace {

TEST(FramePoolStress, NoBlockIsInTwoHands) {
  struct block {
    unsigned char* at;
    std::size_t bytes;
    unsigned char mark;
  };
  std::mutex lock;
  std::vector<block> shared;
  std::atomic<int> broken = 0;
  auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 40000; ++i) {
      if (random() % 2 == 0) {
        const std::size_t bytes = 16 + random() % 4 * 100;
        block b{static_cast<unsigned char*>(allocate_frame(bytes)), bytes, static_cast<unsigned char>(random())};
        std::memset(b.at, b.mark, b.bytes);
        const std::lock_guard hold(lock);
        shared.push_back(b);
      } else {
        block b{};
        {
          const std::lock_guard hold(lock);
          if (shared.empty()) continue;
          std::swap(shared[random() % shared.size()], shared.back());
          b = shared.back();
          shared.pop_back();
        }
        for (std::size_t k = 0; k < b.bytes; ++k) broken += b.at[k] != b.mark ? 1 : 0;
        free_frame(b.at, b.bytes);
      }
    }
  };
  for (unsigned round = 0; round < 3; ++round) {  // threads end and leave their lists to the next ones
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t) threads.emplace_back(work, round * 10 + t);
    for (auto& t : threads) t.join();
  }
  for (const block& b : shared) free_frame(b.at, b.bytes);
  EXPECT_EQ(broken, 0);
}

}  // namespace
}  // namespace sluice::impl
