#include <sluice/queues/watch.hpp>
#include <sluice/sluice.hpp>

#include "executor.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using test::coroutine;
using test::executor;

coroutine follow(executor&, watcher<std::string>& from, std::vector<std::string>& seen, std::string& end) {
  try {
    while (const auto value = co_await from.next()) seen.push_back(*value);
    end = "closed";
  } catch (const cancelled&) {
    end = "cancelled";
  }
}

TEST(watch, gives_the_present_value_to_anybody) {
  watch<std::string> name{"first"};
  EXPECT_EQ(name.get(), "first");
  const auto before = name.borrow();
  name.set("second");
  const std::string third = "third";
  EXPECT_EQ(name.get(), "second");
  name.set(third);
  EXPECT_EQ(*name.borrow(), third);
  EXPECT_EQ(*before, "first") << "what was borrowed does not change";
  EXPECT_EQ(before->size(), 5U);
}

TEST(watch, shows_a_watcher_the_last_value_and_never_one_twice) {
  executor e;
  watch<std::string> name{"first"};
  auto one = name.watcher();
  auto two = name.watcher(from_kept);
  EXPECT_EQ(name.watchers(), 2U);
  std::vector<std::string> first;
  std::vector<std::string> second;
  std::string end_of_first;
  std::string end_of_second;
  follow(e, one, first, end_of_first);
  follow(e, two, second, end_of_second);
  name.set("second");
  name.set("third");
  e.run();
  name.set("fourth");
  name.close();
  e.run();
  EXPECT_EQ(first, (std::vector<std::string>{"third", "fourth"}));
  EXPECT_EQ(second, (std::vector<std::string>{"first", "third", "fourth"}));
  EXPECT_EQ(end_of_first + end_of_second, "closedclosed");
  EXPECT_FALSE(one.try_next());
  EXPECT_EQ(name.get(), "fourth") << "it stays readable";
  EXPECT_EQ(e.live, 0U);
}

coroutine wait_for_change(executor&, watcher<std::string>& from, std::vector<bool>& answers) {
  answers.push_back(co_await from.changed());
}

TEST(watch, changed_takes_nothing) {
  executor e;
  watch<std::string> name{"first"};
  auto mine = name.watcher();
  std::vector<bool> answers;
  wait_for_change(e, mine, answers);
  EXPECT_TRUE(answers.empty());
  name.set("second");
  e.run();
  wait_for_change(e, mine, answers);
  EXPECT_EQ(answers, (std::vector<bool>{true, true})) << "it has not looked at the value yet";
  EXPECT_EQ(**mine.try_borrow(), "second");
  EXPECT_FALSE(mine.try_borrow());
  wait_for_change(e, mine, answers);
  name.close();
  e.run();
  EXPECT_EQ(answers, (std::vector<bool>{true, true, false}));
  EXPECT_FALSE(mine.blocking_changed());
}

TEST(watch, modifies_what_is_there) {
  watch<int> sum{1};
  sum.modify([](int& n) { n += 4; });
  EXPECT_EQ(sum.get(), 5);
  int calls = 0;
  sum.modify([&](int& n) {
    if (++calls == 1) sum.set(100);  // comes between: it is called again with that
    ++n;
  });
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(sum.get(), 101);
  EXPECT_THROW(sum.modify([](int&) { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_EQ(sum.get(), 101);
  sum.close();
  EXPECT_THROW(sum.modify([](int& n) { ++n; }), queue_closed);
}

TEST(watch, refuses_a_set_after_close_and_leaves_the_value) {
  watch<std::unique_ptr<int>> value{std::make_unique<int>(1), {.name = "settings"}};
  value.close();
  value.close();
  EXPECT_TRUE(value.closed());
  auto next = std::make_unique<int>(2);
  try {
    value.set(std::move(next));
    FAIL();
  } catch (const queue_closed& error) {
    EXPECT_NE(std::string(error.what()).find("set on watch 'settings', which is closed"), std::string::npos);
  }
  ASSERT_TRUE(next);
  EXPECT_EQ(**value.borrow(), 1);
}

TEST(watch, a_cancelled_wait_has_seen_nothing) {
  executor e;
  watch<std::string> name{"first"};
  auto mine = name.watcher();
  std::vector<std::string> seen;
  std::string end;
  coroutine waiting = follow(e, mine, seen, end);
  waiting.context->cancel();
  name.set("second");
  e.run();
  EXPECT_EQ(end, "cancelled");
  EXPECT_EQ(mine.try_next(), "second");
}

TEST(watch, blocks_plain_threads_with_and_without_a_limit) {
  watch<int> value{1};
  auto mine = value.watcher();
  EXPECT_THROW((void)mine.blocking_next(1ms), timed_out);
  EXPECT_THROW((void)mine.blocking_borrow(0ms), timed_out);
  EXPECT_THROW((void)mine.blocking_changed(0ms), timed_out);
  std::thread setter([&] { value.set(2); });
  EXPECT_TRUE(mine.blocking_changed());
  EXPECT_EQ(mine.blocking_next(), 2);
  setter.join();
  value.set(3);
  EXPECT_EQ(**mine.blocking_borrow(), 3);
  value.close();
  EXPECT_FALSE(mine.blocking_next(1h));
}

TEST(watch, a_watcher_that_was_moved_from_is_refused) {
  watch<int> value{1};
  auto one = value.watcher();
  const auto two = std::move(one);
  EXPECT_THROW((void)one.next(), std::logic_error);
  EXPECT_THROW((void)one.changed(), std::logic_error);
  EXPECT_THROW((void)one.try_next(), std::logic_error);
}

task<int> last_of(watcher<int> from) {
  int last = 0;
  while (co_await from.changed()) last = **from.try_borrow();
  co_return last;
}

TEST(watch, serves_tasks_and_is_an_arm_of_select) {
  watch<int> value{0};
  const auto program = [&]() -> task<> {
    auto one = spawn(last_of(value.watcher()));
    auto mine = value.watcher();
    const auto late = co_await select(mine.changed(), sleep_for(1ms));
    EXPECT_EQ(late.index(), 1U);
    EXPECT_THROW((void)mine.blocking_changed(), std::logic_error) << "not on a worker";
    EXPECT_THROW((void)mine.blocking_next(), std::logic_error);
    EXPECT_THROW((void)mine.blocking_borrow(), std::logic_error);
    for (int i = 1; i <= 10; ++i) value.set(int{i});
    const auto got = co_await select(mine.next(), sleep_for(1h));
    EXPECT_EQ(std::get<0>(got), 10);
    value.close();
    EXPECT_EQ(co_await one, 10);
  };
  run(program());
}

TEST(watch, may_be_destroyed_as_soon_as_its_watchers_have_gone) {
  for (int i = 0; i < 2000; ++i) {
    auto value = std::make_unique<watch<std::string>>("");
    auto mine = std::make_unique<watcher<std::string>>(value->watcher());
    std::thread setter([&target = *value] { target.set("a word that is too long to lie in a string itself"); });
    EXPECT_TRUE(mine->blocking_changed());
    mine.reset();
    value.reset();
    setter.join();
  }
}

void destroy_with_a_watcher() {
  auto value = std::make_unique<watch<int>>(1, watch_options{.name = "settings"});
  const auto mine = value->watcher();
  value.reset();
}

TEST(watch_death, destroying_one_that_is_in_use_prints_what_is_and_aborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(destroy_with_a_watcher(),
               "watch 'settings' is destroyed while somebody may still read it .1 subscribed, of whom 0");
}

}  // namespace
}  // namespace sluice
