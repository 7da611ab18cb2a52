// stresses: queues/broadcast.hpp queues/watch.hpp queues/broadcast_core.hpp queues/broadcast_waits.hpp
// stresses: queues/shared_slot.hpp queues/value_pool.hpp queues/waiter_hub.hpp
// Real threads: senders, subscribers that lag, give up and hold on to what they have read; each item is accounted for.
#include <sluice/queues/broadcast.hpp>
#include <sluice/queues/watch.hpp>
#include <sluice/sluice.hpp>

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

using namespace std::chrono_literals;

// Lies on the heap, and knows when it is torn or gone.
class item {
 public:
  item(std::uint32_t sender, std::uint32_t number) : it_(new body{sender, number, sender ^ number, {}}) {
    alive.fetch_add(1, impl::relaxed);
  }
  item(const item& other) : item(other.sender(), other.number()) {}
  item(item&& other) noexcept = default;
  item& operator=(item&& other) noexcept {
    std::swap(it_, other.it_);
    return *this;
  }
  ~item() {
    if (!it_) return;
    it_->check = ~it_->check;
    alive.fetch_sub(1, impl::relaxed);
  }

  std::uint32_t sender() const noexcept { return it_->sender; }
  std::uint32_t number() const noexcept { return it_->number; }
  bool whole() const noexcept { return it_->check == (it_->sender ^ it_->number); }

  static inline impl::atomic<long> alive{0};

 private:
  struct body {
    std::uint32_t sender;
    std::uint32_t number;
    std::uint32_t check;
    std::array<char, 40> more;
  };
  std::unique_ptr<body> it_;
};

constexpr std::uint32_t senders = 3;

// The order that all have seen: which item was the n-th.
struct order_of_items {
  explicit order_of_items(std::size_t items) : at(items) {}
  bool agrees(std::uint64_t position, const item& seen) {
    const std::uint64_t mine = (std::uint64_t{seen.sender()} << 32 | seen.number()) + 1;
    std::uint64_t there = 0;
    return at[position].compare_exchange_strong(there, mine, impl::relaxed, impl::relaxed) || there == mine;
  }
  std::vector<impl::atomic<std::uint64_t>> at;
};

struct tally {
  std::uint64_t seen = 0;
  std::uint64_t missed = 0;
  std::uint64_t gave_up = 0;
};

// Reads to the end: each item is whole, in the one order, and later than the one before of its sender.
tally read_all(subscription<item>& mine, order_of_items& all, unsigned seed, unsigned slowness) {
  std::minstd_rand random(seed);
  tally t;
  std::array<std::int64_t, senders> last{-1, -1, -1};
  std::optional<snapshot<item>> kept;
  std::uint64_t gaps = 0;
  const auto look = [&](const item& got) {
    gaps += mine.gap();
    EXPECT_TRUE(got.whole());
    EXPECT_TRUE(all.agrees(t.seen + mine.missed(), got)) << "the n-th item is another one for somebody else";
    EXPECT_GT(std::int64_t{got.number()}, std::exchange(last[got.sender()], got.number()));
    ++t.seen;
  };
  for (;;) {
    try {
      if (random() % 2 == 0) {
        auto got = mine.blocking_borrow(std::chrono::microseconds(random() % 200));
        if (!got) break;
        look(**got);
        if (random() % 4 == 0) kept = std::move(got);
      } else {
        const auto got = mine.blocking_next(std::chrono::microseconds(random() % 200));
        if (!got) break;
        look(*got);
      }
    } catch (const timed_out&) {
      ++t.gave_up;
    }
    EXPECT_TRUE(!kept || (*kept)->whole());
    for (unsigned i = 0; slowness != 0 && i < random() % slowness; ++i) impl::yield_thread();
  }
  t.missed = mine.missed();
  EXPECT_EQ(gaps, t.missed) << "the gaps make up all that was missed";
  EXPECT_EQ(mine.lag(), 0U);
  return t;
}

