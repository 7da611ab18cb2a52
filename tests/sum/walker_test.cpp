#include <sum/walker.hpp>

#include "scratch.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

namespace sum {
namespace {

using testing::scratch;

struct seen {
  std::string path;
  outcome what;
  std::uint64_t size;
};

std::vector<seen> walk(walk_settings settings, statistics& counts) {
  walker w{std::move(settings), counts};
  const std::atomic<bool> stop{false};
  std::vector<seen> out;
  std::uint64_t sequence = 0;
  while (const auto b = w.next(stop)) {
    EXPECT_EQ(b->sequence, sequence++);
    EXPECT_FALSE(b->entries.empty());
    EXPECT_EQ(b->weight, weigh(*b));
    for (const entry& e : b->entries) out.push_back({std::string(b->path_view(e)), e.what, e.size});
  }
  EXPECT_EQ(w.next(stop), nullptr);
  return out;
}

std::vector<seen> walk(std::vector<std::string> roots, bool follow = false) {
  statistics counts;
  return walk({std::move(roots), follow, {}, nullptr}, counts);
}

std::vector<std::string> paths(const std::vector<seen>& all) {
  std::vector<std::string> out;
  for (const seen& s : all) out.push_back(s.path);
  return out;
}

TEST(walker, visits_a_tree_in_the_order_of_its_names) {
  const scratch dir;
  for (const char* name : {"t/b/2", "t/b/1", "t/a", "t/c", "t/b.x", "t/B", "t/b/z/deep/file"}) dir.file(name, name);
  const std::string t = dir.at("t");
  EXPECT_EQ(paths(walk({t})), (std::vector<std::string>{t + "/B", t + "/a", t + "/b/1", t + "/b/2",
                                                        t + "/b/z/deep/file", t + "/b.x", t + "/c"}));
}

TEST(walker, takes_roots_as_they_were_given_and_in_their_order) {
  const scratch dir;
  dir.file("t/x");
  dir.file("f");
  const std::string t = dir.at("t");
  EXPECT_EQ(paths(walk({dir.at("f"), t + "/", t, dir.at("f")})),
            (std::vector<std::string>{dir.at("f"), t + "/x", t + "/x", dir.at("f")}));
}

TEST(walker, batches_end_at_64_files_and_large_files_stand_alone) {
  const scratch dir;
  for (int i = 0; i < 200; ++i) dir.file("t/" + std::to_string(1000 + i), "x");
  const std::string big = dir.file("t/1100big");
  ASSERT_EQ(::truncate(big.c_str(), 5 << 20), 0);
  statistics counts;
  walker w{{{dir.at("t")}, false, {}, nullptr}, counts};
  const std::atomic<bool> stop{false};
  std::vector<std::size_t> sizes;
  while (const auto b = w.next(stop)) {
    sizes.push_back(b->entries.size());
    if (b->path_view(b->entries.front()) == big) {
      EXPECT_EQ(b->entries.size(), 1U);
      EXPECT_EQ(b->bytes, 5U << 20);
    }
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{64, 37, 1, 64, 35}));
  EXPECT_EQ(counts.found_files.get(), 201U);
  EXPECT_EQ(counts.found_bytes.get(), 200U + (5U << 20));
}

TEST(walker, says_what_is_special_and_goes_on) {
  const scratch dir;
  dir.file("t/a");
  ASSERT_EQ(::mkfifo(dir.at("t/fifo").c_str(), 0644), 0);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = dir.at("t/socket");
  ASSERT_LT(name.size(), sizeof address.sun_path);
  name.copy(address.sun_path, name.size());
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  dir.file("t/z");
  const auto all = walk({dir.at("t"), "/dev/null"});
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0].what, outcome::waiting);
  EXPECT_EQ(all[1].what, outcome::special);
  EXPECT_EQ(all[2].what, outcome::special);
  EXPECT_EQ(all[3].what, outcome::waiting);
  EXPECT_EQ(all[4].what, outcome::special);
}

TEST(walker, does_not_follow_links_inside_a_tree_but_follows_roots) {
  const scratch dir;
  dir.file("t/f", "123");
  ASSERT_EQ(::symlink("f", dir.at("t/link").c_str()), 0);
  ASSERT_EQ(::symlink(".", dir.at("t/loop").c_str()), 0);
  ASSERT_EQ(::symlink("t", dir.at("root").c_str()), 0);
  ASSERT_EQ(::symlink("t/f", dir.at("root_file").c_str()), 0);
  statistics counts;
  const auto all = walk({{dir.at("root"), dir.at("root_file")}, false, {}, nullptr}, counts);
  EXPECT_EQ(paths(all), (std::vector<std::string>{dir.at("root/f"), dir.at("root_file")}));
  EXPECT_EQ(all[1].size, 3U);
  EXPECT_EQ(counts.skipped_links.get(), 2U);
}

