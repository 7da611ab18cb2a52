#pragma once
// One thread's part of a short history on a queue: what it calls, recorded for history.hpp.

#include "history.hpp"

#include <sluice/queues/atomic.hpp>
#include <sluice/queues/errors.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice::test {

/// An item with a destructor, so that each is got on its own; and whose moves take long now and then, so that others come between what an
/// operation claims and what it publishes.
class slow_token {
 public:
  slow_token() = default;
  slow_token(slow_token&& other) noexcept {
    static thread_local unsigned moves = 0;
    for (int i = ++moves % 4 == 0 ? 200 : 0; i > 0; --i) impl::pause();
    value_ = std::move(other.value_);
  }
  slow_token& operator=(slow_token&&) = delete;
  ~slow_token() = default;

  int value() const noexcept { return value_ == nullptr ? 0 : *value_; }
  void make(int value) { value_ = std::make_unique<int>(value); }

 private:
  std::unique_ptr<int> value_;
};

inline int value_of(int item) noexcept { return item; }
inline int value_of(const token& item) noexcept { return item.value; }
inline int value_of(const slow_token& item) noexcept { return item.value(); }
inline void make(int& item, int value) noexcept { item = value; }
inline void make(token& item, int value) noexcept { item.value = value; }
inline void make(slow_token& item, int value) { item.make(value); }

enum class call : std::uint8_t {
  put,
  try_put,
  put_many,
  get,
  next,
  try_get,
  get_many,
  lease,
  task_done,      // for an item that this thread has got
  any_task_done,  // whatever is unfinished
  join,
  set_capacity,
  reserve,
  try_reserve,
  fill,     // a slot that this thread has reserved
  give_up,  // likewise
  peek,
  try_peek,
  close,
  close_now,
  look,
};

/// One thread's part of a history.
template <class Queue>
class player {
  using item = decltype(std::declval<Queue&>().blocking_get());

 public:
  player(Queue& q, impl::atomic<long>& clock, unsigned seed, int first_value)
      : q_(q), clock_(clock), random_(seed), value_(first_value) {
    slots_.reserve(8);
    steps_.reserve(32);
  }

  std::vector<step> play(std::span<const call> calls, int count) {
    for (int i = 0; i < count; ++i) play(calls[random_() % calls.size()]);
    while (!slots_.empty()) give_up();
    return std::move(steps_);
  }

 private:
  enum class heard { done, gave_up, closed };

  void play(call what) {
    switch (what) {
      case call::put:
        return put(patience());
      case call::try_put:
        return try_put();
      case call::put_many:
        return put_many(patience());
      case call::get:
        return get(patience());
      case call::next:
        return next(patience());
      case call::try_get:
        return try_get();
      case call::get_many:
        return get_many(patience());
      case call::lease:
        return lease(patience());
      case call::task_done:
        return owed_ == 0 ? look() : task_done(1 + random_() % owed_);
      case call::any_task_done:
        return task_done(1);
      case call::join:
        return join(patience());
      case call::set_capacity:
        return set_capacity(1 + random_() % 4);
      case call::reserve:
        return reserve(patience());
      case call::try_reserve:
        return try_reserve();
      case call::fill:
        return slots_.empty() ? try_put() : fill();
      case call::give_up:
        return slots_.empty() ? look() : give_up();
      case call::peek:
        return peek(patience());
      case call::try_peek:
        return try_peek();
      case call::close:
        return close();
      case call::close_now:
        return close_now();
      case call::look:
        return look();
    }
  }

  std::chrono::microseconds patience() { return std::chrono::microseconds(random_() % 3 * 10); }

  void begin() { begin_ = clock_.fetch_add(1, impl::acq_rel); }
  void end() { end_ = clock_.fetch_add(1, impl::acq_rel); }
  void record(verb what, int value, bool putter = false, bool getter = false) {
    steps_.push_back({what, value, begin_, end_, 0, putter, getter});
  }
  void expect(bool as_it_should_be) {
    if (!as_it_should_be) record(verb::broken, 0);
  }
  void record_got(int value) {
    record(verb::get, value, false, waited_);
    ++owed_;
  }

