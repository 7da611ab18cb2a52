// A timer is started here and there, stopped here and there, and fires: once, or not at all, as stop says.

#include <sluice/model/program.hpp>
#include <sluice/scheduler/parker.hpp>
#include <sluice/scheduler/timers.hpp>

namespace {

using namespace sluice::impl;
using std::chrono::milliseconds;

struct target final : timer_target {
  void fired() noexcept override {
    model::check(payload.get() == 7, "The target is seen as it was when the timer was started.");
    model::check(count.fetch_add(1, relaxed) == 0, "A timer fires once.");
  }
  plain<int> payload{0};
  atomic<int> count{0};
};

struct shared {
  worker_timers timers{true, 1};
  target goal;
  target other;
  atomic<timer*> handed{nullptr};
};

void check_stopped(shared& s, bool stopped) {
  if (stopped) model::check(s.goal.count.load(relaxed) == 0, "A timer that was stopped in time never fires.");
}

const model::program stop_meets_fire{"timers: stopped outside while it fires", {}, [](model::run& r) {
                                       auto& s = r.make<shared>();
                                       s.goal.payload.set(7);
                                       timer* const t = s.timers.start(now() + milliseconds(1), s.goal);
                                       r.thread("worker", [&s] { s.timers.poll(now() + milliseconds(2)); });
                                       r.thread("outside", [&s, t] {
                                         const bool stopped = s.timers.stop_outside(*t);
                                         check_stopped(s, stopped);
                                         model::outcome({stopped ? 1 : 0});
                                       });
                                       r.finally([&s] {
                                         s.timers.poll(now() + milliseconds(3));
                                         s.other.payload.set(7);
                                         timer* const again =
                                             s.timers.start(now() + milliseconds(1), s.other);  // the same memory
                                         model::check(s.timers.stop(*again), "A timer that is armed can be stopped.");
                                         model::check(s.goal.count.load(relaxed) <= 1, "A timer fires at most once.");
                                       });
                                     }};

const model::program outside_all{"timers: started and stopped outside while the worker polls", {}, [](model::run& r) {
                                   auto& s = r.make<shared>();
                                   r.thread("worker", [&s] {
                                     s.timers.poll(now() + milliseconds(2));
                                     s.timers.poll(now() + milliseconds(2));
                                   });
                                   r.thread("outside", [&s] {
                                     s.goal.payload.set(7);
                                     timer* const t = s.timers.start_outside(now() + milliseconds(1), s.goal);
                                     check_stopped(s, s.timers.stop_outside(*t));
                                     s.other.payload.set(7);
                                     timer* const next = s.timers.start_outside(now() + milliseconds(1), s.other);
                                     s.timers.stop_outside(*next);
                                   });
                                   r.finally([&s] { s.timers.poll(now() + milliseconds(3)); });
                                 }};

const model::program stopped_by_the_worker{
    "timers: started outside, stopped by the worker before or after it arrived", {}, [](model::run& r) {
      auto& s = r.make<shared>();
      r.thread("outside", [&s] {
        s.goal.payload.set(7);
        s.handed.store(s.timers.start_outside(now() + milliseconds(1), s.goal), release);
      });
      r.thread("worker", [&s] {
        s.timers.poll(now());
        if (timer* const t = s.handed.load(acquire)) check_stopped(s, s.timers.stop(*t));
        s.timers.poll(now() + milliseconds(2));
      });
      r.finally([&s] { s.timers.poll(now() + milliseconds(3)); });
    }};

const model::program looked_at{"timers: a dump looks while the worker makes timers", {}, [](model::run& r) {
                                 auto& s = r.make<shared>();
                                 const time_point deadline = now() + milliseconds(1);
                                 r.thread("worker", [&s, deadline] {
                                   timer* const t = s.timers.start(deadline, s.goal);
                                   s.timers.stop(*t);
                                 });
                                 r.thread("dump", [&s] { s.timers.visit_armed([](time_point) {}); });
                               }};

// As worker.cpp parks, and as scheduler.cpp starts a timer for it.
const model::program parked_worker{
    "timers: an early deadline from outside wakes a parked worker", {}, [](model::run& r) {
      struct parked : shared {
        parker bed;
      };
      auto& s = r.make<parked>();
      const time_point deadline = now() + milliseconds(1);
      r.thread("worker", [&s, deadline] {
        for (time_point present = deadline; s.timers.poll(present) == 0; present += milliseconds(1)) {
          s.timers.set_parked_until(time_point::max());
          if (!s.timers.has_arrivals()) s.bed.park_until(time_point::max());
          s.timers.set_awake();
        }
      });
      r.thread("outside", [&s, deadline] {
        s.goal.payload.set(7);
        s.timers.start_outside(deadline, s.goal);
        if (s.timers.must_wake_for(deadline)) s.bed.unpark();
      });
    }};

}  // namespace
