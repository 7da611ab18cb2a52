#pragma once
// Linearizability: whether some order of the steps that threads have recorded, one at a time, explains what they saw, and keeps the order in time.
// (Wing and Gong's search, JPDC 1993, with the states that were seen remembered, as Lowe does, CCPE 2017.)
//
// A call is recorded as one step or several, each of which takes effect at some moment of the call, in their order: put_many is as many puts, and
// others may come between. A step says what the call heard, and the specification (explanation::apply) says when it may hear that.
//
//   what may be heard                     when
//   put v                                 open, and fewer items than there is room for
//   get v                                 v is the next to go: the oldest of a queue, the newest of a lifo_queue
//   put v and get v, in a rendezvous      open, and both calls are under way: one step
//   no_put: a try or a wait gave up       open, and full, or a call that may wait for room was under way (a try never overtakes)
//   no_get: a try found nothing           empty, or a call that may wait for an item was under way
//   gave_up_get: a wait, after a try      likewise, but empty and not drained; it had no effect
//   reserve; no_reserve                   like put and no_put: a slot takes room as an item does
//   fill v; give_up                       a slot is reserved, which ends; fill puts v, closed or not
//   peek v                                v is the next to go, and stays
//   closed; drained                       closed; closed, empty and no slot is reserved
//   emptied: close_now's last look        closed and empty
//   cut_short: put_many, not all          bounded, or closed
//   done n; too_many_done n               at most as many as are unfinished; more
//   finished; unfinished                  join came back when nothing was unfinished; it gave up when something was
//   size, capacity, is_closed             exactly so. In a rendezvous size may count the item that goes from hand to hand
//   note_done, count v                    unfinished() looks twice, and may count what was put in between as unfinished, but nothing else
//
// While set_capacity is under way a put that is on its way, too, goes by either capacity.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace sluice::test {

enum class verb : std::uint8_t {
  put,
  get,
  no_put,
  no_get,
  gave_up_get,
  reserve,
  no_reserve,
  fill,
  give_up,
  peek,
  closed,
  drained,
  emptied,
  cut_short,
  nothing,  // no effect, and nothing to explain
  broken,   // what nothing can explain: a value that is not where it should be
  close,
  resize,
  done,
  too_many_done,
  finished,
  unfinished,
  size,
  capacity,
  is_closed,
  note_done,
  count,
};

struct step {
  verb what;
  int value = 0;
  long begin = 0;  // of its call, in ticks of a common clock
  long end = 0;
  std::uint8_t box = 0;      // on which queue
  std::uint8_t putters = 0;  // the queues, as bits, on which its call may have waited for room
  std::uint8_t getters = 0;  // or for an item
};

inline constexpr std::size_t no_bound = SIZE_MAX;
inline constexpr std::size_t seen_bound = 255;  // what a step says of that

/// A queue, as the specification knows it. An item is a number from 1 to 254.
struct box {
  bool lifo = false;
  std::size_t capacity = no_bound;  // 0: a rendezvous
  std::string items = {};           // the oldest first
  bool is_closed = false;
  std::size_t unfinished = 0;
  std::size_t slots = 0;  // reserved

  bool is_drained() const { return is_closed && items.empty() && slots == 0; }
  std::size_t next() const { return lifo && !items.empty() ? items.size() - 1 : 0; }
  bool is_next(int value) const { return !items.empty() && items[next()] == static_cast<char>(value); }
};

/// An item that shows whether it was moved from, and has no destructor: several of them are got in one step.
struct token {
  token() = default;
  explicit token(int v) noexcept : value(v) {}
  token(token&& other) noexcept : value(std::exchange(other.value, 0)) {}
  token& operator=(token&& other) noexcept {
    value = std::exchange(other.value, 0);
    return *this;
  }
  int value = 0;
};
using recorded = std::vector<std::vector<step>>;  // of each thread

class explanation {
 public:
  /// The queues as they were before, and as they are afterwards, at rest.
  explanation(std::vector<box> before, recorded threads, std::vector<box> after)
      : threads_(std::move(threads)), after_(std::move(after)) {
    first_.next.assign(threads_.size(), '\0');
    first_.noted.assign(threads_.size(), '\0');
    first_.boxes = std::move(before);
  }

  bool exists() { return search(first_); }

 private:
  struct state {
    std::string next;   // of each thread, how many of its steps are in place
    std::string noted;  // of each thread, how many items were finished when it looked
    std::vector<box> boxes;
    std::size_t done = 0;  // of boxes[0]: only there does anybody count
  };

  bool search(const state& now);
  bool step_of(std::size_t thread, const state& now);
  const step* next_of(std::size_t thread, const state& now) const;
  bool may_be_next(std::size_t thread, const state& now) const;
  bool is_end(const state& now) const;
  static std::string key(const state& now);
  std::size_t getter_of(const step& put, const state& now) const;

