#include "worlds.hpp"

#include <array>
#include <atomic>
#include <thread>
#include <unistd.h>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

bool pages_are_small() { return ::sysconf(_SC_PAGESIZE) < 64 * 1024; }

// Who knows an array's address may look at it while its task waits: so it has to be in the frame.
std::atomic<char*> known = nullptr;

// Tasks of several sizes that are all there at once.
template <std::size_t Bytes>
task<int> wait_with(event& gate, int value) {
  std::array<char, Bytes> kept{};
  known.store(kept.data());
  kept[static_cast<std::size_t>(value) % Bytes] = static_cast<char>(value % 100);
  co_await gate.wait();
  co_return kept[static_cast<std::size_t>(value) % Bytes];
}

task<int> peak(int count) {
  event gate;
  std::vector<join_handle<int>> waiting;
  for (int i = 0; i < count; ++i) {
    switch (i % 3) {
      case 0:
        waiting.push_back(spawn(wait_with<16>(gate, i)));
        break;
      case 1:
        waiting.push_back(spawn(wait_with<500>(gate, i)));
        break;
      default:
        waiting.push_back(spawn(wait_with<2000>(gate, i)));
    }
  }
  gate.set();
  int wrong = 0;
  for (int i = 0; i < count; ++i) wrong += co_await waiting[static_cast<std::size_t>(i)] == i % 100 ? 0 : 1;
  co_return wrong;
}

TEST(trim_memory, gives_back_what_a_peak_of_tasks_has_left_and_everything_goes_on) {
  if (!pages_are_small()) GTEST_SKIP() << "a page is as large as a slab";
  (void)trim_memory();
  for (int round = 0; round < 3; ++round) {
    {
      runtime r(threads(2));
      EXPECT_EQ(r.block_on(peak(30'000)), 0);
      (void)trim_memory();  // while the workers look for work, or sleep
      EXPECT_EQ(r.block_on(peak(100)), 0);
    }
    (void)trim_memory();
    runtime r(threads(2));
    EXPECT_EQ(r.block_on(peak(1'000)), 0);
  }
}

TEST(trim_memory, of_workers_that_have_ended_gives_back_nearly_all) {
  if (!pages_are_small()) GTEST_SKIP() << "a page is as large as a slab";
  (void)trim_memory();
  {
    runtime r(threads(2));
    EXPECT_EQ(r.block_on(peak(30'000)), 0);
  }
  EXPECT_GE(trim_memory(), 10'000u * 2'500 / 2);
  EXPECT_EQ(trim_memory(), 0u) << "there is nothing more";
}

// Workers without work have handed over what they kept: nothing pins their slabs any more, so sooner or later a trim finds all.
TEST(trim_memory, finds_what_sleeping_workers_have_kept) {
  if (!pages_are_small()) GTEST_SKIP() << "a page is as large as a slab";
  (void)trim_memory();
  runtime r(threads(2));
  EXPECT_EQ(r.block_on(peak(30'000)), 0);
  std::size_t given = 0;
  while (given < 10'000u * 2'500 / 2) {  // until both sleep: a hang fails
    given += trim_memory();
    std::this_thread::yield();
  }
  EXPECT_EQ(r.block_on(peak(1'000)), 0);
}

TEST(trim_memory, within_tasks_and_simulations_works_as_well) {
  in_all_worlds(
      [](runtime& r) {
        auto program = []() -> task<> {
          for (int i = 0; i < 3; ++i) {
            const int wrong = co_await peak(500);
            EXPECT_EQ(wrong, 0);
            (void)trim_memory();
          }
        };
        r.block_on(program());
      },
      5);
}

}  // namespace
}  // namespace sluice
