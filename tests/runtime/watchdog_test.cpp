#include "worlds.hpp"

#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace sluice {
namespace {

using namespace sluice::testing;

// What the test below runs in a process of its own; registered only there.
class hanging_test : public ::testing::Test {
 public:
  void TestBody() override {
    runtime r(threads(1));
    r.spawn(for_ever(), "the culprit").wait();
  }
};

const bool registered_in_child = [] {
  if (std::getenv("SLUICE_WATCHDOG_CHILD") == nullptr) return false;
  ::testing::RegisterTest("watchdog_child", "hangs", nullptr, nullptr, __FILE__, __LINE__,
                          []() -> ::testing::Test* { return new hanging_test; });
  return true;
}();

TEST(watchdog, prints_what_every_runtime_is_at_when_no_test_finishes) {
  ASSERT_FALSE(registered_in_child);
  std::array<char, PATH_MAX> self{};
  ASSERT_GT(::readlink("/proc/self/exe", self.data(), self.size() - 1), 0);
  const std::string command = "SLUICE_WATCHDOG_CHILD=1 SLUICE_WATCHDOG_SECONDS=1 timeout -k 1 60 '" +
                              std::string(self.data()) + "' --gtest_filter=watchdog_child.hangs 2>&1";
  std::FILE* child = ::popen(command.c_str(), "r");
  ASSERT_NE(child, nullptr);
  std::string text;
  for (int c = std::fgetc(child); c != EOF; c = std::fgetc(child)) text += static_cast<char>(c);
  EXPECT_NE(::pclose(child), 0);
  EXPECT_NE(text.find("watchdog: no test has finished for 1 seconds; the one that runs is watchdog_child.hangs"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("the culprit"), std::string::npos) << text;
  EXPECT_NE(text.find("waits in sleep"), std::string::npos) << text;
}

}  // namespace
}  // namespace sluice