  // What a wait of that patience came back with. One without patience is a try: nobody has to stand behind it.
  template <class Wait>
  heard hear(std::chrono::microseconds patience, Wait wait) {
    auto result = heard::done;
    waited_ = patience.count() > 0;
    begin();
    try {
      wait();
    } catch (const timed_out&) {
      result = heard::gave_up;
    } catch (const queue_closed&) {
      result = heard::closed;
    }
    end();
    return result;
  }

  static constexpr int after_move(int value) { return std::is_same_v<item, int> ? value : 0; }

  void put(std::chrono::microseconds patience) {
    item x{};
    make(x, value_);
    const heard h = hear(patience, [&] { q_.blocking_put(std::move(x), patience); });
    record_put(h, x);
  }
  void try_put() {
    item x{};
    make(x, value_);
    bool is_in = false;
    heard h = hear({}, [&] { is_in = q_.try_put(std::move(x)); });
    if (h == heard::done && !is_in) h = heard::gave_up;
    record_put(h, x);
  }
  void record_put(heard h, const item& x) {
    record(h == heard::done ? verb::put : h == heard::closed ? verb::closed : verb::no_put, value_, waited_);
    expect(value_of(x) == (h == heard::done ? after_move(value_) : value_));
    ++value_;
  }

  void put_many(std::chrono::microseconds patience) {
    std::array<item, 3> all{};
    const std::size_t count = 1 + random_() % all.size();
    for (std::size_t i = 0; i < count; ++i) make(all[i], value_ + static_cast<int>(i));
    std::size_t moved = 0;
    const heard h = hear(patience, [&] { moved = q_.blocking_put_many(std::span(all.data(), count), patience); });
    for (std::size_t i = 0; i < count; ++i) {
      const int value = value_ + static_cast<int>(i);
      if (i < moved) record(verb::put, value, waited_);
      expect(value_of(all[i]) == (i < moved ? after_move(value) : value));
    }
    if (h != heard::done) record(h == heard::closed ? verb::closed : verb::no_put, value_, waited_);
    if (h == heard::done && moved < count) record(moved > 0 ? verb::cut_short : verb::broken, value_, waited_);
    value_ += static_cast<int>(count);
  }

  void get(std::chrono::microseconds patience) {
    int got = 0;
    const heard h = hear(patience, [&] { got = value_of(q_.blocking_get(patience)); });
    record_get(h, got);
  }
  void next(std::chrono::microseconds patience) {
    int got = 0;
    heard h = hear(patience, [&] {
      const std::optional<item> x = q_.blocking_next(patience);
      if (x) got = value_of(*x);
    });
    if (h == heard::done && got == 0) h = heard::closed;
    record_get(h, got);
  }
  void record_get(heard h, int got) {
    if (h == heard::done) return record_got(got);
    record(h == heard::closed ? verb::drained : verb::gave_up_get, 0, false, waited_);
  }
  void try_get() {
    int got = 0;
    const heard h = hear({}, [&] {
      const std::optional<item> x = q_.try_get();
      if (x) got = value_of(*x);
    });
    expect(h == heard::done);
    if (got != 0) return record_got(got);
    record(verb::no_get, 0);
  }
  void get_many(std::chrono::microseconds patience) {
    std::array<item, 3> out{};
    const std::size_t room = 1 + random_() % out.size();
    std::size_t count = 0;
    const heard h = hear(patience, [&] { count = q_.blocking_get_many(std::span(out.data(), room), patience); });
    if (h != heard::done || count == 0) return record_get(h == heard::done ? heard::closed : h, 0);
    for (std::size_t i = 0; i < count; ++i) record_got(value_of(out[i]));
    if (count < room) record(verb::no_get, 0, false, waited_);  // it takes what is there
  }
  void lease(std::chrono::microseconds patience) {
    int got = 0;
    heard h = hear(patience, [&] {
      const auto x = q_.blocking_lease(patience);
      if (x) got = value_of(**x);
    });
    if (h == heard::done && got == 0) h = heard::closed;
    if (h != heard::done) return record_get(h, 0);
    record(verb::get, got, false, waited_);
    record(verb::done, 1);
  }

