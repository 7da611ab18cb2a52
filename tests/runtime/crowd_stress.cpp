// stresses: queues/waiter_hub.hpp queues/event.hpp queues/queue_core.hpp
// More waiters at one object than are let go at a time: tasks that roam, that are pinned, on a strand or in a lane, and plain threads;
// some of them are cancelled meanwhile, and the object goes away when all have gone on.
#include "worlds.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;

constexpr int crowd = 1500;
constexpr int blocked_threads = 3;

/// Where the i-th waiter runs.
executor place(runtime& r, const strand& together, int i) {
  switch (i % 5) {
    case 0:
      return together;
    case 1:
      return r.worker(static_cast<std::size_t>(i) % r.worker_count());
    case 2:
      return lane::background;
    default:
      return lane::normal;
  }
}

struct meeting {
  std::atomic<int> came{0};
  std::atomic<int> passed{0};
  std::atomic<int> cancelled{0};
};

/// Has the crowd wait by `wait()`, a task, and three threads by `block()`, calls `open`, and cancels every seventh task meanwhile.
template <class Wait, class Block, class Open>
void meet(runtime& r, Wait wait, Block block, Open open) {
  meeting m;
  const strand together(r);
  std::vector<join_handle<void>> handles;
  std::vector<std::thread> blocked;
  const auto come = [&m, &wait]() -> task<> {
    ++m.came;
    try {
      co_await wait();
      ++m.passed;
    } catch (const sluice::cancelled&) {
      ++m.cancelled;
    }
  };
  for (int i = 0; i < crowd; ++i) {
    handles.push_back(r.spawn(on(place(r, together, i), come())));
    if (i % (crowd / blocked_threads) == 0)
      blocked.emplace_back([&] {
        ++m.came;
        block();
        ++m.passed;
      });
  }
  while (m.came.load() < crowd + blocked_threads) std::this_thread::yield();
  std::thread canceller([&handles] {
    for (std::size_t i = 0; i < handles.size(); i += 7) handles[i].cancel();
  });
  open();
  canceller.join();
  for (auto& h : handles) h.wait();
  for (auto& t : blocked) t.join();
  EXPECT_EQ(m.passed.load() + m.cancelled.load(), crowd + blocked_threads);
}

TEST(crowd, passes_an_event_that_is_set_and_reset) {
  runtime r(threads(3));
  for (int round = 0; round < 8; ++round) {
    auto gate = std::make_unique<event>();
    meet(
        r, [&]() -> task<> { co_await gate->wait(); }, [&] { gate->blocking_wait(); },
        [&] {
          gate->set();
          gate->reset();  // who waits goes on all the same
          gate->set();    // and who comes late
        });
    gate.reset();
  }
}

TEST(crowd, leaves_a_queue_that_is_closed) {
  runtime r(threads(3));
  for (int round = 0; round < 8; ++round) {
    auto items = std::make_unique<queue<int>>(4);
    meet(
        r, [&]() -> task<> { EXPECT_EQ(co_await items->next(), std::nullopt); },
        [&] { EXPECT_EQ(items->blocking_next(), std::nullopt); }, [&] { items->close(); });
    items.reset();
  }
}

TEST(crowd, shares_what_comes_in_one_piece) {
  runtime r(threads(3));
  for (int round = 0; round < 8; ++round) {
    auto places = std::make_unique<semaphore>(2 * crowd);
    auto all = places->try_acquire(2 * crowd);
    ASSERT_TRUE(all);
    meet(
        r, [&]() -> task<> { (co_await places->acquire()).forget(); }, [&] { places->blocking_acquire().forget(); },
        [&] { all->release(); });
    places.reset();
  }
}

}  // namespace
}  // namespace sluice
