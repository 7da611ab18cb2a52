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
    model::check(present == nullptr || *present >= due, "A timer does not fire before its deadline.");
  }
  /// Before the timer is started.
  target& filled(time_point deadline) {
    payload.set(7);
    due = deadline;
    return *this;
  }
  int fires() const { return count.load(relaxed); }

  plain<int> payload{0};
  atomic<int> count{0};
  time_point due{};
  const time_point* present = nullptr;
};

struct shared {
  explicit shared(std::size_t at_a_time = 1) : timers(true, at_a_time) { goal.present = other.present = &present; }

  std::size_t poll(int ms) {
    present = at(ms);
    return timers.poll(present);
  }
  static time_point at(int ms) { return now() + milliseconds(ms); }

  worker_timers timers;
  time_point present{};  // the worker's
  target goal;
  target other;
  atomic<timer*> handed{nullptr};
};

void check_stopped(const target& goal, bool stopped) {
  if (stopped) model::check(goal.fires() == 0, "A timer that was stopped in time never fires.");
}
// Once its deadline has come, or it was stopped before.
void check_settled(const target& goal, bool stopped) {
  model::check(goal.fires() == (stopped ? 0 : 1), "A timer fires, or it is stopped in time.");
}
std::size_t count_armed(const shared& s, time_point deadline) {
  std::size_t seen = 0;
  s.timers.visit_armed([&](time_point t) {
    if (t == time_point::max()) return;
    ++seen;
    model::check(t == deadline, "A dump shows a timer's deadline.");
  });
  return seen;
}

const model::program alone{"timers: the worker alone", {}, [](model::run& r) {
                             auto& s = r.make<shared>(2u);
                             r.thread("worker", [&s] {
                               timer* const first = s.timers.start(s.at(1), s.goal.filled(s.at(1)));
                               timer* const second = s.timers.start(s.at(1), s.other.filled(s.at(1)));
                               model::check(second == first + 1, "Timers are made two at a time.");
                               model::check(s.timers.stop(*first), "It can be stopped until it fires.");
                               model::check(s.timers.stop(*second), "So can another at the same time.");
                               model::check(s.timers.next_deadline() == time_point::max(), "Nothing is left.");
                               model::check(count_armed(s, s.at(0)) == 0, "Nothing is armed.");
                               model::check(s.timers.start(s.at(2), s.goal.filled(s.at(2))) == second, "Used again.");
                               model::check(s.timers.start(s.at(2), s.other.filled(s.at(2))) == first, "So is this.");
                               model::check(count_armed(s, s.at(2)) == 2, "Both are armed.");
                               model::check(s.poll(1) == 0, "Neither is due.");
                               model::check(s.poll(2) == 2, "Both are due.");
                               model::check(!s.timers.stop(*first), "It has fired.");
                               check_settled(s.goal, false);
                               check_settled(s.other, false);
                               s.timers.stop_outside(*second);
                               timer* const third = s.timers.start(time_point::max(), s.goal);
                               timer* const fourth = s.timers.start(time_point::max(), s.goal);
                               model::check(third == first && fourth == second, "What comes back is used again.");
                             });
                           }};

const model::program stop_meets_fire{
    "timers: stopped outside while it fires", {.outcomes = {"0", "1"}}, [](model::run& r) {
      struct asked : shared {
        bool stopped = false;
      };
      auto& s = r.make<asked>();
      timer* const t = s.timers.start(s.at(1), s.goal.filled(s.at(1)));
      r.thread("worker", [&s] { s.poll(2); });
      r.thread("outside", [&s, t] {
        s.stopped = s.timers.stop_outside(*t);
        check_stopped(s.goal, s.stopped);
        model::outcome({s.stopped ? 1 : 0});
      });
      r.finally([&s, t] {
        timer* const again = s.timers.start(s.at(3), s.other.filled(s.at(3)));
        model::check(again == t, "A timer that was stopped is used again.");
        check_settled(s.goal, s.stopped);
        model::check(s.poll(2) == 0, "The new one is not due.");
        model::check(s.timers.stop(*again), "A timer that is armed can be stopped.");
        model::check(count_armed(s, s.at(0)) == 0, "Nothing is armed.");
      });
    }};

const model::program outside_all{"timers: started and stopped outside while the worker polls", {}, [](model::run& r) {
                                   struct asked : shared {
                                     bool stopped[2] = {};
                                   };
                                   auto& s = r.make<asked>();
                                   r.thread("worker", [&s] {
                                     s.poll(2);
                                     s.poll(2);
                                   });
                                   r.thread("outside", [&s] {
                                     timer* const t = s.timers.start_outside(s.at(1), s.goal.filled(s.at(1)));
                                     s.stopped[0] = s.timers.stop_outside(*t);
                                     check_stopped(s.goal, s.stopped[0]);
                                     timer* const next = s.timers.start_outside(s.at(1), s.other.filled(s.at(1)));
                                     s.stopped[1] = s.timers.stop_outside(*next);
                                   });
                                   r.finally([&s] {
                                     s.poll(3);
                                     check_settled(s.goal, s.stopped[0]);
                                     check_settled(s.other, s.stopped[1]);
                                   });
                                 }};

