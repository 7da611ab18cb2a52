#include <sum/options.hpp>

#include <gtest/gtest.h>

namespace sum {
namespace {

using strings = std::vector<std::string>;

options good(strings arguments) {
  const auto parsed = parse_command(std::move(arguments));
  EXPECT_TRUE(parsed.run.has_value()) << parsed.text;
  return parsed.run.value_or(options{});
}

TEST(options, without_arguments_the_current_directory_goes_to_stdout) {
  const options o = good({});
  EXPECT_EQ(o.roots, strings{"."});
  EXPECT_TRUE(o.output.empty());
  EXPECT_TRUE(o.resume.empty());
  EXPECT_FALSE(o.follow || o.quiet);
  EXPECT_EQ(o.workers, 0U);
  EXPECT_EQ(o.drain_within.count(), 5);
  EXPECT_EQ(o.progress, progress_mode::automatic);
}

TEST(options, every_option_is_taken) {
  const options o = good({"--workers", "3", "--open-files=7", "--queue", "5", "--window", "2", "--drain-within=0.25",
                          "--progress=always", "-q", "-L", "--output", "m", "-r", "old", "tree"});
  EXPECT_EQ(o.workers, 3U);
  EXPECT_EQ(o.open_files, 7U);
  EXPECT_EQ(o.queue, 5U);
  EXPECT_EQ(o.window_mib, 2U);
  EXPECT_EQ(o.drain_within.count(), 0.25);
  EXPECT_EQ(o.progress, progress_mode::always);
  EXPECT_TRUE(o.quiet && o.follow);
  EXPECT_EQ(o.output, "m");
  EXPECT_EQ(o.resume, "old");
  EXPECT_EQ(o.roots, strings{"tree"});
  EXPECT_EQ(good({"--progress", "never"}).progress, progress_mode::never);
  EXPECT_EQ(good({"--progress", "auto"}).progress, progress_mode::automatic);
}

TEST(options, paths_are_bytes_and_stay_in_order) {
  const strings odd{"[a,b]", "%%", "{}", "a b", "", "\xff", "x=y", "-", "a\nb", "[]"};
  EXPECT_EQ(good(odd).roots, odd);
  EXPECT_EQ(good({"a", "-q", "b", "--", "-c", "--help", "--", "d"}).roots,
            (strings{"a", "b", "-c", "--help", "--", "d"}));
  EXPECT_EQ(good({"--output", "[a,b]", "x"}).output, "[a,b]");
  EXPECT_EQ(good({"--output", "-"}).output, "");
}

TEST(options, wrong_usage_is_said_and_ends_with_2) {
  for (const strings& wrong :
       {strings{"--workers", "0"}, strings{"--workers", "-1"}, strings{"--workers", "many"}, strings{"--workers"},
        strings{"--open-files", "0"}, strings{"--queue", "0"}, strings{"--window", "0"},
        strings{"--drain-within", "-1"}, strings{"--progress", "maybe"}, strings{"--nonsense"}, strings{"-z"},
        strings{"a", "--nonsense", "b"}, strings{"--output", "a", "--output", "b"}}) {
    const auto parsed = parse_command(wrong);
    EXPECT_FALSE(parsed.run.has_value()) << wrong[0];
    EXPECT_EQ(parsed.status, 2) << wrong[0];
    EXPECT_NE(parsed.text.find("--help"), std::string::npos) << parsed.text;
  }
}

TEST(options, a_wrong_value_is_said_with_what_may_stand_there) {
  const auto said = [](strings wrong) { return parse_command(std::move(wrong)).text; };
  EXPECT_EQ(
      said({"--workers", "lots"}),
      "sluice-sum: --workers: 'lots' is not a number: say a whole number from 1 to 1024. Try: sluice-sum --help\n");
  EXPECT_EQ(said({"--queue=0"}),
            "sluice-sum: --queue: 0 is not a whole number from 1 to 1000000. Try: sluice-sum --help\n");
  EXPECT_NE(said({"--workers", "1.5"}).find("1.5 is not a whole number"), std::string::npos);
  EXPECT_NE(said({"--drain-within=-1"}).find("-1 is not a number from 0 to 1000000"), std::string::npos);
  EXPECT_NE(said({"--progress=maybe"}).find("'maybe' is none of auto, always and never"), std::string::npos);
}

TEST(options, help_and_version_end_with_0) {
  const auto help = parse_command({"--help"});
  EXPECT_FALSE(help.run.has_value());
  EXPECT_EQ(help.status, 0);
  for (const char* option : {"--workers", "--open-files", "--queue", "--window", "--quiet", "--progress", "--version",
                             "--output", "--resume", "--follow", "--drain-within"}) {
    EXPECT_NE(help.text.find(option), std::string::npos) << option;
  }
  const auto version = parse_command({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.text.rfind("sluice-sum (sluice) ", 0), 0U);
}

}  // namespace
}  // namespace sum
