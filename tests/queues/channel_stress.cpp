// stresses: queues/channel.hpp
// Ends that come and go on many threads: everything is got while a receiver is left, and everything that waits ends.
#include <sluice/queues/channel.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace sluice {
namespace {

using item = std::shared_ptr<int>;  // its count says who has it

void send(sender<item> tx, const item& what, int count, impl::atomic<int>& put) {
  try {
    for (int i = 0; i < count; ++i) {
      sender<item> copy = tx;
      copy.blocking_put(what);
      put.fetch_add(1, impl::relaxed);
    }
  } catch (const queue_closed&) {
  }
}

void receive(receiver<item> rx, int count, impl::atomic<int>& got) {
  while (count-- != 0) {
    receiver<item> copy = rx;
    rx = std::move(copy);
    if (!rx.blocking_next()) return;
    got.fetch_add(1, impl::relaxed);
  }
}

TEST(channel_stress, ends_come_and_go) {
  std::minstd_rand random(1);
  const item what = std::make_shared<int>(1);
  for (int round = 0; round < 1000; ++round) {
    impl::atomic<int> put{0};  // relaxed: read when the threads have ended
    impl::atomic<int> got{0};
    const bool all_stay = round % 2 == 0;
    std::vector<std::thread> threads;
    {
      auto ends = make_channel<item>(1 + random() % 3);
      for (int t = 0; t < 2; ++t) {
        const int sends = static_cast<int>(random() % 20);
        const int receives = all_stay ? -1 : static_cast<int>(random() % 10);
        threads.emplace_back([&, tx = ends.tx, sends] { send(tx, what, sends, put); });
        threads.emplace_back([&, rx = ends.rx, receives] { receive(rx, receives, got); });
      }
    }
    for (auto& t : threads) t.join();
    ASSERT_EQ(what.use_count(), 1) << "everything was destroyed";
    if (all_stay) {
      ASSERT_EQ(put.load(impl::relaxed), got.load(impl::relaxed));
    }
    ASSERT_LE(got.load(impl::relaxed), put.load(impl::relaxed));
  }
}

}  // namespace
}  // namespace sluice
