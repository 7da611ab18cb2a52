// tests: runtime/delay_queue.hpp
#include "worlds.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

task<> get_all(delay_queue<int>& q, std::vector<int>& got) {
  while (auto item = co_await q.next()) got.push_back(*item);
}

TEST(delay_queue, gives_each_item_at_its_time_in_the_order_of_times) {
  in_all_worlds([](runtime& r) {
    auto program = [&]() -> task<> {
      delay_queue<int> q;
      const auto start = r.now();
      q.put(3, 3ms);
      q.put(1, 1ms);
      q.put(2, 2ms);
      q.put(0, 0ms);
      q.put(-1, -1s);
      EXPECT_EQ(q.size(), 5U);
      EXPECT_EQ(co_await q.get(), 0);
      EXPECT_EQ(co_await q.get(), -1);
      EXPECT_EQ(q.try_get(), std::nullopt);
      for (int expected = 1; expected <= 3; ++expected) {
        EXPECT_EQ(co_await q.get(), expected);
        EXPECT_GE(r.now() - start, std::chrono::milliseconds(expected)) << "never early";
      }
      EXPECT_TRUE(q.empty());
      EXPECT_EQ(q.next_due(), std::nullopt);
    };
    r.block_on(program());
  });
}

TEST(delay_queue, an_earlier_item_overtakes_one_that_is_waited_for) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      delay_queue<int> q;
      q.put(2, 1h);
      auto getter = spawn([](delay_queue<int>& from) -> task<int> { co_return co_await from.get(); }, std::ref(q));
      co_await sleep_for(1ms);
      q.put(1, 1ms);
      EXPECT_EQ(co_await getter, 1);
    };
    r.block_on(program());
  });
}

TEST(delay_queue, serves_getters_in_order_and_loses_nothing_when_one_is_cancelled) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      delay_queue<int> q;
      std::vector<int> first;
      std::vector<int> second;
      auto one = spawn(get_all(q, first));
      co_await sleep_for(1ms);
      auto two = spawn(get_all(q, second));
      co_await sleep_for(1ms);
      q.put(1, 1ms);
      one.cancel();
      q.close();
      co_await two;
      try {
        co_await one;
      } catch (const cancelled&) {
      }
      first.insert(first.end(), second.begin(), second.end());
      EXPECT_EQ(first, std::vector<int>{1});
    };
    r.block_on(program());
  });
}

TEST(delay_queue, a_timeout_takes_nothing) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      delay_queue<int> q;
      q.put(1, 1h);
      bool gave_up = false;
      try {
        (void)co_await timeout(1ms, q.get());
      } catch (const timed_out&) {
        gave_up = true;
      }
      EXPECT_TRUE(gave_up);
      EXPECT_EQ(q.close_now(), std::vector<int>{1});
    };
    r.block_on(program());
  });
}

TEST(delay_queue, close_lets_what_is_queued_come_at_its_time) {
  in_all_worlds([](runtime& r) {
    auto program = [&]() -> task<> {
      delay_queue<std::unique_ptr<int>> q{{.name = "retries"}};
      const auto start = r.now();
      q.put(std::make_unique<int>(1), 2ms);
      q.close();
      auto late = std::make_unique<int>(2);
      std::string refused;
      try {
        q.put(std::move(late), 1ms);
      } catch (const queue_closed& error) {
        refused = error.what();
      }
      EXPECT_EQ(refused, "sluice: put on queue 'retries', which is closed");
      EXPECT_EQ(*late, 2) << "a put that failed took the value";
      const auto got = co_await q.next();
      EXPECT_EQ(**got, 1);
      EXPECT_GE(r.now() - start, 2ms);
      EXPECT_FALSE(co_await q.next());
    };
    r.block_on(program());
  });
}

TEST(delay_queue, close_now_hands_back_the_rest_in_order_and_wakes_who_waits) {
  in_all_worlds([](runtime& r) {
    auto program = []() -> task<> {
      delay_queue<int> q;
      std::vector<int> got;
      q.put(2, 2h);
      q.put(1, 1h);
      auto getter = spawn(get_all(q, got));
      co_await sleep_for(1ms);
      EXPECT_EQ(q.close_now(), (std::vector<int>{1, 2}));
      co_await getter;
      EXPECT_TRUE(got.empty());
    };
    r.block_on(program());
  });
}

TEST(delay_queue, works_without_a_runtime) {
  delay_queue<int> q;
  const auto start = impl::now();
  q.put(1, 2ms);
  EXPECT_EQ(q.try_get(), std::nullopt);
  EXPECT_THROW((void)q.blocking_get(0ms), timed_out);
  EXPECT_EQ(q.blocking_get(), 1);
  EXPECT_GE(impl::now() - start, 2ms);
  std::thread other([&] { q.put(2, 1ms); });
  EXPECT_EQ(q.blocking_next(1min), 2);
  other.join();
  q.close();
  EXPECT_FALSE(q.blocking_next());
  EXPECT_THROW((void)q.blocking_get(), queue_closed);
}

TEST(delay_queue, many_putters_and_getters_lose_nothing) {
  runtime r(threads(2));
  auto program = []() -> task<> {
    delay_queue<int> q;
    std::vector<std::vector<int>> got(3);
    std::vector<join_handle<void>> getters;
    for (auto& mine : got) getters.push_back(spawn(get_all(q, mine)));
    co_await with_group([&](task_group& group) -> task<> {
      for (int t = 0; t < 4; ++t) {
        group.spawn(
            [](delay_queue<int>& to, int first) -> task<> {
              for (int i = 0; i < 500; ++i) {
                to.put(first + i, std::chrono::microseconds((first + i) * 7919 % 500));
                if (i % 50 == 0) co_await yield();
              }
            },
            std::ref(q), t * 500);
      }
      co_return;
    });
    q.close();
    std::vector<bool> seen(2000);
    for (auto& getter : getters) co_await getter;
    std::size_t count = 0;
    for (const auto& mine : got) {
      for (const int item : mine) {
        EXPECT_FALSE(seen[static_cast<std::size_t>(item)]) << "delivered twice";
        seen[static_cast<std::size_t>(item)] = true;
        ++count;
      }
    }
    EXPECT_EQ(count, 2000U);
  };
  r.block_on(program());
}

// An item that would go back into its queue when it is destroyed.
struct returning {
  explicit returning(delay_queue<returning>* to) noexcept : home(to) {}
  returning(returning&& other) noexcept : home(std::exchange(other.home, nullptr)) {}
  returning& operator=(returning&&) = delete;
  ~returning() {
    if (home == nullptr) return;
    EXPECT_TRUE(home->closed());
    EXPECT_THROW(home->put(returning(nullptr), 0s), queue_closed);
  }
  delay_queue<returning>* home;
};

TEST(delay_queue, is_closed_and_whole_when_its_items_go) {
  delay_queue<returning> q;
  for (int i = 0; i < 3; ++i) q.put(returning(&q), 1h);
}

void destroy_with_a_getter() {
  runtime r{{.workers = 1}};
  auto program = [&]() -> task<> {
    auto q = std::make_unique<delay_queue<int>>(queue_options{.name = "later"});
    std::vector<int> got;
    auto getter = spawn(get_all(*q, got));
    co_await sleep_for(1ms);
    q.reset();
    co_await std::move(getter);
  };
  r.block_on(program());
}

TEST(delay_queue_death, destroying_it_with_waiters_prints_what_waits_and_aborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(destroy_with_a_getter(), "queue 'later' is destroyed while somebody waits on it .1 get");
}

}  // namespace
}  // namespace sluice
