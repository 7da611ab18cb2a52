// stresses: queues/queue_server.hpp queues/queue_base.hpp queues/stack.hpp queues/queue_slots.hpp
// Slots, puts, gets and looks on a few cells from many threads, until somebody closes with a reason: each item is got once, was never put, or
// is handed back, and gets end only when no slot is left.
#include <sluice/queues/lifo_queue.hpp>
#include <sluice/queues/queue.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;

template <class Queue>
class battle {
 public:
  explicit battle(std::size_t capacity) : q_(capacity) {}

  void run() {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 3; ++i) threads.emplace_back([this, i] { put_all(i + 1); });
    for (unsigned i = 0; i < 2; ++i) threads.emplace_back([this] { get_all(); });
    threads.emplace_back([this] { look(); });
    threads[0].join();
    threads[1].join();
    q_.close(std::make_exception_ptr(7));
    for (std::size_t i = 2; i < threads.size(); ++i) threads[i].join();
    EXPECT_EQ(put_.load(impl::relaxed), got_.load(impl::relaxed));
    EXPECT_GT(filled_.load(impl::relaxed), 0);
    EXPECT_EQ(q_.unfinished(), 0U);
    EXPECT_EQ(q_.size(), 0U);
  }

 private:
  static constexpr int rounds = 20000;

  void put_all(unsigned seed) {
    std::minstd_rand random(seed);
    try {
      for (int i = 0; i < rounds || seed == 3; ++i) put_one(random, i);  // the third one goes on until it is refused
    } catch (const queue_closed& closed) {
      EXPECT_NE(closed.cause(), nullptr);
    }
  }

  void put_one(std::minstd_rand& random, int i) {
    switch (random() % 4) {
      case 0:
        count_put(q_.try_put(int{i}));
        return;
      case 1:
        try {
          q_.blocking_put(int{i}, std::chrono::microseconds(random() % 20));
          count_put(true);
        } catch (const timed_out&) {
        }
        return;
      case 2:
        if (auto slot = q_.try_reserve()) fill(*slot, random() % 4 != 0, i);
        return;
      default:
        auto slot = q_.blocking_reserve();
        if (random() % 8 == 0) impl::yield_thread();
        fill(slot, random() % 4 != 0, i);
    }
  }

  void fill(typename Queue::slot& slot, bool used, int i) {
    if (!used) return;
    count_put(true);
    filled_.fetch_add(1, impl::relaxed);
    slot.put(int{i});
  }

  void count_put(bool done) { put_.fetch_add(done ? 1 : 0, impl::relaxed); }

  void get_all() {
    while (auto item = q_.blocking_lease()) got_.fetch_add(1, impl::relaxed);
  }

  void look() {
    try {
      for (;;) {
        (void)q_.blocking_peek();
        (void)q_.try_peek();
        impl::yield_thread();
      }
    } catch (const queue_closed&) {
    }
  }

  Queue q_;
  impl::atomic<int> put_{0};  // counted by relaxed additions, read when the threads have ended
  impl::atomic<int> got_{0};
  impl::atomic<int> filled_{0};
};

TEST(queue_slots_stress, nothing_is_lost_first_in_first_out) {
  for (std::size_t capacity : {1U, 2U, 5U}) battle<queue<int>>(capacity).run();
}

TEST(queue_slots_stress, nothing_is_lost_last_in_first_out) {
  for (std::size_t capacity : {1U, 2U, 5U}) battle<lifo_queue<int>>(capacity).run();
}

}  // namespace
}  // namespace sluice
