// tests: runtime/executor.hpp runtime/resume_on.hpp scheduler/lanes.hpp
// Tasks on one worker, and in lanes.
#include "worlds.hpp"

#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

TEST(pinned, a_task_stays_on_its_worker_whatever_it_waits_for) {
  in_all_worlds([](runtime& r) {
    queue<int> items(1);
    auto member = [&](std::size_t home) -> task<> {
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(this_task::worker_index(), home);
        co_await yield();
        EXPECT_EQ(this_task::worker_index(), home);
        co_await items.put(i);
        EXPECT_EQ(this_task::worker_index(), home);
        (void)co_await items.get();
        EXPECT_EQ(this_task::worker_index(), home);
        if (i % 5 == 0) co_await sleep_for(1us);
        EXPECT_EQ(this_task::worker_index(), home);
      }
      auto inner = [home]() -> task<> {
        EXPECT_EQ(this_task::worker_index(), home);
        co_await yield();
        EXPECT_EQ(this_task::worker_index(), home);
      };
      co_await timeout(1h, inner());
      co_await shield(inner());
      co_await with_group([&](task_group& group) -> task<> {
        group.spawn([]() -> task<> { co_await yield(); });
        co_await inner();
      });
      EXPECT_EQ(this_task::worker_index(), home);
      auto free = [](int x) -> task<int> {
        co_await yield();
        co_return x;
      };
      auto [a, b] = co_await when_all(free(1), free(2));
      EXPECT_EQ(a + b, 3);
      EXPECT_EQ(this_task::worker_index(), home);
      EXPECT_EQ(co_await run_blocking([] { return 5; }), 5);
      EXPECT_EQ(this_task::worker_index(), home);
    };
    auto program = [&]() -> task<> {
      co_await with_group([&](task_group& group) -> task<> {
        for (std::size_t i = 0; i < 6; ++i) {
          const std::size_t home = i % r.worker_count();
          group.spawn(on(r.worker(home), member(home)));
        }
        co_return;
      });
    };
    r.block_on(program());
  });
}

TEST(pinned, wakes_its_sleeping_worker_from_any_thread) {
  runtime r(threads(2));
  for (int i = 0; i < 300; ++i) {
    event go;
    auto waits = [&](std::size_t home) -> task<std::size_t> {
      co_await go.wait();
      co_return this_task::worker_index() == home ? home : 99;
    };
    auto first = r.spawn(on(r.worker(0), waits(0)));
    auto second = r.spawn(on(r.worker(1), waits(1)));
    if (i % 3 == 0) std::this_thread::yield();
    go.set();
    EXPECT_EQ(first.wait(), 0u);
    EXPECT_EQ(second.wait(), 1u);
  }
}

TEST(resume_on, moves_the_whole_task_and_children_of_a_when_all_only_themselves) {
  in_all_worlds([](runtime& r) {
    const std::size_t last = r.worker_count() - 1;
    auto moves = [&](std::size_t to) -> task<std::size_t> {
      co_await resume_on(r.worker(to));
      co_await yield();
      co_return this_task::worker_index();
    };
    auto stays = []() -> task<int> { co_return 7; };
    auto program = [&]() -> task<> {
      EXPECT_EQ(co_await moves(last), last);
      EXPECT_EQ(this_task::worker_index(), last) << "what is awaited is part of the task";
      co_await resume_on(r.worker(0));
      for (int i = 0; i < 10; ++i) {
        auto [a, b, c] = co_await when_all(moves(last), stays(), moves(0));
        EXPECT_EQ(a, last);
        EXPECT_EQ(b, 7);
        EXPECT_EQ(c, 0u);
        EXPECT_EQ(this_task::worker_index(), 0u) << "a child's move is its own";
      }
      co_await resume_on(lane::normal);
      strand s;
      auto on_strand = [&](bool first) -> task<int> {
        if (first) co_await yield();
        co_await resume_on(s);
        co_return 1;
      };
      for (int i = 0; i < 10; ++i) {
        auto [a, b, c, d] = co_await when_all(on_strand(false), stays(), on_strand(true), stays());
        EXPECT_EQ(a + b + c + d, 16);
        auto each = co_await when_all(0, 5, [&](int k) { return on_strand(k % 2 == 0); });
        EXPECT_EQ(each.size(), 5u);
        (void)co_await when_any(on_strand(true), on_strand(false));
        // Were this task still on the strand, it would wait for itself.
        event strand_is_free;
        auto sets = [&]() -> task<> {
          strand_is_free.set();
          co_return;
        };
        auto handle = spawn(on(s, sets()));
        co_await strand_is_free.wait();
        co_await handle;
      }
    };
    r.block_on(program());
  });
}

