// tests: scheduler/worker.cpp scheduler/slice.hpp
// The fairness bound of scheduler/README.md, on one worker beside tasks that do their worst: slices are counted, not timed.
#include "worlds.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;

/// What others do while the measured tasks want their turns. Plain: one worker runs all of them.
struct storm {
  long slices = 0;  // of everybody
  bool over = false;
  int tasks = 0;  // that may stand in a ring or lane at once
};

task<int> leaf(storm& s, bool waits) {
  ++s.slices;
  if (waits) {
    co_await yield();
    ++s.slices;
  }
  co_return 1;
}
task<> forks(storm& s) {
  while (!s.over) {
    ++s.slices;
    (void)co_await when_all(leaf(s, false), leaf(s, false), leaf(s, false));
  }
}
task<> forks_that_wait(storm& s) {
  while (!s.over) {
    ++s.slices;
    (void)co_await when_all(leaf(s, true), leaf(s, false), leaf(s, true));
  }
}
/// Two that wake each other: the one that was woken goes before all that is ready.
task<> wakes(storm& s, queue<int>& mine, queue<int>& other) {
  while (!s.over) {
    (void)co_await mine.get();
    ++s.slices;
    co_await other.put(1);
  }
}
/// Its slices are long, so its worker looks around at every step.
task<> computes(storm& s) {
  while (!s.over) {
    ++s.slices;
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(150);
    while (std::chrono::steady_clock::now() < end) {
    }
    co_await yield();
  }
}
task<> spins(storm& s) {
  while (!s.over) {
    ++s.slices;
    co_await yield();
  }
}
/// Its queue is never empty: a slice of it ends only because it must.
task<> never_waits(storm& s, event& open) {
  for (std::uint32_t i = 0; !s.over; ++i) {
    if (i % 128 == 0) ++s.slices;
    co_await open.wait();
  }
}

/// The most slices that anybody had between two turns of one of `measured` tasks, for each task that was ready.
long worst(executor where, const std::string& kinds, int measured) {
  runtime r(threads(1));
  storm s;
  std::vector<std::unique_ptr<queue<int>>> hands;
  event open(true);
  long longest = 0;
  auto measures = [&]() -> task<> {
    const int turns = kinds.find('t') == std::string::npos ? 100 : 10;
    for (int i = 0; i < turns; ++i) {
      const long before = s.slices;
      co_await yield();
      longest = std::max(longest, s.slices - before);
      ++s.slices;
    }
  };
  auto program = [&]() -> task<> {
    co_await with_group([&](task_group& group) -> task<> {
      for (const char kind : kinds) {
        if (kind == 'f') group.spawn(forks(s)), s.tasks += 3;
        if (kind == 'w') group.spawn(forks_that_wait(s)), s.tasks += 4;
        if (kind == 'l') {
          queue<int>& ping = *hands.emplace_back(std::make_unique<queue<int>>(1));
          queue<int>& pong = *hands.emplace_back(std::make_unique<queue<int>>(1));
          group.spawn(wakes(s, ping, pong));
          group.spawn(wakes(s, pong, ping));
          (void)ping.try_put(1);
          s.tasks += 2;
        }
        if (kind == 'c') group.spawn(on(lane::critical, spins(s))), ++s.tasks;
        if (kind == 't') group.spawn(computes(s)), ++s.tasks;
        if (kind == 'n') group.spawn(spins(s)), ++s.tasks;
        if (kind == 'b') group.spawn(never_waits(s, open)), ++s.tasks;
      }
      std::vector<join_handle<void>> all;
      for (int i = 0; i < measured; ++i) all.push_back(spawn(on(where, measures())));
      for (auto& h : all) co_await h;
      s.over = true;
    });
  };
  r.block_on(program());
  return longest / (measured + s.tasks);
}

// 64 steps and as many children of when_alls between two looks, and each source comes first at one of six.
constexpr long slices_for_each_task = 6 * 128;
// Critical tasks have 16 of 17 looks.
long times(const std::string& kinds) { return kinds.find('c') == std::string::npos ? 1 : 17; }

TEST(fairness, a_ready_task_waits_for_those_before_it_whatever_others_do) {
  for (const char* kinds : {"", "n", "f", "w", "l", "c", "b", "cct", "ffwwllnnbb", "ffwwllccnnbb"}) {
    SCOPED_TRACE(std::string("beside ") + kinds);
    EXPECT_LE(worst(lane::normal, kinds, 1), times(kinds) * slices_for_each_task);
    EXPECT_LE(worst(lane::normal, kinds, 20), times(kinds) * slices_for_each_task);
  }
  EXPECT_LE(worst(lane::normal, "nnnnnnnnnn", 10), 1) << "among its like a task waits for one slice of each";
}

TEST(fairness, so_does_one_of_each_lane) {
  for (const char* kinds : {"", "n", "f", "c", "tttttttttt", "ffwwllccnnbb"}) {
    SCOPED_TRACE(std::string("beside ") + kinds);
    EXPECT_LE(worst(lane::critical, kinds, 5), *kinds == 't' ? 1 : 17) << "one of 17 is not critical";
    EXPECT_LE(worst(lane::background, kinds, 5), times(kinds) * 16 * 128);
  }
}

// What a task wakes goes before the ring, and must not fall behind it where steps are long.
TEST(fairness, so_does_one_that_was_woken_beside_tasks_that_take_long) {
  runtime r(threads(1));
  storm s;
  long longest = 0;
  auto waits = [&](queue<int>& mine, queue<int>& other, bool measures) -> task<> {
    for (int i = 0; i < 20; ++i) {
      const long before = s.slices;
      (void)co_await mine.get();
      if (measures) longest = std::max(longest, s.slices - before);
      co_await other.put(1);
    }
  };
  auto program = [&]() -> task<> {
    queue<int> ping(1);
    queue<int> pong(1);
    (void)ping.try_put(1);
    co_await with_group([&](task_group& group) -> task<> {
      for (int i = 0; i < 5; ++i) group.spawn(computes(s));
      auto first = spawn(waits(ping, pong, false));
      auto second = spawn(waits(pong, ping, true));
      co_await first;
      co_await second;
      s.over = true;
    });
  };
  r.block_on(program());
  EXPECT_LE(longest, 2 * 7);
}

TEST(fairness, a_task_pinned_to_a_busy_worker_has_its_turn) {
  runtime r(threads(1));
  storm s;
  long longest = 0;
  auto measures = [&]() -> task<> {
    for (int i = 0; i < 100; ++i) {
      const long before = s.slices;
      co_await yield();
      longest = std::max(longest, s.slices - before);
    }
    s.over = true;
  };
  auto program = [&]() -> task<> {
    co_await with_group([&](task_group& group) -> task<> {
      group.spawn(forks(s));
      group.spawn(spins(s));
      group.spawn(spins(s));
      group.spawn(on(r.worker(0), measures()));
      co_return;
    });
  };
  r.block_on(program());
  EXPECT_LE(longest, 6 * slices_for_each_task);
}

}  // namespace
}  // namespace sluice
