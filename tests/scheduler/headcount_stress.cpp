// stresses: scheduler/headcount.hpp scheduler/driver.hpp
// Workers come and go while tasks fork, yield, sleep and wake each other: all of them end; and schedulers are destroyed while the number
// changes.
#include <sluice/scheduler/scheduler.hpp>

#include "job.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

job wanders(scheduler& s, countdown&, unsigned seed) {
  for (int i = 0; i < 40; ++i) {
    seed = seed * 1103515245 + 12345;
    switch (seed >> 16 & 3) {
      case 0:
        (void)co_await sleep_until(s, s.now() + std::chrono::microseconds(seed >> 20 & 63));
        break;
      case 1: {
        auto& place = s.pinned(seed >> 20 & 1);  // one that may stand by
        co_await suspend_with{[&place](impl::task_context& task) { place.wake(task); }};
        break;
      }
      default:
        co_await yield();
    }
  }
}

TEST(headcount, no_task_is_lost_while_workers_come_and_go) {
  for (int round = 0; round < 30; ++round) {
    std::atomic<std::size_t> budget{2};
    impl::scheduler_options options;
    options.budget = [&budget] { return budget.load(); };
    options.budget_interval = 0ns;
    options.most_workers = 4;
    auto sched = std::make_unique<scheduler>(options);
    std::atomic<bool> stop{false};
    std::thread changes([&] {
      for (std::size_t n = 1; !stop; n = n % 4 + 1) {
        budget = n;
        std::this_thread::sleep_for(50us);
      }
    });
    for (unsigned batch = 0; batch < 5; ++batch) {
      countdown all(*sched, 100);
      for (unsigned i = 0; i < 100; ++i) sched->submit(*wanders(*sched, all, batch * 1000 + i));
      all.wait();
    }
    sched.reset();  // while it may change
    stop = true;
    changes.join();
  }
}

}  // namespace
}  // namespace sluice::test
