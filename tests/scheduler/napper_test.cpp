#include <sluice/scheduler/napper.hpp>

#include <gtest/gtest.h>

namespace sluice::impl {
namespace {

TEST(napper, at_most_one_worker_naps) {
  napper n;
  EXPECT_EQ(n.disturb(), napper::nobody);
  EXPECT_TRUE(n.lie_down(3));
  EXPECT_FALSE(n.lie_down(1));
  n.get_up();
  EXPECT_TRUE(n.lie_down(1));
}

TEST(napper, one_publisher_disturbs_it) {
  napper n;
  ASSERT_TRUE(n.lie_down(2));
  EXPECT_EQ(n.disturb(), 2U);
  EXPECT_EQ(n.disturb(), napper::nobody);
  n.get_up();
  EXPECT_TRUE(n.lie_down(0));
}

}  // namespace
}  // namespace sluice::impl
