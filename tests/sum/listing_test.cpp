#include <sum/listing.hpp>

#include "scratch.hpp"

#include <dirent.h>

#include <algorithm>

namespace sum {
namespace {

using testing::scratch;

listing list(const std::string& path) { return listing{open_path(path.c_str(), O_RDONLY | O_DIRECTORY)}; }

TEST(listing, gives_names_in_the_order_of_their_bytes) {
  const scratch dir;
  std::vector<std::string> names{"a",   "A",        "b",         "\xff",    "\x01",      "ab",        "a.b",
                                 "a b", "12345678", "123456789", "1234567", "12345678a", "12345678A", "\xc3\xa4"};
  for (int i = 0; i < 300; ++i) names.push_back("common prefix " + std::to_string(i * 7919 % 300));
  for (const std::string& name : names) dir.file(name);
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
      return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
    });
  });
  const listing found = list(dir.path());
  EXPECT_EQ(found.error(), 0);
  ASSERT_EQ(found.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(found.name(i), names[i]);
}

TEST(listing, tells_files_from_directories_and_links) {
  const scratch dir;
  dir.directory("d");
  dir.file("f");
  ASSERT_EQ(::symlink("nowhere", dir.at("l").c_str()), 0);
  const listing found = list(dir.path());
  ASSERT_EQ(found.size(), 3U);
  const auto either = [](unsigned char type, unsigned char wanted) { return type == wanted || type == DT_UNKNOWN; };
  EXPECT_TRUE(either(found.type(0), DT_DIR));
  EXPECT_TRUE(either(found.type(1), DT_REG));
  EXPECT_TRUE(either(found.type(2), DT_LNK));
}

TEST(listing, an_empty_directory_has_no_names_and_a_file_cannot_be_listed) {
  const scratch dir;
  EXPECT_EQ(list(dir.path()).size(), 0U);
  EXPECT_EQ(list(dir.path()).error(), 0);
  const listing wrong{open_path(dir.file("f").c_str(), O_RDONLY)};
  EXPECT_EQ(wrong.error(), ENOTDIR);
  EXPECT_EQ(wrong.size(), 0U);
}

}  // namespace
}  // namespace sum
