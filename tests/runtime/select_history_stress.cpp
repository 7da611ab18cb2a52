// stresses: runtime/select.hpp runtime/select.cpp queues/queue_core.hpp
// Histories of selects: short ones of tasks that select over two queues, of every kind, while others put, get, give up and close. Each is
// explained by some order of single puts and gets (tests/queues/history.hpp), in which a select had the effect of one arm.
#include "queues/history.hpp"

#include <sluice/sluice.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace sluice::test {
namespace {

constexpr int players = 3;
constexpr int calls = 3;  // of each in one history
constexpr std::uint8_t at_first = 1;
constexpr std::uint8_t at_second = 2;
constexpr std::uint8_t at_both = 3;

// Two queues, and what happens there.
struct shop {
  std::unique_ptr<queue<token>> first;
  std::unique_ptr<lifo_queue<token>> second;
  bool closes = false;
  impl::atomic<long> clock{0};
  impl::atomic<int> arrived{0};
  recorded parts = recorded(players);
};

class shopper {
 public:
  shopper(shop& s, int self, unsigned seed) : shop_(s), random_(seed), value_(1 + self * calls * 2) {
    steps_.reserve(16);
  }

  task<std::vector<step>> play() {
    for (int i = 0; i < calls; ++i) {
      patience_ = std::chrono::microseconds(random_() % 3 * 10);
      co_await act(random_() % (shop_.closes ? 8 : 7));
      if (random_() % 4 == 0) co_await yield();
    }
    co_return std::move(steps_);
  }

 private:
  task<> act(unsigned long what) {
    switch (what) {
      case 0:
        return shop_.closes ? next_of_both() : get_of_both();
      case 1:
        return next_in_order();
      case 2:
        return next_within_time();
      case 3:
        return shop_.first->capacity() == 0 ? next_of_both() : put_or_next();
      case 4:
        return random_() % 2 == 0 ? put(*shop_.first, 0) : put(*shop_.second, 1);
      case 5:
        return random_() % 2 == 0 ? next(*shop_.first, 0) : next(*shop_.second, 1);
      case 6:
        return random_() % 2 == 0 ? try_both(*shop_.first, 0) : try_both(*shop_.second, 1);
      default:
        return random_() % 2 == 0 ? close(*shop_.first, 0) : close(*shop_.second, 1);
    }
  }

  void begin() { begin_ = shop_.clock.fetch_add(1, impl::acq_rel); }
  void end() { end_ = shop_.clock.fetch_add(1, impl::acq_rel); }
  void record(verb what, int value, std::uint8_t queue, std::uint8_t putters, std::uint8_t getters) {
    steps_.push_back({what, value, begin_, end_, queue, putters, getters});
  }
  void expect(bool as_it_should_be) {
    if (!as_it_should_be) record(verb::broken, 0, 0, 0, 0);
  }

  static int value_of(std::monostate) { return 0; }
  static int value_of(const token& x) { return x.value; }
  static int value_of(const std::optional<token>& x) { return x ? x->value : 0; }

  // Which arm was chosen, and its item: 0 for none.
  template <class Result>
  void note(const Result& result) {
    arm_ = result.index();
    got_ = std::visit([](const auto& x) { return value_of(x); }, result);
  }
  void record_got(std::uint8_t queue, std::uint8_t putters, std::uint8_t getters) {
    record(got_ != 0 ? verb::get : verb::drained, got_, queue, putters, getters);
  }
  // Who looks in order has looked at both before it gives up.
  void record_gets(bool in_order) {
    if (arm_ < 2) return record_got(static_cast<std::uint8_t>(arm_), 0, at_both);
    record(in_order ? verb::gave_up_get : verb::nothing, 0, 0, 0, at_both);
    record(in_order ? verb::gave_up_get : verb::nothing, 0, 1, 0, at_both);
  }

