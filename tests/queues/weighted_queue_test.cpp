// tests: queues/weighted_queue.hpp
#include <sluice/queues/weighted_queue.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
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

using texts = weighted_queue<std::string>;

std::size_t length(const std::string& text) { return text.size(); }

coroutine put_one(executor&, texts& q, std::string& value, std::string& outcome) {
  try {
    co_await q.put(std::move(value));
    outcome = "put";
  } catch (const cancelled&) {
    outcome = "cancelled";
  } catch (const std::exception& error) {
    outcome = error.what();
  }
}
coroutine put_copy(executor&, texts& q, const std::string& value, std::string& outcome) {
  co_await q.put(value);
  outcome = "put";
}
coroutine get_all(executor&, texts& q, std::vector<std::string>& got) {
  while (auto item = co_await q.next()) {
    got.push_back(*item);
    q.task_done();
  }
}
coroutine get_one(executor&, texts& q, std::string& outcome) {
  try {
    outcome = co_await q.get();
  } catch (const queue_closed& error) {
    outcome = error.what();
  }
}
coroutine join(executor&, texts& q, bool& joined) {
  co_await q.join();
  joined = true;
}

TEST(weighted_queue, has_room_for_a_weight) {
  texts q{10, length};
  EXPECT_TRUE(q.try_put("12345"));
  EXPECT_TRUE(q.try_put("123"));
  EXPECT_TRUE(q.try_put(""));
  EXPECT_EQ(q.weight(), 8U);
  EXPECT_EQ(q.size(), 3U);
  std::string refused = "123";
  EXPECT_FALSE(q.try_put(std::move(refused)));
  EXPECT_EQ(refused, "123");
  EXPECT_TRUE(q.try_put("12"));
  EXPECT_EQ(q.try_get(), "12345");
  EXPECT_EQ(q.weight(), 5U);
  EXPECT_TRUE(q.try_put(std::move(refused)));
}

TEST(weighted_queue, a_heavy_put_waits_and_holds_up_light_ones) {
  executor e;
  texts q{10, length};
  std::string heavy = "12345678";
  std::string light = "1";
  std::string first;
  std::string second;
  EXPECT_TRUE(q.try_put("12345"));
  EXPECT_TRUE(q.try_put("123"));
  put_one(e, q, heavy, first);
  put_copy(e, q, light, second);
  e.run();
  EXPECT_FALSE(q.try_put("1")) << "a try never overtakes";
  EXPECT_EQ(q.try_get(), "12345");
  e.run();
  EXPECT_EQ(first, "");
  EXPECT_EQ(q.try_get(), "123");
  e.run();
  EXPECT_EQ(first, "put");
  EXPECT_EQ(second, "put");
  EXPECT_EQ(light, "1");
  EXPECT_EQ(q.try_get(), "12345678");
  EXPECT_EQ(q.try_get(), "1");
  EXPECT_EQ(q.weight(), 0U);
}

TEST(weighted_queue, refuses_what_can_never_fit_and_what_makes_no_sense) {
  texts q{10, length, {.name = "texts"}};
  std::string huge(11, 'x');
  try {
    (void)q.try_put(std::move(huge));
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(
        error.what(),
        "sluice: put on queue 'texts' of an item that weighs 11, more than the whole capacity of 10: split it, or "
        "give the queue more room");
  }
  EXPECT_EQ(huge.size(), 11U);
  EXPECT_THROW(q.blocking_put(huge), std::invalid_argument);
  EXPECT_THROW((texts{0, length}), std::invalid_argument);
  EXPECT_THROW((texts{1, nullptr}), std::invalid_argument);
  q.set_capacity(11);
  EXPECT_TRUE(q.try_put(std::move(huge)));
}

TEST(weighted_queue, a_weigher_that_throws_has_no_effect) {
  texts q{10, [](const std::string& text) {
            return text.empty() ? throw std::runtime_error("nothing to weigh") : text.size();
          }};
  EXPECT_THROW((void)q.try_put(""), std::runtime_error);
  EXPECT_EQ(q.weight(), 0U);
  EXPECT_TRUE(q.empty());
}

TEST(weighted_queue, close_refuses_waiting_puts_and_lets_gets_drain) {
  executor e;
  texts q{5, length, {.name = "texts"}};
  std::string value = "123";
  std::string refused;
  std::string late;
  std::vector<std::string> got;
  EXPECT_TRUE(q.try_put("1234"));
  put_one(e, q, value, refused);
  e.run();
  q.close(std::make_exception_ptr(std::runtime_error("enough")));
  e.run();
  EXPECT_EQ(refused, "sluice: put on queue 'texts', which is closed: enough");
  EXPECT_EQ(value, "123") << "a put that failed took the value";
  put_one(e, q, value, late);
  e.run();
  EXPECT_EQ(late, refused);
  EXPECT_THROW((void)q.try_put("1"), queue_closed);
  EXPECT_EQ(q.weight(), 4U) << "what is queued weighs as much as before";
  get_all(e, q, got);
  e.run();
  EXPECT_EQ(got, std::vector<std::string>{"1234"});
  std::string ended;
  get_one(e, q, ended);
  e.run();
  EXPECT_EQ(ended, "sluice: get on queue 'texts', which is closed: enough");
  q.set_capacity(7);
  EXPECT_EQ(q.capacity(), 7U);
}

