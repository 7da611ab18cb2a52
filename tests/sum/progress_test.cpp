#include <sum/progress.hpp>

#include <gtest/gtest.h>

namespace sum {
namespace {

using seconds = std::chrono::duration<double>;

progress_snapshot half_done() {
  progress_snapshot s;
  s.elapsed = seconds{10};
  s.files = 500;
  s.bytes = 500'000'000;
  s.files_found = 1000;
  s.bytes_found = 1'000'000'000;
  s.all_found = true;
  s.bytes_per_second = 50e6;
  s.jobs = 7;
  s.jobs_capacity = 32;
  s.finished = 1;
  s.finished_capacity = 32;
  return s;
}

TEST(progress, the_time_left_is_known_only_once_everything_was_found) {
  progress_snapshot s = half_done();
  EXPECT_NEAR(time_left(s).count(), 10, 1e-9);
  s.all_found = false;
  EXPECT_LT(time_left(s).count(), 0);
  EXPECT_EQ(progress_line(s).find("ETA"), std::string::npos);
  EXPECT_NE(progress_line(s).find("500 of 1,000+ files"), std::string::npos);
}

TEST(progress, a_line_says_files_speed_queues_and_time_left) {
  EXPECT_EQ(progress_line(half_done()), "0:10  50%  500 of 1,000 files  500 MB  50 MB/s  queues 7/32 > 1/32  ETA 0:10");
}

TEST(progress, errors_show_when_there_are_any) {
  progress_snapshot s = half_done();
  s.errors = 1;
  EXPECT_NE(progress_line(s).find("  1 error  "), std::string::npos);
  s.errors = 2000;
  EXPECT_NE(progress_line(s).find("  2,000 errors  "), std::string::npos);
}

TEST(progress, a_bar_fits_its_terminal_and_shows_its_part) {
  for (std::size_t width = 1; width < 200; ++width) EXPECT_LE(progress_bar(half_done(), width).size(), width);
  const std::string bar = progress_bar(half_done(), 199);
  EXPECT_EQ(bar.substr(0, 50), "[====================>                   ]  50%  5");
  progress_snapshot s = half_done();
  s.files = s.files_found;
  s.bytes = s.bytes_found;
  EXPECT_EQ(progress_bar(s, 199).substr(0, 49), "[========================================] 100%  ");
  EXPECT_NE(progress_bar(s, 199).find("ETA 0:00"), std::string::npos);
}

TEST(progress, a_tree_of_empty_files_has_progress_too) {
  progress_snapshot s = half_done();
  s.bytes = s.bytes_found = 0;
  EXPECT_NEAR(time_left(s).count(), 10, 1e-9);
  s.files = s.files_found = 0;
  EXPECT_NEAR(time_left(s).count(), 0, 1e-9);
}

TEST(progress, more_bytes_than_were_found_are_all_of_it) {
  progress_snapshot s = half_done();
  s.files = s.files_found;
  s.bytes = 2 * s.bytes_found;
  EXPECT_NEAR(time_left(s).count(), 0, 1e-9);
  EXPECT_NE(progress_line(s).find("100%"), std::string::npos);
}

TEST(progress, the_speed_follows_the_bytes_and_forgets) {
  speedometer m;
  EXPECT_NEAR(m.update(seconds{1}, 100), 100, 1e-9);
  EXPECT_NEAR(m.update(seconds{1}, 100), 100, 1e-9);
  for (int i = 2; i < 60; ++i) m.update(seconds{static_cast<double>(i)}, 100);
  EXPECT_LT(m.update(seconds{60}, 100), 1);
  EXPECT_GT(m.update(seconds{61}, 100'000), 1000);
}

}  // namespace
}  // namespace sum
