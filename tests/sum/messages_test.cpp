#include <sum/messages.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

namespace sum {
namespace {

using namespace std::chrono_literals;

TEST(messages, names_are_quoted_only_when_a_shell_needs_it) {
  EXPECT_EQ(shell_quoted("a/b-c_d.e"), "a/b-c_d.e");
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("two words"), "'two words'");
  EXPECT_EQ(shell_quoted("$HOME `x` \\"), "'$HOME `x` \\'");
  EXPECT_EQ(shell_quoted("\xc3\xa4"), "'\xc3\xa4'");
}

TEST(messages, bytes_that_no_terminal_should_see_are_escaped) {
  EXPECT_EQ(shell_quoted("a\nb"), "$'a\\nb'");
  EXPECT_EQ(shell_quoted("\033[2J"), "$'\\033[2J'");
  EXPECT_EQ(shell_quoted("it's"), "$'it\\'s'");
  EXPECT_EQ(shell_quoted("\xff\xc3"), "$'\\377\\303'");
  EXPECT_EQ(shell_quoted("\xc2\x9b"), "$'\\302\\233'");           // a control character of two bytes
  EXPECT_EQ(shell_quoted("\xc0\xaf"), "$'\\300\\257'");           // an overlong slash
  EXPECT_EQ(shell_quoted("\xed\xa0\x80"), "$'\\355\\240\\200'");  // half of a surrogate pair
  EXPECT_EQ(shell_quoted("\xc3\xa4\\\n"), "$'\xc3\xa4\\\\\\n'");
}

TEST(messages, every_error_has_a_sentence_and_nothing_else_is_an_error) {
  entry e;
  for (const outcome what : {outcome::unreadable, outcome::vanished, outcome::special, outcome::changing,
                             outcome::unlisted, outcome::loop}) {
    e.what = what;
    e.error = what == outcome::special ? S_IFIFO : EACCES;
    EXPECT_TRUE(is_error(what));
    const std::string sentence = describe(e, "the name");
    EXPECT_NE(sentence.find("'the name'"), std::string::npos);
    EXPECT_EQ(sentence.back(), '.');
  }
  for (const outcome what : {outcome::waiting, outcome::hashed, outcome::kept, outcome::cut, outcome::skipped}) {
    e.what = what;
    EXPECT_FALSE(is_error(what));
    EXPECT_EQ(describe(e, "x").empty(), what != outcome::skipped);
  }
}

TEST(messages, tells_the_reason_and_the_kind) {
  entry e;
  e.what = outcome::unreadable;
  e.error = EACCES;
  EXPECT_NE(describe(e, "x").find("Permission denied"), std::string::npos);
  e.what = outcome::special;
  e.error = S_IFSOCK;
  EXPECT_NE(describe(e, "x").find("a socket"), std::string::npos);
}

TEST(messages, the_way_to_go_on_is_a_command) {
  EXPECT_EQ(how_to_go_on("m.sha256", {"a b", "c"}, false),
            "To go on: sluice-sum --resume m.sha256 --output m.sha256 'a b' c");
  EXPECT_EQ(how_to_go_on("m", {"-x"}, true), "To go on: sluice-sum --resume m --output m --follow -- -x");
  EXPECT_NE(how_to_go_on("", {"."}, false).find("--resume PARTIAL"), std::string::npos);
}

TEST(messages, numbers_have_units) {
  EXPECT_EQ(in_bytes(0), "0 B");
  EXPECT_EQ(in_bytes(999), "999 B");
  EXPECT_EQ(in_bytes(1000), "1.00 kB");
  EXPECT_EQ(in_bytes(12345678), "12.3 MB");
  EXPECT_EQ(in_bytes(999999999), "1.00 GB");
  EXPECT_EQ(in_time(999ns), "999 ns");
  EXPECT_EQ(in_time(1500us), "1.50 ms");
  EXPECT_EQ(in_time(100s), "100 s");
  EXPECT_EQ(in_clock(59s), "0:59");
  EXPECT_EQ(in_clock(3723s), "1:02:03");
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(123), "123");
  EXPECT_EQ(with_commas(1234), "1,234");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
}

}  // namespace
}  // namespace sum
