#include "watchdog.hpp"

#include <sluice/queues/atomic.hpp>
#include <sluice/runtime/runtime_core.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace sluice::testing {
namespace {

class watchdog final : public ::testing::EmptyTestEventListener {
 public:
  explicit watchdog(std::chrono::seconds patience) : patience_(patience) {}
  ~watchdog() override { stop(); }

  void OnTestProgramStart(const ::testing::UnitTest&) override {
    thread_ = std::thread([this] { watch(); });
  }
  void OnTestStart(const ::testing::TestInfo&) override { beat(); }
  void OnTestEnd(const ::testing::TestInfo&) override { beat(); }
  void OnTestProgramEnd(const ::testing::UnitTest&) override { stop(); }

 private:
  static constexpr std::uint32_t over = 1;

  void beat() { word_.fetch_add(2, impl::relaxed); }  // relaxed: only whether it changes matters

  void stop() {
    if (!thread_.joinable()) return;
    word_.fetch_or(over, impl::relaxed);  // relaxed: the futex call and the join order everything
    impl::futex::wake(word_, 1);
    thread_.join();
  }

  void watch() {
    std::uint32_t seen = word_.load(impl::relaxed);
    auto deadline = impl::now() + patience_;
    while ((seen & over) == 0) {
      (void)impl::futex::wait_until(word_, seen, deadline);
      const std::uint32_t now = word_.load(impl::relaxed);
      if (now != seen) deadline = impl::now() + patience_;
      seen = now;
      if ((seen & over) == 0 && impl::now() >= deadline) report();
    }
  }

  [[noreturn]] void report() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    std::fprintf(stderr, "watchdog: no test has finished for %lld seconds; the one that runs is %s.%s\n",
                 static_cast<long long>(patience_.count()), test != nullptr ? test->test_suite_name() : "none",
                 test != nullptr ? test->name() : "none");
    impl::runtime_core::dump_all(stderr);
    std::abort();
  }

  const std::chrono::seconds patience_;
  impl::atomic<std::uint32_t> word_{0};  // beats * 2 | over; all accesses relaxed
  std::thread thread_;
};

// SLUICE_WATCHDOG_SECONDS is for machines that are very slow, and for the test of the watchdog.
const bool installed = [] {
  const char* given = std::getenv("SLUICE_WATCHDOG_SECONDS");
  const long seconds = given != nullptr ? std::strtol(given, nullptr, 10) : 0;
  install_watchdog(std::chrono::seconds(seconds > 0 ? seconds : 60));
  return true;
}();

}  // namespace

void install_watchdog(std::chrono::seconds patience) {
  ::testing::UnitTest::GetInstance()->listeners().Append(new watchdog(patience));
}

}  // namespace sluice::testing
