// Conservation under chaos: tasks that time out and are cancelled at random over a small queue, on real threads and in
// simulations. Each item is delivered exactly once, or its put failed and still holds it.
#include <sluice/sluice.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <vector>

namespace sluice {
namespace {

using item = std::unique_ptr<int>;

constexpr int putters = 6;
constexpr int getters = 6;

// One count per item. An item ends with 1 here, wherever it went.
struct ledger {
  explicit ledger(int items) : delivered(static_cast<std::size_t>(items)), kept(delivered.size()) {}
  void deliver(const item& it) { delivered[static_cast<std::size_t>(*it)].fetch_add(1); }
  std::vector<std::atomic<int>> delivered;
  std::vector<std::atomic<int>> kept;
  std::atomic<long> put_timeouts = 0;
  std::atomic<long> get_timeouts = 0;
  std::atomic<long> cancelled_puts = 0;
  std::atomic<long> cancelled_gets = 0;
};

std::chrono::nanoseconds patience(std::minstd_rand& random) {
  switch (random() % 4) {
    case 0: return std::chrono::nanoseconds(0);
    case 1: return std::chrono::microseconds(random() % 20);
    case 2: return std::chrono::microseconds(random() % 300);
    default: return std::chrono::seconds(10);
  }
}

// Puts its share; what could not be put is kept. Goes on after a cancellation by way of a new task.
task<> put_some(queue<item>& q, ledger& book, std::atomic<int>& next, int end, unsigned seed) {
  std::minstd_rand random(seed);
  for (int i = next.fetch_add(1); i < end; i = next.fetch_add(1)) {
    item mine = std::make_unique<int>(i);
    bool stop = false;
    try {
      co_await timeout(patience(random), q.put(std::move(mine)));
    } catch (const timed_out&) {
      ++book.put_timeouts;
    } catch (const cancelled&) {
      ++book.cancelled_puts;
      stop = true;
    }
    if (mine != nullptr) book.kept[static_cast<std::size_t>(i)].fetch_add(1);
    if (stop) co_return;
  }
}

task<> get_some(queue<item>& q, ledger& book, unsigned seed) {
  std::minstd_rand random(seed);
  for (;;) {
    try {
      std::optional<item> got = co_await timeout(patience(random), q.next());
      if (!got) co_return;
      book.deliver(*got);
      q.task_done();
    } catch (const timed_out&) {
      ++book.get_timeouts;
    } catch (const cancelled&) {
      ++book.cancelled_gets;
      co_return;
    }
    if (random() % 8 == 0) {
      try {
        co_await yield();
      } catch (const cancelled&) {
        co_return;
      }
    }
  }
}

bool all_done(const std::vector<join_handle<void>>& handles) {
  for (const auto& h : handles) {
    if (!h.done()) return false;
  }
  return true;
}

// Keeps a number of tasks going and cancels one of them at random every now and then.
template <class Start>
task<> keep_going(int count, std::atomic<bool>& finished, unsigned seed, Start& start) {
  std::minstd_rand random(seed);
  std::vector<join_handle<void>> handles;
  for (int i = 0; i < count; ++i) handles.push_back(start(static_cast<unsigned>(random())));
  while (!finished.load() || !all_done(handles)) {
    const std::size_t victim = random() % handles.size();
    if (random() % 3 == 0 && !finished.load()) handles[victim].cancel();
    for (auto& h : handles) {
      if (h.done() && !finished.load()) h = start(static_cast<unsigned>(random()));
    }
    co_await sleep_for(std::chrono::microseconds(random() % 100));
  }
}

task<> chaos(std::size_t capacity, int items, unsigned seed, ledger& book) {
  queue<item> q{capacity};
  std::atomic<int> next = 0;
  std::atomic<bool> no_more_puts = false;
  std::atomic<bool> no_more_gets = false;
  auto start_putter = [&](unsigned s) { return spawn(put_some(q, book, next, items, s)); };
  auto start_getter = [&](unsigned s) { return spawn(get_some(q, book, s)); };
  auto putting = spawn(keep_going(putters, no_more_puts, seed, start_putter));
  auto getting = spawn(keep_going(getters, no_more_gets, seed + 1, start_getter));
  while (next.load() < items) co_await sleep_for(std::chrono::microseconds(200));
  no_more_puts = true;
  co_await putting;
  co_await q.join();
  no_more_gets = true;
  q.close();
  co_await getting;
  EXPECT_EQ(q.unfinished(), 0U);
}

void count(const ledger& book) {
  for (std::size_t i = 0; i < book.delivered.size(); ++i) {
    const int delivered = book.delivered[i].load();
    const int kept = book.kept[i].load();
    ASSERT_EQ(delivered + kept, 1) << "item " << i << " was delivered " << delivered << " times and kept " << kept;
  }
}

void on_threads(std::size_t capacity, int items) {
  ledger book(items);
  runtime r({.workers = 2});
  r.block_on(chaos(capacity, items, static_cast<unsigned>(capacity), book));
  count(book);
  EXPECT_GT(book.put_timeouts.load() + book.get_timeouts.load(), 0);
  EXPECT_GT(book.cancelled_puts.load() + book.cancelled_gets.load(), 0);
  testing::Test::RecordProperty("put_timeouts", std::to_string(book.put_timeouts.load()));
  testing::Test::RecordProperty("get_timeouts", std::to_string(book.get_timeouts.load()));
  testing::Test::RecordProperty("cancelled_puts", std::to_string(book.cancelled_puts.load()));
  testing::Test::RecordProperty("cancelled_gets", std::to_string(book.cancelled_gets.load()));
}

TEST(chaos, nothing_is_lost_over_a_queue_of_1) { on_threads(1, 200000); }
TEST(chaos, nothing_is_lost_over_a_queue_of_3) { on_threads(3, 200000); }
TEST(chaos, nothing_is_lost_over_a_queue_of_16) { on_threads(16, 200000); }

TEST(chaos, nothing_is_lost_in_simulations) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ledger book(400);
    runtime r({.workers = 3, .simulation = seed});
    r.block_on(chaos(1 + seed % 3, 400, seed + 1, book));
    count(book);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace sluice
