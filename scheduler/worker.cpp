// The worker loop; tests/scheduler/worker_model.cpp runs it in model builds.
#include <sluice/scheduler/worker.hpp>

#include <sluice/scheduler/frame_pool.hpp>

#include <algorithm>
#include <utility>

namespace sluice::impl {

worker_pool::worker_pool(scheduler& o, std::string n, std::size_t count, bool s, std::uint64_t seed,
                         std::uint32_t slice, std::size_t allowed)
    : owner(o),
      name(std::move(n)),
      simulated(s),
      ready_budget(slice),
      lanes(*this, count),
      headcount(std::min(allowed, count), allowed != ~std::size_t{0}),
      idle(count),
      overflow(count),
      injection(count) {
  workers.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    workers.push_back(std::make_unique<worker>(*this, i, (seed + i + 1) * 0x9e3779b97f4a7c15u | 1));
  }
}

worker_pool::~worker_pool() = default;

void worker_pool::wake_one() noexcept {
  const std::size_t i = idle.wake_one();
  if (i != idle_state::nobody) workers[i]->parker().unpark();
}

void worker_pool::ask_for_watch() noexcept {
  watch.owe();
  if (idle.must_wake()) wake_one();
}

// Who is concerned is unparked: a sleeper that may not run any more leaves the idle word, and one that stood by begins to run.
void worker_pool::look_up(time_point now) noexcept {
  std::size_t n = headcount.allowed();
  const std::size_t before = n;
  try {
    n = std::clamp(budget(), std::size_t{1}, workers.size());
  } catch (...) {  // there is no memory to read it: the number stays
  }
  while (headcount.started() < n && starter->start_another()) headcount.one_more_started();
  n = std::min(n, headcount.started());
  headcount.allow(n);
  for (std::size_t i = std::min(n, before); i < std::max(n, before); ++i) workers[i]->parker().unpark();
  headcount.looked_up(now);
}

bool worker_pool::any_work() const noexcept {
  if (any_outside()) return true;
  return std::any_of(workers.begin(), workers.end(), [](const auto& w) { return w->has_public_work(); });
}

void worker_pool::wake_for_outside() noexcept {
  if (idle.must_wake()) return wake_one();
  const std::size_t i = nap.disturb();
  if (i != napper::nobody) workers[i]->parker().unpark();
}

void worker_pool::put_outside(runnable& r) noexcept {
  inbox.put(r);
  wake_for_outside();
}

void worker_pool::submit_outside(runnable& r) noexcept {
  runnable* const one = &r;
  if (!injection.put(injection_queue::any_thread, &one, 1)) inbox.put(r);
  wake_for_outside();
}

worker::worker(worker_pool& pool, std::size_t index, std::uint64_t seed)
    : fork_lane(index),
      pool_(pool),
      alone_(pool.workers.capacity() == 1),
      seed_(seed),
      seen_steps_(pool.workers.capacity(), ~std::uint64_t{0}),
      timers_(pool.simulated, model_build ? 1 : 64) {}

// ----------------------------------------------------------------------------------------------------------- giving away

// The ring is full: its newer half and `r` go to the overflow queue, where any worker finds them.
void worker::overflow(runnable& r) noexcept {
  constexpr std::size_t half = decltype(ring_)::capacity / 2;
  runnable* items[half + 1];
  std::size_t n = ring_.spill(items);
  items[n++] = &r;
  give_away(items, n);
}

void worker::give_away(runnable** items, std::size_t n) noexcept {
  if (!pool_.overflow.put(index_, items, n)) {
    for (std::size_t i = 1; i < n; ++i) items[i]->next = items[i - 1];
    pool_.inbox.put_chain(*items[n - 1], *items[0]);
  }
  if (pool_.idle.must_wake()) pool_.wake_one();
}

void worker::offer() noexcept {
  if (pool_.workers.size() == 1) return;
  forks_.publish(kept_public);
  if (forks_.wanted()) return feed_thieves();
  if (pool_.idle.must_wake()) pool_.wake_one();
}

void worker::feed_thieves() noexcept {
  forks_.publish();
  if (!pool_.idle.anybody_sleeps()) {
    forks_.set_wanted(false);
    if (pool_.idle.anybody_sleeps()) forks_.set_wanted(true);
  } else if (forks_.has_public() && pool_.idle.must_wake()) {
    pool_.wake_one();
  }
}

// ---------------------------------------------------------------------------------------------------------------- taking

