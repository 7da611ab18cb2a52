// tests: queues/channel.hpp
#include <sluice/queues/channel.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using test::coroutine;
using test::executor;

// Each holds its own end, as tasks do whose lifetimes nobody knows.
coroutine produce(executor&, sender<int> tx, int first, int count) {
  for (int i = 0; i < count; ++i) co_await tx.put(first + i);
}
coroutine consume(executor&, receiver<int> rx, std::vector<int>& got) {
  while (auto item = co_await rx.next()) got.push_back(*item);
}
coroutine put_one(executor&, sender<int> tx, std::string& outcome) {
  try {
    co_await tx.put(1);
    outcome = "put";
  } catch (const queue_closed& error) {
    outcome = error.what();
  }
}

TEST(channel, closes_when_the_last_sender_goes) {
  executor e;
  std::vector<int> got;
  {
    auto [tx, rx] = make_channel<int>(2);
    produce(e, tx, 0, 5);
    produce(e, tx, 10, 5);
    consume(e, rx, got);
    EXPECT_EQ(rx.senders(), 3U);
    EXPECT_EQ(tx.receivers(), 2U);
  }
  e.run();
  EXPECT_EQ(got.size(), 10U);
  EXPECT_EQ(e.live, 0U) << "everybody has ended";
}

TEST(channel, ends_puts_and_destroys_what_is_left_when_the_last_receiver_goes) {
  executor e;
  std::string outcome;
  auto item = std::make_shared<int>(1);
  auto [tx, rx] = make_channel<std::shared_ptr<int>>(1);
  EXPECT_TRUE(tx.try_put(item));
  EXPECT_EQ(item.use_count(), 2);
  rx.reset();
  EXPECT_FALSE(rx);
  EXPECT_EQ(item.use_count(), 1);
  EXPECT_EQ(tx.receivers(), 0U);
  EXPECT_EQ(tx.unfinished(), 0U);
  EXPECT_THROW((void)tx.try_put(item), queue_closed);

  auto [numbers, gone] = make_channel<int>(1, {.name = "numbers"});
  EXPECT_TRUE(numbers.try_put(7));
  put_one(e, numbers, outcome);
  {
    const auto last = std::move(gone);
  }
  e.run();
  EXPECT_EQ(outcome, "sluice: put on queue 'numbers', which is closed");
}

TEST(channel, destroys_what_is_put_into_a_slot_when_the_last_receiver_has_gone) {
  auto [tx, rx] = make_channel<std::shared_ptr<int>>(2);
  auto slot = tx.try_reserve();
  rx.reset();
  auto item = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = item;
  slot->put(std::move(item));
  EXPECT_TRUE(alive.expired());
  EXPECT_EQ(tx.unfinished(), 0U);
}

TEST(channel, is_copied_assigned_and_moved) {
  auto [tx, rx] = make_channel<int>(4);
  sender<int> copy = tx;
  EXPECT_EQ(rx.senders(), 2U);
  copy = tx;
  EXPECT_EQ(rx.senders(), 2U);
  copy = std::move(tx);
  EXPECT_EQ(rx.senders(), 1U);
  auto other = make_channel<int>(1);
  copy = other.tx;
  EXPECT_TRUE(rx.closed());
  EXPECT_EQ(other.rx.senders(), 2U);
}

TEST(channel, has_the_face_of_the_queue_on_either_end) {
  auto [tx, rx] = make_channel<int>(4);
  std::array<int, 3> in{1, 2, 3};
  std::array<int, 2> out{};
  EXPECT_EQ(tx.blocking_put_many(in), 3U);
  tx.blocking_reserve().put(4);
  EXPECT_THROW(tx.blocking_put(5, 0ms), timed_out);
  EXPECT_TRUE(tx.full());
  EXPECT_EQ(rx.blocking_peek(), 1);
  EXPECT_EQ(rx.try_peek(), 1);
  EXPECT_EQ(rx.blocking_get_many(out), 2U);
  EXPECT_EQ(rx.blocking_get(), 3);
  rx.task_done(3);
  {
    const auto leased = rx.blocking_lease();
  }
  EXPECT_EQ(tx.unfinished(), 0U);
  tx.close(std::make_exception_ptr(std::runtime_error("enough")));
  EXPECT_NE(rx.cause(), nullptr);
  EXPECT_FALSE(rx.blocking_next(1s));
}

TEST(channel, comes_in_every_kind) {
  auto endless = make_channel<int>(unbounded);
  EXPECT_EQ(endless.tx.capacity(), SIZE_MAX);
  auto hand = make_channel<int>(rendezvous);
  EXPECT_FALSE(hand.tx.try_put(1));
  int dropped = 0;
  auto lossy = make_channel<int>(1, overflow<int>{overflow_policy::drop_oldest, [&](int&& item) { dropped = item; }});
  lossy.tx.blocking_put(1);
  lossy.tx.blocking_put(2);
  EXPECT_EQ(dropped, 1);
  EXPECT_THROW((void)make_channel<int>(0), std::invalid_argument);
}

TEST(channel, outlives_nobody_and_is_outlived_by_nobody) {
  std::vector<std::thread> threads;
  std::vector<int> sums(3);
  {
    auto [tx, rx] = make_channel<int>(3);
    for (std::size_t t = 0; t < 3; ++t) {
      threads.emplace_back([mine = tx]() mutable {
        for (int i = 1; i <= 1000; ++i) mine.blocking_put(int{i});
      });
      threads.emplace_back([mine = rx, &sum = sums[t]]() mutable {
        while (auto item = mine.blocking_next()) sum += *item;
      });
    }
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(sums[0] + sums[1] + sums[2], 3 * 500500);
}

void use_one_that_was_moved_from() {
  auto [tx, rx] = make_channel<int>(1);
  const sender<int> other = std::move(tx);
  (void)tx.try_put(1);
}

TEST(channel_death, an_end_that_was_moved_from_says_so) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(use_one_that_was_moved_from(), "an end of a channel is used that was moved from or reset");
}

}  // namespace
}  // namespace sluice