TEST(walker, finds_loops_when_it_follows_links) {
  const scratch dir;
  dir.file("t/d/f");
  ASSERT_EQ(::symlink("..", dir.at("t/d/up").c_str()), 0);
  ASSERT_EQ(::symlink("self", dir.at("t/self").c_str()), 0);
  ASSERT_EQ(::symlink("gone", dir.at("t/nowhere").c_str()), 0);
  ASSERT_EQ(::symlink("d", dir.at("t/twice").c_str()), 0);
  const auto all = walk({dir.at("t")}, true);
  ASSERT_EQ(all.size(), 6U);
  EXPECT_EQ(all[0].path, dir.at("t/d/f"));
  EXPECT_EQ(all[1].path, dir.at("t/d/up"));
  EXPECT_EQ(all[1].what, outcome::loop);
  EXPECT_EQ(all[2].path, dir.at("t/nowhere"));
  EXPECT_EQ(all[2].what, outcome::unreadable);
  EXPECT_EQ(all[3].path, dir.at("t/self"));
  EXPECT_EQ(all[3].what, outcome::loop);
  EXPECT_EQ(all[4].path, dir.at("t/twice/f"));
  EXPECT_EQ(all[4].what, outcome::waiting);
  EXPECT_EQ(all[5].what, outcome::loop);
}

TEST(walker, says_which_root_does_not_exist) {
  const scratch dir;
  const auto all = walk({dir.at("none"), dir.file("f")});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].what, outcome::unreadable);
  EXPECT_EQ(all[1].what, outcome::waiting);
}

TEST(walker, leaves_out_the_manifests_of_the_run) {
  const scratch dir;
  dir.file("t/a");
  struct stat s{};
  ASSERT_EQ(::stat(dir.file("t/m").c_str(), &s), 0);
  statistics counts;
  const auto all = walk({{dir.at("t")}, false, {identify(s)}, nullptr}, counts);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].what, outcome::waiting);
  EXPECT_EQ(all[1].what, outcome::skipped);
}

TEST(walker, keeps_what_an_earlier_manifest_holds) {
  const scratch dir;
  dir.file("t/a");
  dir.file("t/b");
  std::string line;
  append_line(line, digest{7}, dir.at("t/b"));
  resume_index resume{dir.file("m", line)};
  statistics counts;
  const auto all = walk({{dir.at("t")}, false, {}, &resume}, counts);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].what, outcome::waiting);
  EXPECT_EQ(all[1].what, outcome::kept);
  EXPECT_EQ(counts.found_files.get(), 1U);
}

TEST(walker, a_file_named_dash_is_not_standard_input) {
  const scratch dir;
  dir.file("-", "x");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  const auto all = walk({"-"});
  std::filesystem::current_path(before);
  EXPECT_EQ(paths(all), std::vector<std::string>{"./-"});
  EXPECT_EQ(all[0].what, outcome::waiting);
}

TEST(walker, stops_when_told) {
  const scratch dir;
  for (int i = 0; i < 300; ++i) dir.file("t/" + std::to_string(i));
  statistics counts;
  walker w{{{dir.at("t")}, false, {}, nullptr}, counts};
  std::atomic<bool> stop{false};
  EXPECT_NE(w.next(stop), nullptr);
  stop = true;
  EXPECT_EQ(w.next(stop), nullptr);
}

TEST(walker, says_a_directory_that_cannot_be_listed) {
  const scratch dir;
  dir.file("t/closed/f");
  dir.file("t/z");
  ASSERT_EQ(::chmod(dir.at("t/closed").c_str(), 0), 0);
  // Nobody denies root anything, so the walk is done by a user who owns nothing.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::geteuid() == 0 && (::chmod(dir.path().c_str(), 0755) != 0 || ::seteuid(65534) != 0)) ::_exit(9);
    const auto all = walk({dir.at("t")});
    const bool right = all.size() == 2 && all[0].what == outcome::unlisted && all[1].what == outcome::waiting;
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::chmod(dir.at("t/closed").c_str(), 0755);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace sum