// What is put into the mail is there before the token, and whoever takes the token takes it.
void pinned_post::wake(runnable& r) noexcept {
  if (worker::current() == &home_) return mail_.put(r);
  worker* const from = worker::current();
  if (from != nullptr && &from->pool() == &home_.pool()) {
    mail_.put(r);
    return home_.parker().unpark();
  }
  const visit here(home_.pool());
  mail_.put(r);
  home_.parker().unpark();
}

// I5: nobody is woken for it.
void worker::push_quietly(runnable& r) noexcept {
  if (!ring_.push(&r)) return overflow(r);
  require_watch();
}

// So many in a row, then something else has its turn, if there is anything.
runnable* worker::take_critical() noexcept {
  if (critical_run_ == critical_limit || stands_by()) {
    critical_run_ = 0;
    return nullptr;
  }
  runnable* const r = pool_.lanes.take(lane_set::critical);
  critical_run_ = r != nullptr ? critical_run_ + 1 : 0;
  return r;
}

runnable* worker::take_lifo() noexcept {
  runnable* const r = put_into_lifo(nullptr);
  if (r == nullptr) return nullptr;  // a thief was quicker
  if (++lifo_run_ <= lifo_limit) return r;
  push_woken(*r);
  return nullptr;
}

// How long the last steps took decides when to look next.
time_point worker::adapt_interval() noexcept {
  const time_point now = pool_.now();
  const auto since = now - last_look_;
  last_look_ = now;
  interval_ = since > wanted_interval ? std::max(interval_ / 2, 1u) : std::min(interval_ * 2, longest_interval);
  if (pool_.simulated || alone_) return now;
  const std::uint32_t left = ring_.size();
  keeps_.look(now, since, steps_.load(relaxed), left);  // relaxed: its own
  if (left == 0) return now;
  if (!shares_ring()) {
    require_watch();
  } else if (pool_.idle.must_wake()) {
    pool_.wake_one();
  }
  return now;
}

// No step has taken as long as what was before.
void worker::begin_steps(time_point now) noexcept {
  last_look_ = now;
  keeps_.awake(now, steps_.load(relaxed));  // relaxed: its own
}

// Much was done within a step: children of when_alls one after another, or waits that were over at once.
bool worker::may_go_on() noexcept {
  const time_point now = adapt_interval();
  turns_ = interval_;
  if (pool_.simulated) {
    turns_ = 1 + static_cast<std::uint32_t>(random() % 4);
    return !chance(4);
  }
  // relaxed: only this thread puts something in
  const bool others = lifo_.load(relaxed) != nullptr || ring_.size() != 0 || pinned_.has_items() || pool_.any_outside();
  if (!others && timers_.next_deadline() > now && !timers_.has_arrivals()) return true;
  until_look_ = 1;
  return false;
}

bool worker::others_wait() noexcept {
  if (!forks_.empty() || !may_go_on()) return true;
  slice_left::set(pool_.ready_budget);
  return false;
}

// Once in a while: timers, and what the usual order would leave waiting.
runnable* worker::look_outside() noexcept {
  pool_.require_threads();
  const time_point now = adapt_interval();
  until_look_ = std::min(interval_, keeps_.steps_to_look());
  timers_.poll(now);  // also without timers: the wheel rounds by what is left, so it must know the time
  pool_.recount(now);
  if (stands_by()) [[unlikely]]
    return keep_only_mine();
  if (pool_.map) processor_.store(pool_.current_processor(), relaxed);
  // Where steps are long, each of them begins here: then the LIFO slot and the deque have every other one, and what is critical
  // goes first here too, but not at every look.
  if (interval_ == 1 && std::exchange(look_gave_, false)) return nullptr;
  runnable* const r = look_for_turn();
  look_gave_ = r != nullptr;
  return r;
}

