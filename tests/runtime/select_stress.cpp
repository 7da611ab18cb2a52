// stresses: runtime/select.hpp runtime/select.cpp
// Selects of many tasks over the same few queues, with timeouts and cancellations in between: each item is taken once.
#include <sluice/queues/atomic.hpp>
#include <sluice/sluice.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;

constexpr int items = 30000;

struct market {
  std::array<queue<int>, 3> stalls{queue<int>(1), queue<int>(2), queue<int>(rendezvous)};
  std::vector<impl::atomic<int>> taken = std::vector<impl::atomic<int>>(items);
  impl::atomic<int> sold{0};
  impl::atomic<int> gave_up{0};

  void take(int item) {
    taken[static_cast<std::size_t>(item)].fetch_add(1, impl::relaxed);
    sold.fetch_add(1, impl::relaxed);
  }
  bool is_over() const { return sold.load(impl::relaxed) == items; }
};

task<> sell(market& m, std::size_t stall) {
  for (int i = static_cast<int>(stall); i < items; i += 3) co_await m.stalls[stall].put(int{i});
}

// One select, in one of four shapes.
task<> buy_once(market& m, int shape) {
  auto& [a, b, c] = m.stalls;
  std::optional<int> got;
  if (shape % 4 == 0) {
    auto x = co_await select(a.get(), b.get(), c.get(), sleep_for(20us));
    got = x.index() == 0   ? std::optional(std::get<0>(x))
          : x.index() == 1 ? std::optional(std::get<1>(x))
          : x.index() == 2 ? std::optional(std::get<2>(x))
                           : std::nullopt;
  } else if (shape % 4 == 1) {
    auto x = co_await select(in_order, sleep_for(1us), c.get());
    if (x.index() == 1) got = std::get<1>(x);
  } else if (shape % 4 == 2) {
    try {
      auto x = co_await timeout(5us, select(b.get(), a.get()));
      got = x.index() == 0 ? std::get<0>(x) : std::get<1>(x);
    } catch (const timed_out&) {
    }
  } else {
    auto x = co_await select(a.get(), c.get(), b.get());  // until it is cancelled
    got = x.index() == 0 ? std::get<0>(x) : x.index() == 1 ? std::get<1>(x) : std::get<2>(x);
  }
  if (got) {
    m.take(*got);
  } else {
    m.gave_up.fetch_add(1, impl::relaxed);
  }
}

// What was claimed is delivered: a select that returns has its item, one that throws has none.
task<> buy(market& m, int shape) {
  while (!m.is_over()) {
    auto attempt = spawn(buy_once, std::ref(m), shape++);
    if (shape % 3 == 0) co_await yield();
    if (shape % 4 != 3) attempt.cancel();
    try {
      const auto ended = co_await select(attempt, sleep_for(200us));
      if (ended.index() == 0) continue;
      attempt.cancel();
      co_await attempt;
    } catch (const cancelled&) {
      m.gave_up.fetch_add(1, impl::relaxed);
    }
  }
}

task<> trade(market& m) {
  auto body = [&m](task_group& group) -> task<> {
    for (std::size_t stall = 0; stall < m.stalls.size(); ++stall) group.spawn(sell(m, stall));
    for (int buyer = 0; buyer < 8; ++buyer) group.spawn(buy(m, buyer));
    co_return;
  };
  co_await with_group(body);
}

TEST(select_stress, each_item_is_taken_once) {
  market m;
  runtime_options options;
  options.workers = 4;
  runtime r(options);
  r.block_on(trade(m));
  for (auto& count : m.taken) ASSERT_EQ(count.load(impl::relaxed), 1);
  EXPECT_GT(m.gave_up.load(impl::relaxed), 0) << "nobody came in between";
  testing::Test::RecordProperty("gave_up", m.gave_up.load(impl::relaxed));
}

}  // namespace
}  // namespace sluice
