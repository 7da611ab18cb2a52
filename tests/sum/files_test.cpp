#include <sum/files.hpp>

#include "scratch.hpp"

#include <climits>

namespace sum {
namespace {

using testing::scratch;

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(files, a_descriptor_closes_what_it_owns_once) {
  const scratch dir;
  const std::string path = dir.file("f");
  descriptor a = open_path(path.c_str(), O_RDONLY);
  ASSERT_TRUE(a);
  const int fd = a.get();
  {
    descriptor b = std::move(a);
    EXPECT_FALSE(a);
    EXPECT_EQ(b.get(), fd);
  }
  EXPECT_FALSE(is_open(fd));
  descriptor c = open_path(path.c_str(), O_RDONLY);
  const int first = c.get();
  c = open_path(path.c_str(), O_RDONLY);
  EXPECT_FALSE(is_open(first));
  EXPECT_TRUE(is_open(c.get()));
}

TEST(files, a_failed_open_leaves_errno) {
  const scratch dir;
  EXPECT_FALSE(open_path(dir.at("none").c_str(), O_RDONLY));
  EXPECT_EQ(errno, ENOENT);
  struct stat s{};
  EXPECT_FALSE(stat_path(dir.at("none").c_str(), true, s));
  EXPECT_EQ(errno, ENOENT);
}

TEST(files, paths_longer_than_the_kernel_takes_are_reached) {
  const scratch dir;
  std::string path = dir.path();
  descriptor at = open_path(path.c_str(), O_RDONLY | O_DIRECTORY);
  const std::string name(200, 'd');
  while (path.size() < 3 * PATH_MAX) {
    ASSERT_EQ(::mkdirat(at.get(), name.c_str(), 0755), 0);
    at = descriptor{::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY)};
    ASSERT_TRUE(at);
    path += '/' + name;
  }
  const descriptor made{::openat(at.get(), "leaf", O_WRONLY | O_CREAT, 0644)};
  ASSERT_EQ(::write(made.get(), "deep", 4), 4);
  path += "/leaf";
  ASSERT_EQ(::open(path.c_str(), O_RDONLY), -1);

  const descriptor leaf = open_path(path.c_str(), O_RDONLY);
  ASSERT_TRUE(leaf);
  char text[5] = {};
  EXPECT_EQ(::read(leaf.get(), text, 4), 4);
  EXPECT_STREQ(text, "deep");
  struct stat s{};
  ASSERT_TRUE(stat_path(path.c_str(), false, s));
  EXPECT_EQ(s.st_size, 4);
  EXPECT_FALSE(stat_path((path + "x").c_str(), false, s));
}

TEST(files, links_are_followed_only_when_asked) {
  const scratch dir;
  dir.file("f", "123");
  ASSERT_EQ(::symlink("f", dir.at("link").c_str()), 0);
  struct stat s{};
  ASSERT_TRUE(stat_path(dir.at("link").c_str(), true, s));
  EXPECT_TRUE(S_ISREG(s.st_mode));
  ASSERT_TRUE(stat_path(dir.at("link").c_str(), false, s));
  EXPECT_TRUE(S_ISLNK(s.st_mode));
}

}  // namespace
}  // namespace sum
