// tests: runtime/step_back.hpp runtime/unconstrained.hpp scheduler/slice.hpp
// One worker, a task that never has to wait, and another that wants its turn. Turns are counted, not timed.
#include "worlds.hpp"

#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

runtime_options one_worker(std::uint32_t budget) {
  runtime_options options = threads(1);
  options.ready_budget = budget;
  return options;
}

/// How many waits of `busy`, one round of which has `waits` of them, are over when a task that became ready after it has its turn.
template <class Busy>
long rounds_before_the_other(runtime& r, Busy busy, long most = 100'000) {
  long rounds = 0;
  long seen = -1;
  auto other = [&]() -> task<> {
    seen = rounds;
    co_return;
  };
  auto program = [&]() -> task<> {
    auto handle = spawn(other);
    while (seen < 0 && rounds < most) {
      co_await busy();
      ++rounds;
    }
    co_await handle;
  };
  r.block_on(program());
  return seen;
}

TEST(step_back, lets_others_run_after_the_budget_of_waits_that_were_over_at_once) {
  queue<int> items(4);
  semaphore permits(1);
  event open(true);
  auto put_and_get = [&]() -> task<> {
    co_await items.put(1);
    (void)co_await items.get();
  };
  auto next = [&]() -> task<> {
    co_await items.put(1);
    (void)co_await items.next();
  };
  auto lease = [&]() -> task<> {
    co_await items.put(1);
    (void)co_await items.lease();
  };
  auto acquire = [&]() -> task<> {
    auto held = co_await permits.acquire();
    (void)co_await permits.acquire(0);
  };
  auto wait = [&]() -> task<> {
    co_await open.wait();
    co_await this_task::checkpoint();
  };
  auto within_timeout = [&]() -> task<> {
    co_await timeout(1h, open.wait());
    co_await timeout(0s, open.wait());
  };
  for (const std::uint32_t budget : {1u, 2u, 16u, 128u}) {
    SCOPED_TRACE("budget " + std::to_string(budget));
    const long at_most = std::max(1l, static_cast<long>(budget) / 2);  // two waits in each round
    runtime r(one_worker(budget));
    EXPECT_LE(rounds_before_the_other(r, put_and_get), at_most);
    EXPECT_LE(rounds_before_the_other(r, next), at_most);
    EXPECT_LE(rounds_before_the_other(r, lease), at_most);
    EXPECT_LE(rounds_before_the_other(r, acquire), at_most);
    EXPECT_LE(rounds_before_the_other(r, wait), at_most);
    EXPECT_LE(rounds_before_the_other(r, within_timeout), at_most);
  }
}

TEST(step_back, uses_the_whole_budget) {
  event open(true);
  runtime r(one_worker(100));
  EXPECT_EQ(rounds_before_the_other(r, [&]() -> task<> { co_await open.wait(); }), 99);
}

TEST(step_back, counts_the_waits_of_children_in_the_same_slice) {
  event open(true);
  runtime r(one_worker(10));
  auto child = [&]() -> task<> { co_await open.wait(); };
  // The last child goes on with its parent directly: the parent's own waits need not be many.
  const long rounds = rounds_before_the_other(r, [&]() -> task<> { (void)co_await when_all(child()); });
  EXPECT_LE(rounds, 10);
  EXPECT_GE(rounds, 0);
}

TEST(step_back, never_happens_without_a_budget) {
  event open(true);
  runtime r(one_worker(0));
  auto busy = [&]() -> task<> { co_await open.wait(); };
  EXPECT_EQ(rounds_before_the_other(r, busy, 5'000), 5'000);  // it came after all of them
}

TEST(step_back, never_happens_in_an_unconstrained_task) {
  event open(true);
  runtime r(one_worker(8));
  long rounds = 0;
  long seen = -1;
  auto other = [&]() -> task<> {
    seen = rounds;
    co_return;
  };
  auto busy = [&]() -> task<int> {
    for (; rounds < 1'000; ++rounds) co_await open.wait();
    co_return 7;
  };
  auto program = [&]() -> task<> {
    auto handle = spawn(other);
    EXPECT_EQ(co_await unconstrained(busy()), 7);
    co_await handle;
  };
  r.block_on(program());
  EXPECT_EQ(seen, 1'000);
}

TEST(step_back, an_unconstrained_task_is_cancelled_with_its_caller) {
  cancel_at_every_point(
      [&]() -> task<> {
        auto endless = []() -> task<> { co_await sleep_for(1h); };
        co_await unconstrained(endless());
      },
      [&](bool was_cancelled) { EXPECT_TRUE(was_cancelled); });
}

TEST(step_back, an_unconstrained_task_throws_what_it_throws) {
  auto fails = []() -> task<int> {
    throw std::runtime_error("as planned");
    co_return 0;
  };
  auto program = [&]() -> task<> {
    EXPECT_THROW((void)co_await unconstrained(fails()), std::runtime_error);
    co_return;
  };
  run(program(), threads(1));
}

// Stepping back comes after the claim: what a wait has taken is delivered, and a cancellation stays latched.
TEST(step_back, delivers_what_was_claimed_before_a_cancellation) {
  long delivered_late = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    runtime_options options = simulated(seed, 2);
    options.ready_budget = 2;
    runtime r(options);
    queue<int> items(1000);
    long got = 0;
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(items.try_put(1));
    auto taker = [&]() -> task<> {
      for (;;) {
        const bool asked_before = this_task::cancelled();
        (void)co_await items.get();
        ++got;
        delivered_late += !asked_before && this_task::cancelled();
      }
    };
    auto program = [&]() -> task<> {
      auto handle = spawn(taker);
      for (std::uint64_t i = 0; i < seed % 7; ++i) co_await yield();
      handle.cancel();
      EXPECT_THROW(co_await handle, cancelled);
    };
    r.block_on(program());
    EXPECT_EQ(got + static_cast<long>(items.size()), 1000);
  }
  EXPECT_GT(delivered_late, 0);
}

TEST(step_back, happens_in_simulations_as_well) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    runtime r(simulated(seed, 1));
    event open(true);
    const long rounds = rounds_before_the_other(r, [&]() -> task<> { co_await open.wait(); });
    EXPECT_LT(rounds, 100'000);
  }
}

}  // namespace
}  // namespace sluice
