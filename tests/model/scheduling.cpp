// Which thread goes next: scheduling points, enabled threads, sleep sets, preemptions, fairness of spinning threads.

#include <sluice/model/engine.hpp>

namespace model {

// Stands before operation `o` of the current thread; returns when the thread is chosen to do it.
void engine::point(operation o, site where) {
  thread& me = threads_[current_];
  me.at = where;
  ++done_;
  ++progress_;
  if (!concurrent_) {
    if (++steps_alone_ > max_steps_alone) fail("No end of %s after %d operations.", me.name, steps_alone_ - 1);
    return;
  }
  me.next = o;
  if (++steps_ > program_->how().max_steps) {
    fail("No end after %d operations: a livelock, or a spin loop without pause().", steps_ - 1);
  }
  if (is_private(o) && last_ == current_) {
    const unsigned enabled = runnable();
    if ((enabled >> current_ & 1) != 0) {
      if (logging_ && (enabled & (enabled - 1)) != 0) choices_.push_back(static_cast<char>('0' + current_));
      account(current_, true);
      return;
    }
  }
  --done_;
  change_thread();
  ++done_;
}

// Whether nobody else operates on the address of `o`, as far as is known.
bool engine::is_private(const operation& o) {
  if (script_ != nullptr) return false;
  if (o.what == kind::fence) return !o.seq_cst;
  if (o.what == kind::clock) return false;
  location& x = locations_[o.where];
  if (x.shared) return false;
  if (x.user == 0 || x.user == current_) {
    x.user = static_cast<std::int8_t>(current_);
    return true;
  }
  x.shared = true;
  found_shared_.push_back(x.address);
  return false;
}

void engine::change_thread() {
  const int from = current_;
  const int to = choose();
  if (to == from) return;
  current_ = to;
  fiber::change(threads_[from].stack, threads_[to].stack);
}

// The thread that goes on; 0 when all have ended.
int engine::choose() {
  if (started_or_woken_ != 0) {
    const int next = search::lowest(started_or_woken_);
    started_or_woken_ &= started_or_woken_ - 1;
    return next;
  }
  const unsigned enabled = runnable();
  if (enabled == 0) {
    if (ended_ != (1u << count_) - 2) report_deadlock();
    return 0;
  }
  return pick(enabled);
}

unsigned engine::runnable() {
  for (unsigned rest = yielded_; rest != 0; rest &= rest - 1) {
    const int i = search::lowest(rest);
    if (worth_another_round(i)) start_round(i, false);
  }
  unsigned enabled = ready_ & ~yielded_;
  if (timeouts_left_ > 0) enabled |= timed_;
  if (enabled != 0) return enabled;
  // Nothing else can go: those that yielded may, and time passes for those with a deadline.
  enabled = ready_ | timed_;
  for (unsigned rest = yielded_; rest != 0; rest &= rest - 1) start_round(search::lowest(rest), true);
  return enabled;
}

// Whether a thread that yielded may go on: somebody else has moved, and unless it changed something itself, one of the
// locations that it read in its last round has held another value since. (Otherwise it would go round once more in the
// same way.)
bool engine::worth_another_round(int who) {
  const thread& t = threads_[who];
  if (!t.others_moved || (t.must_run_first & ready_) != 0) return false;
  if (t.changed_something) return true;
  for (int i = 0; i < t.read_count; ++i) {
    const location& x = locations_[t.read_in_round[i]];
    if (x.history.empty()) return true;
    for (std::size_t n = x.last_read[who]; n < x.history.size(); ++n) {
      if (x.history[n].value != x.history[x.last_read[who]].value) return true;
    }
  }
  return false;
}

void engine::start_round(int who, bool forced) noexcept {
  yielded_ &= ~(1u << who);
  thread& t = threads_[who];
  t.changed_something = false;
  t.forced_round = forced;
  t.read_count = 0;
  t.last_round_signature = t.round_signature;
  t.round_signature = 1;
}

void engine::start_first_round(thread& t) noexcept {
  t.ran_since_yield = ~0u;
  t.changed_something = t.forced_round = false;
  t.read_count = 0;
  t.round_signature = 1;
  t.last_round_signature = 0;
}

int engine::pick(unsigned enabled) {
  const bool last_could_run = last_ >= 0 && (enabled & ready_ & 1u << last_) != 0;
  int picked = 0;
  if (script_ != nullptr) {
    picked = (enabled & (enabled - 1)) == 0 ? search::lowest(enabled) : scripted(static_cast<int>(enabled), true);
  } else {
    unsigned candidates = limits_.sleep_sets ? enabled & ~sleep_ : enabled;
    if (limits_.bound >= 0 && preemptions_ >= limits_.bound && last_could_run) candidates = 1u << last_;
    if (candidates == 0) leave(ending::redundant);
    picked = (candidates & (candidates - 1)) == 0
                 ? search::lowest(candidates)
                 : search_.choose_thread(candidates, last_ < 0 ? search::lowest(candidates) : last_, sleep_);
  }
  if (logging_ && (enabled & (enabled - 1)) != 0) choices_.push_back(static_cast<char>('0' + picked));
  account(picked, last_could_run);
  return picked;
}

void engine::account(int picked, bool last_could_run) {
  const unsigned bit = 1u << picked;
  if (last_could_run && picked != last_) ++preemptions_;
  last_ = picked;
  thread& p = threads_[picked];
  if ((timed_ & bit) != 0) p.next.what = kind::time_out;
  if (limits_.sleep_sets) {
    for (unsigned rest = sleep_; rest != 0; rest &= rest - 1) {
      const int i = search::lowest(rest);
      if (dependent(p.next, threads_[i].next)) sleep_ &= ~(1u << i);
    }
    sleep_ &= ~bit;
  }
  if ((timed_ & bit) != 0) {
    if (timeouts_left_ > 0) --timeouts_left_;
    p.timed_out = true;
    timed_ &= ~bit;
    ready_ |= bit;
  }
  for (int i = 1; i < count_; ++i) {
    if (i == picked) continue;
    threads_[i].others_moved = true;
    threads_[i].must_run_first &= ~bit;
    threads_[i].ran_since_yield |= bit;
  }
}

// Whether the order of two neighbouring operations of different threads can matter.
bool engine::dependent(const operation& a, const operation& b) noexcept {
  if (a.what == kind::local || b.what == kind::local) return false;
  if (a.what == kind::fence || b.what == kind::fence) return a.seq_cst && b.seq_cst;
  const auto reads_clock = [](kind k) { return k == kind::clock || k == kind::time_out || k == kind::timed_wait; };
  if (reads_clock(a.what) && reads_clock(b.what)) return true;
  if (a.what == kind::clock || b.what == kind::clock) return false;
  if (a.where != b.where) return false;
  return a.what != kind::load || b.what != kind::load || (a.seq_cst && b.seq_cst);
}

int engine::choose_value(int count) {
  if (count <= 1) return 0;
  const int value = script_ != nullptr ? scripted(count, false) : search_.choose_value(count);
  if (logging_) choices_.push_back(static_cast<char>(value < 10 ? '0' + value : 'a' + value - 10));
  return value;
}

// The next choice of a replay: a thread out of a mask, or a number below a count.
int engine::scripted(int count_or_mask, bool mask) {
  if (script_position_ == script_->size()) return mask ? search::lowest(static_cast<unsigned>(count_or_mask)) : 0;
  const char c = (*script_)[script_position_++];
  const int value = c >= 'a' ? c - 'a' + 10 : c - '0';
  const bool valid = mask ? value >= 0 && value < max_threads && (count_or_mask >> value & 1) != 0
                          : value >= 0 && value < count_or_mask;
  if (!valid) fail("The choices do not belong to this program: number %zu cannot be taken.", script_position_);
  return value;
}

}  // namespace model
