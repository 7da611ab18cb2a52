#include <sum/statistics.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sum {
namespace {

using std::chrono::nanoseconds;

TEST(statistics, an_empty_histogram_says_zero) {
  const wait_histogram h;
  EXPECT_EQ(h.count(), 0U);
  EXPECT_EQ(h.percentile(50).count(), 0);
  EXPECT_EQ(h.longest().count(), 0);
}

TEST(statistics, percentiles_are_exact_below_32_and_within_a_sixteenth_above) {
  wait_histogram small;
  for (int i = 1; i <= 20; ++i) small.record(nanoseconds{i});
  EXPECT_EQ(small.percentile(50).count(), 10);
  EXPECT_EQ(small.percentile(100).count(), 20);
  EXPECT_EQ(small.percentile(0).count(), 1);

  wait_histogram h;
  for (int i = 1; i <= 100000; ++i) h.record(nanoseconds{i * 37});
  for (const double p : {1.0, 10.0, 50.0, 90.0, 99.0, 99.9}) {
    const double exact = 100000 * p / 100 * 37;
    EXPECT_GE(static_cast<double>(h.percentile(p).count()), exact) << p;
    EXPECT_LE(static_cast<double>(h.percentile(p).count()), exact * 17 / 16 + 1) << p;
  }
  EXPECT_EQ(h.longest().count(), 3700000);
  EXPECT_EQ(h.percentile(100).count(), 3700000);
}

TEST(statistics, the_shortest_and_the_longest_waits_have_a_bucket) {
  wait_histogram h;
  h.record(nanoseconds{-5});
  h.record(nanoseconds::max());
  EXPECT_EQ(h.count(), 2U);
  EXPECT_EQ(h.percentile(50).count(), 0);
  EXPECT_EQ(h.percentile(100), nanoseconds::max());
}

TEST(statistics, no_record_is_lost_between_threads) {
  wait_histogram h;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&h, t] {
      for (int i = 0; i < 10000; ++i) h.record(nanoseconds{t * 10000 + i});
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(h.count(), 40000U);
  EXPECT_EQ(h.longest().count(), 39999);
}

}  // namespace
}  // namespace sum
