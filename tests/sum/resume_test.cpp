#include <sum/resume.hpp>

#include "scratch.hpp"

#include <algorithm>

namespace sum {
namespace {

using testing::scratch;

digest filled(unsigned char byte) {
  digest d{};
  d.fill(byte);
  return d;
}

std::string line(unsigned char byte, std::string_view path) {
  std::string out;
  append_line(out, filled(byte), path);
  return out;
}

std::vector<std::string> left(const resume_index& index) {
  std::vector<std::string> paths;
  index.for_each_left([&](const manifest_line& l) { paths.push_back(l.path); });
  return paths;
}

TEST(resume, finds_each_line_whatever_the_order_and_the_escapes) {
  const scratch dir;
  const resume_index made{dir.file("m", line(1, "z") + line(2, "a\nb") + line(3, "c\\") + line(4, "\xff"))};
  resume_index index{dir.at("m")};
  EXPECT_EQ(index.lines(), 4U);
  EXPECT_EQ(index.malformed(), 0U);
  EXPECT_FALSE(index.torn());
  EXPECT_EQ(index.take("\xff"), filled(4));
  EXPECT_EQ(index.take("a\nb"), filled(2));
  EXPECT_EQ(index.take("none"), std::nullopt);
  EXPECT_EQ(left(index), (std::vector<std::string>{"z", "c\\"}));
  EXPECT_EQ(index.take("z"), filled(1));
  EXPECT_EQ(index.take("c\\"), filled(3));
  EXPECT_TRUE(left(index).empty());
}

TEST(resume, a_torn_last_line_is_ignored) {
  const scratch dir;
  std::string text = line(1, "whole") + line(2, "torn");
  text.pop_back();
  dir.file("m", text);
  resume_index index{dir.at("m")};
  EXPECT_TRUE(index.torn());
  EXPECT_EQ(index.malformed(), 0U);
  EXPECT_EQ(index.take("torn"), std::nullopt);
  EXPECT_EQ(index.take("whole"), filled(1));
}

TEST(resume, malformed_lines_are_counted_and_comments_are_not) {
  const scratch dir;
  dir.file("m", "# a comment\n\nnonsense\n" + line(1, "a") + "SHA256 (b) = 00\n");
  resume_index index{dir.at("m")};
  EXPECT_EQ(index.malformed(), 2U);
  EXPECT_EQ(index.take("a"), filled(1));
}

TEST(resume, of_several_lines_for_one_path_the_last_counts_and_all_are_used) {
  const scratch dir;
  dir.file("m", line(1, "a") + line(2, "b") + line(3, "a"));
  resume_index index{dir.at("m")};
  EXPECT_EQ(index.take("a"), filled(3));
  EXPECT_EQ(left(index), std::vector<std::string>{"b"});
}

TEST(resume, long_lines_and_large_manifests_cross_the_edges_of_the_buffers) {
  const scratch dir;
  std::string text;
  std::vector<std::string> paths;
  for (int i = 0; i < 3000; ++i) {
    paths.push_back(std::string(static_cast<std::size_t>(i * 7 % 1500), '\n') + std::to_string(i));
    text += line(static_cast<unsigned char>(i), paths.back());
  }
  ASSERT_GT(text.size(), 10 * 65536U);
  dir.file("m", text);
  resume_index index{dir.at("m")};
  ASSERT_EQ(index.lines(), paths.size());
  EXPECT_EQ(left(index), paths);
  for (int i = 2999; i >= 0; --i) {
    ASSERT_EQ(index.take(paths[static_cast<std::size_t>(i)]), filled(static_cast<unsigned char>(i)));
  }
}

TEST(resume, what_cannot_be_read_is_said) {
  const scratch dir;
  EXPECT_THROW(resume_index{dir.at("none")}, std::system_error);
  EXPECT_THROW(resume_index{dir.path()}, std::system_error);
  const resume_index empty{dir.file("empty")};
  EXPECT_EQ(empty.lines(), 0U);
}

}  // namespace
}  // namespace sum
