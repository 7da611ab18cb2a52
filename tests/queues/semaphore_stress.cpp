// stresses: queues/semaphore.hpp queues/event.hpp queues/waiter_hub.hpp
// Real threads over a small semaphore: permits are conserved, holders are excluded, resizes and timeouts included.
#include <sluice/queues/event.hpp>
#include <sluice/queues/semaphore.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;

TEST(semaphore_stress, permits_are_conserved_while_threads_time_out) {
  constexpr int permits = 3;
  semaphore s{permits};
  impl::atomic<int> out{0};
  impl::atomic<long> held{0};
  impl::atomic<long> gave_up{0};
  const auto work = [&](unsigned seed) {
    std::minstd_rand random(seed);
    for (int i = 0; i < 10000; ++i) {
      const int n = 1 + static_cast<int>(random() % permits);
      try {
        permit p = s.blocking_acquire(static_cast<std::size_t>(n), std::chrono::microseconds(random() % 30));
        const int now_out = out.fetch_add(n, impl::relaxed) + n;
        ASSERT_LE(now_out, permits);
        if (random() % 4 == 0) impl::yield_thread();
        out.fetch_sub(n, impl::relaxed);
        held.fetch_add(1, impl::relaxed);
      } catch (const timed_out&) {
        gave_up.fetch_add(1, impl::relaxed);
      }
    }
  };
  std::vector<std::thread> workers;
  for (unsigned t = 0; t < 4; ++t) workers.emplace_back(work, t + 1);
  for (auto& t : workers) t.join();
  EXPECT_EQ(s.available(), static_cast<std::size_t>(permits));
  EXPECT_EQ(s.waiters(), 0U);
  EXPECT_EQ(held.load(impl::relaxed) + gave_up.load(impl::relaxed), 40000);
  EXPECT_GT(held.load(impl::relaxed), 0);
}

TEST(semaphore_stress, permits_are_conserved_while_it_is_resized) {
  semaphore s{2};
  impl::atomic<bool> stop{false};
  std::thread resizer([&] {
    std::size_t n = 1;
    while (!stop.load(impl::relaxed)) {
      s.resize(n);
      n = n % 4 + 1;
      impl::yield_thread();
    }
  });
  const auto work = [&] {
    for (int i = 0; i < 10000; ++i) {
      permit p = s.blocking_acquire();
    }
  };
  std::thread a(work);
  std::thread b(work);
  std::thread c(work);
  a.join();
  b.join();
  c.join();
  stop.store(true, impl::relaxed);
  resizer.join();
  s.resize(3);
  EXPECT_EQ(s.available(), 3U);
}

TEST(semaphore_stress, it_may_be_destroyed_as_soon_as_its_last_wait_returned) {
  for (int i = 0; i < 3000; ++i) {
    auto s = std::make_unique<semaphore>(1);
    s->try_acquire()->forget();
    std::thread releaser([&target = *s] { target.release(1); });
    s->blocking_acquire().forget();
    s.reset();
    releaser.join();
  }
}

TEST(event_stress, every_set_wakes_everybody_who_waited_before_it) {
  for (int round = 0; round < 2000; ++round) {
    event e;
    std::thread a([&] { e.blocking_wait(); });
    std::thread b([&] { e.blocking_wait(); });
    if (round % 2 == 0) impl::yield_thread();
    e.set();
    if (round % 4 == 1) impl::yield_thread();
    a.join();
    b.join();
    e.reset();
  }
}

}  // namespace
}  // namespace sluice