TEST(weighted_queue, close_now_hands_back_what_is_left) {
  texts q{5, length};
  EXPECT_TRUE(q.try_put("1"));
  EXPECT_TRUE(q.try_put("22"));
  EXPECT_EQ(q.weight(), 3U);
  EXPECT_EQ(q.close_now(), (std::vector<std::string>{"1", "22"}));
  EXPECT_EQ(q.weight(), 0U);
  EXPECT_EQ(q.unfinished(), 0U);
}

TEST(weighted_queue, a_cancelled_put_holds_no_room) {
  executor e;
  texts q{5, length};
  std::string value = "1234";
  std::string other = "12345";
  std::string first;
  std::string second;
  EXPECT_TRUE(q.try_put("12"));
  impl::task_context* const waiting = put_one(e, q, value, first).context;
  put_one(e, q, other, second);
  waiting->cancel();
  e.run();
  EXPECT_EQ(first, "cancelled");
  EXPECT_EQ(value, "1234");
  EXPECT_EQ(q.try_get(), "12");
  e.run();
  EXPECT_EQ(second, "put");
}

TEST(weighted_queue, more_capacity_lets_waiting_puts_in) {
  executor e;
  texts q{5, length};
  std::string value = "1234";
  std::string outcome;
  EXPECT_TRUE(q.try_put("12"));
  put_one(e, q, value, outcome);
  e.run();
  EXPECT_EQ(outcome, "");
  q.set_capacity(6);
  e.run();
  EXPECT_EQ(outcome, "put");
}

TEST(weighted_queue, less_capacity_refuses_a_waiting_put_that_can_never_fit) {
  executor e;
  texts q{10, length, {.name = "texts"}};
  std::string value = "12345";
  std::string refused;
  EXPECT_TRUE(q.try_put("12345678"));
  put_one(e, q, value, refused);
  e.run();
  q.set_capacity(3);
  EXPECT_EQ(q.weight(), 8U) << "what is queued weighs as much as before";
  e.run();
  EXPECT_EQ(refused,
            "sluice: put on queue 'texts' of an item that weighs 5, more than the whole capacity of 3: split it, or "
            "give the queue more room");
  EXPECT_EQ(value, "12345");
  EXPECT_EQ(q.blocking_get(), "12345678");
  EXPECT_TRUE(q.try_put("1")) << "nobody is before it";
}

TEST(weighted_queue, close_refuses_puts_of_the_largest_weight) {
  executor e;
  constexpr std::size_t largest = std::size_t{1} << 60;
  texts q{largest, [](const std::string&) { return largest; }, {.name = "texts"}};
  std::string values[] = {"1", "2", "3", "4"};
  std::string outcomes[4];
  EXPECT_TRUE(q.try_put("0"));
  for (std::size_t i = 0; i < 4; ++i) put_one(e, q, values[i], outcomes[i]);
  q.close();
  e.run();
  for (const std::string& outcome : outcomes) EXPECT_EQ(outcome, "sluice: put on queue 'texts', which is closed");
  EXPECT_EQ(q.weight(), largest);
  EXPECT_EQ(q.capacity(), largest);
}

void destroy_with_a_putter() {
  executor e;
  texts q{1, length, {.name = "texts"}};
  std::string value = "1";
  std::string error;
  q.blocking_put("1");
  put_one(e, q, value, error);
  e.run();
}

TEST(weighted_queue_death, destroying_it_with_waiters_prints_what_waits_and_aborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(destroy_with_a_putter(), "queue 'texts' is destroyed while somebody waits on it .1 put");
}

TEST(weighted_queue, joins) {
  executor e;
  texts q{5, length};
  bool joined = false;
  EXPECT_TRUE(q.try_put("12"));
  join(e, q, joined);
  e.run();
  EXPECT_FALSE(joined);
  EXPECT_EQ(q.blocking_get(1s), "12");
  q.task_done();
  e.run();
  EXPECT_TRUE(joined);
  q.blocking_join();
  EXPECT_THROW(q.blocking_put("123456", 0ms), std::invalid_argument);
  q.blocking_put("12345");
  EXPECT_THROW(q.blocking_put("1", 0ms), timed_out);
  EXPECT_EQ(q.blocking_next(), "12345");
}

}  // namespace
}  // namespace sluice
