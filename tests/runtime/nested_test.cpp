// tests: runtime/nested.hpp
// Waits within waits, where the inner one does not suspend after all: ready late, or refused because the caller is cancelled.
#include "worlds.hpp"

#include <atomic>
#include <thread>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using testing::in_all_worlds;
using testing::simulated;
using testing::threads;

task<int> three() {
  co_await yield();
  co_return 3;
}

task<int> twice_timed() {
  co_await timeout(50ms, timeout(20ms, yield()));
  queue<int> q{1};
  EXPECT_TRUE(q.try_put(2));
  const int got = co_await timeout(50ms, timeout(20ms, q.get()));
  const int made = co_await timeout(50ms, timeout(20ms, three()));
  co_await sleep_for(60ms);  // a timer that was left behind would fire into what is here now
  co_return got + made;
}

TEST(nested, a_timeout_within_a_timeout_leaves_nothing_behind) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    runtime r(simulated(seed));
    EXPECT_EQ(r.block_on(twice_timed()), 5);
  }
  for (const std::size_t workers : {1u, 2u}) {
    runtime r(threads(workers));
    try {
      EXPECT_EQ(r.block_on(twice_timed()), 5);
    } catch (const timed_out&) {
      // the machine was that busy
    }
  }
}

task<> waits(task_group&) { co_await sleep_for(1h); }

// task_group_model.cpp has the cancellation that comes before the link.
task<bool> cancelled_group(std::atomic<join_handle<void>*>& self) {
  bool stopped = false;
  auto body = [&](task_group& group) -> task<> {
    self.load()->cancel();  // between the link and the body's task
    return waits(group);
  };
  try {
    co_await timeout(50ms, with_group(body));
  } catch (const cancelled&) {
    stopped = true;
  }
  co_return stopped;
}

task<> cancels_itself(std::atomic<join_handle<void>*>& self, bool& stopped) {
  while (self == nullptr) co_await yield();  // it may have been stolen before its spawner had the handle
  stopped = co_await cancelled_group(self);
}

TEST(nested, a_group_that_is_cancelled_at_its_entry_tells_the_timeout_around_it) {
  in_all_worlds(
      [](runtime& r) {
        std::atomic<join_handle<void>*> self = nullptr;
        bool stopped = false;
        auto outer = [&]() -> task<> {
          auto handle = spawn(cancels_itself(self, stopped));
          self = &handle;
          while (!handle.done()) co_await yield();
          co_await sleep_for(60ms);
        };
        r.block_on(outer());
        EXPECT_TRUE(stopped);
      },
      10);
}

task<> both_timed() {
  for (;;) {
    try {
      co_await timeout(20ms, when_all(three(), three()));
    } catch (const timed_out&) {
      // the machine was that busy
    }
  }
}

// Some more of it the larger n, and no system call that gives the processor away.
void spin_for(int n) {
  std::atomic<int> turns{0};
  while (turns.fetch_add(1, std::memory_order_relaxed) < 50 * n) {
  }
}

TEST(nested, a_when_all_within_a_timeout_may_be_cancelled_at_any_moment) {
  runtime r(threads(2));
  for (int i = 0; i < 300; ++i) {
    auto handle = r.spawn(both_timed());
    spin_for(i);
    handle.cancel();
    EXPECT_THROW(handle.wait(), cancelled);
  }
}

TEST(nested, one_thread_waits_on_a_handle_while_another_cancels_it) {
  runtime r(threads(2));
  for (int i = 0; i < 300; ++i) {
    auto bystander = [](event& go) -> task<> { co_await go.wait(); };
    event go;
    auto handle = r.spawn(both_timed());
    std::thread canceller([&] {
      for (int k = 0; k < 50; ++k) handle.cancel();
    });
    EXPECT_THROW(handle.wait(), cancelled);
    auto other = r.spawn(bystander, std::ref(go));
    canceller.join();
    go.set();
    EXPECT_NO_THROW(other.wait());
  }
}

}  // namespace
}  // namespace sluice
