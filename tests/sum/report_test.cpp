#include <sum/report.hpp>

#include <gtest/gtest.h>

namespace sum {
namespace {

using namespace std::chrono_literals;

TEST(report, says_everything_that_the_run_counted) {
  statistics counts;
  counts.hashed_files.add(1234);
  counts.hashed_bytes.add(5'000'000'000);
  counts.kept_files.add(1);
  counts.skipped_links.add(2);
  counts.errors.add(3);
  counts.held_back_ns.add(1'250'000'000);
  for (int i = 1; i <= 100; ++i) counts.jobs_wait.record(std::chrono::microseconds{16 * i});
  const std::string text = report(counts, {2.5s, 4s});
  EXPECT_NE(text.find("1,234 files, 5.00 GB in 2.50 s: 2000.0 MB/s; 4.00 s of CPU, 1250.0 MB per CPU-second"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("1 file kept from the earlier manifest"), std::string::npos) << text;
  EXPECT_NE(text.find("2 symbolic links not followed"), std::string::npos) << text;
  EXPECT_NE(text.find("held back 1.25 s, 50 % of the time"), std::string::npos) << text;
  EXPECT_NE(text.find("walker > hashers: 100 batches waited p50 8"), std::string::npos) << text;
  EXPECT_NE(text.find("max 1.60 ms"), std::string::npos) << text;
  EXPECT_NE(text.find("hashers > writer: 0 batches waited p50 0 ns"), std::string::npos) << text;
  EXPECT_NE(text.find("3 errors"), std::string::npos) << text;
  EXPECT_EQ(text.find("not hashed"), std::string::npos) << text;
  EXPECT_EQ(text.back(), '\n');
}

TEST(report, the_waits_of_a_short_run_are_left_out) {
  statistics counts;
  counts.jobs_wait.record(1ms);
  EXPECT_EQ(report(counts, {999ms, 1s}).find("p50"), std::string::npos);
  EXPECT_NE(report(counts, {1000ms, 1s}).find("p50"), std::string::npos);
}

TEST(report, a_run_without_time_divides_by_nothing) {
  const statistics counts;
  const std::string text = report(counts, {});
  EXPECT_EQ(text.find("inf"), std::string::npos);
  EXPECT_EQ(text.find("nan"), std::string::npos);
}

TEST(report, cpu_time_never_goes_back) {
  const auto before = cpu_time();
  EXPECT_GE(cpu_time().count(), before.count());
}

}  // namespace
}  // namespace sum