  task<> get_of_both() {
    begin();
    note(co_await select(shop_.first->get(), shop_.second->get(), sleep_for(patience_)));
    end();
    record_gets(false);
  }
  task<> next_of_both() {
    begin();
    note(co_await select(shop_.first->next(), shop_.second->next(), sleep_for(patience_)));
    end();
    record_gets(false);
  }
  task<> next_in_order() {
    begin();
    note(co_await select(in_order, shop_.first->next(), shop_.second->next(), sleep_for(patience_)));
    end();
    record_gets(true);
  }
  task<> next_within_time() {
    arm_ = 2;
    begin();
    try {
      note(co_await timeout(patience_, select(in_order, shop_.first->next(), shop_.second->next())));
    } catch (const timed_out&) {
    }
    end();
    record_gets(true);
  }

  // To the first, or from the second.
  task<> put_or_next() {
    token x(value_);
    bool is_closed = false;
    begin();
    try {
      note(co_await select(in_order, shop_.first->put(std::move(x)), shop_.second->next(), sleep_for(patience_)));
    } catch (const queue_closed&) {
      is_closed = true;
    }
    end();
    const bool is_in = !is_closed && arm_ == 0;
    if (is_closed) {
      record(verb::closed, 0, 0, at_first, at_second);
    } else if (arm_ == 1) {
      record_got(1, at_first, at_second);
    } else {
      record(is_in ? verb::put : verb::no_put, value_, 0, at_first, at_second);
      if (!is_in) record(verb::gave_up_get, 0, 1, at_first, at_second);
    }
    expect(x.value == (is_in ? 0 : value_));
    ++value_;
  }

  template <class Queue>
  task<> put(Queue& q, std::uint8_t queue) {
    token x(value_);
    verb heard = verb::put;
    begin();
    try {
      co_await timeout(patience_, q.put(std::move(x)));
    } catch (const timed_out&) {
      heard = verb::no_put;
    } catch (const queue_closed&) {
      heard = verb::closed;
    }
    end();
    record(heard, value_, queue, bit(queue), 0);
    expect(x.value == (heard == verb::put ? 0 : value_));
    ++value_;
  }
  template <class Queue>
  task<> next(Queue& q, std::uint8_t queue) {
    bool gave_up = false;
    begin();
    try {
      got_ = value_of(co_await timeout(patience_, q.next()));
    } catch (const timed_out&) {
      gave_up = true;
    }
    end();
    if (gave_up) record(verb::gave_up_get, 0, queue, 0, bit(queue));
    if (!gave_up) record_got(queue, 0, bit(queue));
  }
  template <class Queue>
  task<> try_both(Queue& q, std::uint8_t queue) {
    begin();
    got_ = value_of(q.try_get());
    end();
    record(got_ != 0 ? verb::get : verb::no_get, got_, queue, 0, 0);
    token x(value_);
    verb heard = verb::closed;
    begin();
    try {
      heard = q.try_put(std::move(x)) ? verb::put : verb::no_put;
    } catch (const queue_closed&) {
    }
    end();
    record(heard, value_, queue, 0, 0);
    expect(x.value == (heard == verb::put ? 0 : value_));
    ++value_;
    co_return;
  }
  template <class Queue>
  task<> close(Queue& q, std::uint8_t queue) {
    begin();
    q.close();
    end();
    record(verb::close, 0, queue, 0, 0);
    co_return;
  }

  // Whether a wait of this patience may register.
  std::uint8_t bit(std::uint8_t queue) const {
    return static_cast<std::uint8_t>(patience_.count() > 0 ? 1 << queue : 0);
  }