// What has its turn at a look. What comes from elsewhere is none of those who take turns here (I5).
runnable* worker::look_for_turn() noexcept {
  if (critical_looks_ < critical_limit && pool_.lanes.in_use()) {
    ++critical_looks_;
    if (runnable* const r = take_critical()) {
      keeps_.nothing();
      return r;
    }
  }
  critical_looks_ = 0;
  critical_run_ = 0;
  ++looks_;  // each source comes first in turn, so that none keeps the others waiting for ever
  if (looks_ % looks_for_background == 0) {
    if (runnable* const r = pool_.lanes.take(lane_set::background)) {
      keeps_.nothing();
      return r;
    }
  }
  for (std::uint32_t i = 0; i < 5; ++i) {
    runnable* r = nullptr;
    switch ((looks_ + i) % 5) {
      case 0:
        r = refill_from(pool_.injection);
        break;
      case 1:
        if (runnable* const chain = pool_.inbox.take_all()) r = unpack_inbox(chain);
        break;
      case 2:
        r = refill_from(pool_.overflow);
        break;
      case 3:
        r = pinned_.take();
        break;
      default:
        if ((r = pop_ring()) != nullptr) return r;
    }
    if (r != nullptr) {
      keeps_.nothing();
      return r;
    }
  }
  return nullptr;
}

// I4: gives away what others can run, and looks again before the next step.
runnable* worker::keep_only_mine() noexcept {
  until_look_ = 1;
  if (runnable* const r = lifo_.exchange(nullptr, relaxed))
    push_ready(*r);  // relaxed: only this thread puts something in
  constexpr std::size_t most = 64;
  runnable* items[most];
  std::size_t n = 0;
  for (runnable* r = forks_.pop(); r != nullptr || (r = pop_ring()) != nullptr; r = forks_.pop()) {
    items[n++] = r;
    if (n == most) give_away(items, std::exchange(n, 0));
  }
  if (n != 0) give_away(items, n);
  return pinned_.take();
}

// One task from outside to run now, and some more into the ring.
runnable* worker::refill() noexcept {
  if (runnable* const r = pinned_.take()) return r;
  if (stands_by()) [[unlikely]]
    return nullptr;
  if (runnable* const chain = pool_.inbox.take_all()) return unpack_inbox(chain);
  if (runnable* const r = refill_from(pool_.overflow)) return r;
  if (runnable* const r = refill_from(pool_.injection)) return r;
  return pool_.lanes.take(lane_set::critical);  // nothing else has wanted its turn
}

runnable* worker::refill_from(injection& queue) noexcept {
  const std::size_t there = queue.size();
  if (there == 0) return nullptr;
  constexpr std::size_t most = 32;
  runnable* items[most];
  const std::size_t room = decltype(ring_)::capacity - std::min(ring_.size(), decltype(ring_)::capacity);
  const std::size_t n = queue.take(items, std::min({there / pool_.headcount.allowed() + 1, most, room + 1}));
  for (std::size_t i = 1; i < n; ++i) push_ready(*items[i]);
  return n != 0 ? items[0] : nullptr;
}

runnable* worker::unpack_inbox(runnable* chain) noexcept {
  runnable* const first = chain;
  chain = chain->next;
  while (chain != nullptr && ring_.size() < decltype(ring_)::capacity / 2) {
    runnable* const r = chain;
    chain = chain->next;
    push_ready(*r);
  }
  constexpr std::size_t most = 64;
  while (chain != nullptr) {  // what the ring should not take goes where others find it
    runnable* items[most];
    std::size_t n = 0;
    for (; chain != nullptr && n < most; chain = chain->next) items[n++] = chain;
    if (!pool_.overflow.put(index_, items, n)) {
      for (std::size_t i = 0; i < n; ++i) push_ready(*items[i]);
    }
  }
  if (pool_.idle.must_wake() && pool_.any_work()) pool_.wake_one();
  return first;
}

// `comes_by`: the others are looked at anew, so who has not moved since the last time stands.
runnable* worker::steal_from(worker& victim, bool comes_by) noexcept {
  runnable* r = nullptr;
  while (true) {
    const auto got = victim.forks_.steal(r);
    if (got == decltype(forks_)::outcome::took) return r;
    if (got == decltype(forks_)::outcome::empty) break;
  }
  // What a task has woken runs next on its own worker, where its data is; unless that worker has not moved since the last look.
  const std::uint64_t steps = victim.steps_.load(relaxed);
  const bool stands = comes_by && steps == seen_steps_[victim.index_];
  if ((stands || victim.shares_ring()) && (r = victim.ring_.steal_into(ring_)) != nullptr) {
    if (ring_.size() != 0) keeps_.nothing();
    return r;
  }
  if (comes_by) seen_steps_[victim.index_] = steps;
  if (stands && victim.lifo_.load(relaxed) != nullptr) r = victim.lifo_.exchange(nullptr, acquire);  // E1 observe
  return r;
}

