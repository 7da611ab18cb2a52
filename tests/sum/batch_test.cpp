#include <sum/batch.hpp>

#include <gtest/gtest.h>

namespace sum {
namespace {

TEST(batch, keeps_the_paths_of_its_entries_while_it_grows) {
  batch b;
  for (int i = 0; i < 1000; ++i) add_entry(b, "path/" + std::to_string(i)).size = static_cast<std::uint64_t>(i);
  ASSERT_EQ(b.entries.size(), 1000U);
  for (int i = 0; i < 1000; ++i) {
    const entry& e = b.entries[static_cast<std::size_t>(i)];
    EXPECT_EQ(b.path_view(e), "path/" + std::to_string(i));
    EXPECT_STREQ(b.path(e), ("path/" + std::to_string(i)).c_str());
    EXPECT_EQ(e.size, static_cast<std::uint64_t>(i));
    EXPECT_EQ(e.what, outcome::waiting);
  }
}

TEST(batch, weighs_at_least_what_it_holds) {
  batch b;
  add_entry(b, std::string(5000, 'x'));
  EXPECT_GE(weigh(b), 5000 + sizeof(entry) + sizeof(batch));
}

}  // namespace
}  // namespace sum
