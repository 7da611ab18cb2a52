#include <sum/hasher.hpp>

#include "scratch.hpp"

#include <sys/wait.h>

namespace sum {
namespace {

using testing::scratch;
using reading = batch_hasher::reading;
using state = batch_hasher::state;

constexpr std::uint64_t much = std::uint64_t{1} << 40;

batch of(const std::vector<std::string>& paths) {
  batch b;
  for (const std::string& path : paths) add_entry(b, path);
  return b;
}

std::string line(const batch& b, std::size_t i) {
  std::string out;
  append_line(out, b.entries[i].value, b.path_view(b.entries[i]));
  return out;
}

struct hashing {
  statistics counts;
  std::atomic<bool> stop{false};
  batch_hasher hasher{counts};
  state all(batch& b) {
    hasher.start(b);
    return hasher.step(reading::may_block, much, stop);
  }
};

TEST(hasher, hashes_files_of_all_sizes_as_sha256sum_does) {
  const scratch dir;
  std::vector<std::string> paths;
  for (const std::size_t size : {0UL, 1UL, 63UL, 64UL, 4096UL, batch_hasher::chunk - 1, batch_hasher::chunk,
                                 batch_hasher::chunk + 1, 3 * batch_hasher::chunk}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 37) text[i] = static_cast<char>(i);
    paths.push_back(dir.file("size " + std::to_string(size), text));
  }
  hashing h;
  batch b = of(paths);
  EXPECT_EQ(h.all(b), state::done);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    EXPECT_EQ(b.entries[i].what, outcome::hashed);
    EXPECT_EQ(line(b, i), testing::sha256sum(paths[i]));
  }
  EXPECT_EQ(h.counts.hashed_files.get(), paths.size());
  EXPECT_EQ(h.counts.ended_files.get(), paths.size());
}

TEST(hasher, reads_on_the_worker_what_the_page_cache_holds_and_never_leaves_it_half_done) {
  const scratch dir;
  const std::string path = dir.file("f", std::string(5 * batch_hasher::chunk, 'q'));
  hashing h;
  batch b = of({path});
  h.hasher.start(b);
  // Just written, so most likely cached; where it is not, the step says so and goes on where it may block.
  state s = h.hasher.step(reading::cached_only, much, h.stop);
  if (s == state::would_block) s = h.hasher.step(reading::may_block, much, h.stop);
  EXPECT_EQ(s, state::done);
  EXPECT_EQ(line(b, 0), testing::sha256sum(path));
}

TEST(hasher, a_file_system_that_cannot_promise_not_to_block_is_read_where_blocking_is_allowed) {
  hashing h;
  batch b = of({"/proc/version", "/proc/version"});
  h.hasher.start(b);
  EXPECT_EQ(h.hasher.step(reading::cached_only, much, h.stop), state::would_block);
  EXPECT_EQ(h.hasher.step(reading::may_block, much, h.stop), state::done);
  EXPECT_EQ(b.entries[0].what, outcome::hashed);
  EXPECT_EQ(line(b, 1), testing::sha256sum("/proc/version"));
}

TEST(hasher, a_budget_interrupts_a_large_file_and_the_digest_is_the_same) {
  const scratch dir;
  const std::string path = dir.file("f", std::string(10 * batch_hasher::chunk + 5, 'w'));
  hashing h;
  batch b = of({path});
  h.hasher.start(b);
  int steps = 1;
  while (h.hasher.step(reading::may_block, 1, h.stop) == state::more) ++steps;
  EXPECT_GE(steps, 10);
  EXPECT_EQ(line(b, 0), testing::sha256sum(path));
}

