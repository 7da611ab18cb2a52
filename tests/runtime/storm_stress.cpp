// stresses: runtime/join_handle.hpp runtime/record_word.hpp runtime/stable_pool.hpp runtime/runtime_core.hpp
// stresses: runtime/worker_tally.hpp
// stresses: runtime/gate.hpp runtime/join_scope.hpp
// Storms of spawns, cancellations, joins and drops on real threads: everything that starts ends once, and is counted.
#include "worlds.hpp"

#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

struct tally {
  std::atomic<long> started{0};
  std::atomic<long> finished{0};
  std::atomic<long> stopped{0};
  std::atomic<long> failed{0};
  long sum() const { return finished + stopped + failed; }
};

task<int> worker(tally& t, unsigned how) {
  ++t.started;
  try {
    if (how % 3 != 0) co_await yield();
    if (how % 4 == 1) co_await sleep_for(std::chrono::microseconds(how % 200));
    if (how % 5 == 2) co_await timeout(50us, sleep_for(std::chrono::microseconds(how % 100)));
  } catch (const cancelled&) {
    ++t.stopped;
    throw;
  } catch (const timed_out&) {
  }
  if (how % 7 == 3) {
    ++t.failed;
    throw std::runtime_error("as planned");
  }
  ++t.finished;
  co_return 1;
}

task<> one_spawner(tally& t, std::atomic<long>& collected, std::atomic<long>& failures, unsigned seed, int rounds) {
  std::mt19937 random(seed);
  for (int i = 0; i < rounds; ++i) {
    auto handle = spawn(worker(t, static_cast<unsigned>(random())));
    const auto what = random() % 6;
    if (what < 2) handle.cancel();
    if (what == 3) continue;  // dropped while it runs, or just as it ends
    if (what == 4) {
      auto other = spawn([](join_handle<int>& h) -> task<int> { co_return co_await h; }, std::ref(handle));
      if (random() % 2 == 0) co_await yield();
      other.cancel();
      try {
        (void)co_await other;
        ++collected;
        continue;
      } catch (const cancelled&) {
        // Either the waiter or the task was cancelled; in the second case the handle is empty now.
      } catch (const std::runtime_error&) {
        ++failures;
        continue;
      }
    }
    try {
      (void)co_await handle;
      ++collected;
    } catch (const cancelled&) {
    } catch (const std::runtime_error&) {
      ++failures;
    } catch (const std::logic_error&) {
    }
  }
}

TEST(storm, of_spawns_cancels_joins_and_drops_counts_exactly) {
  tally t;
  std::atomic<long> collected{0};
  std::atomic<long> failures{0};
  std::atomic<long> unhandled{0};
  auto options = threads(2);
  options.on_unhandled_exception = [&](const unhandled_exception&) { ++unhandled; };
  {
    runtime r(options);
    auto program = [&]() -> task<> {
      std::vector<task<>> spawners;
      for (unsigned i = 0; i < 8; ++i) spawners.push_back(one_spawner(t, collected, failures, i, 2000));
      co_await when_all(std::move(spawners));
    };
    r.block_on(program());
    while (r.task_count() != 0) std::this_thread::yield();
    EXPECT_EQ(r.dump_text().find("timer in"), std::string::npos);
  }
  EXPECT_EQ(t.started, 8 * 2000);
  EXPECT_EQ(t.sum(), t.started);
  EXPECT_GT(t.stopped, 0);
  EXPECT_GT(collected, 0);
  EXPECT_LE(collected, t.finished);
  EXPECT_EQ(failures + unhandled, t.failed);  // every exception is collected or reported
}

TEST(storm, of_plain_threads_that_spawn_cancel_wait_and_drop_counts_exactly) {
  tally t;
  std::atomic<long> collected{0};
  std::vector<join_handle<int>> survivors;
  {
    auto options = threads(2);
    options.on_unhandled_exception = [](const unhandled_exception&) {};
    runtime r(options);
    std::vector<std::thread> all;
    std::array<std::vector<join_handle<int>>, 3> kept;
    for (unsigned n = 0; n < 3; ++n) {
      all.emplace_back([&, n] {
        std::mt19937 random(n);
        for (int i = 0; i < 1500; ++i) {
          auto handle = r.spawn(worker(t, static_cast<unsigned>(random())));
          if (random() % 3 == 0) handle.cancel();
          if (random() % 50 == 0) {
            kept[n].push_back(std::move(handle));
          } else if (random() % 2 == 0) {
            try {
              (void)handle.wait();
              ++collected;
            } catch (const std::exception&) {
            }
          }
        }
      });
    }
    for (auto& thread : all) thread.join();
    for (auto& list : kept) {
      for (auto& handle : list) survivors.push_back(std::move(handle));
    }
  }
  EXPECT_EQ(t.started, 3 * 1500);
  EXPECT_EQ(t.sum(), t.started);
  for (auto& handle : survivors) EXPECT_TRUE(handle.done());
  EXPECT_FALSE(survivors.empty());
}

TEST(storm, of_cancelled_waiters_never_waits_for_a_task_that_goes_on) {
  runtime r(threads(2));
  auto program = []() -> task<> {
    auto endless = spawn(for_ever());
    for (int i = 0; i < 3000; ++i) {
      auto waiter = spawn([](join_handle<void>& h) -> task<> { co_await h; }, std::ref(endless));
      for (int spin = 0; spin < i % 200; ++spin) impl::pause();
      if (i % 5 == 0) co_await yield();
      waiter.cancel();
      EXPECT_THROW(co_await waiter, cancelled);
      EXPECT_FALSE(endless.done());
    }
    endless.cancel();
    EXPECT_THROW(co_await endless, cancelled);
  };
  r.block_on(program());
}

TEST(storm, of_failing_when_alls_ends_every_child) {
  std::atomic<int> live{0};
  std::atomic<long> failures{0};
  auto child = [](counted, unsigned how) -> task<> {
    if (how % 2 == 0) co_await yield();
    if (how % 3 == 0) throw std::runtime_error("as planned");
    co_await sleep_for(std::chrono::microseconds(how % 64));
  };
  auto round = [&](unsigned seed) -> task<> {
    std::mt19937 random(seed);
    for (int i = 0; i < 500; ++i) {
      std::vector<task<>> children;
      for (int k = 0; k < 5; ++k) children.push_back(child(counted(live), static_cast<unsigned>(random())));
      try {
        co_await when_all(std::move(children));
      } catch (const std::runtime_error&) {
        ++failures;
      }
    }
  };
  runtime r(threads(2));
  auto program = [&]() -> task<> { co_await when_all(round(1), round(2), round(3), round(4)); };
  r.block_on(program());
  EXPECT_EQ(live, 0);
  EXPECT_GT(failures, 0);
}

TEST(storm, of_cancelled_when_alls_ends_every_child_first) {
  std::atomic<int> live{0};
  auto child = [](counted, int us) -> task<> { co_await sleep_for(std::chrono::microseconds(us)); };
  auto victim = [&]() -> task<> {
    co_await when_all(child(counted(live), 1), child(counted(live), 20), child(counted(live), 40));
  };
  runtime r(threads(2));
  long stopped = 0;
  for (int i = 0; i < 1500; ++i) {
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

}  // namespace
}  // namespace sluice
