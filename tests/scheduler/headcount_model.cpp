// The shipped worker loop while the number of workers that may run changes: nothing is left with a worker that stands by, and one that may
// run again does. (The stand-in for the injection queue is that of worker_model.cpp.)
// models: scheduler/headcount.hpp scheduler/worker.cpp scheduler/worker.hpp

#include "restless.hpp"
#include "shop.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::impl;

// ---- The number itself ------------------------------------------------------------------------------------------------------

struct number {
  explicit number(bool opened) : h(1, true) {
    h.set_interval(std::chrono::nanoseconds(0));
    if (opened) h.open();
  }
  void look() {
    if (!h.due(now())) return;
    looks.set(looks.get() + 1);
    h.looked_up(now());
  }
  headcount h;
  plain<int> looks{0};  // what the last one to look has left
};

const model::program one_at_a_time{"headcount: two look it up, one after the other", {}, [](model::run& r) {
                                     auto& s = r.make<number>(false);
                                     r.thread("opens", [&s] {
                                       s.looks.set(1);
                                       s.h.open();
                                     });
                                     for (int i = 0; i < 2; ++i) r.thread("looks", [&s] { s.look(); });
                                   }};

const model::program held{"headcount: it holds for as long as it is to", {}, [](model::run& r) {
                            r.thread("looks", [] {
                              headcount h(1, true);
                              const time_point t = now();
                              model::check(!h.due(t), "Not before the first workers have their threads.");
                              h.set_interval(milliseconds(2));
                              h.open();
                              model::check(h.due(t), "It is looked up at first.");
                              model::check(!h.due(t + milliseconds(9)), "That is being done.");
                              h.looked_up(t);
                              model::check(!h.due(t + milliseconds(1)), "It holds.");
                              model::check(h.due(t + milliseconds(2)), "It is looked up again.");
                              h.looked_up(t);
                              h.fix();
                              h.fix();
                              model::check(!h.due(t + milliseconds(9)), "And never again.");
                            });
                          }};

const model::program ended{"headcount: who ends it waits for the one that looks it up", {}, [](model::run& r) {
                             auto& s = r.make<number>(true);
                             r.thread("looks", [&s] { s.look(); });
                             r.thread("ends", [&s] {
                               s.h.fix();
                               model::check(s.looks.get() <= 1, "It is over.");
                               model::check(!s.h.due(now()), "Nobody looks it up any more.");
                             });
                           }};

// ---- Workers ----------------------------------------------------------------------------------------------------------------

// The thread of the next worker runs from the start, and stands by until it is counted.
struct always_started final : worker_starter {
  bool start_another() noexcept override { return true; }
};
always_started starter;

template <std::size_t Jobs>
struct changing : shop<Jobs> {
  changing(std::size_t workers, std::size_t allowed, std::size_t then) : shop<Jobs>(workers, allowed) {
    this->pool.starter = &starter;
    this->pool.budget = [then] { return then; };
    this->pool.headcount.set_interval(std::chrono::hours(1));
    this->pool.headcount.open();
  }
  long_slice slice;
};

