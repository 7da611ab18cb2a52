// The worker count from made-up /proc and /sys trees.

#include <sluice/scheduler/cpu_budget.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sched.h>
#include <string>
#include <thread>
#include <unistd.h>

namespace sluice::impl {
namespace {

class CpuBudget : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::temp_directory_path() / ("sluice-cpu-budget-" + std::to_string(::getpid()) + "-" +
                                                      testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    const auto file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::size_t budget(std::size_t affinity) { return cpu_budget_from(root_.string(), affinity); }

  std::filesystem::path root_;
};

TEST_F(CpuBudget, WithoutAQuotaTheAffinityMaskDecides) {
  EXPECT_EQ(budget(6), 6u);
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(budget(6), 6u);
}

TEST_F(CpuBudget, AQuotaIsRoundedUpAndAtLeastOne) {
  write("proc/self/cgroup", "0::/a\n");
  write("sys/fs/cgroup/a/cpu.max", "250000 100000\n");
  EXPECT_EQ(budget(8), 3u);
  write("sys/fs/cgroup/a/cpu.max", "5000 100000\n");
  EXPECT_EQ(budget(8), 1u);
}

TEST_F(CpuBudget, TheSmallestQuotaOfThePathDecides) {
  write("proc/self/cgroup", "0::/outer/inner\n");
  write("sys/fs/cgroup/outer/cpu.max", "200000 100000\n");
  write("sys/fs/cgroup/outer/inner/cpu.max", "700000 100000\n");
  EXPECT_EQ(budget(16), 2u);
}

TEST_F(CpuBudget, TheFirstVersionOfControlGroupsIsReadToo) {
  write("proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/job\n");
  write("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "150000\n");
  write("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(budget(16), 2u);
  write("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(budget(16), 16u);
}

TEST_F(CpuBudget, NonsenseIsNoQuota) {
  write("proc/self/cgroup", "0::/a\nrubbish\n");
  write("sys/fs/cgroup/a/cpu.max", "many\n");
  EXPECT_EQ(budget(4), 4u);
}

TEST(CpuBudgetHere, IsAtLeastOne) { EXPECT_GE(cpu_budget(), 1u); }

TEST(CpuBudgetHere, AThreadMayUseWhatItsMaskSays) {
  const auto before = allowed_processors();
  ASSERT_FALSE(before.empty());
  EXPECT_LE(cpu_budget(), before.size());
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(before.back(), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_THAT(allowed_processors(), testing::ElementsAre(before.back()));
    EXPECT_EQ(cpu_budget(), 1u);
  }).join();
  EXPECT_EQ(allowed_processors(), before);
}

}  // namespace
}  // namespace sluice::impl
