#include <sluice/queues/late.hpp>

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace sluice::impl {
namespace {

struct counted {
  explicit counted(int& number) noexcept : alive(&number) { ++*alive; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { --*alive; }
  int* alive;
};

TEST(Late, DestroysWhatWasMadeAndNothingElse) {
  int alive = 0;
  {
    late<counted> never;
    late<counted> made;
    made.emplace(alive);
    EXPECT_EQ(alive, 1);
    EXPECT_EQ((*made).alive, made->alive);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Late, WhatNeedsNoDestructorHasNoFlag) {
  EXPECT_EQ(sizeof(late<long>), sizeof(long));
  EXPECT_TRUE(std::is_trivially_destructible_v<late<long>>);
  EXPECT_FALSE(std::is_trivially_destructible_v<late<std::string>>);
  late<long> number;
  number.emplace(7);
  EXPECT_EQ(*number, 7);
}

}  // namespace
}  // namespace sluice::impl
