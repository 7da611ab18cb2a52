// tests: runtime/roster.hpp runtime/group_child.hpp runtime/roster_page.hpp
// How many children a group has, and that it finds them, whatever the pages (of 56) they lie on and the workers that spawned them.
#include "worlds.hpp"

#include <string>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

TEST(roster, counts_children_over_many_pages) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      event gate;
      auto child = [&gate]() -> task<> { co_await gate.wait(); };
      auto body = [&](task_group& group) -> task<> {
        for (std::size_t n = 1; n <= 200; ++n) {
          group.spawn(child());
          EXPECT_EQ(group.size(), n);
        }
        gate.set();
        co_await group.join();
        EXPECT_EQ(group.size(), 0u);
        for (int i = 0; i < 3; ++i) {  // its page again
          group.spawn([]() -> task<> { co_await yield(); });
          EXPECT_EQ(group.size(), 1u);
          co_await group.join();
          EXPECT_EQ(group.size(), 0u);
        }
      };
      co_await with_group(body);
    };
    r.block_on(program());
    EXPECT_EQ(r.task_count(), 0u);
  });
}

TEST(roster, cancels_every_child_on_every_page) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      std::atomic<int> alive{0};
      std::atomic<int> stopped{0};
      auto child = [&]() -> task<> {
        const counted one(alive);
        try {
          co_await for_ever();
        } catch (const cancelled&) {
          ++stopped;
          throw;
        }
      };
      auto body = [&](task_group& group) -> task<> {
        auto spawns_more = [&]() -> task<> {
          for (int i = 0; i < 60; ++i) group.spawn(child());
          co_await for_ever();
        };
        for (int i = 0; i < 100; ++i) group.spawn(child());
        group.spawn(spawns_more());
        while (alive < 160) co_await yield();
        group.cancel();
        for (int i = 0; i < 60; ++i) group.spawn(child());  // begin cancelled
      };
      co_await with_group(body);
      EXPECT_EQ(alive.load(), 0);
      EXPECT_EQ(stopped.load(), 220);
    };
    r.block_on(program());
  });
}

TEST(roster, goes_on_while_children_spawn_children_after_the_body_has_ended) {
  struct tree {
    static task<> grow(task_group& group, std::atomic<int>& nodes, int depth) {
      ++nodes;
      if (depth == 0) co_return;
      group.spawn(grow(group, nodes, depth - 1));
      co_await yield();
      group.spawn(grow(group, nodes, depth - 1));
    }
  };
  in_all_worlds(
      [](runtime& r) {
        auto program = []() -> task<> {
          std::atomic<int> nodes{0};
          auto body = [&nodes](task_group& group) -> task<> {
            group.spawn(tree::grow(group, nodes, 9));
            co_return;
          };
          co_await with_group(body);
          EXPECT_EQ(nodes.load(), 1023);
        };
        r.block_on(program());
      },
      5);
}

TEST(roster, shows_children_in_a_dump) {
  runtime r(threads(2));
  event gate;
  std::string text;
  std::atomic<int> arrived{0};
  auto child = [&]() -> task<> {
    ++arrived;
    co_await gate.wait();
  };
  auto body = [&](task_group& group) -> task<> {
    for (int i = 0; i < 70; ++i) group.spawn(child(), "one of seventy");
    while (arrived < 70) co_await yield();
    text = r.dump_text();
    gate.set();
  };
  auto program = [&]() -> task<> { co_await with_group(body); };
  r.block_on(program());
  std::size_t shown = 0;
  for (std::size_t at = text.find("one of seventy"); at != std::string::npos;
       at = text.find("one of seventy", at + 1)) {
    ++shown;
  }
  EXPECT_EQ(shown, 70u) << text;
  EXPECT_NE(text.find("waits in event.wait"), std::string::npos) << text;
}

}  // namespace
}  // namespace sluice
