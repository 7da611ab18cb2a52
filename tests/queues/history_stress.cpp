// stresses: queues/queue.hpp queues/queue_waits.hpp queues/ring.hpp queues/queue_core.hpp
// Linearizability of the queue: short histories of real threads, each explained by some order of its operations, one at a time, that
// keeps the order in time, or the test fails. (Wing and Gong's search, JPDC 1993, with what was seen already remembered, as Lowe does.)
#include <sluice/queues/queue.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sluice {
namespace {

constexpr int threads = 3;
constexpr int each = 3;  // operations of each thread in one history

enum class kind { put, get, try_put, try_get };

struct operation {
  kind what;
  int value;    // put, or got; 0: none
  bool took;    // it had an effect
  bool closed;  // and otherwise it heard that the queue is closed
  long begin;   // ticks of a common clock
  long end;
};

// Puts and gets in one order, over a queue that holds `room` items.
class explanation {
 public:
  explanation(std::vector<operation> history, std::size_t room) : history_(std::move(history)), room_(room) {}

  bool exists() { return search(0, {}); }

 private:
  using content = std::vector<int>;

  // Whether the rest, of which `done` are in place, can follow.
  bool search(unsigned done, const content& items) {
    if (done == (1U << history_.size()) - 1) return true;
    if (!seen_.insert({done, items}).second) return false;
    for (std::size_t i = 0; i < history_.size(); ++i) {
      if ((done >> i & 1U) != 0 || !may_be_next(i, done)) continue;
      content after = items;
      if (apply(history_[i], after) && search(done | 1U << i, after)) return true;
    }
    return false;
  }

  bool may_be_next(std::size_t i, unsigned done) const {
    for (std::size_t k = 0; k < history_.size(); ++k) {
      if ((done >> k & 1U) == 0 && history_[k].end < history_[i].begin) return false;
    }
    return true;
  }

  bool apply(const operation& op, content& items) const {
    if (op.what == kind::put || op.what == kind::try_put) {
      if (!op.took) return op.what == kind::put || items.size() >= room_ || overlaps(op, kind::put);
      items.push_back(op.value);
      return items.size() <= room_;
    }
    if (!op.took) return op.what == kind::get || items.empty() || overlaps(op, kind::get);
    if (items.empty() || items.front() != op.value) return false;
    items.erase(items.begin());
    return true;
  }

  // Whether a wait that `op` must not overtake was under way.
  bool overlaps(const operation& op, kind what) const {
    for (const operation& other : history_) {
      if (other.what == what && other.begin < op.end && op.begin < other.end) return true;
    }
    return false;
  }

  std::vector<operation> history_;
  std::size_t room_;
  std::set<std::pair<unsigned, content>> seen_;
};

// One thread's part of a history; `patience` in us for the waits, which are cancelled then.
class player {
 public:
  player(queue<int>& q, impl::atomic<long>& clock, unsigned seed) : q_(q), clock_(clock), random_(seed) {}

  std::vector<operation> play(int first_value) {
    std::vector<operation> part;
    for (int i = 0; i < each; ++i) part.push_back(step(static_cast<kind>(random_() % 4), first_value + i));
    return part;
  }

 private:
  operation step(kind what, int value) {
    const auto patience = std::chrono::microseconds(random_() % 3 * 10);
    operation op{what, value, false, false, clock_.fetch_add(1, impl::acq_rel), 0};
    try {
      if (what == kind::put) {
        q_.blocking_put(std::move(value), patience);
        op.took = true;
      } else if (what == kind::try_put) {
        op.took = q_.try_put(std::move(value));
      } else {
        const std::optional<int> got = what == kind::get ? std::optional<int>(q_.blocking_get(patience)) : q_.try_get();
        op.took = got.has_value();
        op.value = got.value_or(0);
      }
    } catch (const timed_out&) {
    }
    op.end = clock_.fetch_add(1, impl::acq_rel);
    return op;
  }

  queue<int>& q_;
  impl::atomic<long>& clock_;
  std::minstd_rand random_;
};

std::string told(const std::vector<operation>& history) {
  static constexpr const char* names[] = {"put", "get", "try_put", "try_get"};
  std::string text;
  for (const operation& op : history) {
    text += std::to_string(op.begin) + ".." + std::to_string(op.end) + " " + names[static_cast<int>(op.what)] + " " +
            std::to_string(op.value) + (op.took ? "\n" : ": no\n");
  }
  return text;
}

// The threads play many histories, each on a queue of its own; all begin one together.
class tournament {
 public:
  tournament(int kinds, long histories) : kinds_(kinds), histories_(histories) {}

