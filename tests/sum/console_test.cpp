#include <sum/console.hpp>

#include "scratch.hpp"

namespace sum {
namespace {

// What `act` writes to stderr.
template <class Act>
std::string on_stderr(Act act) {
  const testing::scratch dir;
  const int saved = ::dup(STDERR_FILENO);
  const int file = ::open(dir.at("err").c_str(), O_CREAT | O_WRONLY, 0600);
  ::dup2(file, STDERR_FILENO);
  act();
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  ::close(file);
  return testing::content_of(dir.at("err"));
}

TEST(console, a_sentence_stands_above_the_bar_which_is_drawn_again) {
  EXPECT_EQ(on_stderr([] {
              console c;
              c.draw("[bar]");
              c.say("a sentence\n");
              c.clear();
              c.say("the end\n");
            }),
            "\r\033[K[bar]\r\033[Ka sentence\n[bar]\r\033[Kthe end\n");
}

TEST(console, without_a_bar_nothing_but_the_text_is_written) {
  EXPECT_EQ(on_stderr([] {
              console c;
              c.clear();
              c.say("");
              c.say(as_line("it is so."));
            }),
            "sluice-sum: it is so.\n");
}

}  // namespace
}  // namespace sum
