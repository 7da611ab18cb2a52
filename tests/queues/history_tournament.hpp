#pragma once
// Threads that play short histories on queues of every kind, which history.hpp judges.

#include "history.hpp"
#include "history_player.hpp"

#include <sluice/queues/atomic.hpp>
#include <sluice/queues/queue_options.hpp>
#include <sluice/queues/short_wait.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sluice::test {

/// What the histories of a tournament are about.
struct theme {
  const char* name;
  std::vector<call> calls;

  bool has(call what) const { return std::find(calls.begin(), calls.end(), what) != calls.end(); }
};

inline const std::vector<theme>& themes() {
  using enum call;
  static const std::vector<theme> all = {
      {"capacity", {set_capacity, put, get, try_put, try_get, put_many, reserve, fill, look}},  // for bounded queues
      {"slots",  // for queues that have room
       {reserve, reserve, try_reserve, fill, fill, give_up, peek, try_peek, put, try_put, put_many, get, try_get,
        get_many, next, close, look}},
      {"items", {put, get, try_put, try_get, next, look}},
      {"many", {put_many, get_many, put, get, try_put, try_get}},
      {"closing", {close, close_now, put, get, next, try_put, try_get, put_many, get_many, look}},
      {"closing slots", {close, close_now, reserve, fill, give_up, put, get, next, try_get, get_many}},  // likewise
      {"accounts", {put, get, try_put, put_many, lease, task_done, join, join, close_now, look}},
      {"wrong accounts", {put, try_put, get, any_task_done, join, look}},
  };
  return all;
}

/// Whether a queue has one putter and one getter, as the first two threads are then.
template <class Queue>
inline constexpr bool has_one_each = false;

/// What a thread may call of those, where a queue has one putter and one getter.
inline std::vector<call> calls_of(const theme& about, int self) {
  using enum call;
  static constexpr call puts[] = {put, try_put, put_many, reserve, try_reserve, fill, give_up};
  static constexpr call gets[] = {get, next, try_get, get_many, lease, peek, try_peek, close_now};
  const auto is_in = [](const auto& some, call what) {
    return std::find(std::begin(some), std::end(some), what) != std::end(some);
  };
  std::vector<call> mine;
  for (const call what : about.calls) {
    const int side = is_in(puts, what) ? 0 : is_in(gets, what) ? 1 : self;
    if (side == self) mine.push_back(what);
  }
  if (mine.empty()) mine.push_back(look);
  return mine;
}

/// One history: a queue, what it was before, and what the threads did with it.
template <class Queue>
struct match {
  static constexpr int threads = 3;
  static constexpr int calls = 3;          // of each thread
  static constexpr int first_room = 32;    // of an unbounded queue
  static constexpr int first_value = 101;  // of what it holds at first

  void prepare(long h, bool lifo) {
    static constexpr std::size_t capacities[] = {1, 2, 3, no_bound, no_bound, 0};
    number = h;
    about = &themes()[static_cast<std::size_t>(h) % themes().size()];
    if (has_one_each<Queue> && about->has(call::set_capacity)) ++about;
    const std::size_t turn = static_cast<std::size_t>(h) / themes().size();
    const std::size_t which = turn % (about->has(call::set_capacity) || has_one_each<Queue> ? 3
                                      : about->has(call::reserve)                           ? 5
                                                                                            : std::size(capacities));
    std::minstd_rand random(static_cast<unsigned>(h));
    before = {};
    before.lifo = lifo;
    before.capacity = capacities[which];
    before.unfinished = which == 3   ? first_room - random() % 4  // full, or nearly: it grows meanwhile
                        : which == 4 ? 0
                                     : random() % (before.capacity + 1);
    make_queue();
    clock.store(0, impl::relaxed);
    arrived.store(0, impl::relaxed);
  }
  static std::unique_ptr<Queue> make_empty(std::size_t capacity) {
    if constexpr (!has_one_each<Queue>) {
      if (capacity == 0) return std::make_unique<Queue>(rendezvous);
      if (capacity == no_bound) return std::make_unique<Queue>(unbounded);
    }
    return std::make_unique<Queue>(capacity);
  }
  void make_queue() {
    queue = make_empty(before.capacity);
    for (int i = 0; i < static_cast<int>(before.unfinished); ++i) {
      decltype(queue->blocking_get()) x{};
      make(x, first_value + i);
      EXPECT_TRUE(queue->try_put(std::move(x)));
      before.items += static_cast<char>(first_value + i);
    }
  }

