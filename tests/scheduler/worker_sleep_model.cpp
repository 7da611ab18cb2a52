// The shipped worker loop: what disturbs a nap, who watches, when timers fire, and one that is never idle. (The stand-in for the
// injection queue is that of worker_model.cpp.)
// models: scheduler/worker.cpp scheduler/worker.hpp scheduler/napper.hpp scheduler/watch.hpp

#include "restless.hpp"
#include "shop.hpp"

#include <string>

namespace {

using namespace sluice::test;
using namespace sluice::impl;

// ---- Naps and watches ------------------------------------------------------------------------------------------------------

// Worker 0 is awake and not here: it computes. Worker 1 steals from it, so that it naps when it finds nothing more.
template <std::size_t Jobs>
struct napping : shop<Jobs> {
  napping() : shop<Jobs>(2u) { this->pool.workers[0]->submit(this->jobs[0].renew()); }
};
template <class Put>
auto disturbs(Put put) {
  return [put](model::run& r) {
    auto& s = r.make<napping<2>>();
    r.thread("worker", s.worker(1));
    r.thread("outside", [&s, put] { put(s.pool, s.jobs[1].renew()); });
    r.finally([&s] { s.check_end(); });
  };
}
const model::program nap_woken{"worker: two, a wake from outside disturbs a nap", patient, disturbs(woken)};
const model::program nap_submitted{"worker: two, a submission from outside disturbs a nap", patient,
                                   disturbs(submitted)};

struct chime final : timer_target {
  void fired() noexcept override {
    fired_at = now();
    s->finished_one();
  }
  crew* s = nullptr;
  time_point fired_at{};
};
const model::program nap_timer{"worker: two, a timer from outside disturbs a nap", patient, [](model::run& r) {
                                 static constexpr auto soon = microseconds(10);
                                 struct all : napping<1> {
                                   all() { ring.s = this; }
                                   chime ring;
                                 };
                                 auto& s = r.make<all>();
                                 s.left.store(2, relaxed);
                                 r.thread("worker", s.worker(1));
                                 r.thread("outside", [&s] {
                                   auto& w = *s.pool.workers[1];
                                   w.timers().start_outside(s.start + soon, s.ring);
                                   if (w.timers().must_wake_for(s.start + soon)) w.parker().unpark();
                                 });
                                 r.finally([&s] {
                                   s.check_jobs();
                                   model::check(s.ring.fired_at >= s.start + soon, "It is not early.");
                                   model::check(s.ring.fired_at <= s.start + soon + microseconds(17),
                                                "It is not late.");
                                 });
                               }};

// The worker knows the time when a task starts a timer, also after a sleep: the deadline is rounded by what is left of it.
const model::program own_timer{"worker: one, sleeps until a timer of its own", patient, [](model::run& r) {
                                 static constexpr auto soon = microseconds(100);
                                 struct all : shop<1> {
                                   all() : shop<1>(1u) { ring.s = this; }
                                   chime ring;
                                   time_point deadline;
                                 };
                                 auto& s = r.make<all>();
                                 s.left.store(2, relaxed);
                                 s.set_job(0, [&s] {
                                   s.deadline = now() + soon;
                                   s.me().timers().start(s.deadline, s.ring);
                                 });
                                 r.thread("worker", s.worker(0));
                                 r.thread("outside", [&s] {
                                   while (!s.pool.workers[0]->parker().sleeping()) yield_thread();
                                   model::advance(milliseconds(10));
                                   s.pool.put_outside(s[0]);
                                 });
                                 r.finally([&s] {
                                   s.check_jobs();
                                   model::check(s.ring.fired_at >= s.deadline, "It is not early.");
                                   model::check(s.ring.fired_at <= s.deadline + microseconds(17), "It is not late.");
                                 });
                               }};

const model::program first_timer{"worker: one, sleeps until a timer of its first task", patient, [](model::run& r) {
                                   static constexpr auto soon = microseconds(100);
                                   struct all : shop<1> {
                                     all() : shop<1>(1u) { ring.s = this; }
                                     chime ring;
                                   };
                                   auto& s = r.make<all>();
                                   s.left.store(2, relaxed);
                                   s.set_job(0, [&s] { s.me().timers().start(s.start + soon, s.ring); });
                                   s.pool.workers[0]->submit(s[0]);
                                   r.thread("worker", s.worker(0));
                                   r.finally([&s] {
                                     s.check_jobs();
                                     model::check(s.ring.fired_at >= s.start + soon, "It is not early.");
                                     model::check(s.ring.fired_at <= s.start + soon + microseconds(17),
                                                  "It is not late.");
                                   });
                                 }};

// Worker 0 is a thread that fills its LIFO slot while another one watches, and computes on. What comes from outside goes on until
// the slot has been emptied, so if the one that watched gets it, the other one must watch.
const model::program watch_handed_on{"worker: three, the one that watches gets long work",
                                     {.bound = 1, .staleness = 0, .timeouts = 0},
                                     [](model::run& r) {
                                       struct all : shop<2> {
                                         all() : shop<2>(3u) {
                                           set_job(0, [this] { slice.wait(); });
                                           set_job(1, [this] { slice.done(); });
                                         }
                                         long_slice slice;
                                       };
                                       auto& s = r.make<all>();
                                       r.thread("busy", [&s] {
                                         while (s.pool.idle.sleeping() < 2 || !s.pool.watch.taken()) yield_thread();
                                         s.me().wake(s[1]);
                                         s.pool.put_outside(s[0]);
                                       });
                                       r.thread("worker", s.worker(1));
                                       r.thread("worker", s.worker(2));
                                       r.finally([&s] { s.check_jobs(); });
                                     }};

// Three sleep and nobody watches. The first that is woken fills its LIFO slot and computes on; what comes from outside then is
// long, too, and is found by the second, which was woken for the slot: the third must be.
const model::program slot_forgotten{"worker: three, who is woken for a LIFO slot finds long work",
                                    {.bound = 0, .staleness = 0, .timeouts = 0},
                                    [](model::run& r) {
                                      struct all : shop<3> {
                                        all() : shop<3>(3u) {
                                          set_job(0, [this] {
                                            me().wake(jobs[1].renew());
                                            filled.done();
                                            slice.wait();
                                          });
                                          set_job(1, [this] { slice.done(); });
                                          set_job(2, [this] { slice.wait(); });
                                        }
                                        long_slice filled;
                                        long_slice slice;
                                      };
                                      auto& s = r.make<all>();
                                      for (std::size_t i = 0; i < 3; ++i) r.thread("worker", s.worker(i));
                                      r.thread("outside", [&s] {
                                        while (s.pool.idle.sleeping() < 3 || s.pool.watch.taken()) yield_thread();
                                        s.pool.put_outside(s[0]);
                                        s.filled.wait();
                                        s.pool.put_outside(s[2]);
                                      });
                                      r.finally([&s] { s.check_jobs(); });
                                    }};

// All sleep, so nobody watches. Who is woken fills its LIFO slot and computes on: it asks the other one to watch.
const model::program unwatched{"worker: two, a LIFO slot is filled while nobody watches",
                               {.bound = 1, .staleness = 0, .timeouts = 0},
                               [](model::run& r) {
                                 struct all : shop<2> {
                                   all() : shop<2>(2u) {
                                     set_job(0, [this] {
                                       me().wake(jobs[1].renew());
                                       slice.wait();
                                     });
                                     set_job(1, [this] { slice.done(); });
                                   }
                                   long_slice slice;
                                 };
                                 auto& s = r.make<all>();
                                 r.thread("worker", s.worker(0));
                                 r.thread("worker", s.worker(1));
                                 r.thread("outside", [&s] {
                                   while (s.pool.idle.sleeping() < 2 || s.pool.watch.taken()) yield_thread();
                                   s.pool.put_outside(s[0]);
                                 });
                                 r.finally([&s] { s.check_jobs(); });
                               }};

// ---- One worker that is never idle ------------------------------------------------------------------------------------------

// A job of each source from outside, and a timer, while a task yields: each has its turn, within 64 steps each. `looks`: so many
// looks outside come before.
template <class Drive>
auto never_idle(int looks, Drive drive) {
  return [looks, drive](model::run& r) {
    struct all : shop<4> {
      explicit all(int turns) : shop<4>(1u), before(turns), yielding([this] { return turn(); }) { ring.s = this; }
      bool turn() {
        if (before-- == 0) {
          runnable* const overflown = &(*this)[2];
          pool.inbox.put((*this)[0]);
          pool.submit_outside((*this)[1]);
          (void)pool.overflow.put(0, &overflown, 1);
          pool.workers[0]->pinned().wake((*this)[3]);
          me().timers().start(now(), ring);
        }
        return left.load(relaxed) == 0;
      }
      int before;
      chime ring;
      restless yielding;
    };
    auto& s = r.make<all>(looks * 64 + 5);
    s.left.store(5, relaxed);
    r.thread("worker", [&s, drive] {
      worker& w = s.me();
      w.timers().poll(s.start);
      w.submit(s.yielding.ready());
      drive(w);
      running_task::set(nullptr);
    });
    r.finally([&s, looks] {
      s.check_jobs();
      model::check(s.yielding.turns_taken() <= (looks + 5) * 64, "None waits for more than 64 steps for each of them.");
    });
  };
}
const model::options many_steps{.max_steps = 20'000};
const model::program busy_work{"worker: one, a task that yields keeps nothing waiting", many_steps,
                               never_idle(0, [](worker& w) { w.work(); })};
const model::program busy_steps{"worker: one, a task that yields keeps nothing waiting, step by step", many_steps,
                                never_idle(3, [](worker& w) {
                                  while (w.step()) {
                                  }
                                })};

// Two virtual workers on one thread, as a simulation has them: what the one has is found by the other.
const model::program stolen_steps{"worker: two on one thread, step by step", patient, [](model::run& r) {
                                    auto& s = r.make<shop<3>>(2u);
                                    r.thread("steps", [&s] {
                                      worker& other = *s.pool.workers[1];
                                      s.me().submit(s[0]);
                                      s.me().fork(s[1]);
                                      s.me().wake(s[2]);
                                      while (other.step()) {  // demands, then takes the ring's
                                      }
                                      while (s.me().step()) {
                                      }
                                      worker::set_current(nullptr);
                                      running_task::set(nullptr);
                                    });
                                    r.finally([&s] { s.check_end(); });
                                  }};

const model::program dumped{"worker: one, described while it works", patient_bounded, [](model::run& r) {
                              auto& s = r.make<shop<2>>(1u);
                              r.thread("worker", s.worker(0));
                              r.thread("outside", [&s] {
                                s.pool.submit_outside(s[0]);
                                s.pool.put_outside(s[1]);
                              });
                              r.thread("dump", [&s] {
                                std::string text;
                                s.pool.workers[0]->describe(text);
                                model::check(text.find("worker 0") != std::string::npos, "It is described.");
                              });
                              r.finally([&s] { s.check_end(); });
                            }};

}  // namespace