  shop& shop_;
  std::minstd_rand random_;
  int value_;  // of the next item
  std::chrono::microseconds patience_{};
  std::size_t arm_ = 0;
  int got_ = 0;
  long begin_ = 0;
  long end_ = 0;
  std::vector<step> steps_;
};

task<> play(shop& s, int self, unsigned seed) {
  shopper mine(s, self, seed);
  s.arrived.fetch_add(1, impl::relaxed);  // relaxed: that they begin together is all
  while (s.arrived.load(impl::relaxed) != players) co_await yield();
  s.parts[static_cast<std::size_t>(self)] = co_await mine.play();
}

// Plays histories, one after the other, and judges them.
class season {
 public:
  task<> play_all(long histories, std::chrono::seconds longest) {
    const auto end = impl::now() + longest;  // on a busy machine each takes longer
    const auto goes_on = [&] { return (impl::now() < end || !has_seen_all()) && !testing::Test::HasFailure(); };
    for (long h = 1; h <= histories && goes_on(); ++h) {
      shop s;
      open(s, static_cast<std::size_t>(h));
      auto body = [&s, h](task_group& group) -> task<> {
        for (int p = 0; p < players; ++p) {
          group.spawn(play(s, p, static_cast<unsigned>(h * players + p) * 2654435761U + 1));
        }
        co_return;
      };
      co_await with_group(body);
      judge(s, h);
    }
  }

  bool has_seen_all() const { return overlapping > 0 && chosen > 0 && gave_up > 0; }

  long played = 0;
  long overlapping = 0;  // steps of the first player while the second one played
  long chosen = 0;       // what a select took
  long gave_up = 0;

 private:
  template <class Queue>
  static std::unique_ptr<Queue> make(std::size_t capacity) {
    if (capacity == 0) return std::make_unique<Queue>(rendezvous);
    if (capacity == no_bound) return std::make_unique<Queue>(unbounded);
    return std::make_unique<Queue>(capacity);
  }

  void open(shop& s, std::size_t h) {
    static constexpr std::size_t capacities[] = {1, 0, 2, no_bound};
    before_[0].capacity = capacities[h % 4];
    before_[1].capacity = capacities[h / 4 % 4];
    before_[1].lifo = true;
    s.first = make<queue<token>>(before_[0].capacity);
    s.second = make<lifo_queue<token>>(before_[1].capacity);
    s.closes = h / 16 % 2 == 0;
  }

  template <class Queue>
  static box at_rest(Queue& q, box before) {
    before.capacity = q.capacity();
    before.is_closed = q.closed();
    before.unfinished = q.unfinished();
    while (const auto left = q.try_get()) before.items += static_cast<char>(left->value);
    if (before.lifo) std::reverse(before.items.begin(), before.items.end());
    return before;
  }

  void judge(shop& s, long h) {
    count(s.parts);
    const std::vector<box> after = {at_rest(*s.first, before_[0]), at_rest(*s.second, before_[1])};
    EXPECT_TRUE(explanation(before_, s.parts, after).exists())
        << "no order explains history " << h << " on queues of capacity " << before_[0].capacity << " and "
        << before_[1].capacity << "\n"
        << told(s.parts);
  }

  void count(const recorded& parts) {
    ++played;
    for (const step& s : parts[0]) {
      overlapping += !parts[1].empty() && s.begin < parts[1].back().end && parts[1].front().begin < s.end;
    }
    for (const auto& part : parts) {
      for (const step& s : part) {
        const bool selects = s.getters == at_both || (s.putters == at_first && s.getters == at_second);
        chosen += selects && (s.what == verb::get || s.what == verb::put);
        gave_up += selects && (s.what == verb::gave_up_get || s.what == verb::nothing);
      }
    }
  }

  std::vector<box> before_ = std::vector<box>(2);
};

TEST(select_history_stress, every_history_has_an_order_that_explains_it) {
  runtime_options options;
  options.workers = 2;
  runtime r(options);
  season s;
  r.block_on(s.play_all(40000, std::chrono::seconds(4)));
  EXPECT_TRUE(s.has_seen_all()) << "nothing ran at the same time, or no select took or gave up";
  testing::Test::RecordProperty("histories", static_cast<int>(s.played));
  testing::Test::RecordProperty("overlapping", static_cast<int>(s.overlapping));
  testing::Test::RecordProperty("chosen", static_cast<int>(s.chosen));
  testing::Test::RecordProperty("gave_up", static_cast<int>(s.gave_up));
}

}  // namespace
}  // namespace sluice::test
