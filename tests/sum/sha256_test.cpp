#include <sum/sha256.hpp>

#include <gtest/gtest.h>

#include <string>

namespace sum {
namespace {

std::string hex(const digest& value) {
  std::string line;
  append_line(line, value, "x");
  return line.substr(0, 64);
}

TEST(sha256, gives_the_published_answers) {
  sha256 sum;
  sum.start();
  EXPECT_EQ(hex(sum.finish()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  sum.start();
  sum.add("abc", 3);
  EXPECT_EQ(hex(sum.finish()), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(sha256, start_forgets_what_was_added_and_pieces_add_up) {
  sha256 sum;
  sum.start();
  sum.add("zzz", 3);
  sum.start();
  sum.add("a", 1);
  sum.add("b", 1);
  sum.add("", 0);
  sum.add("c", 1);
  EXPECT_EQ(hex(sum.finish()), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace sum