const model::program made_outside{"timers: made outside three at a time, and used again", {}, [](model::run& r) {
                                    auto& s = r.make<shared>(24u);
                                    r.thread("both", [&s] {
                                      timer* const a = s.timers.start_outside(s.at(2), s.goal.filled(s.at(2)));
                                      timer* const b = s.timers.start_outside(time_point::max(), s.other);
                                      timer* const c = s.timers.start_outside(time_point::max(), s.other);
                                      model::check(b == a + 1 && c == a + 2, "What is left over is used first.");
                                      model::check(s.poll(1) == 0, "None is due.");
                                      model::check(s.poll(2) == 1, "One is due.");
                                      check_settled(s.goal, false);
                                      model::check(!s.timers.stop(*a), "It has fired.");
                                      model::check(s.timers.start_outside(s.at(3), s.other.filled(s.at(3))) == a,
                                                   "It came back.");
                                      model::check(count_armed(s, s.at(3)) == 1, "It is armed.");
                                      model::check(s.poll(3) == 1, "It is due.");
                                      check_settled(s.other, false);
                                    });
                                  }};

bool in_one_chunk(const timer* a,
                  const timer* b) {  // of three; true also of some in chunks that happen to be neighbours
  const auto x = reinterpret_cast<std::uintptr_t>(a);
  const auto y = reinterpret_cast<std::uintptr_t>(b);
  return (x < y ? y - x : x - y) <= 2 * sizeof(timer);
}
const model::program two_outside{
    "timers: two threads start some outside, made three at a time", {}, [](model::run& r) {
      struct three : shared {
        three() : shared(24u) { third.present = &present; }
        target third;
        timer* started[3] = {};
      };
      auto& s = r.make<three>();
      r.thread("one", [&s] {
        s.started[0] = s.timers.start_outside(s.at(1), s.goal.filled(s.at(1)));
        s.started[1] = s.timers.start_outside(s.at(1), s.third.filled(s.at(1)));
      });
      r.thread("two", [&s] { s.started[2] = s.timers.start_outside(s.at(1), s.other.filled(s.at(1))); });
      r.finally([&s] {
        model::check(s.poll(1) == 3, "All are due.");
        check_settled(s.goal, false);
        check_settled(s.other, false);
        check_settled(s.third, false);
        if (in_one_chunk(s.started[0], s.started[2])) return;
        for (int i = 0; i < 3; ++i) {
          const timer* const next = s.timers.start_outside(time_point::max(), s.goal);
          bool known = false;
          for (const timer* t : s.started) known = known || in_one_chunk(t, next);
          model::check(known, "Of six timers that were made three are left.");
        }
      });
    }};

const model::program when_to_wake{
    "timers: who starts one outside wakes a worker that sleeps too long", {}, [](model::run& r) {
      auto& s = r.make<shared>();
      r.thread("both", [&s] {
        s.timers.set_parked_until(s.at(2));
        model::check(s.timers.must_wake_for(s.at(1)), "It sleeps too long.");
        s.timers.set_awake();
        int wakes = 0;
        for (int i = 0; i < 64; ++i) wakes += s.timers.must_wake_for(s.at(1)) ? 1 : 0;
        model::check(wakes == 1, "Awake, it is told of a lot of mail only.");
      });
    }};

const model::program stopped_by_the_worker{
    "timers: started outside, stopped by the worker before or after it arrived", {}, [](model::run& r) {
      auto& s = r.make<shared>();
      r.thread("outside", [&s] {
        s.handed.store(s.timers.start_outside(s.at(1), s.goal.filled(s.at(1))), release);
        s.timers.start_outside(s.at(1), s.other.filled(s.at(1)));  // perhaps in the same memory
      });
      r.thread("worker", [&s] {
        s.poll(0);
        timer* const t = s.handed.load(acquire);
        const bool stopped = t != nullptr && s.timers.stop(*t);
        check_stopped(s.goal, stopped);
        s.poll(2);
        if (t != nullptr) check_settled(s.goal, stopped);
      });
      r.finally([&s] {
        s.poll(3);
        check_settled(s.other, false);
      });
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
        s.goal.present = nullptr;
        s.timers.start_outside(deadline, s.goal.filled(deadline));
        if (s.timers.must_wake_for(deadline)) s.bed.unpark();
      });
    }};

}  // namespace
