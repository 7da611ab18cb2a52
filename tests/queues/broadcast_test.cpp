// tests: queues/broadcast.hpp queues/broadcast_core.hpp queues/broadcast_waits.hpp
// tests: queues/shared_slot.hpp queues/value_pool.hpp queues/snapshot.hpp
#include <sluice/queues/broadcast.hpp>
#include <sluice/sluice.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using test::coroutine;
using test::executor;

// Counts how many there are, and throws when it is copied and told to.
struct counted {
  explicit counted(int n) : number(n) { ++alive; }
  counted(const counted& other) : number(other.number) {
    if (refuses) throw std::runtime_error("no copy");
    ++alive;
  }
  counted(counted&& other) noexcept : number(std::exchange(other.number, -1)) { ++alive; }
  counted& operator=(counted&&) = delete;
  ~counted() { --alive; }

  int number;
  static inline int alive = 0;
  static inline bool refuses = false;
};

coroutine collect(executor&, subscription<int>& from, std::vector<int>& into, std::string& end) {
  try {
    while (const auto item = co_await from.next()) into.push_back(*item);
    end = "closed";
  } catch (const cancelled&) {
    end = "cancelled";
  }
}

TEST(broadcast, gives_every_item_to_every_subscriber_in_order_and_then_the_end) {
  executor e;
  broadcast<int> numbers{4};
  auto one = numbers.subscribe();
  auto two = numbers.subscribe();
  EXPECT_EQ(numbers.subscribers(), 2U);
  std::vector<int> first;
  std::vector<int> second;
  std::string end_of_first;
  std::string end_of_second;
  numbers.send(1);
  collect(e, one, first, end_of_first);
  collect(e, two, second, end_of_second);
  numbers.send(2);
  numbers.send(3);
  e.run();
  numbers.send(4);
  numbers.close();
  numbers.close();
  e.run();
  EXPECT_EQ(first, (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(second, first);
  EXPECT_EQ(end_of_first + end_of_second, "closedclosed");
  EXPECT_EQ(one.missed() + two.missed(), 0U);
  EXPECT_EQ(e.live, 0U);
}

TEST(broadcast, keeps_exactly_the_last_items_and_says_how_many_were_missed) {
  for (const std::size_t capacity : {1U, 2U, 3U, 7U, 64U}) {
    for (std::uint64_t sent = 0; sent < 3 * capacity + 2; ++sent) {
      broadcast<std::uint64_t> numbers{capacity};
      auto mine = numbers.subscribe();
      for (std::uint64_t i = 0; i < sent; ++i) numbers.send(i);
      const std::uint64_t lost = sent > capacity ? sent - capacity : 0;
      EXPECT_EQ(mine.lag(), sent);
      for (std::uint64_t i = lost; i < sent; ++i) {
        EXPECT_EQ(mine.try_next(), i);
        EXPECT_EQ(mine.missed(), lost);
        EXPECT_EQ(mine.gap(), i == lost ? lost : 0);
        EXPECT_EQ(mine.lag(), sent - i - 1);
      }
      EXPECT_FALSE(mine.try_next());
      EXPECT_EQ(numbers.sent(), sent);
    }
  }
}

TEST(broadcast, keeps_no_value_longer_than_it_must) {
  {
    broadcast<counted> items{3};
    auto mine = items.subscribe();
    for (int i = 0; i < 10; ++i) {
      items.send(counted(i));
      EXPECT_EQ(counted::alive, std::min(i + 1, 3));
    }
    {
      const auto held = mine.try_borrow();
      EXPECT_EQ((*held)->number, 7);
      for (int i = 10; i < 20; ++i) items.send(counted(i));
      EXPECT_EQ((*held)->number, 7) << "what was borrowed does not change";
      EXPECT_EQ(counted::alive, 4);
    }
    EXPECT_EQ(counted::alive, 3);
  }
  EXPECT_EQ(counted::alive, 0);
}

TEST(broadcast, begins_with_the_next_item_or_with_what_is_kept) {
  broadcast<int> numbers{2};
  for (int i = 1; i <= 3; ++i) numbers.send(int{i});
  auto from_now = numbers.subscribe();
  auto from_then = numbers.subscribe(from_kept);
  numbers.send(4);
  EXPECT_EQ(from_now.try_next(), 4);
  EXPECT_EQ(from_then.try_next(), 3) << "the first of what was kept has been overwritten since";
  EXPECT_EQ(from_then.missed(), 1U);
  EXPECT_EQ(from_then.try_next(), 4);
}

TEST(broadcast, refuses_a_send_after_close_and_leaves_the_value) {
  broadcast<std::unique_ptr<int>> items{2, {.name = "ticks"}};
  auto mine = items.subscribe();
  items.send(std::make_unique<int>(1));
  EXPECT_FALSE(items.closed());
  items.close();
  EXPECT_TRUE(items.closed());
  auto value = std::make_unique<int>(2);
  try {
    items.send(std::move(value));
    FAIL();
  } catch (const queue_closed& error) {
    EXPECT_NE(std::string(error.what()).find("send on broadcast 'ticks', which is closed"), std::string::npos);
  }
  ASSERT_TRUE(value) << "it is still the caller's";
  EXPECT_EQ(*value, 2);
  EXPECT_EQ(***mine.try_borrow(), 1) << "what was sent before is seen";
  EXPECT_FALSE(mine.try_borrow());
  EXPECT_EQ(items.sent(), 1U);
}

TEST(broadcast, passes_nothing_when_a_copy_throws) {
  {
    broadcast<counted> items{2};
    auto mine = items.subscribe();
    const counted value(1);
    counted::refuses = true;
    EXPECT_THROW(items.send(value), std::runtime_error);
    EXPECT_EQ(items.sent(), 0U);
    counted::refuses = false;
    items.send(value);
    counted::refuses = true;
    EXPECT_THROW((void)mine.try_next(), std::runtime_error);
    EXPECT_THROW((void)mine.blocking_next(), std::runtime_error);
    counted::refuses = false;
    EXPECT_EQ(mine.try_next()->number, 1);
    EXPECT_EQ(mine.missed(), 0U);
  }
  EXPECT_EQ(counted::alive, 0);
}

TEST(broadcast, a_cancelled_wait_has_passed_nothing_and_the_others_go_on) {
  executor e;
  broadcast<int> numbers{2};
  auto one = numbers.subscribe();
  auto two = numbers.subscribe();
  std::vector<int> first;
  std::vector<int> second;
  std::string end_of_first;
  std::string end_of_second;
  coroutine waiting = collect(e, one, first, end_of_first);
  collect(e, two, second, end_of_second);
  waiting.context->cancel();
  e.run();
  EXPECT_EQ(end_of_first, "cancelled");
  numbers.send(1);
  e.run();
  EXPECT_EQ(second, std::vector<int>{1});
  EXPECT_EQ(one.try_next(), 1);
  numbers.close();
  e.run();
}

TEST(broadcast, wakes_a_crowd) {
  constexpr std::size_t crowd = 1000;
  executor e;
  broadcast<int> numbers{2};
  std::vector<subscription<int>> all;
  std::vector<std::vector<int>> got(crowd);
  std::vector<std::string> ends(crowd);
  for (std::size_t i = 0; i < crowd; ++i) all.push_back(numbers.subscribe());
  for (std::size_t i = 0; i < crowd; ++i) collect(e, all[i], got[i], ends[i]);
  for (int round = 0; round < 3; ++round) {
    numbers.send(int{round});
    e.run();
  }
  numbers.close();
  e.run();
  for (std::size_t i = 0; i < crowd; ++i) {
    EXPECT_EQ(got[i], (std::vector<int>{0, 1, 2}));
    EXPECT_EQ(ends[i], "closed");
  }
  EXPECT_EQ(e.live, 0U);
}

TEST(broadcast, blocks_plain_threads_with_and_without_a_limit) {
  broadcast<int> numbers{2};
  auto mine = numbers.subscribe();
  EXPECT_THROW((void)mine.blocking_next(1ms), timed_out);
  EXPECT_THROW((void)mine.blocking_next(0ms), timed_out);
  std::thread sender([&] {
    numbers.send(1);
    numbers.send(2);
    numbers.close();
  });
  EXPECT_EQ(mine.blocking_next(), 1);
  EXPECT_EQ(**mine.blocking_borrow(), 2);
  EXPECT_FALSE(mine.blocking_borrow(1h));
  sender.join();
  EXPECT_FALSE(mine.blocking_next(0ms));
}

TEST(broadcast, a_subscription_moves_with_what_it_has_seen) {
  broadcast<int> numbers{4};
  auto one = numbers.subscribe();
  for (int i = 1; i <= 6; ++i) numbers.send(int{i});
  EXPECT_EQ(one.try_next(), 3);
  auto two = std::move(one);
  EXPECT_EQ(two.try_next(), 4);
  EXPECT_EQ(two.missed(), 2U);
  EXPECT_THROW((void)one.try_next(), std::logic_error);
  EXPECT_THROW((void)one.next(), std::logic_error);
  EXPECT_THROW((void)one.lag(), std::logic_error);
  EXPECT_EQ(numbers.subscribers(), 1U);
  one = std::move(two);
  EXPECT_EQ(one.try_next(), 5);
  auto other = numbers.subscribe();
  EXPECT_EQ(numbers.subscribers(), 2U);
  other = std::move(one);
  EXPECT_EQ(numbers.subscribers(), 1U);
  EXPECT_EQ(other.try_next(), 6);
}

TEST(broadcast, is_refused_with_a_sentence_when_used_wrongly) {
  EXPECT_THROW(broadcast<int>{0}, std::invalid_argument);
  EXPECT_THROW(broadcast<int>{SIZE_MAX}, std::invalid_argument);
  broadcast<int> numbers{1};
  auto mine = numbers.subscribe();
  executor e;
  impl::task_context context(e);
  auto operation = mine.next();
  (void)std::move(operation).bind(context);
  EXPECT_THROW((void)std::move(operation).bind(context), std::logic_error);
}

// As many readers of one item as must be moved to its node several times over, and more values than were made at first.
TEST(broadcast, lets_go_of_thousands_of_snapshots_in_any_order) {
  {
    broadcast<counted> items{1};
    std::vector<snapshot<counted>> held;
    for (int i = 0; i < 3; ++i) {
      items.send(counted(i));
      for (int n = 0; n < 2000; ++n) held.push_back(*items.subscribe(from_kept).try_borrow());
    }
    EXPECT_EQ(counted::alive, 3);
    for (int i = 0; i < 100; ++i) {
      items.send(counted(10 + i));
      held.push_back(*items.subscribe(from_kept).try_borrow());
    }
    EXPECT_EQ(counted::alive, 103);
    EXPECT_EQ(held[1999]->number, 0);
    EXPECT_EQ(held[2000]->number, 1);
    held.erase(held.begin() + 1, held.begin() + 6000);
    EXPECT_EQ(counted::alive, 101);
    held.clear();
    EXPECT_EQ(counted::alive, 1);
  }
  EXPECT_EQ(counted::alive, 0);
}

TEST(broadcast, refuses_a_send_when_too_many_values_are_held_and_goes_on_later) {
  broadcast<int> numbers{1};
  std::vector<snapshot<int>> held;
  const auto hold_all = [&] {
    for (int i = 0; i < 1 << 17; ++i) {
      numbers.send(int{i});
      held.push_back(*numbers.subscribe(from_kept).try_borrow());
    }
  };
  EXPECT_THROW(hold_all(), std::length_error);
  EXPECT_GE(held.size(), 65000U);
  held.pop_back();
  held.erase(held.begin());
  numbers.send(7);
  EXPECT_EQ(numbers.subscribe(from_kept).try_next(), 7);
  held.clear();
}

// The word counts replacements in two bits here: a reader that slept while they went round is not deceived.
TEST(broadcast_core, tells_rounds_apart_that_its_words_cannot) {
  for (int sends = 0; sends < 20; ++sends) {
    impl::broadcast_core<int> core("broadcast", 1, "narrow", impl::slot_layout(50));
    impl::item_reader<int> mine(core, 0);
    for (int i = 1; i <= sends; ++i) {
      int value = i;
      ASSERT_TRUE(core.send(value));
    }
    EXPECT_EQ(core.peek(0), sends == 0 ? impl::reading::nothing : impl::reading::item);
    const auto got = mine.take<std::optional<int>>();
    EXPECT_EQ(got.value_or(0), sends);
    EXPECT_EQ(mine.missed(), static_cast<std::uint64_t>(std::max(0, sends - 1)));
  }
}

task<int> add_up(subscription<int> from) {
  int sum = 0;
  while (const auto item = co_await from.next()) sum += *item;
  co_return sum;
}

TEST(broadcast, serves_tasks_and_is_an_arm_of_select) {
  broadcast<int> numbers{100};
  broadcast<int> never{1};
  const auto program = [&]() -> task<> {
    auto one = spawn(add_up(numbers.subscribe()));
    auto two = spawn(add_up(numbers.subscribe()));
    auto mine = numbers.subscribe();
    auto nothing = never.subscribe();
    const auto late = co_await select(mine.next(), sleep_for(1ms));
    EXPECT_EQ(late.index(), 1U);
    EXPECT_THROW((void)co_await timeout(1ms, mine.next()), timed_out);
    for (int i = 1; i <= 10; ++i) numbers.send(int{i});
    auto first = co_await select(nothing.next(), mine.next());
    EXPECT_EQ(std::get<1>(first), 1);
    auto second = co_await select(in_order, mine.borrow(), mine.next());
    EXPECT_EQ(**std::get<0>(second), 2) << "the other arm has taken nothing";
    EXPECT_EQ(mine.try_next(), 3);
    EXPECT_THROW((void)mine.blocking_next(), std::logic_error) << "not on a worker";
    EXPECT_THROW((void)mine.blocking_borrow(), std::logic_error);
    numbers.close();
    const int sum = co_await one;
    EXPECT_EQ(sum, 55);
    EXPECT_EQ(co_await two, 55);
  };
  run(program());
}

TEST(broadcast, may_be_destroyed_as_soon_as_its_subscriptions_have_gone) {
  for (int i = 0; i < 2000; ++i) {
    auto items = std::make_unique<broadcast<std::string>>(static_cast<std::size_t>(1 + i % 2));
    auto mine = std::make_unique<subscription<std::string>>(items->subscribe());
    std::thread sender([&target = *items] { target.send("a word that is too long to lie in a string itself"); });
    EXPECT_TRUE(mine->blocking_next());
    mine.reset();
    items.reset();
    sender.join();
  }
}

void destroy_with_a_waiter() {
  executor e;
  std::vector<int> got;
  std::string end;
  auto numbers = std::make_unique<broadcast<int>>(1, broadcast_options{.name = "ticks"});
  auto mine = numbers->subscribe();
  collect(e, mine, got, end);
  numbers.reset();
}

void destroy_with_a_snapshot(int sends_after) {
  auto numbers = std::make_unique<broadcast<int>>(1, broadcast_options{.name = "ticks"});
  numbers->send(1);
  const auto held = numbers->subscribe(from_kept).try_borrow();
  for (int i = 0; i < sends_after; ++i) numbers->send(2);
  numbers.reset();
}

TEST(broadcast_death, destroying_one_that_is_in_use_prints_what_is_and_aborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(destroy_with_a_waiter(),
               "broadcast 'ticks' is destroyed while somebody may still read it .1 subscribed, of whom 1");
  EXPECT_DEATH(destroy_with_a_snapshot(0), "broadcast 'ticks' is destroyed while its values are borrowed .1");
  EXPECT_DEATH(destroy_with_a_snapshot(2), "broadcast 'ticks' is destroyed while its values are borrowed .1");
}

}  // namespace
}  // namespace sluice