  // They begin together; but on a busy machine nobody waits for long for one that is not running.
  void play(int self) {
    player<Queue> mine(*queue, clock, static_cast<unsigned>(number * threads + self) * 2654435761U + 1,
                       1 + self * 3 * calls);
    arrived.fetch_add(1, impl::relaxed);  // relaxed: it hands over nothing
    const auto late = impl::now() + std::chrono::microseconds(200);
    for (impl::short_wait others; arrived.load(impl::relaxed) != threads && impl::now() < late;) others();
    parts[static_cast<std::size_t>(self)] =
        mine.play(has_one_each<Queue> ? calls_of(*about, self) : about->calls, calls);
  }

  void judge() {
    after = before;
    after.capacity = queue->capacity();
    after.is_closed = queue->closed();
    after.unfinished = queue->unfinished();
    const std::size_t size = queue->size();
    after.items.clear();
    while (const auto left = queue->try_get()) after.items += static_cast<char>(value_of(*left));
    if (before.lifo) std::reverse(after.items.begin(), after.items.end());
    EXPECT_EQ(size, after.items.size()) << "at rest";
    EXPECT_TRUE(explanation({before}, parts, {after}).exists())
        << "no order explains history " << number << ", about " << about->name << ", on a queue of capacity "
        << before.capacity << " that held " << before.items.size() << " items\n"
        << told(parts);
  }

  long number = 0;
  const theme* about = nullptr;
  box before;
  box after;
  std::unique_ptr<Queue> queue;
  recorded parts = recorded(threads);
  impl::atomic<long> clock{0};   // ticks
  impl::atomic<int> arrived{0};  // threads
};

/// Threads play many histories, some in each round.
template <class Queue>
class tournament {
 public:
  tournament(long histories, std::chrono::seconds longest) : histories_(histories), longest_(longest) {}

  /// `lifo`: which end of the queue goes first.
  void run(bool lifo) {
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back([this, t] { follow(t); });
    const auto end = impl::now() + longest_;  // on a busy machine each takes longer
    const auto goes_on = [&] { return (impl::now() < end || !has_seen_all()) && !testing::Test::HasFailure(); };
    for (long h = 1; h <= histories_ && goes_on();) {
      for (auto& m : matches_) m.prepare(h++, lifo);
      playing_.store(threads, impl::relaxed);
      round_.store(h, impl::release);  // E1 publish: the matches
      play(0);
      for (impl::short_wait the_rest; playing_.load(impl::acquire) != 0;) the_rest();  // E2 observe: the parts
      for (auto& m : matches_) {
        m.judge();
        count(m);
      }
    }
    round_.store(-1, impl::release);
    for (auto& t : others) t.join();
    report();
  }

 private:
  static constexpr int threads = match<Queue>::threads;

  void follow(int self) {
    for (long last = 0;;) {
      long round = last;
      for (impl::short_wait next; round == last; round = round_.load(impl::acquire)) next();  // E1 observe
      if (round < 0) return;
      last = round;
      play(self);
    }
  }
  void play(int self) {
    for (auto& m : matches_) m.play(self);
    playing_.fetch_sub(1, impl::acq_rel);  // E2 publish
  }

  void count(const match<Queue>& m) {
    ++played_[m.about->name];
    ++played_["all"];
    ++played_[m.before.capacity == 0 ? "rendezvous" : m.before.capacity == no_bound ? "unbounded" : "bounded"];
    played_["growing"] += m.before.capacity == no_bound && m.after.items.size() > match<Queue>::first_room;
    for (const step& s : m.parts[0]) {
      played_["overlapping"] += s.begin < m.parts[1].back().end && m.parts[1].front().begin < s.end;
    }
    for (const auto& part : m.parts) {
      for (const step& s : part) {
        played_["cancelled waits"] +=
            (s.what == verb::no_put && s.putters != 0) || (s.what == verb::gave_up_get && s.getters != 0);
      }
    }
  }
  bool has_seen_all() { return played_["overlapping"] > 0 && played_["cancelled waits"] > 0; }
  void report() {
    EXPECT_TRUE(has_seen_all()) << "nothing ran at the same time, or no wait was cancelled";
    for (auto& [what, often] : played_) {
      std::string name(what);
      std::replace(name.begin(), name.end(), ' ', '_');
      testing::Test::RecordProperty(name, static_cast<int>(often));
    }
  }

  const long histories_;
  const std::chrono::seconds longest_;
  std::array<match<Queue>, 16> matches_;
  impl::atomic<long> round_{0};
  impl::atomic<int> playing_{0};
  std::map<std::string, long> played_;
};

}  // namespace sluice::test
