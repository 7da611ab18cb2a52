#include <sluice/scheduler/watch.hpp>

#include <gtest/gtest.h>

namespace {

using sluice::impl::watch_post;

TEST(watch_post, is_taken_by_one_worker_at_a_time) {
  watch_post watch;
  EXPECT_FALSE(watch.taken());
  EXPECT_TRUE(watch.take(2));
  EXPECT_TRUE(watch.taken());
  EXPECT_FALSE(watch.take(0));
  watch.leave();
  EXPECT_FALSE(watch.taken());
  EXPECT_TRUE(watch.take(0));
}

TEST(watch_post, is_owed_until_somebody_takes_it) {
  watch_post watch;
  EXPECT_TRUE(watch.take(1));
  watch.leave();
  EXPECT_FALSE(watch.owed());
  watch.owe();
  EXPECT_TRUE(watch.owed());
  EXPECT_TRUE(watch.take(3));
  EXPECT_FALSE(watch.owed());
}

}  // namespace
