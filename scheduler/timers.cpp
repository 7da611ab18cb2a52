#include <sluice/scheduler/timers.hpp>

namespace sluice::impl {

worker_timers::~worker_timers() {
  for (chunk* c = chunks_.load(relaxed); c != nullptr;) {  // relaxed: nobody else is left
    const std::unique_ptr<chunk> last(c);
    c = c->next;
  }
}

timer* worker_timers::new_chunk(std::size_t size, bool outside) {
  auto c = std::make_unique<chunk>(size);
  for (std::size_t i = 0; i < size; ++i) {
    timer& t = c->timers[i];
    t.home = this;
    t.outside = outside;
    t.passed.set(i + 1 < size ? &c->timers[i + 1] : nullptr);
  }
  timer* const first = &c->timers[0];
  c->next = chunks_.load(relaxed);                                              // relaxed: not looked into
  while (!chunks_.compare_exchange_weak(c->next, c.get(), release, relaxed)) {  // E2 publish
  }
  c.release();
  return first;
}

timer* worker_timers::start(time_point deadline, timer_target& target, time_point present) {
  if (free_ == nullptr) drain();
  if (free_ == nullptr) free_ = new_chunk(chunk_, false);
  timer& t = *free_;
  free_ = t.passed.get();
  t.target.set(&target);
  t.deadline.store(ns(deadline), relaxed);
  t.at.store(timer::armed, relaxed);  // relaxed: whoever stops it got it from this thread
  if (deadline != time_point::max()) wheel_.insert(t, ns(deadline), ns(present));
  return &t;
}

timer* worker_timers::start_outside(time_point deadline, timer_target& target) {
  timer* t = free_outside_.take_all();
  if (t == nullptr) t = new_chunk((chunk_ + 7) / 8, true);
  if (timer* const rest = t->passed.get()) free_outside_.put_back(*rest);
  t->target.set(&target);
  t->in_transit.set(true);
  t->deadline.store(ns(deadline), relaxed);
  t->at.store(timer::armed, relaxed);  // relaxed: E1 hands it over
  arrived_.put(*t);
  return t;
}

bool worker_timers::stop(timer& t) noexcept {
  if (t.in_transit.get()) return stop_outside(t);
  const bool armed = t.at.load(relaxed) == timer::armed;  // relaxed: this thread would have written anything else
  if (t.link != nullptr) wheel_.remove(t);
  recycle(t);
  return armed;
}

bool worker_timers::stop_outside(timer& t) noexcept {
  const bool armed = t.at.exchange(timer::stopped, relaxed) == timer::armed;  // relaxed: I1
  returned_.put(t);
  return armed;
}

void worker_timers::drain(std::int64_t now) noexcept {
  timer* back = returned_.take_all();  // I3: before `arrived`
  for (timer* t = arrived_.take_all(); t != nullptr;) {
    timer* const next = t->arriving.get();
    t->in_transit.set(false);
    const std::int64_t deadline = t->deadline.load(relaxed);
    if (deadline != ns(time_point::max())) wheel_.insert(*t, deadline, now);
    t = next;
  }
  while (back != nullptr) {
    timer* const next = back->passed.get();
    if (back->link != nullptr) wheel_.remove(*back);
    recycle(*back);
    back = next;
  }
}

void worker_timers::recycle(timer& t) noexcept {
  t.at.store(timer::unused, relaxed);  // relaxed: the free lists hand it over
  if (t.outside) {
    free_outside_.put(t);
  } else {
    t.passed.set(free_);
    free_ = &t;
  }
}

void worker_timers::fire(timer& t) noexcept {
  timer_target* const target = t.target.get();                                // I2
  if (t.at.exchange(timer::fired, relaxed) == timer::armed) target->fired();  // relaxed: I1
}

std::size_t worker_timers::poll(time_point now) noexcept {
  drain(ns(now));
  return wheel_.advance(
      ns(now), [this](wheel_entry& e) { fire(static_cast<timer&>(e)); },
      [](wheel_entry& e) { will_write(static_cast<timer&>(e).target.get()); });
}

time_point worker_timers::next_deadline() noexcept {
  const std::int64_t next = wheel_.next_deadline();
  return next == INT64_MAX ? time_point::max() : time_point(std::chrono::nanoseconds(next));
}

}  // namespace sluice::impl
