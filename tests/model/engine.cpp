#include <sluice/model/engine.hpp>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <exception>

namespace model {

engine* engine::made_ = nullptr;
engine* engine::running_ = nullptr;

engine::engine() { made_ = this; }
engine::~engine() { made_ = nullptr; }

namespace {

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

// ---- Executions ----------------------------------------------------------------------------------------------------

findings engine::explore(const program& p, const limits& how) {
  program_ = &p;
  limits_ = how;
  limits_.sleep_sets = how.sleep_sets && how.bound < 0;
  search_.reset();
  shared_.reset();
  outcomes_.clear();
  findings result;
  const double end = how.seconds > 0 ? processor_seconds() + how.seconds : 0;
  for (;;) {
    execute();
    ++result.executions;
    if (ending_ == ending::failed) {
      // Once more, along the same choices, this time with a trace.
      logging_ = true;
      execute();
      logging_ = false;
      result.choices.assign(choices_.data(), choices_.size());
      result.how = findings::end::failed;
      result.sentence = sentence_;
      result.trace.assign(log_.data(), log_.size());
      break;
    }
    if (learn_shared()) {
      search_.reset();
      continue;
    }
    if (!search_.next()) break;
    if (result.executions >= limits_.max ||
        (end > 0 && result.executions % 1024 == 0 && processor_seconds() >= end)) {
      result.how = findings::end::limit;
      break;
    }
  }
  for (const std::uint64_t packed : outcomes_) {
    std::string text;
    for (std::uint64_t rest = packed; rest != 0; rest >>= 8) text += std::to_string(static_cast<int>(rest & 0xFF) - 1);
    result.outcomes.push_back(text);
  }
  std::sort(result.outcomes.begin(), result.outcomes.end());
  return result;
}

findings engine::replay(const program& p, const limits& how, const std::string& choices) {
  program_ = &p;
  limits_ = how;
  limits_.bound = -1;
  limits_.sleep_sets = false;
  search_.reset();
  outcomes_.clear();
  findings result;
  script_ = &choices;
  script_position_ = 0;
  logging_ = true;
  execute();
  logging_ = false;
  result.choices.assign(choices_.data(), choices_.size());
  script_ = nullptr;
  result.executions = 1;
  result.how = ending_ == ending::failed ? findings::end::failed : findings::end::limit;
  result.sentence = sentence_;
  result.trace.assign(log_.data(), log_.size());
  return result;
}

void engine::execute() {
  search_.begin();
  log_.clear();
  choices_.clear();
  sentence_[0] = '\0';
  heap_.clear();
  locations_.clear();
  fences_.clear();
  names_.clear();
  found_shared_.clear();
  count_ = 1;
  current_ = 0;
  last_ = -1;
  concurrent_ = false;
  ending_ = ending::complete;
  started_or_woken_ = ready_ = yielded_ = timed_ = ended_ = sleep_ = 0;
  preemptions_ = steps_ = done_ = 0;
  timeouts_left_ = program_->how().timeouts;
  spurious_left_ = program_->how().spurious;
  clock_ = time_point{std::chrono::hours{1}};
  threads_[0].known = view{};
  threads_[0].released = view{};
  threads_[0].acquirable = view{};
  threads_[0].at = {};
  threads_[0].name = "set-up";
  threads_[0].stack.prepare(enter_zero, this);
  running_ = this;
  fiber::change(root_, threads_[0].stack);
  running_ = nullptr;
  current_ = -1;
  for (std::uint32_t i = 0; i < locations_.size(); ++i) {
    location& x = locations_[i];
    if (x.external && !x.freed) std::memcpy(reinterpret_cast<void*>(x.address), &x.initial, x.size);
  }
}

void engine::enter_zero(void* self) {
  auto& e = *static_cast<engine*>(self);
  try {
    e.thread_zero();
  } catch (const std::exception& error) {
    e.fail("An exception escaped from set-up or finish: %s", error.what());
  } catch (...) {
    e.fail("An exception escaped from set-up or finish.");
  }
  if (const heap::block* b = e.heap_.left_over()) {
    e.fail("Leak: %zu bytes allocated by %s after %s were never freed.", b->size, e.thread_name(b->thread),
           show(b->after).c_str());
  }
  e.leave(ending::complete);
}

void engine::thread_zero() {
  run r;
  program_->set_up(r);
  count_ = 1 + static_cast<int>(r.threads_.size());
  if (count_ > max_threads) fail("A program may have at most %d threads.", max_threads - 1);
  if (count_ > 1) {
    thread& zero = threads_[0];
    ++zero.known.clock[0];
    for (int i = 1; i < count_; ++i) {
      thread& t = threads_[i];
      t.known = zero.known;
      t.released = t.acquirable = view{};
      t.next = {};
      t.at = {};
      t.name = r.threads_[static_cast<std::size_t>(i - 1)].name;
      t.body = &r.threads_[static_cast<std::size_t>(i - 1)].body;
      start_first_round(t);
      t.stack.prepare(enter_thread, this);
    }
    started_or_woken_ = ready_ = (1u << count_) - 2;
    concurrent_ = true;
    change_thread();  // back when all have ended
    concurrent_ = false;
  }
  threads_[0].name = "finish";
  if (r.finally_) r.finally_();
}

run::~run() {
  while (!owned_.empty()) {
    owned_.back().destroy(owned_.back().object);
    owned_.pop_back();
  }
}

void engine::enter_thread(void* self) {
  auto& e = *static_cast<engine*>(self);
  const int me = e.current_;
  try {
    (*e.threads_[me].body)();
  } catch (const std::exception& error) {
    e.fail("An exception escaped from thread %s: %s", e.thread_name(me), error.what());
  } catch (...) {
    e.fail("An exception escaped from thread %s.", e.thread_name(me));
  }
  e.ready_ &= ~(1u << me);
  e.yielded_ &= ~(1u << me);
  e.ended_ |= 1u << me;
  ++e.threads_[me].known.clock[me];  // covers its last plain accesses
  e.threads_[me].next = {};
  e.threads_[0].known.join(e.threads_[me].known);
  if (e.logging_) e.log("ends");
  e.change_thread();
  std::abort();  // an ended thread is never chosen
}

void engine::leave(ending how) {
  ending_ = how;
  fiber::change(threads_[current_].stack, root_);
  std::abort();  // the root never comes back
}

// ---- Scheduling ----------------------------------------------------------------------------------------------------

// Stands before operation `o` of the current thread; returns when the thread is chosen to do it.
void engine::point(operation o, site where) {
  thread& me = threads_[current_];
  me.at = where;
  ++done_;
  ++progress_;
  if (!concurrent_) return;
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

// After an execution: whether it showed that more is shared than was known. Then the search must begin anew.
bool engine::learn_shared() {
  for (const std::uintptr_t address : found_shared_) shared_.set(locations::hash(address) % shared_.size());
  return !found_shared_.empty();
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
bool engine::dependent(const operation& a, const operation& b) const noexcept {
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

// ---- Waiting -------------------------------------------------------------------------------------------------------

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
  if (!me.changed_something && !me.forced_round && me.round_signature == me.last_round_signature && script_ == nullptr) {
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
    int nth = choose_value(count == 0 || __builtin_popcount(x.sleepers) > count + 1 ? __builtin_popcount(x.sleepers) : 1);
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
