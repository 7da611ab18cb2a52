#include "worlds.hpp"

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

TEST(shield, hides_the_callers_cancellation_which_stays_latched) {
  cancel_at_every_point(
      []() -> task<> {
        bool finished = false;
        auto careful = [](bool& flag) -> task<int> {
          for (int i = 0; i < 5; ++i) co_await yield();
          co_await sleep_for(1ms);
          EXPECT_FALSE(this_task::cancelled());
          flag = true;
          co_return 3;
        };
        const int n = co_await shield(careful(finished));
        EXPECT_TRUE(finished);
        EXPECT_EQ(n, 3);
        co_await this_task::checkpoint();
      },
      [](bool) {});
}

TEST(shield, always_runs_its_task) {
  runtime r(simulated(1));
  bool ran = false;
  auto body = [&]() -> task<> {
    co_await shield([](bool& flag) -> task<> {
      co_await yield();
      flag = true;
    }(ran));
    EXPECT_THROW(co_await this_task::checkpoint(), cancelled);
    co_await yield();
  };
  auto handle = r.spawn(body);
  handle.cancel();
  EXPECT_THROW(handle.wait(), cancelled);
  EXPECT_TRUE(ran);
}

TEST(shield, rethrows) {
  auto program = []() -> task<> {
    auto fails = []() -> task<int> {
      throw std::runtime_error("x");
      co_return 1;
    };
    EXPECT_THROW((void)co_await shield(fails()), std::runtime_error);
  };
  run(program(), threads(1));
}

}  // namespace
}  // namespace sluice
