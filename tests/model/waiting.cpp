// Futexes, yields and the clock.

#include <sluice/model/engine.hpp>

#include <algorithm>

namespace model {

void engine::yield(site where) {
  if (!concurrent_) return;
  // The thread's next operation waits until another thread has moved; from its second yield on also until all those
  // have moved that did not since the last one (so that spinning threads do not starve the one they wait for).
  const unsigned bit = 1u << current_;
  if ((yielded_ & bit) != 0) return;
  thread& me = threads_[current_];
  me.at = where;
  // The same values as in the round before: stale ones, for something had changed. An execution without this round
  // leads to the same, and is explored, too.
  if (!me.changed_something && !me.forced_round && me.round_signature == me.last_round_signature &&
      script_ == nullptr) {
    leave(ending::redundant);
  }
  me.must_run_first = ready_ & ~me.ran_since_yield & ~bit;
  me.ran_since_yield = 0;
  me.others_moved = false;
  yielded_ |= bit;
  if (logging_) log("pauses");
}

time_point engine::now(site where) {
  point({kind::clock, false, 0}, where);
  threads_[current_].changed_something = true;  // waiting for time is not waiting for a value
  return clock_;
}

void engine::advance(std::chrono::nanoseconds by, site where) {
  point({kind::clock, false, 0}, where);
  threads_[current_].changed_something = true;
  clock_ += by;
}

void engine::block(std::uint32_t word, bool timed) {
  const unsigned bit = 1u << current_;
  thread& me = threads_[current_];
  locations_[word].sleepers = static_cast<std::uint8_t>(locations_[word].sleepers | bit);
  ready_ &= ~bit;
  me.timed_out = false;
  me.next = {timed ? kind::time_out : kind::local, false, word};
  if (timed) timed_ |= bit;
  if (!concurrent_) fail("Set-up and finish must not wait.");
  change_thread();
}

void engine::wait(const void* word, std::uint32_t expected, site where) {
  (void)wait_until(word, expected, time_point::max(), where);
}

bool engine::wait_until(const void* word, std::uint32_t expected, time_point deadline, site where) {
  const std::uint32_t index = find(word, sizeof(std::uint32_t));
  point({deadline == time_point::max() ? kind::wait : kind::timed_wait, false, index}, where);
  location* x = &locations_[index];
  require_usable(*x, where);
  access_shared(*x, where);
  // The kernel compares with the newest value, under a lock.
  ++threads_[current_].known.clock[current_];
  note_read(*x, x->newest());
  const auto value = static_cast<std::uint32_t>(x->history.back().value);
  if (value != expected) {
    if (logging_) log("futex wait %s for another value than %u: it is %u", label(*x).c_str(), expected, value);
    return true;
  }
  if (deadline <= clock_) return false;
  if (spurious_left_ > 0 && choose_value(2) == 1) {
    --spurious_left_;
    if (logging_) log("futex wait %s returns for no reason", label(*x).c_str());
    return true;
  }
  const bool timed = deadline != time_point::max();
  threads_[current_].deadline = deadline;
  if (logging_) log("futex wait %s = %u: sleeps%s", label(*x).c_str(), value, timed ? " with a deadline" : "");
  block(index, timed);
  x = &locations_[index];
  if (!threads_[current_].timed_out) return true;
  threads_[current_].timed_out = false;
  x->sleepers = static_cast<std::uint8_t>(x->sleepers & ~(1u << current_));
  clock_ = std::max(clock_, deadline);
  if (logging_) log("futex wait %s times out", label(*x).c_str());
  return false;
}

void engine::wake(const void* word, int count, site where) {
  const std::uint32_t index = find(word, sizeof(std::uint32_t));
  point({kind::wake, false, index}, where);
  threads_[current_].changed_something = true;
  location& x = locations_[index];
  // No access to the word: waking on memory that is gone is harmless (futex(2) does not read it).
  if (logging_) log("futex wake %s (%d of %d sleepers)", label(x).c_str(), count, __builtin_popcount(x.sleepers));
  while (count-- > 0 && x.sleepers != 0) {
    int nth =
        choose_value(count == 0 || __builtin_popcount(x.sleepers) > count + 1 ? __builtin_popcount(x.sleepers) : 1);
    unsigned rest = x.sleepers;
    while (nth-- > 0) rest &= rest - 1;
    wake_one(x, search::lowest(rest));
  }
}

void engine::wake_one(location& x, int who) {
  const unsigned bit = 1u << who;
  x.sleepers = static_cast<std::uint8_t>(x.sleepers & ~bit);
  timed_ &= ~bit;
  sleep_ &= ~bit;
  ready_ |= bit;
  started_or_woken_ |= bit;
  threads_[who].next = {};
  // The kernel's locks order the waker's stores before the return of the sleeper, for this word.
  if (!x.history.empty()) {
    x.last_read[who] = x.newest();
    x.repeats[who] = 0;
  }
  if (logging_) log("wakes %s", thread_name(who));
}

}  // namespace model