TEST(broadcast_stress, each_item_is_seen_once_in_one_order_or_counted_as_missed) {
  constexpr std::uint32_t each = 8000;
  for (const std::size_t capacity : {1U, 2U, 5U, 256U}) {
    {
      broadcast<item> items{capacity};
      order_of_items all(std::size_t{senders} * each);
      std::vector<std::thread> threads;
      std::vector<tally> tallies(4);
      for (unsigned i = 0; i < tallies.size(); ++i) {
        threads.emplace_back([&, i, mine = items.subscribe()]() mutable {
          tallies[i] = read_all(mine, all, i + 1, i % 2 == 0 ? 0 : 4);
        });
      }
      std::vector<std::thread> sending;
      for (std::uint32_t sender = 0; sender < senders; ++sender) {
        sending.emplace_back([&, sender] {
          for (std::uint32_t n = 0; n < each; ++n) {
            items.send(item(sender, n));
            if (n % 64 == 0) impl::yield_thread();
          }
        });
      }
      for (auto& t : sending) t.join();
      items.close();
      for (auto& t : threads) t.join();
      EXPECT_EQ(items.sent(), senders * each);
      for (const tally& t : tallies) EXPECT_EQ(t.seen + t.missed, senders * each);
      EXPECT_EQ(items.subscribers(), 0U);
      EXPECT_EQ(item::alive.load(impl::relaxed), static_cast<long>(capacity)) << "and what is kept is there";
    }
    EXPECT_EQ(item::alive.load(impl::relaxed), 0);
  }
}

// Closed in the middle: what was sent before is seen by all, and nothing else.
TEST(broadcast_stress, a_close_lies_between_two_items) {
  for (int round = 0; round < 300; ++round) {
    broadcast<int> numbers{1000};
    impl::atomic<long> accepted{0};
    std::array<long, 2> seen{};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      threads.emplace_back([&, i, mine = numbers.subscribe()]() mutable {
        while (mine.blocking_next()) ++seen[i];
      });
    }
    for (int s = 0; s < 2; ++s) {
      threads.emplace_back([&] {
        try {
          for (int n = 0; n < 300; ++n) {
            numbers.send(int{n});
            accepted.fetch_add(1, impl::relaxed);
          }
        } catch (const queue_closed&) {
        }
      });
    }
    for (int i = 0; i < round % 50; ++i) impl::yield_thread();
    numbers.close();
    for (auto& t : threads) t.join();
    EXPECT_EQ(seen[0], accepted.load(impl::relaxed));
    EXPECT_EQ(seen[1], seen[0]);
  }
}

TEST(broadcast_stress, it_may_be_destroyed_as_soon_as_its_subscriptions_have_gone) {
  for (int i = 0; i < 3000; ++i) {
    auto items = std::make_unique<broadcast<item>>(static_cast<std::size_t>(1 + i % 3));
    auto mine = std::make_unique<subscription<item>>(items->subscribe());
    std::thread one([&target = *items] { target.send(item(0, 1)); });
    std::thread two([&target = *items] { target.send(item(1, 1)); });
    int seen = 0;
    while (seen + static_cast<int>(mine->missed()) < 2) seen += mine->blocking_next().has_value();
    mine.reset();
    items.reset();
    one.join();
    two.join();
  }
  EXPECT_EQ(item::alive.load(impl::relaxed), 0);
}

task<> send_all(broadcast<item>& to, std::uint32_t sender, std::uint32_t count) {
  for (std::uint32_t n = 0; n < count; ++n) {
    to.send(item(sender, n));
    if (n % 16 == 0) co_await yield();
  }
  to.close();
}

