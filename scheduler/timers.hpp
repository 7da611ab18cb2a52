#pragma once
// The timers of one worker: a wheel that only the worker touches, and lists by which other threads start and stop.
//
// A timer's phase:
//   unused    in a free list
//   armed     started; in the wheel, or on its way there, or nowhere (it never fires)
//   stopped   stop won from another thread; it comes back through `returned`
//   fired     the worker took it out to call its target
//
// I1  `armed` is left by one exchange: the worker's to fired, or the stopper's to stopped. Each timer is stopped exactly once,
//     and its memory is used again only after that. The exchange says who was first and orders nothing: a target that is
//     called while it is stopped has to settle that with its stopper itself.
// I2  Whoever calls the target has read everything from the timer before its exchange: after it the stopper may free the timer.
// I3  A thread passes a timer to `arrived` before it can be passed to `returned`; the worker takes `returned` first and empties
//     `arrived` before it looks at what it took.
// E1  pass on (release) -> drain (acquire): a timer's fields.
// D1  start_outside passes a timer on (seq_cst), then reads `parked_until` (seq_cst); a worker that is about to park writes
//     `parked_until` (seq_cst), then reads `arrived` (seq_cst).

#include <sluice/queues/atomic.hpp>
#include <sluice/scheduler/scheduler.hpp>
#include <sluice/scheduler/timer_wheel.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice::impl {

class worker_timers;

struct timer : wheel_entry {
  enum phase : std::uint32_t { unused, armed, stopped, fired };

  atomic<std::uint32_t> at{unused};  // a phase; written by the worker, and by the one stopper
  atomic<std::int64_t> deadline{0};  // ns; relaxed: written before the timer is passed on, read by dumps
  plain<timer*> arriving{nullptr};   // link of `arrived`: it may be stopped, and in `returned`, before that was drained
  plain<timer*> passed{nullptr};     // link of `returned` and of the free lists
  plain<timer_target*> target{nullptr};
  worker_timers* home = nullptr;
  bool outside = false;           // started, or last started, by a thread that is not the worker
  plain<bool> in_transit{false};  // in `arrived`: not to be used before it has been drained
};

/// A list through one of a timer's links, into which any thread puts and from which one takes all.
template <plain<timer*> timer::* Link>
class timer_mail {
 public:
  void put(timer& t) noexcept { put_chain(t, t); }
  void put_chain(timer& first, timer& last) noexcept {
    timer* top = top_.load(relaxed);  // relaxed: not looked into
    do {
      (last.*Link).set(top);
    } while (!top_.compare_exchange_weak(top, &first, seq_cst, relaxed));  // E1 publish, D1 store
  }
  /// What take_all gave, less its first. Looks for its end only if others have put something in meanwhile: who finds the list
  /// empty makes new timers, so it must not be empty for as long as that takes.
  void put_back(timer& first) noexcept {
    timer* top = nullptr;
    if (top_.compare_exchange_strong(top, &first, release, relaxed)) return;  // E1 publish
    timer* last = &first;
    while (timer* const next = (last->*Link).get()) last = next;
    put_chain(first, *last);
  }
  timer* take_all() noexcept {
    // relaxed: a hint; acquire, E1 observe
    return top_.load(relaxed) == nullptr ? nullptr : top_.exchange(nullptr, acquire);
  }
  bool has_items() const noexcept { return top_.load(seq_cst) != nullptr; }  // D1 load

 private:
  atomic<timer*> top_{nullptr};
};

class worker_timers {
 public:
  /// A simulation wants exact times: shift 0, no slack.
  explicit worker_timers(bool exact, std::size_t at_a_time = 64) noexcept
      : chunk_(at_a_time), wheel_(exact ? 0 : 14, exact ? 0 : 6) {}
  ~worker_timers();
  worker_timers(const worker_timers&) = delete;
  worker_timers& operator=(const worker_timers&) = delete;

  // The worker.
  /// Who knows what time it is says so: the wheel rounds by what is left. Throws std::bad_alloc before anything has changed.
  timer* start(time_point deadline, timer_target& target, time_point present = {});
  bool stop(timer& t) noexcept;
  std::size_t poll(time_point now) noexcept;  // how many fired
  time_point next_deadline() noexcept;        // of what poll() has seen
  bool idle() const noexcept { return wheel_.size() == 0 && !arrived_.has_items() && !returned_.has_items(); }

  // Any other thread.
  timer* start_outside(time_point deadline, timer_target& target);
  bool stop_outside(timer& t) noexcept;

  /// About to sleep: from now on an earlier deadline from outside makes its starter wake this worker.
  void set_parked_until(time_point deadline) noexcept { parked_until_.store(ns(deadline), seq_cst); }  // D1 store
  void set_awake() noexcept { parked_until_.store(INT64_MIN, relaxed); }  // relaxed: too late a sight of it only wakes
  bool has_arrivals() const noexcept { return arrived_.has_items(); }
  /// After start_outside: whether the worker sleeps too long for this one, or has a lot of mail.
  bool must_wake_for(time_point deadline) noexcept {
    return ns(deadline) < parked_until_.load(seq_cst) || full_mailbox();  // D1 load
  }

  /// Calls visit(deadline) for each timer that is armed: a snapshot, any thread.
  template <class Visit>
  void visit_armed(Visit visit) const {
    for (const chunk* c = chunks_.load(acquire); c != nullptr; c = c->next) {  // E2 observe
      for (std::size_t i = 0; i < c->size; ++i) {
        const timer& t = c->timers[i];
        if (t.at.load(relaxed) == timer::armed) visit(time_point(std::chrono::nanoseconds(t.deadline.load(relaxed))));
      }
    }
  }

 private:
  // E2  new_chunk (release) -> visit_armed (acquire): the timers of a chunk as they were made.
  struct chunk {
    explicit chunk(std::size_t n) : timers(new timer[n]), size(n) {}
    std::unique_ptr<timer[]> timers;
    std::size_t size;
    chunk* next = nullptr;
  };

  static std::int64_t ns(time_point t) noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
  }
  bool full_mailbox() noexcept { return mail_count_.fetch_add(1, relaxed) % 64 == 63; }  // relaxed: a rough count

  timer* new_chunk(std::size_t size, bool outside);
  void drain(std::int64_t now = 0) noexcept;
  void recycle(timer& t) noexcept;
  void fire(timer& t) noexcept;

  const std::size_t chunk_;                            // so many timers are made at a time
  timer_wheel wheel_;                                  // the worker's
  timer* free_ = nullptr;                              // the worker's
  alignas(128) timer_mail<&timer::arriving> arrived_;  // started outside
  timer_mail<&timer::passed> returned_;                // stopped outside
  timer_mail<&timer::passed> free_outside_;            // for start_outside
  atomic<chunk*> chunks_{nullptr};                     // all the timers there are; only added to
  atomic<std::int64_t> parked_until_{INT64_MIN};       // ns; smallest: awake, and will look; written by the worker
  atomic<std::uint32_t> mail_count_{0};
};

}  // namespace sluice::impl
