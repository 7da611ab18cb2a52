// tests: queues/apart.hpp
#include <sluice/queues/ring.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace sluice::impl {
namespace {

std::optional<int> pop(ring<int>& r, item_status& status) {
  std::optional<int> item;
  status = r.try_pop([&](int&& value) { item = value; });
  return item;
}

TEST(ring, says_why_it_has_nothing) {
  ring<int> r{1};
  item_status status{};
  EXPECT_EQ(pop(r, status), std::nullopt);
  EXPECT_EQ(status, item_status::nothing);
  int value = 1;
  EXPECT_EQ(r.try_push(value), item_status::done);
  EXPECT_EQ(r.try_push(value), item_status::nothing);
  r.close();
  EXPECT_EQ(r.try_push(value), item_status::closed);
  EXPECT_EQ(pop(r, status), 1);
  EXPECT_EQ(status, item_status::done);
  EXPECT_EQ(pop(r, status), std::nullopt);
  EXPECT_EQ(status, item_status::closed);
}

TEST(ring, a_frozen_word_belongs_to_the_runner) {
  ring<int> r{2};
  int value = 7;
  r.freeze_tail();
  EXPECT_EQ(r.try_push(value), item_status::frozen);
  ASSERT_TRUE(r.is_back_free());
  int eight = 8;
  EXPECT_TRUE(r.push_back(eight, false));
  EXPECT_EQ(r.try_push(value), item_status::frozen);
  r.thaw_tail();
  EXPECT_EQ(r.try_push(value), item_status::done);
  r.freeze_head();
  item_status status{};
  EXPECT_EQ(pop(r, status), std::nullopt);
  EXPECT_EQ(status, item_status::frozen);
  ASSERT_NE(r.front(), nullptr);
  EXPECT_EQ(*r.front(), 8);
  std::optional<int> taken;
  r.pop_front(taken, true);
  EXPECT_EQ(taken, 8);
  EXPECT_EQ(pop(r, status), 7);
}

TEST(ring, the_operation_that_ends_a_wait_owes_exactly_one_kick) {
  ring<int> r{1};
  int value = 1;
  r.freeze_head();
  EXPECT_TRUE(r.arm_not_empty());
  EXPECT_TRUE(r.kick_on_tail());
  r.thaw_head();
  EXPECT_EQ(r.try_push(value), item_status::done_kick);
  EXPECT_FALSE(r.kick_on_tail());
  EXPECT_FALSE(r.arm_not_empty()) << "it is not empty";
  r.freeze_tail();
  EXPECT_TRUE(r.arm_not_full(1));
  r.thaw_tail();
  item_status status{};
  EXPECT_EQ(pop(r, status), 1);
  EXPECT_EQ(status, item_status::done_kick);
  EXPECT_EQ(r.try_push(value), item_status::done);
}

TEST(ring, closing_pays_for_both_sides_once) {
  ring<int> r{1};
  r.freeze_head();
  ASSERT_TRUE(r.arm_not_empty());
  r.thaw_head();
  const auto first = r.close();
  EXPECT_TRUE(first.first);
  EXPECT_TRUE(first.owes_tail_kick);
  EXPECT_FALSE(first.owes_head_kick);
  const auto second = r.close();
  EXPECT_FALSE(second.first);
  EXPECT_FALSE(second.owes_tail_kick);
}

}  // namespace
}  // namespace sluice::impl
