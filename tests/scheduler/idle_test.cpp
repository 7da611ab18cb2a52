// The idle word in one thread: who is woken, and how the counts follow.
// tests: scheduler/parker.hpp

#include <sluice/scheduler/idle.hpp>
#include <sluice/scheduler/parker.hpp>

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace sluice::impl {
namespace {

TEST(Idle, NobodyIsWokenWhileNobodySleeps) {
  idle_state idle(4);
  EXPECT_FALSE(idle.must_wake());
  EXPECT_EQ(idle.wake_one(), idle_state::nobody);
}

TEST(Idle, OneSleeperAtATimeBecomesASearcher) {
  idle_state idle(4);
  idle.announce_sleep(2, false);
  idle.announce_sleep(3, false);
  EXPECT_TRUE(idle.worth_waking());
  const std::size_t woken = idle.wake_one();
  EXPECT_TRUE(woken == 2 || woken == 3);
  EXPECT_EQ(idle.wake_one(), idle_state::nobody) << "somebody is searching already";
  EXPECT_TRUE(idle.leave_sleep(woken)) << "a woken worker is a searcher";
  EXPECT_TRUE(idle.end_search()) << "it was the last one";
  EXPECT_EQ(idle.wake_one(), 5 - woken);
}

TEST(Idle, AWorkerThatWakesByItselfIsNoSearcher) {
  idle_state idle(2);
  EXPECT_TRUE(idle.begin_search());
  idle.announce_sleep(1, true);
  EXPECT_EQ(idle.searching(), 0u);
  EXPECT_EQ(idle.sleeping(), 1u);
  EXPECT_FALSE(idle.leave_sleep(1));
  EXPECT_EQ(idle.sleeping(), 0u);
  EXPECT_EQ(idle.wake_one(), idle_state::nobody);
}

TEST(Idle, HalfTheWorkersSearchAtMost) {
  idle_state idle(8);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(idle.begin_search());
  EXPECT_FALSE(idle.begin_search());
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(idle.end_search());
  EXPECT_TRUE(idle.end_search());
}

TEST(Idle, KnowsMoreThanSixtyFourWorkers) {
  idle_state idle(130);
  std::set<std::size_t> expected;
  for (const std::size_t w : {0u, 63u, 64u, 129u}) {
    idle.announce_sleep(w, false);
    expected.insert(w);
  }
  std::set<std::size_t> woken;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t w = idle.wake_one();
    ASSERT_NE(w, idle_state::nobody);
    woken.insert(w);
    idle.leave_sleep(w);
    idle.end_search();
  }
  EXPECT_EQ(woken, expected);
}

TEST(Parker, ATokenThatCameFirstIsTaken) {
  parker p;
  p.unpark();
  p.unpark();
  EXPECT_TRUE(p.park_until(time_point::max()));
  EXPECT_FALSE(p.park_until(now())) << "tokens do not add up";
}

TEST(Parker, SleepsUntilItsDeadlineAndNotShorter) {
  parker p;
  const time_point deadline = now() + std::chrono::milliseconds(3);
  EXPECT_FALSE(p.park_until(deadline));
  EXPECT_GE(now(), deadline);
}

TEST(Parker, IsWokenByAnotherThread) {
  parker p;
  std::thread other([&p] { p.unpark(); });
  EXPECT_TRUE(p.park_until(time_point::max()));
  other.join();
}

}  // namespace
}  // namespace sluice::impl
