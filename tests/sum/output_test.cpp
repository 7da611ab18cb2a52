#include <sum/output.hpp>

#include "scratch.hpp"

#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>

namespace sum {
namespace {

using testing::content_of;
using testing::scratch;

identity identity_of(const std::string& path) {
  struct stat s{};
  EXPECT_EQ(::stat(path.c_str(), &s), 0);
  return identify(s);
}

TEST(output, writes_under_the_final_name_from_the_start) {
  const scratch dir;
  dir.file("m", "old\n");
  manifest_output out{dir.at("m"), std::nullopt};
  EXPECT_EQ(content_of(dir.at("m")), "");
  EXPECT_FALSE(out.write("one\n"));
  EXPECT_EQ(content_of(dir.at("m")), "one\n");
  EXPECT_FALSE(out.write("two\nthree\n"));
  EXPECT_FALSE(out.finish());
  EXPECT_EQ(content_of(dir.at("m")), "one\ntwo\nthree\n");
}

TEST(output, the_manifest_that_is_resumed_from_stays_whole_until_the_end) {
  const scratch dir;
  dir.file("m", "old\n");
  ASSERT_EQ(::chmod(dir.at("m").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("m", dir.at("link").c_str()), 0);
  manifest_output out{dir.at("link"), identity_of(dir.at("m"))};
  EXPECT_FALSE(out.write("new\n"));
  EXPECT_EQ(content_of(dir.at("m")), "old\n");
  EXPECT_FALSE(out.finish());
  EXPECT_EQ(content_of(dir.at("m")), "new\n");
  EXPECT_TRUE(std::filesystem::is_symlink(dir.at("link")));
  EXPECT_FALSE(std::filesystem::exists(dir.at("m.resumed")));
  struct stat s{};
  ASSERT_EQ(::stat(dir.at("m").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600U);
}

TEST(output, another_manifest_to_resume_from_makes_no_difference) {
  const scratch dir;
  const std::string other = dir.file("other");
  manifest_output out{dir.at("m"), identity_of(other)};
  EXPECT_FALSE(out.write("x\n"));
  EXPECT_EQ(content_of(dir.at("m")), "x\n");
}

TEST(output, a_full_disk_is_an_error_that_stays) {
  manifest_output out{"/dev/full", std::nullopt};
  EXPECT_FALSE(out.file().has_value());
  EXPECT_EQ(out.write("line\n"), std::errc::no_space_on_device);
  EXPECT_EQ(out.write("line\n"), std::errc::no_space_on_device);
  EXPECT_EQ(out.finish(), std::errc::no_space_on_device);
}

TEST(output, a_write_that_fails_midway_leaves_whole_lines) {
  const scratch dir;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {  // a limit on file sizes stands for a disk that fills up
    const rlimit limit{10, 10};
    std::signal(SIGXFSZ, SIG_IGN);
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(9);
    manifest_output out{dir.at("m"), std::nullopt};
    const bool right = !out.write("one\n") && out.write("two\nthree\nfour\n") == std::errc::file_too_large;
    ::_exit(right && out.finish() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(content_of(dir.at("m")), "one\ntwo\n");
}

TEST(output, a_failed_resumption_leaves_the_earlier_manifest) {
  const scratch dir;
  dir.file("m", "old\n");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit limit{2, 2};
    std::signal(SIGXFSZ, SIG_IGN);
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(9);
    manifest_output out{dir.at("m"), identity_of(dir.at("m"))};
    ::_exit(out.write("new\n") && out.finish() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(content_of(dir.at("m")), "old\n");
  EXPECT_FALSE(std::filesystem::exists(dir.at("m.resumed")));
}

TEST(output, what_cannot_be_created_is_said) {
  const scratch dir;
  EXPECT_THROW(manifest_output(dir.at("no/such/place"), std::nullopt), std::system_error);
  EXPECT_THROW(manifest_output(dir.path(), std::nullopt), std::invalid_argument);  // a directory
  EXPECT_EQ(manifest_output(dir.at("m n"), std::nullopt).name(), "'" + dir.at("m n") + "'");
}

}  // namespace
}  // namespace sum
