#include <sluice/queues/waiter_hub.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <vector>

namespace sluice::impl {
namespace {

using test::executor;

// Serves everybody it has, but finds more to do for as many rounds as it is told: a kick from itself.
class busy_hub final : public waiter_hub {
 public:
  busy_hub() : waiter_hub(&list_) {}

  int rounds_to_be_busy = 0;
  int rounds = 0;
  bool open = false;
  std::size_t waiting() const { return list_.size(); }

 private:
  void kicked(std::uintptr_t) noexcept override {}
  void serve() noexcept override {
    ++rounds;
    if (open) complete_all(list_, wait_result::done);
    if (rounds < rounds_to_be_busy) kick(0);
  }

  waiter_list list_;
};

// A suspended "coroutine" that counts how often it is woken.
class sleeper final : private waker {
 public:
  explicit sleeper(bool roaming = true) : waker(roaming), context(*this), wait(context, 0) {}
  task_context context;
  waiter wait;
  int woken = 0;
  std::function<void()> when_woken;

 private:
  void wake(runnable&) noexcept override {
    ++woken;
    if (when_woken) when_woken();
  }
};

TEST(waiter_hub, wakes_those_it_served_once_and_in_order) {
  busy_hub hub;
  std::deque<sleeper> sleepers(3);
  for (auto& s : sleepers) EXPECT_TRUE(hub.wait(s.wait, "test"));
  EXPECT_EQ(hub.waiting(), 3U);
  EXPECT_EQ(sleepers[0].woken, 0);
  hub.open = true;
  hub.kick(0);
  for (auto& s : sleepers) {
    EXPECT_EQ(s.woken, 1);
    EXPECT_EQ(s.wait.result, wait_result::done);
  }
}

TEST(waiter_hub, a_waiter_that_is_served_by_its_own_call_is_not_woken_but_told) {
  busy_hub hub;
  hub.open = true;
  sleeper s;
  EXPECT_FALSE(hub.wait(s.wait, "test"));
  EXPECT_EQ(s.woken, 0);
  EXPECT_EQ(s.wait.result, wait_result::done);
}

TEST(waiter_hub, a_runner_that_is_kept_busy_hands_over_to_a_waiter_that_it_has_served) {
  busy_hub hub;
  std::deque<sleeper> sleepers(2);
  for (auto& s : sleepers) EXPECT_TRUE(hub.wait(s.wait, "test"));
  hub.rounds = 0;
  hub.open = true;
  hub.rounds_to_be_busy = 100;
  hub.kick(0);
  EXPECT_EQ(hub.rounds, static_cast<int>(waiter_hub::max_rounds)) << "the kicker's work for others is bounded";
  ASSERT_TRUE(sleepers[0].wait.heir);
  EXPECT_FALSE(sleepers[1].wait.heir);
  EXPECT_EQ(sleepers[0].woken, 1);
  EXPECT_EQ(sleepers[1].woken, 1);
  waiter_hub::resumed(sleepers[0].wait);
  EXPECT_EQ(hub.rounds, 100) << "the heir finished the work";
  sleeper late;
  EXPECT_FALSE(hub.wait(late.wait, "test")) << "the hub is idle again";
}

TEST(waiter_hub, a_crowd_is_woken_in_turns_and_in_order) {
  constexpr std::size_t turn = waiter_hub::max_ready;
  busy_hub hub;
  std::vector<int> rounds;  // in which they were woken, in order
  std::deque<sleeper> sleepers(3 * turn + 7);
  for (std::size_t i = 0; i < sleepers.size(); ++i) {
    EXPECT_TRUE(hub.wait(sleepers[i].wait, "test"));
    sleepers[i].when_woken = [&rounds, &hub, i] {
      EXPECT_EQ(rounds.size(), i);
      rounds.push_back(hub.rounds);
    };
  }
  hub.open = true;
  hub.rounds = 0;
  hub.kick(0);
  ASSERT_EQ(rounds.size(), sleepers.size());
  EXPECT_EQ(rounds[0], 1);
  EXPECT_EQ(rounds[turn - 2], 1);
  EXPECT_EQ(rounds[turn - 1], 2) << "one that is not woken keeps the hub alive until the next turn";
  EXPECT_EQ(rounds.back(), 4);
  for (auto& s : sleepers) EXPECT_FALSE(s.wait.heir) << "nobody is left to another waiter";
  sleeper late;
  EXPECT_FALSE(hub.wait(late.wait, "test")) << "the hub is idle again";
}

TEST(waiter_hub, only_a_waiter_that_roams_is_handed_over_to) {
  busy_hub hub;
  sleeper bound(false);
  sleeper roaming;
  EXPECT_TRUE(hub.wait(bound.wait, "test"));
  EXPECT_TRUE(hub.wait(roaming.wait, "test"));
  hub.rounds = 0;
  hub.open = true;
  hub.rounds_to_be_busy = 100;
  hub.kick(0);
  EXPECT_EQ(hub.rounds, static_cast<int>(waiter_hub::max_rounds));
  EXPECT_FALSE(bound.wait.heir);
  ASSERT_TRUE(roaming.wait.heir);
  waiter_hub::resumed(roaming.wait);

  sleeper alone(false);
  hub.open = false;
  EXPECT_TRUE(hub.wait(alone.wait, "test"));
  hub.rounds = 0;
  hub.open = true;
  hub.kick(0);
  EXPECT_EQ(hub.rounds, 100) << "nobody is fit for it, so the kicker does it all";
  EXPECT_FALSE(alone.wait.heir);
  EXPECT_EQ(alone.woken, 1);
}

TEST(waiter_hub, a_wait_that_was_cancelled_before_it_began_is_not_registered) {
  busy_hub hub;
  sleeper s;
  s.context.cancel();
  EXPECT_FALSE(hub.wait(s.wait, "test"));
  EXPECT_EQ(s.wait.result, wait_result::cancelled);
  EXPECT_EQ(hub.waiting(), 0U);
}

TEST(waiter_hub, a_cancelled_waiter_is_unlinked_and_woken_once) {
  busy_hub hub;
  std::deque<sleeper> sleepers(3);
  for (auto& s : sleepers) EXPECT_TRUE(hub.wait(s.wait, "test"));
  sleepers[1].context.cancel();
  sleepers[1].context.cancel();
  EXPECT_EQ(sleepers[1].woken, 1);
  EXPECT_EQ(sleepers[1].wait.result, wait_result::cancelled);
  EXPECT_EQ(hub.waiting(), 2U);
  hub.open = true;
  hub.kick(0);
  EXPECT_EQ(sleepers[0].woken, 1);
  EXPECT_EQ(sleepers[1].woken, 1);
  EXPECT_EQ(sleepers[2].woken, 1);
}

}  // namespace
}  // namespace sluice::impl