TEST(hasher, says_what_it_could_not_read_and_goes_on) {
  const scratch dir;
  ASSERT_EQ(::mkfifo(dir.at("fifo").c_str(), 0644), 0);
  ASSERT_EQ(::symlink("f", dir.at("link").c_str()), 0);
  const std::string f = dir.file("f", "content");
  batch b = of({dir.at("none"), dir.at("fifo"), dir.at("link"), dir.path(), "/proc/self/mem", f, dir.at("link")});
  b.entries[6].follow = true;
  hashing h;
  EXPECT_EQ(h.all(b), state::done);
  EXPECT_EQ(b.entries[0].what, outcome::vanished);
  EXPECT_EQ(b.entries[1].what, outcome::special);
  EXPECT_EQ(b.entries[2].what, outcome::vanished);
  EXPECT_EQ(b.entries[3].what, outcome::vanished);
  EXPECT_EQ(b.entries[4].what, outcome::unreadable);
  EXPECT_EQ(b.entries[5].what, outcome::hashed);
  EXPECT_EQ(b.entries[6].what, outcome::hashed);
  EXPECT_EQ(b.entries[5].value, b.entries[6].value);
  EXPECT_EQ(h.counts.ended_files.get(), 7U);
}

TEST(hasher, a_file_that_changed_once_is_read_again_and_one_that_changes_on_has_no_digest) {
  const scratch dir;
  const std::string path = dir.file("f", std::string(4 * batch_hasher::chunk, 'a'));
  const auto grow = [&] { std::ofstream(path, std::ios::app) << "more"; };
  hashing h;
  batch once = of({path});
  h.hasher.start(once);
  ASSERT_EQ(h.hasher.step(reading::may_block, 1, h.stop), state::more);
  grow();
  while (h.hasher.step(reading::may_block, 1, h.stop) == state::more) {
  }
  EXPECT_EQ(once.entries[0].what, outcome::hashed);
  EXPECT_EQ(line(once, 0), testing::sha256sum(path));

  batch always = of({path});
  h.hasher.start(always);
  while (h.hasher.step(reading::may_block, 1, h.stop) == state::more) grow();
  EXPECT_EQ(always.entries[0].what, outcome::changing);
}

TEST(hasher, a_file_that_shrinks_while_it_is_read_is_read_again) {
  const scratch dir;
  const std::string path = dir.file("f", std::string(4 * batch_hasher::chunk, 'a'));
  hashing h;
  batch b = of({path});
  h.hasher.start(b);
  ASSERT_EQ(h.hasher.step(reading::may_block, 1, h.stop), state::more);
  ASSERT_EQ(::truncate(path.c_str(), 10), 0);
  EXPECT_EQ(h.hasher.step(reading::may_block, much, h.stop), state::done);
  EXPECT_EQ(line(b, 0), testing::sha256sum(path));
}

TEST(hasher, stop_cuts_what_is_not_finished_and_keeps_what_is) {
  const scratch dir;
  const std::string small = dir.file("a", "x");
  const std::string large = dir.file("b", std::string(4 * batch_hasher::chunk, 'a'));
  hashing h;
  batch b = of({small, large, small});
  h.hasher.start(b);
  ASSERT_EQ(h.hasher.step(reading::may_block, 2, h.stop), state::more);
  h.stop = true;
  EXPECT_EQ(h.hasher.step(reading::cached_only, much, h.stop), state::done);
  EXPECT_EQ(b.entries[0].what, outcome::hashed);
  EXPECT_EQ(b.entries[1].what, outcome::cut);
  EXPECT_EQ(b.entries[2].what, outcome::cut);
}

TEST(hasher, leaves_alone_what_has_an_outcome_already) {
  hashing h;
  batch b = of({"/nowhere/kept", "/nowhere/fifo"});
  b.entries[0].what = outcome::kept;
  b.entries[1].what = outcome::special;
  EXPECT_EQ(h.all(b), state::done);
  EXPECT_EQ(b.entries[0].what, outcome::kept);
  EXPECT_EQ(b.entries[1].what, outcome::special);
  EXPECT_EQ(h.counts.ended_files.get(), 0U);
}

TEST(hasher, says_a_file_that_may_not_be_read) {
  const scratch dir;
  const std::string path = dir.file("f", "secret");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  // Nobody denies root anything, so it is read by a user who owns nothing.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::geteuid() == 0 && (::chmod(dir.path().c_str(), 0755) != 0 || ::seteuid(65534) != 0)) ::_exit(9);
    hashing h;
    batch b = of({path});
    h.all(b);
    ::_exit(b.entries[0].what == outcome::unreadable && b.entries[0].error == EACCES ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace sum
