#include "worlds.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

task<> step_and_count(std::atomic<int>& count, int steps) {
  for (int i = 0; i < steps; ++i) co_await yield();
  ++count;
}
task<> fails(std::string what, int steps) {
  for (int i = 0; i < steps; ++i) co_await yield();
  throw std::runtime_error(what);
}

TEST(with_group, returns_when_every_child_has_ended) {
  in_all_worlds([](runtime& r) {
    std::atomic<int> count{0};
    auto program = [&]() -> task<> {
      co_await with_group([&](task_group& group) -> task<> {
        for (int i = 0; i < 20; ++i) group.spawn(step_and_count(count, i % 4));
        co_return;
      });
      EXPECT_EQ(count, 20);
    };
    r.block_on(program());
  });
}

TEST(with_group, takes_the_body_by_name_too) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      auto owned = std::make_unique<int>(0);
      auto body = [owned = std::move(owned)](task_group& group) -> task<> {
        group.spawn(
            [](int& n) -> task<> {
              co_await yield();
              ++n;
            },
            std::ref(*owned));
        co_await group.join();
        EXPECT_EQ(*owned, 1);
      };
      co_await with_group(body);
    };
    r.block_on(program());
  });
}

TEST(with_group, an_empty_group_returns_at_once) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      co_await with_group([](task_group& group) -> task<> {
        EXPECT_EQ(group.size(), 0u);
        co_await group.join();
      });
    };
    r.block_on(program());
  });
}

TEST(task_group, children_spawn_children) {
  struct tree {
    static task<> grow(task_group& group, std::atomic<int>& count, int depth) {
      ++count;
      co_await yield();
      if (depth == 0) co_return;
      group.spawn(grow(group, count, depth - 1));
      group.spawn(grow(group, count, depth - 1));
    }
  };
  in_all_worlds([](runtime& r) {
    std::atomic<int> count{0};
    auto program = [&]() -> task<> {
      co_await with_group([&](task_group& group) -> task<> {
        group.spawn(tree::grow(group, count, 6));
        co_return;
      });
      EXPECT_EQ(count, 127);
    };
    r.block_on(program());
    EXPECT_EQ(r.task_count(), 0u);
  });
}

TEST(task_group, join_waits_for_the_children_and_size_counts_them) {
  in_all_worlds([](runtime& r) {
    std::atomic<int> count{0};
    auto program = [&]() -> task<> {
      co_await with_group([&](task_group& group) -> task<> {
        for (int round = 1; round <= 3; ++round) {
          for (int i = 0; i < 5; ++i) group.spawn(step_and_count(count, i));
          co_await group.join();
          EXPECT_EQ(group.size(), 0u);
          EXPECT_EQ(count, round * 5);
        }
      });
    };
    r.block_on(program());
  });
}

TEST(task_group, join_by_a_child_is_a_logic_error) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      co_await with_group([](task_group& group) -> task<> {
        group.spawn([](task_group& own) -> task<> { EXPECT_THROW(co_await own.join(), std::logic_error); },
                    std::ref(group));
        co_return;
      });
    };
    r.block_on(program());
  });
}

TEST(task_group, the_first_failure_of_a_child_cancels_siblings_and_body_and_is_rethrown) {
  in_all_worlds([](runtime& r) {
    auto program = [&]() -> task<> {
      std::atomic<int> live{0};
      bool body_was_cancelled = false;
      std::string what;
      auto sleeper = [](counted) -> task<> { co_await sleep_for(1000h); };
      try {
        co_await with_group([&](task_group& group) -> task<> {
          group.spawn(sleeper(counted(live)));
          group.spawn(sleeper(counted(live)));
          group.spawn(fails("the child", 3));
          try {
            co_await sleep_for(1000h);
          } catch (const cancelled&) {
            body_was_cancelled = true;
            throw;
          }
        });
      } catch (const std::runtime_error& e) {
        what = e.what();
      }
      EXPECT_EQ(what, "the child");
      EXPECT_TRUE(body_was_cancelled);
      EXPECT_EQ(live, 0);
      EXPECT_FALSE(this_task::cancelled());
    };
    r.block_on(program());
    EXPECT_EQ(r.unhandled_exception_count(), 0u);
  });
}

TEST(task_group, a_failure_of_the_body_cancels_the_children) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      std::atomic<int> live{0};
      std::string what;
      auto sleeper = [](counted) -> task<> { co_await sleep_for(1000h); };
      try {
        co_await with_group([&](task_group& group) -> task<> {
          group.spawn(sleeper(counted(live)));
          co_await yield();
          throw std::runtime_error("the body");
        });
      } catch (const std::runtime_error& e) {
        what = e.what();
      }
      EXPECT_EQ(what, "the body");
      EXPECT_EQ(live, 0);
    };
    r.block_on(program());
  });
}

