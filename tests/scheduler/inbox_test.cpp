// The inbox in one thread.

#include <sluice/scheduler/inbox.hpp>

#include <gtest/gtest.h>

namespace sluice::impl {
namespace {

TEST(Inbox, GivesEverythingBackOldestFirst) {
  inbox box;
  runnable r[3];
  EXPECT_FALSE(box.has_items());
  EXPECT_EQ(box.take_all(), nullptr);
  for (runnable& one : r) box.put(one);
  EXPECT_TRUE(box.has_items());
  const runnable* first = box.take_all();
  ASSERT_EQ(first, &r[0]);
  ASSERT_EQ(first->next, &r[1]);
  ASSERT_EQ(first->next->next, &r[2]);
  EXPECT_EQ(first->next->next->next, nullptr);
  EXPECT_FALSE(box.has_items());
}

TEST(Inbox, TakesAChainNewestFirst) {
  inbox box;
  runnable r[4];
  box.put(r[0]);
  r[3].next = &r[2];
  r[2].next = &r[1];
  box.put_chain(r[3], r[1]);
  const runnable* at = box.take_all();
  for (const runnable& expected : r) {
    ASSERT_EQ(at, &expected);
    at = at->next;
  }
  EXPECT_EQ(at, nullptr);
}

}  // namespace
}  // namespace sluice::impl
