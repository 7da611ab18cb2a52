// tests: queues/thread_context.hpp queues/errors.hpp queues/cancellation.hpp
#include <sluice/queues/task_context.hpp>
#include <sluice/queues/thread_context.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace sluice::impl {
namespace {

class counting_canceller final : public canceller {
 public:
  int cancelled = 0;
  void cancel(cancellable&, cancellation&) noexcept override { ++cancelled; }
};

TEST(task_context, a_cancellation_finds_the_wait_that_was_armed_and_calls_its_owner_once) {
  thread_context context;
  counting_canceller owner;
  cancellable wait{&owner};
  EXPECT_TRUE(context.arm(wait));
  EXPECT_FALSE(context.cancelled());
  context.cancel();
  context.cancel();
  EXPECT_EQ(owner.cancelled, 1);
  EXPECT_TRUE(context.cancelled());
  EXPECT_FALSE(context.disarm(wait)) << "the canceller has it";
}

TEST(task_context, a_wait_that_was_taken_back_is_not_found) {
  thread_context context;
  counting_canceller owner;
  cancellable wait{&owner};
  EXPECT_TRUE(context.arm(wait));
  EXPECT_TRUE(context.disarm(wait));
  context.cancel();
  EXPECT_EQ(owner.cancelled, 0);
}

TEST(task_context, cancellation_is_a_level) {
  thread_context context;
  counting_canceller owner;
  cancellable wait{&owner};
  context.cancel();
  EXPECT_FALSE(context.arm(wait));
  EXPECT_TRUE(context.cancelled());
}

TEST(thread_context, a_thread_sleeps_until_it_is_woken) {
  thread_context context;
  EXPECT_FALSE(context.park_until(now()));
  EXPECT_FALSE(context.park_until(now() + std::chrono::milliseconds(1)));
  std::thread waking([&] { static_cast<task_context&>(context).wake(); });
  context.park();
  EXPECT_TRUE(context.park_until(now()));
  waking.join();
}

TEST(thread_context, a_patience_without_end_is_never) {
  EXPECT_EQ(deadline_after(std::chrono::hours::max()), time_point::max());
  EXPECT_EQ(deadline_after(std::chrono::nanoseconds::max()), time_point::max());
  EXPECT_GT(deadline_after(std::chrono::seconds(1)), now());
}

}  // namespace
}  // namespace sluice::impl
