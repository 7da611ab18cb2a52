#include <sum/manifest.hpp>
#include <sum/sha256.hpp>

#include "scratch.hpp"

namespace sum {
namespace {

using testing::scratch;

digest digest_of(std::string_view text) {
  sha256 sum;
  sum.start();
  sum.add(text.data(), text.size());
  return sum.finish();
}

std::string line_of(std::string_view path) {
  std::string out;
  append_line(out, digest_of("content"), path);
  return out;
}

TEST(manifest, a_line_is_what_sha256sum_prints_for_every_kind_of_name) {
  const scratch dir;
  for (const char* name : {"plain", " spaces ", "back\\slash", "new\nline", "carriage\rreturn", "\\", "tab\tbell\a",
                           "\xff\xfe not text", "*star", "ends in backslash\\", "\\n", "quote'\"", "-dash"}) {
    const std::string path = dir.file(name, "content");
    EXPECT_EQ(line_of(path), testing::sha256sum(path));
  }
}

TEST(manifest, every_byte_that_a_name_can_hold_survives_a_round_trip) {
  for (int byte = 1; byte < 256; ++byte) {
    if (byte == '/') continue;
    const std::string path = std::string("a") + static_cast<char>(byte) + "b" + static_cast<char>(byte);
    std::string line = line_of(path);
    ASSERT_EQ(line.back(), '\n');
    line.pop_back();
    ASSERT_EQ(line.find('\n'), std::string::npos);
    const auto read = parse_line(line);
    ASSERT_TRUE(read.has_value()) << byte;
    EXPECT_EQ(read->path, path);
    EXPECT_EQ(read->value, digest_of("content"));
  }
}

TEST(manifest, lines_of_binary_mode_and_with_capital_digits_are_read) {
  const std::string hex = "ED7002B439E9AC845F22357D822BAC1444730FBDB6016D3EC9432297B9EC9F73";
  for (const char* mode : {"  ", " *"}) {
    const auto read = parse_line(hex + mode + "name");
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->path, "name");
    EXPECT_EQ(read->value, digest_of("content"));
  }
}

TEST(manifest, a_backslash_in_an_unescaped_line_stands_for_itself) {
  const std::string hex(64, '0');
  EXPECT_EQ(parse_line(hex + "  a\\nb")->path, "a\\nb");
  EXPECT_EQ(parse_line("\\" + hex + "  a\\nb")->path, "a\nb");
}

TEST(manifest, what_is_no_line_is_refused) {
  const std::string hex(64, 'a');
  const auto with = [&](const char* before, const char* after) {
    return std::string(before).append(hex).append(after);
  };
  const std::string wrong_digit = std::string("g").append(hex, 1).append("  name");
  const std::string short_digest = std::string(hex, 1).append("  name");
  for (const std::string& line :
       {std::string(), with("", ""), with("", "  "), with("", " name"), with("", "\t\tname"), short_digest, wrong_digit,
        with("\\", "  bad\\escape"), with("\\", "  half\\"), with("SHA256 (name) = ", ""), std::string("\\")}) {
    EXPECT_FALSE(parse_line(line).has_value()) << line;
  }
  EXPECT_TRUE(parse_line(with("", "  name")).has_value());
}

}  // namespace
}  // namespace sum