// How far the others are matters where not all share a cache: what is near is looked at first, whoever it is.
unsigned worker::distance_to(const worker& other) const noexcept {
  return pool_.map ? pool_.map->distance(processor_.load(relaxed), other.processor_.load(relaxed)) : 0;
}

runnable* worker::steal_at(unsigned distance, std::size_t start, bool comes_by) noexcept {
  const std::size_t n = pool_.headcount.started();
  for (std::size_t i = 0; i < n; ++i) {
    worker& victim = *pool_.workers[(start + i) % n];
    if (&victim == this || distance_to(victim) != distance) continue;
    if (runnable* const r = steal_from(victim, comes_by)) {
      count(steals_);
      return r;
    }
  }
  return nullptr;
}

runnable* worker::search() noexcept {
  if (pool_.map) processor_.store(pool_.current_processor(), relaxed);
  const unsigned furthest = pool_.map ? topology::far : 0;
  const std::size_t passes = pool_.headcount.allowed() <= 2 || pool_.simulated ? 1 : 3;
  for (std::size_t pass = 0; pass < passes; ++pass) {
    const auto start = static_cast<std::size_t>(random());
    for (unsigned distance = 0; distance <= furthest; ++distance) {
      if (runnable* const r = steal_at(distance, start, pass == 0)) return r;
    }
    if (runnable* const r = refill()) return r;
  }
  return nullptr;
}

// ---------------------------------------------------------------------------------------------------------------- driving

bool worker::step() noexcept {
  runnable* r = next();
  if (r == nullptr && timers_.poll(pool_.now()) != 0) r = next();
  if (r == nullptr) r = search();
  if (r == nullptr) r = pool_.lanes.take(lane_set::background);
  if (r == nullptr) return false;
  run(*r);
  return true;
}

// A worker that had nothing to do has found work. The last searcher looks after what publishers have left to it, and who
// watched hands the watch on: its work may be long.
void worker::found_work() noexcept {
  mode_.store(mode::running, relaxed);
  const bool watched = std::exchange(watched_, false);
  bool last = false;
  if (std::exchange(searching_, false)) {
    naps_left_ = naps_before_sleep;
    watch_length_ = shortest_watch;
    last = pool_.idle.end_search();
  }
  if (watched) pool_.watch.owe();
  if ((watched && pool_.idle.must_wake()) || (last && (pool_.any_work() || pool_.watch.owed()))) pool_.wake_one();
}

// A searcher has found nothing. False: it is time to sleep.
bool worker::nap() noexcept {
  if (naps_left_ == 0 || !others_awake(pool_.idle.sleeping() + 1) || !pool_.nap.lie_down(index_)) return false;
  --naps_left_;
  const time_point deadline = std::min(timers_.next_deadline(), pool_.now() + nap_length);
  timers_.set_parked_until(deadline);
  const bool stay = !timers_.has_arrivals() && !pinned_.has_items() && !pool_.any_outside() &&
                    pool_.stopping.load(relaxed) == 0;  // relaxed: a token comes after it
  if (stay) parker_.park_until(deadline);
  timers_.set_awake();
  pool_.nap.get_up();
  return true;
}

void worker::park() noexcept {
  if (pool_.hooks.on_park) pool_.hooks.on_park(index_);  // before the looks: it may make tasks ready
  time_point deadline = timers_.next_deadline();
  timers_.set_parked_until(deadline);
  pool_.idle.announce_sleep(index_, searching_);
  const bool watching = others_awake(pool_.idle.sleeping()) && pool_.watch.take(index_);
  if (watching) {
    deadline = std::min(deadline, pool_.now() + watch_length_);
    watch_length_ = std::min(watch_length_ * 2, longest_watch);
  }
  for (auto& other : pool_.workers) {
    if (other.get() != this) other->forks_.demand();
  }
  const bool stay = !timers_.has_arrivals() && !pinned_.has_items() && !pool_.any_work() &&
                    pool_.stopping.load(relaxed) == 0;  // relaxed: a token comes after it
  if (stay) sleep_until(deadline, mode::parked);
  timers_.set_awake();
  if (watching) pool_.watch.leave();
  watched_ = watched_ || watching;
  searching_ = pool_.idle.leave_sleep(index_);
  mode_.store(searching_ ? mode::searching : mode::running, relaxed);
  const time_point now = pool_.now();
  timers_.poll(now);
  pool_.recount(now);
  begin_steps(now);
  if (stands_by()) until_look_ = 1;
  if (!stay) yield_thread();  // what was seen may be in the hands of a thread that needs this processor
  if (pool_.hooks.on_unpark) pool_.hooks.on_unpark(index_);
}

