// Trimming the frame pool: what nobody uses goes back to the system, what is in use stays as it is, and without memory for the
// pool's own lists nothing is lost. Each test looks at the slabs of its own blocks only.
// tests: scheduler/frame_pool.hpp

#include <sluice/scheduler/frame_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <set>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define ASKED_OF_ASAN(p) (__asan_address_is_poisoned(p) != 0)
#endif
#if __has_feature(thread_sanitizer)
#define MEMORY_IS_OF_THE_SANITIZER  // which lets nobody replace operator new
#endif
#endif

#if !defined(MEMORY_IS_OF_THE_SANITIZER)
namespace {
thread_local bool no_memory = false;
}

// What the pool's stacks get their nodes from.
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  if (no_memory) return nullptr;
  try {
    return ::operator new[](bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
#endif

namespace sluice::impl {
namespace {

constexpr std::size_t slab_bytes = 64 * 1024;

struct block {
  unsigned char* at;
  std::size_t bytes;
};
using blocks = std::vector<block>;

unsigned char mark_of(const block& b) {
  return static_cast<unsigned char>((reinterpret_cast<std::uintptr_t>(b.at) >> 5) % 251 + 1);
}

blocks allocate(std::size_t count, std::size_t bytes) {
  blocks made;
  for (std::size_t i = 0; i < count; ++i) {
    made.push_back({static_cast<unsigned char*>(allocate_frame(bytes)), bytes});
    std::memset(made.back().at, mark_of(made.back()), bytes);
  }
  return made;
}

bool unharmed(const blocks& held) {
  return std::all_of(held.begin(), held.end(), [](const block& b) {
    return std::all_of(b.at, b.at + b.bytes, [m = mark_of(b)](unsigned char c) { return c == m; });
  });
}

void free_all(blocks& held) {
  for (const block& b : held) free_frame(b.at, b.bytes);
  held.clear();
}

std::uintptr_t slab_of(const block& b) { return reinterpret_cast<std::uintptr_t>(b.at) / slab_bytes; }

std::set<std::uintptr_t> slabs_of(const blocks& held) {
  std::set<std::uintptr_t> slabs;
  for (const block& b : held) slabs.insert(slab_of(b));
  return slabs;
}

std::size_t resident(const std::set<std::uintptr_t>& slabs) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> there(slab_bytes / page);
  std::size_t bytes = 0;
  for (const std::uintptr_t slab : slabs) {
    EXPECT_EQ(::mincore(reinterpret_cast<void*>(slab * slab_bytes), slab_bytes, there.data()), 0);
    for (const unsigned char c : there) bytes += (c & 1u) * page;
  }
  return bytes;
}

// Whether the pages are small enough to give any back.
bool pages_are_small() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) < slab_bytes; }

class FrameTrim : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!pages_are_small()) GTEST_SKIP() << "a page is as large as a slab";
    (void)trim_frames();  // what other tests have left
  }
};

