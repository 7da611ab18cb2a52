// stresses: queues/spsc_ring.hpp
#include <sluice/queues/spsc_queue.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace sluice {
namespace {

// One putter and one getter in every way that there is, with waits that give up, until the putter closes or a third thread does.
TEST(spsc_stress, every_item_comes_in_order_whatever_way_it_goes) {
  std::minstd_rand choose(1);
  for (int round = 0; round < 200; ++round) {
    spsc_queue<std::unique_ptr<int>> q{1 + choose() % 5};
    const bool cut_off = round % 2 == 0;
    int put = 0;
    std::thread putter([&, seed = choose()] {
      std::minstd_rand random(static_cast<unsigned>(seed));
      try {
        while (put < 2000 || cut_off) {
          auto item = std::make_unique<int>(put);
          if (random() % 3 == 0) {
            if (q.try_put(std::move(item))) ++put;
            continue;
          }
          try {
            q.blocking_put(std::move(item), std::chrono::microseconds(random() % 20));
            ++put;
          } catch (const timed_out&) {
            ASSERT_EQ(*item, put) << "a put that failed took the value";
          }
        }
        q.close();
      } catch (const queue_closed&) {
      }
    });
    std::thread closer([&] {
      if (cut_off) {
        std::this_thread::sleep_for(std::chrono::microseconds(500));  // some time; nothing depends on how long
        q.close();
      }
    });
    std::minstd_rand random(7);
    int got = 0;
    for (bool more = true; more;) {
      std::unique_ptr<int> item;
      try {
        if (random() % 3 == 0) {
          if (auto found = q.try_get()) item = std::move(*found);
        } else if (auto found = q.blocking_next(std::chrono::microseconds(random() % 20))) {
          item = std::move(*found);
        } else {
          more = false;
        }
      } catch (const timed_out&) {
      }
      if (item) {
        ASSERT_EQ(*item, got++);
      }
    }
    putter.join();
    closer.join();
    ASSERT_EQ(got, put);
  }
}

}  // namespace
}  // namespace sluice