void worker::sleep_until(time_point deadline, mode how) noexcept {
  count(parks_);
  mode_.store(how, relaxed);
  // Not for every short sleep: who is woken for a task or two needs its frames again.
  if (const std::uint64_t steps = steps_.load(relaxed); steps - steps_at_handover_ >= steps_before_handover) {
    steps_at_handover_ = steps;
    leave_frames_to_others();
  }
  parker_.park_until(deadline);
}

// This worker may not run now: it sleeps until it may, or has work that is its own. (headcount.hpp)
void worker::stand_by() noexcept {
  if (searching_ || watched_) found_work();  // what others rely on is handed on
  // It may have searched until it saw work at its last look before a sleep: who published that has relied on it (D1 of idle.hpp).
  if (pool_.idle.must_wake() && pool_.any_work()) pool_.wake_one();
  if (pool_.hooks.on_park) pool_.hooks.on_park(index_);
  pool_.headcount.stand_by();
  const time_point deadline = timers_.next_deadline();
  timers_.set_parked_until(deadline);
  const bool stay = stands_by() && ring_.size() == 0 && !timers_.has_arrivals() && !pinned_.has_items() &&
                    pool_.stopping.load(relaxed) == 0;  // relaxed: a token comes after it
  if (stay) sleep_until(deadline, mode::standing_by);
  timers_.set_awake();
  pool_.headcount.stand_up();
  mode_.store(mode::running, relaxed);
  const time_point now = pool_.now();
  timers_.poll(now);
  begin_steps(now);
  until_look_ = 1;
  if (pool_.hooks.on_unpark) pool_.hooks.on_unpark(index_);
}

void worker::work() noexcept {
  set_current(this);
  if (pool_.hooks.on_start) pool_.hooks.on_start(index_);
  const time_point begin = pool_.now();
  timers_.poll(begin);
  begin_steps(begin);
  bool idle = false;  // nothing was found since the last task
  for (;;) {
    runnable* r = next();
    if (r == nullptr) {
      idle = true;
      if (pool_.stopping.load(relaxed) != 0) break;  // relaxed: carries nothing
      if (timers_.poll(pool_.now()) != 0) continue;
      if (stands_by()) [[unlikely]] {
        stand_by();
        continue;
      }
      if (!searching_) searching_ = pool_.idle.begin_search();
      if (searching_) {
        mode_.store(mode::searching, relaxed);
        r = search();
      }
      if (r == nullptr) r = pool_.lanes.take(lane_set::background);
      if (r == nullptr) {
        if (!searching_ || !nap()) park();
        continue;
      }
    }
    if (std::exchange(idle, false)) found_work();
    run(*r);
  }
  if (pool_.hooks.on_stop) pool_.hooks.on_stop(index_);
  set_current(nullptr);
}

void worker::describe(std::string& out) const {
  static constexpr const char* names[] = {"running", "searching", "parked", "standing by"};
  const auto number = [](auto n) { return std::to_string(n); };
  out += "  worker " + number(index_) + ": " + names[static_cast<std::uint32_t>(mode_.load(relaxed))];
  out += ", ready " + number(ring_.size()) + ", forked (public) " + number(forks_.public_size());
  out += ", next " + number(lifo_.load(relaxed) != nullptr ? 1 : 0);
  out += ", steps " + number(steps_.load(relaxed)) + ", steals " + number(steals_.load(relaxed));
  out += ", parks " + number(parks_.load(relaxed)) + "\n";
  const time_point now = pool_.now();
  std::size_t listed = 0;
  std::size_t more = 0;
  timers_.visit_armed([&](time_point deadline) {
    if (listed == 100) {
      ++more;
      return;
    }
    ++listed;
    if (deadline == time_point::max()) {
      out += "    timer: never\n";
    } else {
      const auto left = std::chrono::duration_cast<std::chrono::microseconds>(deadline - now).count();
      const bool in_seconds = left >= 10'000'000;
      const bool in_milliseconds = left >= 10'000;
      out += "    timer in " + number(in_seconds ? left / 1'000'000 : in_milliseconds ? left / 1'000 : left);
      out += in_seconds ? " s\n" : in_milliseconds ? " ms\n" : " us\n";
    }
  });
  if (more != 0) out += "    and " + number(more) + " timers more\n";
}

}  // namespace sluice::impl
