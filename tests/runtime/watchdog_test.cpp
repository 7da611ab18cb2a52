#include "worlds.hpp"

#include <array>
#include <climits>
#include <cstdio>
#include <string>
#include <unistd.h>

namespace sluice {
namespace {

using namespace sluice::testing;

// Not a test of its own: the program that the next one runs.
TEST(watchdog, DISABLED_hangs) {
  runtime r(threads(1));
  r.spawn(for_ever(), "the culprit").wait();
}

TEST(watchdog, prints_what_every_runtime_is_at_when_no_test_finishes) {
  std::array<char, PATH_MAX> self{};
  ASSERT_GT(::readlink("/proc/self/exe", self.data(), self.size() - 1), 0);
  const std::string command = "SLUICE_WATCHDOG_SECONDS=1 timeout -k 1 60 '" + std::string(self.data()) +
                              "' --gtest_also_run_disabled_tests --gtest_filter=watchdog.DISABLED_hangs 2>&1";
  std::FILE* child = ::popen(command.c_str(), "r");
  ASSERT_NE(child, nullptr);
  std::string text;
  for (int c = std::fgetc(child); c != EOF; c = std::fgetc(child)) text += static_cast<char>(c);
  EXPECT_NE(::pclose(child), 0);
  EXPECT_NE(text.find("watchdog: no test has finished for 1 seconds; the one that runs is watchdog.DISABLED_hangs"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("the culprit"), std::string::npos) << text;
  EXPECT_NE(text.find("waits in sleep"), std::string::npos) << text;
}

}  // namespace
}  // namespace sluice