TEST(resume_on, a_cancelled_task_does_not_move_and_one_that_moved_goes_on) {
  runtime r(simulated(3, 2));
  auto victim = [&]() -> task<> {
    co_await resume_on(r.worker(0));
    try {
      for (;;) co_await yield();
    } catch (const cancelled&) {
    }
    EXPECT_EQ(this_task::worker_index(), 0u);
    EXPECT_THROW(co_await resume_on(r.worker(1)), cancelled);
    EXPECT_EQ(this_task::worker_index(), 0u);
    auto never = []() -> task<> {
      ADD_FAILURE() << "started in a cancelled task";
      co_return;
    };
    EXPECT_THROW(co_await on(r.worker(1), never()), cancelled);
  };
  auto program = [&]() -> task<> {
    auto handle = spawn(victim);
    for (int i = 0; i < 10; ++i) co_await yield();
    handle.cancel();
    co_await handle;
  };
  r.block_on(program());
}

TEST(resume_on, says_what_is_wrong) {
  runtime r(threads(1));
  auto part_of_a_wait = []() -> task<> { co_await timeout(1h, resume_on(lane::normal)); };
  EXPECT_THROW(r.block_on(part_of_a_wait()), std::logic_error);
  EXPECT_THROW((void)r.worker(1), std::invalid_argument);
  EXPECT_THROW((void)this_task::worker(), std::logic_error);
  EXPECT_THROW((void)this_task::worker_index(), std::logic_error);
  auto nothing = []() -> task<> { co_return; };
  task<> used = nothing();
  task<> moved = std::move(used);
  EXPECT_THROW((void)on(lane::normal, std::move(used)), std::logic_error);
  runtime other(threads(1));
  EXPECT_THROW(r.block_on(on(other.worker(0), std::move(moved))), std::logic_error);
}

TEST(lanes, a_critical_task_goes_first_and_a_background_one_last) {
  runtime r(threads(1));
  std::vector<int> order;
  auto note = [&](int what) -> task<> {
    order.push_back(what);
    co_return;
  };
  auto program = [&]() -> task<> {
    auto last = spawn(on(lane::background, note(3)));
    auto normal = spawn(note(2));
    auto first = spawn(on(lane::critical, note(1)));
    co_await yield();  // each has begun, and waits in its lane
    co_await last;
    co_await normal;
    co_await first;
  };
  r.block_on(program());
  ASSERT_EQ(order.size(), 3u);
  EXPECT_EQ(order.back(), 3);
}

/// Counts steps of tasks that always yield in two lanes on one worker, until one has had `steps`.
std::pair<long, long> compete(lane often, lane seldom, long steps) {
  runtime r(threads(1));
  long a = 0;
  long b = 0;
  auto spin = [&](long& mine) -> task<> {
    while (a < steps && b < steps) {
      ++mine;
      co_await yield();
    }
  };
  auto program = [&]() -> task<> { co_await when_all(on(often, spin(a)), on(often, spin(a)), on(seldom, spin(b))); };
  r.block_on(program());
  return {a, b};
}

TEST(lanes, none_starves) {
  const auto [critical, normal] = compete(lane::critical, lane::normal, 50'000);
  EXPECT_GE(normal, critical / 17 - 1) << "one of 17 in a row is not critical";
  EXPECT_LE(normal, critical / 10);
  const auto [usual, background] = compete(lane::normal, lane::background, 200'000);
  EXPECT_GE(background, usual / (64 * 16) - 1) << "at least at every 16th look, every 64 tasks at most";
  EXPECT_LT(background, usual / 2);
}

TEST(lanes, are_kept_by_all_that_is_part_of_a_task_and_carry_every_wake) {
  in_all_worlds([](runtime& r) {
    queue<int> items(2);
    auto member = [&](int i) -> task<> {
      for (int k = 0; k < 10; ++k) {
        if (i % 2 == 0) {
          co_await items.put(k);
        } else {
          (void)co_await items.get();
        }
        if (k % 3 == 0) co_await sleep_for(1us);
        co_await yield();
      }
      co_await timeout(1h, yield());
      auto child = [](int x) -> task<int> {
        co_await yield();
        co_return x;
      };
      auto [a, b] = co_await when_all(child(1), child(2));
      EXPECT_EQ(a + b, 3);
    };
    auto program = [&]() -> task<> {
      co_await with_group([&](task_group& group) -> task<> {
        for (int i = 0; i < 12; ++i) {
          group.spawn(on(i < 4 ? lane::critical : i < 8 ? lane::normal : lane::background, member(i)));
        }
        co_return;
      });
    };
    r.block_on(program());
  });
}

TEST(lanes, wake_sleepers_from_outside) {
  runtime r(threads(2));
  for (int i = 0; i < 300; ++i) {
    event go;
    auto waits = [&]() -> task<int> {
      co_await go.wait();
      co_return 1;
    };
    auto first = r.spawn(on(lane::critical, waits()));
    auto second = r.spawn(on(lane::background, waits()));
    if (i % 3 == 0) std::this_thread::yield();
    go.set();
    EXPECT_EQ(first.wait() + second.wait(), 2);
  }
}

}  // namespace
}  // namespace sluice