  bool apply(const step& s, std::size_t thread, state& now) const;
  bool apply_to_items(const step& s, box& b) const;
  bool apply_to_slots(const step& s, box& b) const;
  bool has_no_room(const step& s, const box& b) const;
  bool apply_to_count(const step& s, std::size_t thread, state& now) const;
  std::pair<std::size_t, std::size_t> room(const step& s, const box& b) const;
  bool somebody_waits(const step& s, std::uint8_t step::* side) const;
  bool somebody_puts(const step& s) const;
  template <class Use>
  void for_overlapping(const step& s, Use use) const;
  template <class Use>
  void for_resizes(const step& s, Use use) const;

  recorded threads_;
  state first_;
  std::vector<box> after_;
  std::unordered_set<std::string> seen_;
};

/// The history, for who has to find out why there is no explanation.
std::string told(const recorded& threads);

// -----------------------------------------------------------------------------------------------------------

// Whether the steps that are not in place yet can follow.
inline bool explanation::search(const state& now) {
  if (is_end(now)) return true;
  if (!seen_.insert(key(now)).second) return false;
  // Those who end first first: that is mostly right.
  std::array<std::size_t, 16> order;
  std::size_t count = 0;
  for (std::size_t t = 0; t < threads_.size(); ++t) {
    if (may_be_next(t, now)) order[count++] = t;
  }
  std::sort(order.begin(), order.begin() + count,
            [&](std::size_t a, std::size_t b) { return next_of(a, now)->end < next_of(b, now)->end; });
  return std::any_of(order.begin(), order.begin() + count, [&](std::size_t t) { return step_of(t, now); });
}

inline bool explanation::step_of(std::size_t thread, const state& now) {
  const step& s = *next_of(thread, now);
  state after = now;
  ++after.next[thread];
  if (now.boxes[s.box].capacity == 0 && (s.what == verb::put || s.what == verb::get)) {
    const std::size_t getter = s.what == verb::put ? getter_of(s, now) : threads_.size();
    if (getter == threads_.size() || now.boxes[s.box].is_closed) return false;
    ++after.next[getter];
    ++after.boxes[s.box].unfinished;
    return search(after);
  }
  return apply(s, thread, after) && search(after);
}

inline const step* explanation::next_of(std::size_t thread, const state& now) const {
  const auto at = static_cast<std::size_t>(now.next[thread]);
  return at < threads_[thread].size() ? &threads_[thread][at] : nullptr;
}

// No step that is not in place yet ended before this one began.
inline bool explanation::may_be_next(std::size_t thread, const state& now) const {
  const step* const s = next_of(thread, now);
  if (s == nullptr) return false;
  for (std::size_t t = 0; t < threads_.size(); ++t) {
    const step* const other = next_of(t, now);
    if (other != nullptr && other->end < s->begin) return false;
  }
  return true;
}

inline bool explanation::is_end(const state& now) const {
  for (std::size_t t = 0; t < threads_.size(); ++t) {
    if (next_of(t, now) != nullptr) return false;
  }
  return std::equal(now.boxes.begin(), now.boxes.end(), after_.begin(), [](const box& a, const box& b) {
    return a.items == b.items && a.capacity == b.capacity && a.is_closed == b.is_closed && a.unfinished == b.unfinished;
  });
}

// What is closed, unfinished and done follows from which steps are in place; the order of the items and the capacity do not.
inline std::string explanation::key(const state& now) {
  std::string text = now.next;
  for (const box& b : now.boxes) {
    text += b.items;
    text += '\0';
    text += static_cast<char>(b.capacity);
  }
  return text + now.noted;
}

// Of a rendezvous: who takes that item at the same moment, or none.
inline std::size_t explanation::getter_of(const step& put, const state& now) const {
  std::size_t getter = 0;
  for (; getter < threads_.size(); ++getter) {
    const step* const s = next_of(getter, now);
    if (s != nullptr && s->what == verb::get && s->box == put.box && s->value == put.value && may_be_next(getter, now))
      break;
  }
  return getter;
}

inline bool explanation::apply(const step& s, std::size_t thread, state& now) const {
  box& b = now.boxes[s.box];
  switch (s.what) {
    case verb::closed:
      return b.is_closed;
    case verb::drained:
      return b.is_drained();
    case verb::emptied:
      return b.is_closed && b.items.empty();
    case verb::cut_short:
      return b.is_closed || b.capacity != no_bound;
    case verb::nothing:
      return true;
    case verb::broken:
      return false;
    case verb::close:
      b.is_closed = true;
      return true;
    case verb::resize:
      b.capacity = static_cast<std::size_t>(s.value);
      return true;
    case verb::size:
      return b.items.size() == static_cast<std::size_t>(s.value) ||
             (b.capacity == 0 && s.value == 1 && somebody_puts(s));
    case verb::capacity:
      return std::min(b.capacity, seen_bound) == static_cast<std::size_t>(s.value);
    case verb::is_closed:
      return b.is_closed == (s.value != 0);
    case verb::put:
    case verb::get:
    case verb::no_put:
    case verb::no_get:
    case verb::gave_up_get:
    case verb::peek:
      return apply_to_items(s, b);
    case verb::reserve:
    case verb::no_reserve:
    case verb::fill:
    case verb::give_up:
      return apply_to_slots(s, b);
    default:
      return apply_to_count(s, thread, now);
  }
}

