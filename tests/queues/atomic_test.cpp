#include <sluice/queues/atomic.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace sluice::impl {
namespace {

using namespace std::chrono_literals;

TEST(atomic, is_exactly_as_large_as_what_it_holds) {
  EXPECT_EQ(sizeof(atomic<std::uint64_t>), sizeof(std::uint64_t));
  EXPECT_EQ(sizeof(plain<int>), sizeof(int));
}

TEST(futex, does_not_sleep_on_a_word_that_has_changed) {
  atomic<std::uint32_t> word{1};
  futex::wait(word, 0);
  EXPECT_TRUE(futex::wait_until(word, 0, now() + 1h));
}

TEST(futex, gives_up_at_its_deadline_and_not_before) {
  atomic<std::uint32_t> word{0};
  EXPECT_FALSE(futex::wait_until(word, 0, time_point{}));
  EXPECT_FALSE(futex::wait_until(word, 0, time_point{} - 1s));
  const time_point deadline = now() + 2ms;
  while (futex::wait_until(word, 0, deadline)) {
  }
  EXPECT_GE(now(), deadline);
}

TEST(futex, a_deadline_at_the_end_of_time_is_never) {
  atomic<std::uint32_t> word{0};
  std::thread waking([&] {
    word.store(1, release);
    futex::wake(word, 1);
  });
  while (word.load(acquire) == 0) EXPECT_TRUE(futex::wait_until(word, 0, time_point::max()));
  waking.join();
}

}  // namespace
}  // namespace sluice::impl