  void task_done(std::size_t count) {
    bool refused = false;
    begin();
    try {
      q_.task_done(count);
    } catch (const std::logic_error&) {
      refused = true;
    }
    end();
    record(refused ? verb::too_many_done : verb::done, static_cast<int>(count));
    owed_ -= std::min(owed_, count);
  }
  void join(std::chrono::microseconds patience) {
    const heard h = hear(patience, [&] { q_.blocking_join(patience); });
    record(h == heard::done ? verb::finished : verb::unfinished, 0);
    expect(h != heard::closed);
  }

  void reserve(std::chrono::microseconds patience) {
    record_reserve(hear(patience, [&] { slots_.push_back(q_.blocking_reserve(patience)); }));
  }
  void try_reserve() {
    bool is_in = false;
    const heard h = hear({}, [&] {
      if (auto slot = q_.try_reserve()) {
        is_in = true;
        slots_.push_back(std::move(*slot));
      }
    });
    record_reserve(h == heard::done && !is_in ? heard::gave_up : h);
  }
  void record_reserve(heard h) {
    record(h == heard::done ? verb::reserve : h == heard::closed ? verb::closed : verb::no_reserve, 0, waited_);
  }
  void fill() {
    item x{};
    make(x, value_);
    begin();
    slots_.back().put(std::move(x));
    end();
    slots_.pop_back();
    record(verb::fill, value_);
    expect(value_of(x) == after_move(value_));
    ++value_;
  }
  void give_up() {
    begin();
    slots_.pop_back();
    end();
    record(verb::give_up, 0);
  }

  // Not every item can be copied.
  void peek(std::chrono::microseconds patience) {
    if constexpr (std::is_trivially_copyable_v<item>) {
      int seen = 0;
      const heard h = hear(patience, [&] { seen = value_of(q_.blocking_peek(patience)); });
      if (h != heard::done) return record_get(h, 0);
      record(verb::peek, seen, false, waited_);
    } else {
      get(patience);
    }
  }
  void try_peek() {
    if constexpr (std::is_trivially_copyable_v<item>) {
      begin();
      const std::optional<item> seen = q_.try_peek();
      end();
      record(seen ? verb::peek : verb::no_get, seen.value_or(0));
    } else {
      try_get();
    }
  }

  void set_capacity(std::size_t capacity) {
    begin();
    q_.set_capacity(capacity);
    end();
    record(verb::resize, static_cast<int>(capacity));
  }
  void close() {
    begin();
    q_.close();
    end();
    record(verb::close, 0);
  }
  void close_now() {
    begin();
    const std::vector<item> left = q_.close_now();
    end();
    record(verb::close, 0);
    for (const item& x : left) record(verb::get, value_of(x));
    record(verb::emptied, 0);
    record(verb::done, static_cast<int>(left.size()));
  }
  void look() {
    const auto what = random_() % 4;
    begin();
    const std::size_t seen = what == 0   ? q_.size()
                             : what == 1 ? std::min(q_.capacity(), seen_bound)
                             : what == 2 ? q_.unfinished()
                                         : q_.closed();
    end();
    if (what == 2) record(verb::note_done, 0);
    record(what == 0   ? verb::size
           : what == 1 ? verb::capacity
           : what == 2 ? verb::count
                       : verb::is_closed,
           static_cast<int>(seen));
  }

  Queue& q_;
  impl::atomic<long>& clock_;
  std::minstd_rand random_;
  int value_;             // of the next item
  std::size_t owed_ = 0;  // items got and not yet done
  bool waited_ = false;   // the call may have registered
  long begin_ = 0;
  long end_ = 0;
  std::vector<typename Queue::slot> slots_;
  std::vector<step> steps_;
};

}  // namespace sluice::test
