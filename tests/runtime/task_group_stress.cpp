// stresses: runtime/task_group.hpp runtime/roster.hpp runtime/roster_page.hpp runtime/delegation.hpp
// Groups whose children spawn, fail, join and are cancelled on real threads: no child outlives its group.
#include "worlds.hpp"

#include <atomic>
#include <random>
#include <thread>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

task<> child(task_group& group, std::atomic<int>& live, unsigned how, int depth) {
  const counted me(live);
  if (how % 2 == 0) co_await yield();
  if (depth > 0) {
    group.spawn(child(group, live, how / 2, depth - 1));
    group.spawn(child(group, live, how / 3, depth - 1));
  }
  if (how % 5 == 1) co_await sleep_for(std::chrono::microseconds(how % 50));
  if (how % 97 == 0) group.cancel();
  if (how % 31 == 7) throw std::runtime_error("as planned");
}

TEST(group_storm, of_failures_and_cancellations_ends_every_child) {
  std::atomic<int> live{0};
  std::atomic<long> failures{0};
  std::atomic<long> normal{0};
  auto round = [&](unsigned seed) -> task<> {
    std::mt19937 random(seed);
    for (int i = 0; i < 300; ++i) {
      std::atomic<int> mine{0};
      const auto how = static_cast<unsigned>(random());
      auto body = [&](task_group& group) -> task<> {
        for (unsigned k = 0; k < 4; ++k) group.spawn(child(group, mine, how + k * 7919, 3));
        if (how % 3 == 0) co_await group.join();
        if (how % 7 == 0) co_await sleep_for(20us);
      };
      try {
        co_await with_group(body);
        ++normal;
      } catch (const std::runtime_error&) {
        ++failures;
      }
      EXPECT_EQ(mine, 0);
      live += mine;
    }
  };
  runtime r(threads(2));
  auto program = [&]() -> task<> { co_await when_all(round(1), round(2), round(3)); };
  r.block_on(program());
  EXPECT_EQ(failures + normal, 900);
  EXPECT_GT(failures, 0);
  EXPECT_GT(normal, 0);
  EXPECT_EQ(r.task_count(), 0u);
}

TEST(group_storm, of_outside_cancellations_ends_every_child_first) {
  runtime r(threads(2));
  long stopped = 0;
  for (int i = 0; i < 1000; ++i) {
    std::atomic<int> live{0};
    auto victim = [&]() -> task<> {
      auto body = [&](task_group& group) -> task<> {
        for (int k = 0; k < 4; ++k) {
          group.spawn(
              [](std::atomic<int>& count, int us) -> task<> {
                const counted me(count);
                co_await sleep_for(std::chrono::microseconds(us));
              },
              std::ref(live), k * 10);
        }
        co_await group.join();
      };
      co_await with_group(body);
    };
    auto handle = r.spawn(victim);
    for (int spin = 0; spin < i % 64; ++spin) std::this_thread::yield();
    handle.cancel();
    try {
      handle.wait();
    } catch (const cancelled&) {
      ++stopped;
    }
    ASSERT_EQ(live, 0);
  }
  EXPECT_GT(stopped, 0);
}

// Pages fill, empty and are used again on several workers, while somebody looks at all of them all the time.
TEST(group_storm, of_children_that_come_and_go_while_somebody_dumps) {
  for (const std::size_t workers : {2u, 4u}) {
    runtime r(threads(workers));
    std::atomic<bool> over{false};
    std::atomic<long> ended{0};
    std::thread looks([&] {
      while (!over) {
        const std::string text = r.dump_text();
        EXPECT_NE(text.find("runtime"), std::string::npos);
      }
    });
    auto leaf = [&](int us) -> task<> {
      if (us % 3 == 0) co_await yield();
      if (us % 16 == 1) co_await sleep_for(std::chrono::microseconds(us));
      ++ended;
    };
    auto branch = [&](task_group& group, int from) -> task<> {  // its captures outlive the body
      for (int i = 0; i < 40; ++i) group.spawn(leaf(from + i));
      ++ended;
      co_return;
    };
    auto body = [&](task_group& group) -> task<> {
      for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 150; ++i) group.spawn(leaf(i));
        for (int i = 0; i < 5; ++i) group.spawn(branch(group, i));
        if (round % 4 == 0) co_await group.join();
        while (group.size() > 100) co_await yield();
      }
      co_await group.join();
      EXPECT_EQ(group.size(), 0u);
      for (int i = 0; i < 10; ++i) group.spawn(branch(group, i));  // goes on when the body has ended
      co_await yield();
    };
    auto program = [&]() -> task<> { co_await with_group(body); };
    r.block_on(program());
    over = true;
    looks.join();
    EXPECT_EQ(ended.load(), 20 * (150 + 5 * 41) + 10 * 41);
    EXPECT_EQ(r.task_count(), 0u);
  }
}

}  // namespace
}  // namespace sluice