  void run() {
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back([this, t] { follow(t); });
    for (long h = 1; h <= histories_ && impl::now() < end_ && !testing::Test::HasFailure(); ++h) {
      played_ = h;
      make_queue(h);
      playing_.store(threads, impl::relaxed);
      round_.store(h, impl::release);  // E1 publish: the queue
      play(0, h);
      while (playing_.load(impl::acquire) != 0) impl::yield_thread();  // E2 observe: the parts
      judge();
    }
    round_.store(-1, impl::release);
    for (auto& t : others) t.join();
  }

  long played() const { return played_; }
  long overlapping() const { return overlapping_; }
  long took() const { return took_; }
  long gave_up() const { return gave_up_; }

 private:
  void make_queue(long h) {
    const auto which = static_cast<std::size_t>(h % kinds_);
    room_ = which == 0 ? SIZE_MAX : which;
    queue_ = which == 0 ? std::make_unique<queue<int>>(unbounded) : std::make_unique<queue<int>>(which);
    clock_.store(0, impl::relaxed);
  }
  void follow(int self) {
    for (long last = 0;;) {
      const long h = round_.load(impl::acquire);  // E1 observe
      if (h < 0) return;
      if (h != last) play(self, last = h);
      impl::yield_thread();
    }
  }
  void play(int self, long h) {
    player mine(*queue_, clock_, static_cast<unsigned>(h * threads + self) * 2654435761U + 1);
    parts_[static_cast<std::size_t>(self)] = mine.play(1 + self * each);
    playing_.fetch_sub(1, impl::acq_rel);  // E2 publish
  }
  void judge() {
    std::vector<operation> history;
    for (auto& part : parts_) history.insert(history.end(), part.begin(), part.end());
    overlapping_ += std::count_if(parts_[0].begin(), parts_[0].end(), [&](const operation& op) {
      return op.begin < parts_[1].back().end && parts_[1].front().begin < op.end;
    });
    for (const operation& op : history) ++(op.took ? took_ : gave_up_);
    while (const auto left = queue_->try_get()) {
      const long now = clock_.fetch_add(2, impl::relaxed);
      history.push_back({kind::try_get, *left, true, false, now, now + 1});
    }
    EXPECT_TRUE(explanation(history, room_).exists()) << "no order explains\n" << told(history);
  }

  const int kinds_;
  const long histories_;
  const impl::time_point end_ = impl::now() + std::chrono::seconds(20);  // on a busy machine each takes longer
  std::unique_ptr<queue<int>> queue_;
  std::size_t room_ = 0;
  std::array<std::vector<operation>, threads> parts_;
  impl::atomic<long> clock_{0};
  impl::atomic<long> round_{0};
  impl::atomic<int> playing_{0};
  long played_ = 0;
  long overlapping_ = 0;  // operations of the first thread while the second one played
  long took_ = 0;
  long gave_up_ = 0;
};

TEST(history_stress, every_history_has_an_order_that_explains_it) {
  tournament t(4, 200000);
  t.run();
  EXPECT_GT(t.took(), 0);
  EXPECT_GT(t.overlapping(), 0) << "nothing ran at the same time";
  EXPECT_GT(t.gave_up(), 0) << "no wait was cancelled";
  testing::Test::RecordProperty("histories", static_cast<int>(t.played()));
  testing::Test::RecordProperty("overlapping", static_cast<int>(t.overlapping()));
  testing::Test::RecordProperty("took", static_cast<int>(t.took()));
  testing::Test::RecordProperty("gave_up", static_cast<int>(t.gave_up()));
}

TEST(history_stress, the_search_refuses_what_no_order_explains) {
  const auto put = [](int value, long begin, long end) { return operation{kind::put, value, true, false, begin, end}; };
  const auto get = [](int value, long begin, long end) { return operation{kind::get, value, true, false, begin, end}; };
  EXPECT_TRUE(explanation({put(1, 0, 1), put(2, 2, 3), get(1, 4, 5), get(2, 6, 7)}, 2).exists());
  EXPECT_FALSE(explanation({put(1, 0, 1), put(2, 2, 3), get(2, 4, 5), get(1, 6, 7)}, 2).exists()) << "out of order";
  EXPECT_TRUE(explanation({put(1, 0, 3), put(2, 0, 3), get(2, 4, 5), get(1, 6, 7)}, 2).exists()) << "they overlap";
  EXPECT_FALSE(explanation({put(1, 0, 1), put(2, 2, 3), get(1, 4, 5)}, 1).exists()) << "there was no room";
  EXPECT_FALSE(explanation({put(1, 0, 1), get(1, 2, 3), get(1, 4, 5)}, 1).exists()) << "delivered twice";
  const operation none{kind::try_get, 0, false, false, 2, 3};
  EXPECT_FALSE(explanation({put(1, 0, 1), none}, 1).exists()) << "it was not empty";
  EXPECT_TRUE(explanation({put(1, 0, 1), none, {kind::get, 0, false, false, 1, 4}}, 1).exists()) << "a get waited";
}

}  // namespace
}  // namespace sluice