inline bool explanation::apply_to_items(const step& s, box& b) const {
  switch (s.what) {
    case verb::put:
      b.items += static_cast<char>(s.value);
      ++b.unfinished;
      return !b.is_closed && b.items.size() + b.slots <= room(s, b).second;
    case verb::get:
      if (!b.is_next(s.value)) return false;
      b.items.erase(b.next(), 1);
      return true;
    case verb::peek:
      return b.is_next(s.value);
    case verb::no_put:
      return has_no_room(s, b);
    case verb::no_get:
      return b.items.empty() || somebody_waits(s, &step::getters);
    default:
      return (b.items.empty() && !b.is_drained()) || somebody_waits(s, &step::getters);
  }
}

inline bool explanation::apply_to_slots(const step& s, box& b) const {
  if (s.what == verb::no_reserve) return has_no_room(s, b);
  if (s.what == verb::reserve) {
    ++b.slots;
    return !b.is_closed && b.items.size() + b.slots <= room(s, b).second;
  }
  if (b.slots == 0) return false;
  --b.slots;
  if (s.what == verb::give_up) return true;
  b.items += static_cast<char>(s.value);
  ++b.unfinished;
  return true;
}

inline bool explanation::has_no_room(const step& s, const box& b) const {
  return !b.is_closed && (b.items.size() + b.slots >= room(s, b).first || somebody_waits(s, &step::putters));
}

inline bool explanation::apply_to_count(const step& s, std::size_t thread, state& now) const {
  std::size_t& unfinished = now.boxes[s.box].unfinished;
  const auto value = static_cast<std::size_t>(s.value);
  switch (s.what) {
    case verb::done:
      if (value > unfinished) return false;
      unfinished -= value;
      now.done += value;
      return true;
    case verb::too_many_done:
      return value > unfinished;
    case verb::finished:
      return unfinished == 0;
    case verb::unfinished:
      return unfinished != 0;
    case verb::note_done:
      now.noted[thread] = static_cast<char>(now.done);
      return true;
    default:  // count
      return unfinished + now.done - static_cast<std::size_t>(now.noted[thread]) == value;
  }
}

// The least and the largest capacity that may be in force for a step: but for a set_capacity under way there is one.
inline std::pair<std::size_t, std::size_t> explanation::room(const step& s, const box& b) const {
  bool changes = false;
  for_overlapping(s, [&](const step& other) { changes |= other.what == verb::resize && other.box == s.box; });
  auto least = b.capacity;
  auto largest = b.capacity;
  if (!changes) return {least, largest};
  const auto may_be = [&](std::size_t capacity) {
    least = std::min(least, capacity);
    largest = std::max(largest, capacity);
  };
  // One that another has replaced before this step began is not in force any more.
  const auto is_replaced = [&](long end) {
    bool replaced = false;
    for_resizes(s, [&](const step& later) { replaced |= end < later.begin && later.end < s.begin; });
    return replaced;
  };
  if (!is_replaced(-1)) may_be(first_.boxes[s.box].capacity);
  for_resizes(s, [&](const step& other) {
    if (other.begin < s.end && !is_replaced(other.end)) may_be(static_cast<std::size_t>(other.value));
  });
  return {least, largest};
}

template <class Use>
void explanation::for_resizes(const step& s, Use use) const {
  for (const auto& thread : threads_) {
    for (const step& other : thread) {
      if (other.what == verb::resize && other.box == s.box) use(other);
    }
  }
}

inline bool explanation::somebody_waits(const step& s, std::uint8_t step::* side) const {
  bool waits = false;
  for_overlapping(s, [&](const step& other) { waits |= (other.*side >> s.box & 1) != 0; });
  return waits;
}

inline bool explanation::somebody_puts(const step& s) const {
  bool puts = false;
  for_overlapping(s, [&](const step& other) { puts |= other.what == verb::put && other.box == s.box; });
  return puts;
}

// Steps of other calls that were under way at some moment of this one.
template <class Use>
void explanation::for_overlapping(const step& s, Use use) const {
  for (const auto& thread : threads_) {
    for (const step& other : thread) {
      if (other.begin != s.begin && other.begin < s.end && s.begin < other.end) use(other);
    }
  }
}

inline std::string told(const recorded& threads) {
  static constexpr const char* names[] = {
      "put",        "get",     "no put",   "no get",       "gave up a get", "reserve",       "no reserve",
      "fill",       "give up", "peek",     "closed",       "drained",       "emptied",       "cut short",
      "no effect",  "BROKEN",  "close",    "set_capacity", "done",          "too many done", "finished",
      "unfinished", "size",    "capacity", "is closed",    "note done",     "count"};
  std::string text;
  for (std::size_t t = 0; t < threads.size(); ++t) {
    for (const step& s : threads[t]) {
      text += "thread " + std::to_string(t) + ", " + std::to_string(s.begin) + ".." + std::to_string(s.end) + ": ";
      if (s.box != 0) text += "queue " + std::to_string(s.box) + ": ";
      text += std::string(names[static_cast<std::size_t>(s.what)]) + " " + std::to_string(s.value) + "\n";
    }
  }
  return text;
}

}  // namespace sluice::test
