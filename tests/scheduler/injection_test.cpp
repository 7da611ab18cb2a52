// The injection queue and its count in one thread.

#include <sluice/scheduler/injection.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace sluice::impl {
namespace {

TEST(Injection, KeepsTheOrderOfOneProducer) {
  injection q(2);
  std::vector<runnable> r(100);
  for (runnable& one : r) {
    runnable* const item = &one;
    ASSERT_TRUE(q.put(0, &item, 1));
  }
  EXPECT_EQ(q.size(), 100u);
  std::vector<runnable*> out(100);
  std::size_t n = 0;
  while (n < 100) n += q.take(out.data() + n, 7);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(out[i], &r[i]);
  EXPECT_FALSE(q.has_items());
  EXPECT_EQ(q.take(out.data(), 1), 0u);
}

TEST(Injection, TakesBatchesFromWorkersAndFromOtherThreads) {
  injection q(2);
  runnable r[5];
  runnable* items[5] = {&r[0], &r[1], &r[2], &r[3], &r[4]};
  ASSERT_TRUE(q.put(1, items, 2));
  ASSERT_TRUE(q.put(injection_queue::any_thread, items + 2, 3));
  runnable* out[8];
  EXPECT_EQ(q.take(out, 8), 5u);
}

TEST(Injection, TakesNoMoreThanIsAskedFor) {
  injection q(1);
  runnable r[3];
  runnable* items[3] = {&r[0], &r[1], &r[2]};
  ASSERT_TRUE(q.put(0, items, 3));
  runnable* out[2];
  EXPECT_EQ(q.take(out, 2), 2u);
  EXPECT_EQ(q.size(), 1u);
}

struct full_queue {
  bool enqueue(std::size_t, int* const*, std::size_t) noexcept { return false; }
  std::size_t dequeue(int**, std::size_t) noexcept { return 0; }
};

TEST(Injection, CountsNothingThatCouldNotBeEnqueued) {
  counted_queue<int, full_queue> q;
  int one = 1;
  int* item = &one;
  EXPECT_FALSE(q.put(0, &item, 1));
  EXPECT_FALSE(q.has_items());
}

}  // namespace
}  // namespace sluice::impl
