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

// Three threads allocate and free each other's blocks, in waves, so that slabs become free; two trim all the while.
TEST(FramePoolStress, TrimmingTakesNoBlockThatIsInUse) {
  struct block {
    unsigned char* at;
    std::size_t bytes;
  };
  std::mutex lock;
  std::vector<block> shared;
  std::atomic<int> broken = 0;
  std::atomic<int> working = 3;
  std::atomic<std::size_t> given = 0;
  const auto mark = [](const block& b) {
    return static_cast<unsigned char>((reinterpret_cast<std::uintptr_t>(b.at) >> 5) % 251 + 1);
  };
  const auto let_go = [&](const block& b) {
    for (std::size_t k = 0; k < b.bytes; ++k) broken += b.at[k] != mark(b) ? 1 : 0;
    free_frame(b.at, b.bytes);
  };
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    std::vector<block> mine;
    for (int wave = 0; wave < 60; ++wave) {
      const std::size_t bytes = std::size_t{40} << random() % 7;
      for (int i = 0; i < 600; ++i) {
        const block b{static_cast<unsigned char*>(allocate_frame(bytes)), bytes};
        std::memset(b.at, mark(b), b.bytes);
        mine.push_back(b);
      }
      {
        const std::lock_guard hold(lock);
        std::swap(mine, shared);  // what another thread has allocated
      }
      while (!mine.empty()) {
        let_go(mine.back());
        mine.pop_back();
      }
      if (wave % 16 == 0) leave_frames_to_others();
    }
    --working;
  };
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t) threads.emplace_back(work, t + 1);
  for (unsigned t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      while (working != 0) {
        given += trim_frames();
        std::this_thread::yield();
      }
    });
  }
  for (auto& t : threads) t.join();
  for (const block& b : shared) let_go(b);
  given += trim_frames();
  EXPECT_EQ(broken, 0);
  EXPECT_GT(given, 0u);
}

}  // namespace
}  // namespace sluice::impl