TEST_F(FrameTrim, AfterAPeakTheMemoryOfEverySizeGoesBack) {
  for (const std::size_t bytes : {32u, 160u, 1000u, 1280u, 4096u}) {
    blocks peak = allocate(20'000, bytes);
    const auto slabs = slabs_of(peak);
    const std::size_t before = resident(slabs);
    EXPECT_GE(before, peak.size() * bytes);
    free_all(peak);
    const std::size_t given = trim_frames();
    const std::size_t after = resident(slabs);
    EXPECT_GE(given, before - before / 8) << bytes << ": all but a page of each slab";
    EXPECT_LE(given, before);
    EXPECT_LE(after, slabs.size() * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) << bytes;
    EXPECT_EQ(trim_frames(), 0u) << "there is nothing more";
  }
}

TEST_F(FrameTrim, WhatIsInUseStaysAsItIs) {
  blocks peak = allocate(20'000, 200);
  blocks kept;
  blocks gone;
  for (std::size_t i = 0; i < peak.size(); ++i) (i % 2000 == 0 ? kept : gone).push_back(peak[i]);
  free_all(gone);
  EXPECT_GT(trim_frames(), 0u);
  EXPECT_TRUE(unharmed(kept));
  blocks again = allocate(20'000, 200);
  EXPECT_TRUE(unharmed(kept));
  EXPECT_TRUE(unharmed(again));
  std::set<unsigned char*> distinct;
  for (const blocks* some : {&kept, &again}) {
    for (const block& b : *some) EXPECT_TRUE(distinct.insert(b.at).second) << "two owners";
  }
  free_all(kept);
  free_all(again);
}

TEST_F(FrameTrim, WhatWasFreeInSlabsThatAreInUseIsUsedAgain) {
  blocks peak = allocate(10'000, 64);
  blocks kept;
  blocks gone;
  for (std::size_t i = 0; i < peak.size(); ++i) (i % 2 == 0 ? kept : gone).push_back(peak[i]);
  const auto slabs = slabs_of(peak);
  free_all(gone);
  (void)trim_frames();
  blocks again = allocate(5'000, 64);
  EXPECT_GE(static_cast<std::size_t>(
                std::count_if(again.begin(), again.end(), [&](const block& b) { return slabs.contains(slab_of(b)); })),
            again.size() - 64 * 2);
  EXPECT_TRUE(unharmed(kept));
  free_all(kept);
  free_all(again);
}

// So one thread does not take them all.
TEST_F(FrameTrim, WhatStaysLiesInBatches) {
  blocks peak = allocate(4'000, 176);
  blocks kept;
  blocks gone;
  for (std::size_t i = 0; i < peak.size(); ++i) (i % 2 == 0 ? kept : gone).push_back(peak[i]);
  const auto slabs = slabs_of(peak);
  free_all(gone);
  (void)trim_frames();
  blocks one = allocate(1, 176);
  std::thread([&] {
    blocks many = allocate(2'000, 176);
    EXPECT_GE(static_cast<std::size_t>(
                  std::count_if(many.begin(), many.end(), [&](const block& b) { return slabs.contains(slab_of(b)); })),
              many.size() - 64 * 2);
    free_all(many);
  }).join();
  free_all(one);
  free_all(kept);
}

TEST_F(FrameTrim, AnEmptiedSlabServesAnotherSize) {
  blocks peak = allocate(20'000, 96);
  const auto slabs = slabs_of(peak);
  free_all(peak);
  EXPECT_GT(trim_frames(), 0u);
  blocks others = allocate(1'000, 2000);
  const auto now = slabs_of(others);
  EXPECT_TRUE(std::any_of(now.begin(), now.end(), [&](std::uintptr_t s) { return slabs.contains(s); }));
  EXPECT_TRUE(unharmed(others));
  free_all(others);
}

TEST_F(FrameTrim, ASlabThatIsNotCutToItsEndIsEmptiedAsWell) {
  blocks few = allocate(3, 3000);
  const auto slabs = slabs_of(few);
  free_all(few);
  EXPECT_GT(trim_frames(), 0u);
  EXPECT_LE(resident(slabs), slabs.size() * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
}

TEST_F(FrameTrim, ManyTimesOverUsesTheSameSlabs) {
  std::set<std::uintptr_t> first;
  for (int round = 0; round < 20; ++round) {
    blocks peak = allocate(5'000, 512);
    const auto now = slabs_of(peak);
    if (round == 0) first = now;
    EXPECT_LE(now.size(), first.size() + 1) << "round " << round;
    EXPECT_TRUE(unharmed(peak));
    free_all(peak);
    EXPECT_GT(trim_frames(), 0u);
  }
}

// A thread keeps what it has freed, and keeps the slabs with it, until it says that it is about to sleep.
TEST_F(FrameTrim, WhatAnIdleThreadHasHandedOverIsFound) {
  constexpr std::size_t bytes = 700;
  std::atomic<int> stage = 0;
  std::set<std::uintptr_t> slabs;
  std::thread idle([&] {
    blocks held = allocate(100, bytes);
    slabs = slabs_of(held);
    free_all(held);
    stage.store(1);
    stage.notify_all();
    stage.wait(1);
    leave_frames_to_others();
    stage.store(3);
    stage.notify_all();
    stage.wait(3);
  });
  stage.wait(0);
  (void)trim_frames();
  EXPECT_GE(resident(slabs), 36 * bytes) << "the thread has not handed these over";
  stage.store(2);
  stage.notify_all();
  stage.wait(2);
  EXPECT_GT(trim_frames(), 0u);
  EXPECT_LE(resident(slabs), slabs.size() * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
  stage.store(4);
  stage.notify_all();
  idle.join();
}

TEST_F(FrameTrim, ThereIsNothingToHandOverTwice) {
  blocks some = allocate(10, 48);
  free_all(some);
  leave_frames_to_others();
  leave_frames_to_others();
  blocks again = allocate(10, 48);
  EXPECT_TRUE(unharmed(again));
  free_all(again);
}

#if !defined(MEMORY_IS_OF_THE_SANITIZER)
// More slabs than the stack of bare ones has nodes for, and no memory for more: they stay with this thread, block by block.
TEST_F(FrameTrim, WithoutMemoryForItsListsNothingIsLost) {
  for (std::size_t count = 40'000; count <= 160'000; count *= 2) {
    blocks peak = allocate(count, 1000);
    const auto slabs = slabs_of(peak);
    free_all(peak);
    no_memory = true;
    (void)trim_frames();
    no_memory = false;
    blocks again = allocate(count, 1000);
    EXPECT_TRUE(unharmed(again));
    const auto now = slabs_of(again);
    std::vector<std::uintptr_t> strangers;
    std::set_difference(now.begin(), now.end(), slabs.begin(), slabs.end(), std::back_inserter(strangers));
    EXPECT_LE(strangers.size(), 1u) << "slabs were lost, and new ones made";
    free_all(again);
    (void)trim_frames();
  }
}

// The same for blocks of slabs that stay, and for where these are to be cut on; in sizes whose stacks have no nodes yet.
TEST_F(FrameTrim, WithoutMemoryForItsListsFreeBlocksBesideUsedOnesAreNotLost) {
  for (std::size_t bytes = 1100; bytes < 4096; bytes += 256) {
    constexpr std::size_t count = 10;
    blocks some = allocate(count, bytes);
    const auto slabs = slabs_of(some);
    std::set<unsigned char*> gone;
    for (std::size_t i = 1; i < count; i += 2) {
      gone.insert(some[i].at);
      free_frame(some[i].at, bytes);
    }
    no_memory = true;
    (void)trim_frames();
    no_memory = false;
    blocks all = allocate(slab_bytes / bytes * slabs.size(), bytes);
    for (const block& b : all) gone.erase(b.at);
    EXPECT_TRUE(gone.empty()) << bytes << ": free blocks were lost";
    EXPECT_LE(slabs_of(all).size(), slabs.size() + 1) << bytes << ": what was not cut yet was lost";
    free_all(all);
    for (std::size_t i = 0; i < count; i += 2) free_frame(some[i].at, bytes);
  }
}
#endif

#if defined(ASKED_OF_ASAN)
TEST_F(FrameTrim, AddressSanitizerSeesWhoTouchesABareSlab) {
  blocks peak = allocate(2'000, 128);
  const blocks before = peak;
  free_all(peak);
  EXPECT_GT(trim_frames(), 0u);
  for (const block& b : before) ASSERT_TRUE(ASKED_OF_ASAN(b.at) && ASKED_OF_ASAN(b.at + 127));
  blocks again = allocate(2'000, 128);
  for (const block& b : again) ASSERT_FALSE(ASKED_OF_ASAN(b.at) || ASKED_OF_ASAN(b.at + 127));
  free_all(again);
}
#endif

}  // namespace
}  // namespace sluice::impl