const model::options searched{.bound = 1, .timeouts = 0, .max = 150'000};

const model::program lowered{"headcount: two, one of them may not run any more", searched, [](model::run& r) {
                               auto& s = r.make<changing<2>>(2u, 2u, 1u);
                               s.set_job(0, [&s] {
                                 worker& me = s.me();
                                 s.pool.recount(now());
                                 me.submit(s[1]);
                               });
                               r.thread("worker", s.worker(0));
                               r.thread("worker", s.worker(1));
                               r.thread("outside", [&s] { s.pool.put_outside(s[0]); });
                               r.finally([&s] {
                                 s.check_jobs();
                                 model::check(s.pool.headcount.allowed() == 1, "One may run.");
                               });
                             }};

const model::program raised{"headcount: two, one of them may run again", searched, [](model::run& r) {
                              auto& s = r.make<changing<2>>(2u, 1u, 2u);
                              s.set_job(1, [&s] { s.slice.done(); });
                              s.set_job(0, [&s] {
                                worker& me = s.me();
                                s.pool.recount(now());
                                me.submit(s[1]);
                                s.slice.wait();  // ends only if the other worker takes part
                              });
                              r.thread("worker", s.worker(0));
                              r.thread("worker", s.worker(1));
                              r.thread("outside", [&s] { s.pool.put_outside(s[0]); });
                              r.finally([&s] { s.check_jobs(); });
                            }};

// The only worker that may run looks for work that the other has left when it began to stand by.
const model::program given_away{"headcount: two, what is left with one that stands by is given away", searched,
                                [](model::run& r) {
                                  auto& s = r.make<changing<3>>(2u, 2u, 1u);
                                  s.set_job(0, [&s] {
                                    worker& me = s.me();
                                    me.fork(s[1]);
                                    me.wake(s[2]);
                                    s.pool.recount(now());
                                  });
                                  r.thread("worker", s.worker(0));
                                  r.thread("worker", s.worker(1));
                                  r.thread("outside", [&s] { s.pool.put_outside(s[0]); });
                                  r.finally([&s] { s.check_jobs(); });
                                }};

const model::program pinned{
    "headcount: two, a pinned task of one that stands by", {.bound = 2, .timeouts = 0}, [](model::run& r) {
      auto& s = r.make<changing<1>>(2u, 1u, 1u);
      s.set_job(0, [] { model::check(model::thread_index() == 2, "On its own worker."); });
      r.thread("worker", s.worker(0));
      r.thread("worker", s.worker(1));
      r.thread("outside", [&s] {
        worker::set_current(nullptr);
        s.pool.workers[1]->pinned().wake(s[0]);
      });
      r.finally([&s] { s.check_jobs(); });
    }};

const model::program looked_up_again{"headcount: a worker looks it up again after a while", patient, [](model::run& r) {
                                       auto& s = r.make<changing<0>>(2u, 1u, 1u);
                                       static int asked;
                                       asked = 0;
                                       s.pool.budget = [] { return static_cast<std::size_t>(++asked); };
                                       s.pool.headcount.set_interval(milliseconds(1));
                                       r.thread("worker", [&s] {
                                         s.pool.recount(now());
                                         s.pool.recount(now());
                                         model::check(asked == 1, "It holds for a while.");
                                         model::advance(milliseconds(1));
                                         s.pool.recount(now());
                                         model::check(asked == 2 && s.pool.headcount.allowed() == 2, "Not for ever.");
                                       });
                                     }};

const model::program busy{
    "headcount: a worker that is never idle looks it up", {.max_steps = 20'000}, [](model::run& r) {
      struct all : changing<0> {
        all() : changing<0>(2u, 1u, 2u), yielding([this] { return over(); }) {}
        bool over() { return pool.headcount.allowed() == 2; }
        restless yielding;
      };
      auto& s = r.make<all>();
      r.thread("worker", [&s] {
        worker& w = s.me();
        w.submit(s.yielding.ready());
        while (w.step()) {
        }
      });
      r.finally([&s] {
        model::check(s.yielding.turns_taken() <= 64, "Within as many steps as there are between two looks.");
      });
    }};

// What worker 1 has when it finds that it may not run any more, of each kind. `memory`: the overflow queue has some.
template <std::size_t Forked>
auto gives_all_away(bool memory) {
  return [memory](model::run& r) {
    auto& s = r.make<shop<Forked + 3>>(2u, 1u);
    injection_has_memory = memory;
    r.thread("both", [&s] {
      worker& beyond = *s.pool.workers[1];
      s.me();  // for the task that it runs
      worker::set_current(&beyond);
      beyond.wake(s[0]);
      beyond.submit(s[1]);
      beyond.pinned().wake(s[2]);
      for (std::size_t i = 0; i < Forked; ++i) beyond.fork(s[i + 3]);
      beyond.look_soon();
      runnable* const mine = beyond.next();
      model::check(mine == &s[2], "It keeps what is pinned to it.");
      beyond.run(*mine);
      model::check(beyond.next() == nullptr, "It has nothing else.");
      worker& other = s.me();
      while (other.step()) {
      }
    });
    r.finally([&s] { s.check_end(); });
  };
}
const model::program all_given_away{"headcount: what one that stands by has is given away", patient,
                                    gives_all_away<1>(true)};
const model::program many_given_away{"headcount: what one that stands by has is given away, a lot of it",
                                     {.max_steps = 100'000},
                                     gives_all_away<70>(false)};

// Worker 1 takes what worker 0 has, and naps: it searches until it stands by. Nobody may rely on that any more.
const model::program searcher_stands_by{"headcount: two, one of them naps when it must stand by",
                                        {.bound = 2, .staleness = 0, .timeouts = 0},
                                        [](model::run& r) {
                                          auto& s = r.make<changing<1>>(2u, 2u, 1u);
                                          s.pool.workers[0]->submit(s[0]);
                                          s.left.store(2, relaxed);
                                          r.thread("owner", [&s] {
                                            while (!s.pool.workers[1]->parker().sleeping()) yield_thread();
                                            s.pool.recount(now());
                                            while (s.pool.headcount.standing_by() == 0) yield_thread();
                                            model::check(s.pool.idle.searching() == 0, "Nobody searches.");
                                            s.finished_one();
                                          });
                                          r.thread("worker", s.worker(1));
                                          r.finally([&s] { s.check_jobs(); });
                                        }};

// Worker 1 stood by, so worker 0 sleeps and does not watch. Now worker 1 searches, and who submits relies on that; it sees the work as
// it goes to sleep, but must stand by again.
struct hurried : changing<1> {
  hurried() : changing(2, 1, 1) {
    pool.budget = [this] { return std::size_t{may_run.load(relaxed)}; };
    pool.headcount.set_interval(std::chrono::nanoseconds(0));
    pool.hooks.on_park = [this](std::size_t index) {
      if (index == 1 && stage.load(relaxed) == 1) {
        stage.store(2, release);
        reach(3);
      }
    };
  }
  void reach(std::uint32_t wanted) {
    while (stage.load(acquire) != wanted) yield_thread();
  }
  atomic<std::uint32_t> stage{0};
  atomic<std::uint32_t> may_run{1};
};

const model::program seen_and_left{"headcount: two, one of them sees work and must stand by",
                                   {.bound = 1, .staleness = 0, .timeouts = 0},
                                   [](model::run& r) {
                                     auto& s = r.make<hurried>();
                                     r.thread("worker", s.worker(0));
                                     r.thread("worker", s.worker(1));
                                     r.thread("outside", [&s] {
                                       while (s.pool.idle.sleeping() + s.pool.headcount.standing_by() != 2)
                                         yield_thread();
                                       s.may_run.store(2, relaxed);
                                       s.stage.store(1, release);
                                       s.pool.recount(now());
                                       s.reach(2);
                                       s.pool.put_outside(s[0]);
                                       s.may_run.store(1, relaxed);
                                       s.pool.recount(now());
                                       s.stage.store(3, release);
                                     });
                                     r.finally([&s] { s.check_jobs(); });
                                   }};

// Worker 1 stands by, is woken for nothing, and stands by.
const model::program takes_nothing{
    "headcount: two, one that stands by takes nothing from the other", {.bound = 2, .timeouts = 0}, [](model::run& r) {
      auto& s = r.make<changing<2>>(2u, 1u, 1u);
      for (std::size_t i = 0; i < 2; ++i) {
        s.set_job(i, [] { model::check(model::thread_index() == 1, "It may not run."); });
        s.pool.workers[0]->submit(s[i]);
      }
      s.pool.workers[1]->parker().unpark();
      r.thread("worker", s.worker(0));
      r.thread("worker", s.worker(1));
      r.finally([&s] { s.check_jobs(); });
    }};

// Somebody has chosen its wheel when it was still allowed to run.
struct chime final : timer_target {
  void fired() noexcept override { s->finished_one(); }
  crew* s = nullptr;
};
const model::program timer_of_one{"headcount: two, a timer from outside for one that stands by", patient,
                                  [](model::run& r) {
                                    struct all : changing<0> {
                                      all() : changing<0>(2u, 1u, 1u) { ring.s = this; }
                                      chime ring;
                                    };
                                    auto& s = r.make<all>();
                                    s.left.store(1, relaxed);
                                    r.thread("outside", [&s] {
                                      worker& w = *s.pool.workers[1];
                                      const time_point deadline = s.start + microseconds(100);
                                      w.timers().start_outside(deadline, s.ring);
                                      if (w.timers().must_wake_for(deadline)) w.parker().unpark();
                                    });
                                    r.thread("worker", s.worker(1));
                                    r.finally([&s] { s.check_jobs(); });
                                  }};

// Each worker says what it is about to do, and is done with it before it says the next thing; the second one stands by.
const model::program hooks{
    "headcount: two, one stands by, and both call hooks", {.bound = 1, .timeouts = 0}, [](model::run& r) {
      struct all : changing<1> {
        all() : changing<1>(2u, 1u, 1u) {
          pool.hooks.on_start = [this](std::size_t i) { becomes(i, 0, 1); };
          pool.hooks.on_park = [this](std::size_t i) { becomes(i, 1, 2); };
          pool.hooks.on_unpark = [this](std::size_t i) { becomes(i, 2, 1); };
          pool.hooks.on_stop = [this](std::size_t i) { becomes(i, 1, 3); };
        }
        void becomes(std::size_t i, int from, int to) {
          model::check(std::exchange(state[i], to) == from, "One after the other.");
        }
        int state[2] = {0, 0};  // begins, awake, asleep, over
      };
      auto& s = r.make<all>();
      r.thread("worker", s.worker(0));
      r.thread("worker", s.worker(1));
      r.thread("outside", [&s] { s.pool.put_outside(s[0]); });
      r.finally([&s] {
        s.check_jobs();
        model::check(s.state[0] == 3 && s.state[1] == 3, "Both have said that it is over.");
      });
    }};

// Worker 1 stands by and has a long task of its own, which wakes another while worker 0 may be falling asleep: that one watches, or is
// woken to. (An old number of those that stand by would tell worker 0 that nobody is awake.)
const model::program pinned_and_long{
    "headcount: two, one that stands by has long work", {.bound = 1, .timeouts = 0}, [](model::run& r) {
      auto& s = r.make<changing<2>>(2u, 1u, 1u);
      s.pool.headcount.one_more_started();
      s.set_job(0, [&s] {
        s.me().wake(s.jobs[1].renew());
        s.slice.wait();
      });
      s.set_job(1, [&s] { s.slice.done(); });
      r.thread("worker", s.worker(0));
      r.thread("worker", s.worker(1));
      r.thread("outside", [&s] {
        worker::set_current(nullptr);
        s.pool.workers[1]->pinned().wake(s[0]);
      });
      r.finally([&s] { s.check_jobs(); });
    }};

// The same by hand: both stood by until now. The other one sleeps already (nobody watches then, and it is woken to), or is about to.
auto begins_again(bool asleep) {
  return [asleep](model::run& r) {
    auto& s = r.make<changing<1>>(2u, 2u, 2u);
    s.set_job(0, [&s] { s.slice.done(); });
    s.pool.headcount.stand_by();
    r.thread("again", [&s, asleep] {
      while (asleep && !s.pool.workers[1]->parker().sleeping()) yield_thread();
      s.pool.headcount.stand_up();
      s.me().wake(s.jobs[0].renew());
      s.slice.wait();
    });
    r.thread("worker", [&s] {
      s.pool.headcount.stand_by();
      s.pool.headcount.stand_up();
      s.pool.workers[1]->work();
    });
    r.finally([&s] { model::check(s.jobs[0].runs() == 1, "The job runs."); });
  };
}
const model::program while_asleep{"headcount: two, one runs again while the other sleeps", patient_bounded,
                                  begins_again(true)};
const model::program while_falling_asleep{
    "headcount: two, one runs again while the other falls asleep", {.bound = 2, .timeouts = 0}, begins_again(false)};

const model::program untold{"headcount: two, one may run again and is not told (canary)",
                            {.must_fail = "lost wakeup", .bound = 1, .timeouts = 0},
                            [](model::run& r) {
                              auto& s = r.make<changing<2>>(2u, 1u, 2u);
                              model::check(s.pool.headcount.due(now()), "Nobody looks it up meanwhile.");
                              s.set_job(1, [&s] { s.slice.done(); });
                              s.set_job(0, [&s] {
                                worker& me = s.me();
                                s.pool.headcount.one_more_started();
                                s.pool.headcount.allow(2);
                                me.submit(s[1]);
                                s.slice.wait();
                              });
                              r.thread("worker", s.worker(0));
                              r.thread("worker", s.worker(1));
                              r.thread("outside", [&s] { s.pool.put_outside(s[0]); });
                            }};

}  // namespace