// Each item is chosen by a select, seen later, or counted: an arm that loses has passed nothing.
task<> select_all(subscription<item> a, subscription<item> b, watcher<int> turns, std::uint64_t each) {
  std::array<std::uint64_t, 2> seen{};
  std::array<std::int64_t, 2> last{-1, -1};
  std::array<bool, 2> over{};
  const auto look = [&](std::size_t which, const item& got) {
    EXPECT_TRUE(got.whole());
    EXPECT_GT(std::int64_t{got.number()}, std::exchange(last[which], got.number()));
    ++seen[which];
  };
  while (!over[0] || !over[1]) {
    auto got = co_await select(arm_if(!over[0], a.next()), arm_if(!over[1], b.borrow()), turns.changed());
    if (got.index() == 0) {
      const auto& first = std::get<0>(got);
      over[0] = !first;
      if (first) look(0, *first);
    } else if (got.index() == 1) {
      const auto& second = std::get<1>(got);
      over[1] = !second;
      if (second) look(1, **second);
    } else {
      EXPECT_TRUE(turns.try_next()) << "it had changed, and the present value is new";
    }
  }
  EXPECT_EQ(seen[0] + a.missed(), each);
  EXPECT_EQ(seen[1] + b.missed(), each);
}

task<> turn(watch<int>& turns, const impl::atomic<bool>& stop) {
  for (int i = 1; !stop.load(impl::relaxed); ++i) {
    turns.set(int{i});
    co_await yield();
  }
}

task<> select_among_three(std::size_t capacity, std::uint32_t each) {
  broadcast<item> a{capacity};
  broadcast<item> b{capacity};
  watch<int> turns{0};
  impl::atomic<bool> stop{false};
  auto turning = spawn(turn(turns, stop));
  std::vector<task<>> readers;
  for (int i = 0; i < 3; ++i) readers.push_back(select_all(a.subscribe(), b.subscribe(), turns.watcher(), each));
  auto reading =
      spawn([](std::vector<task<>> all) -> task<> { co_await when_all(std::move(all)); }, std::move(readers));
  auto sending = spawn(send_all(a, 0, each));
  co_await send_all(b, 1, each);
  co_await sending;
  co_await reading;
  stop.store(true, impl::relaxed);
  co_await turning;
}

TEST(broadcast_stress, a_select_among_broadcasts_and_a_watch_loses_nothing) {
  for (const std::size_t capacity : {1U, 4U, 64U}) run(select_among_three(capacity, 3000), {.workers = 4});
  EXPECT_EQ(item::alive.load(impl::relaxed), 0);
}

TEST(watch_stress, no_change_is_lost_and_no_value_is_torn) {
  constexpr std::uint32_t each = 10000;
  {
    watch<item> value{item(0, 0)};
    impl::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
      readers.emplace_back([&] {
        std::uint32_t last = 0;
        while (!stop.load(impl::relaxed)) {
          const auto now = value.borrow();
          EXPECT_TRUE(now->whole());
          EXPECT_GE(now->number(), last);
          last = now->number();
          EXPECT_GE(value.get().number(), last);
        }
      });
    }
    std::thread follower([&, mine = value.watcher()]() mutable {
      std::uint32_t last = 0;
      while (const auto got = mine.blocking_next()) {
        EXPECT_GT(got->number(), last) << "never the same again";
        last = got->number();
      }
      EXPECT_EQ(last, 2 * each) << "the last value is seen";
    });
    std::vector<std::thread> modifiers;
    for (int i = 0; i < 2; ++i) {
      modifiers.emplace_back([&] {
        for (std::uint32_t n = 0; n < each; ++n) value.modify([](item& it) { it = item(7, it.number() + 1); });
      });
    }
    for (auto& t : modifiers) t.join();
    value.close();
    follower.join();
    stop.store(true, impl::relaxed);
    for (auto& t : readers) t.join();
    EXPECT_EQ(value.get().number(), 2 * each) << "each change was made once";
  }
  EXPECT_EQ(item::alive.load(impl::relaxed), 0);
}

TEST(watch_stress, every_set_wakes_who_waits) {
  watch<int> ping{0};
  watch<int> pong{0};
  std::thread other([&, mine = ping.watcher()]() mutable {
    while (const auto got = mine.blocking_next()) pong.set(*got);
  });
  auto mine = pong.watcher();
  for (int i = 1; i <= 5000; ++i) {
    ping.set(i);
    EXPECT_EQ(mine.blocking_next(), i);
  }
  ping.close();
  other.join();
}

}  // namespace
}  // namespace sluice