TEST(task_group, cancel_is_not_a_failure) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      bool body_went_on = false;
      co_await with_group([&](task_group& group) -> task<> {
        for (int i = 0; i < 5; ++i) group.spawn(for_ever());
        group.cancel();
        group.cancel();
        co_await group.join();
        group.spawn(for_ever());  // starts cancelled
        co_await group.join();
        body_went_on = true;
      });
      EXPECT_TRUE(body_went_on);
      bool body_was_cancelled = false;
      co_await with_group([&](task_group& group) -> task<> {
        group.spawn(
            [](task_group& own) -> task<> {
              co_await yield();
              own.cancel();
            },
            std::ref(group));
        try {
          co_await sleep_for(1000h);
        } catch (const cancelled&) {
          body_was_cancelled = true;
          throw;
        }
      });
      EXPECT_TRUE(body_was_cancelled);
    };
    r.block_on(program());
  });
}

TEST(task_group, a_cancelled_that_nobody_asked_for_is_a_failure) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      auto liar = []() -> task<> {
        co_await yield();
        throw cancelled{};
      };
      EXPECT_THROW(co_await with_group([&](task_group& group) -> task<> {
                     group.spawn(liar());
                     co_await sleep_for(1000h);
                   }),
                   cancelled);
      EXPECT_FALSE(this_task::cancelled());
    };
    r.block_on(program());
  });
}

TEST(with_group, in_an_already_cancelled_task_throws_and_starts_nothing) {
  bool started = false;
  auto body = [&]() -> task<> {
    co_await with_group([&](task_group&) -> task<> {
      started = true;
      co_return;
    });
  };
  runtime r(simulated(2));
  auto handle = r.spawn(body);
  handle.cancel();
  EXPECT_THROW(handle.wait(), cancelled);
  EXPECT_FALSE(started);
}

TEST(with_group, waits_for_what_was_spawned_before_its_body_began) {
  std::atomic<int> live{0};
  auto child = [](counted) -> task<> { co_await sleep_for(10ms); };
  auto nothing = []() -> task<> { co_return; };
  auto spawns_first = [&](task_group& group) {
    group.spawn(child(counted(live)));
    return nothing();
  };
  auto spawns_and_throws = [&](task_group& group) -> task<> {
    group.spawn(child(counted(live)));
    throw std::runtime_error("there is no body");
  };
  cancel_at_every_point([&]() -> task<> { co_await with_group(spawns_first); }, [&](bool) { EXPECT_EQ(live, 0); }, 20);
  cancel_at_every_point(
      [&]() -> task<> {
        bool threw = false;
        try {
          co_await with_group(spawns_and_throws);
        } catch (const std::runtime_error&) {
          threw = true;
        }
        EXPECT_TRUE(threw);
        EXPECT_EQ(live, 0);
      },
      [&](bool) { EXPECT_EQ(live, 0); }, 20);
}

TEST(with_group, cancellation_at_every_point_reaches_all_and_waits_for_all) {
  std::atomic<int> live{0};
  auto child = [](counted, int steps) -> task<> {
    for (int i = 0; i < steps; ++i) co_await yield();
    co_await sleep_for(10ms);
  };
  cancel_at_every_point(
      [&]() -> task<> {
        co_await with_group([&](task_group& group) -> task<> {
          group.spawn(child(counted(live), 1));
          co_await yield();
          group.spawn(child(counted(live), 4));
          co_await group.join();
          group.spawn(child(counted(live), 0));
        });
        EXPECT_EQ(live, 0);
      },
      [&](bool) { EXPECT_EQ(live, 0); }, 60);
}

TEST(with_group, that_finished_in_spite_of_a_cancellation_returns_normally_and_the_request_stays) {
  runtime r(simulated(5));
  auto body = []() -> task<bool> {
    co_await with_group([](task_group& group) -> task<> {
      group.spawn([]() -> task<> { co_return; });
      co_await shield([]() -> task<> { co_await sleep_for(5ms); }());
    });
    co_return this_task::cancelled();
  };
  auto handle = r.spawn(body);
  r.block_on([]() -> task<> { co_await sleep_for(1ms); }());
  handle.cancel();
  EXPECT_TRUE(handle.wait());
}

TEST(with_group, groups_nest) {
  in_all_worlds([](runtime& r) {
    std::atomic<int> count{0};
    auto program = [&]() -> task<> {
      co_await with_group([&](task_group& outer) -> task<> {
        for (int i = 0; i < 4; ++i) {
          outer.spawn([&count]() -> task<> {
            co_await with_group([&](task_group& inner) -> task<> {
              for (int k = 0; k < 4; ++k) inner.spawn(step_and_count(count, k));
              co_return;
            });
          });
        }
        co_return;
      });
      EXPECT_EQ(count, 16);
    };
    r.block_on(program());
  });
}

}  // namespace
}  // namespace sluice
