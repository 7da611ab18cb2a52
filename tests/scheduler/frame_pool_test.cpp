// The frame pool: alignment, reuse, sizes, and blocks that are freed by other threads.

#include <sluice/scheduler/frame_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace sluice::impl {
namespace {

TEST(FramePool, BlocksOfEverySizeAreAlignedAndDistinct) {
  std::vector<std::pair<void*, std::size_t>> blocks;
  for (std::size_t bytes = 0; bytes < 6000; bytes += bytes < 1100 ? 7 : 97) {
    for (int i = 0; i < 3; ++i) {
      void* const p = allocate_frame(bytes);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % 16, 0u);
      std::memset(p, static_cast<int>(bytes % 251), bytes);
      blocks.emplace_back(p, bytes);
    }
  }
  for (const auto& [p, bytes] : blocks) {
    const auto* const at = static_cast<const unsigned char*>(p);
    EXPECT_TRUE(std::all_of(at, at + bytes, [b = bytes](unsigned char c) { return c == b % 251; })) << bytes;
    free_frame(p, bytes);
  }
}

TEST(FramePool, ABlockJustFreedIsTheNextOne) {
  void* const p = allocate_frame(200);
  free_frame(p, 200);
  void* const again = allocate_frame(195);  // the same class
  EXPECT_EQ(again, p);
  free_frame(again, 195);
}

TEST(FramePool, ManyBlocksComeBack) {
  std::set<void*> first;
  for (int round = 0; round < 3; ++round) {
    std::vector<void*> blocks;
    for (int i = 0; i < 5000; ++i) blocks.push_back(allocate_frame(96));
    std::set<void*> now(blocks.begin(), blocks.end());
    EXPECT_EQ(now.size(), blocks.size());
    if (round == 0) first = now;
    EXPECT_EQ(now, first) << "round " << round;
    for (void* p : blocks) free_frame(p, 96);
  }
}

TEST(FramePool, WhatOneThreadFreesAnotherUses) {
  std::vector<void*> blocks;
  std::thread([&blocks] {
    for (int i = 0; i < 1000; ++i) blocks.push_back(allocate_frame(320));
  }).join();
  std::set<void*> given(blocks.begin(), blocks.end());
  std::thread([&blocks] {
    for (void* p : blocks) free_frame(p, 320);
  }).join();
  std::size_t seen_again = 0;
  for (void*& p : blocks) {
    p = allocate_frame(320);
    seen_again += given.count(p);
  }
  EXPECT_GE(seen_again, blocks.size() - 2 * 64) << "this thread had less than two batches of its own";
  for (void* p : blocks) free_frame(p, 320);
}

TEST(FramePool, AThreadThatOnlyFreesAFewLeavesThemAtItsEnd) {
  constexpr std::size_t bytes = 3000;  // a class that no other test uses
  std::set<void*> given;
  for (int i = 0; i < 10; ++i) given.insert(allocate_frame(bytes));
  for (int round = 0; round < 3; ++round) {
    std::thread([&given] {
      for (void* p : given) free_frame(p, bytes);
    }).join();
    std::set<void*> again;
    for (int i = 0; i < 10; ++i) again.insert(allocate_frame(bytes));
    EXPECT_EQ(again, given);
  }
  for (void* p : given) free_frame(p, bytes);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
TEST(FramePoolDeathTest, AFreedFrameIsPoisoned) {
  EXPECT_DEATH(
      {
        auto* const p = static_cast<volatile char*>(allocate_frame(128));
        free_frame(const_cast<char*>(p), 128);
        p[64] = 1;
      },
      "use-after-poison");
}
#endif
#endif

}  // namespace
}  // namespace sluice::impl
