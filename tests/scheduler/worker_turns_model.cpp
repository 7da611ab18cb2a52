// The shipped worker, most of it step by step: whose turn is next, and what it says that it is while it runs something. (The stand-in
// for the injection queue is that of worker_model.cpp.)
// models: scheduler/worker.cpp scheduler/worker.hpp scheduler/slice.hpp scheduler/lanes.cpp

#include "restless.hpp"
#include "shop.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::impl;

void run_all(worker& w) {
  while (w.step()) {
  }
}

// What is displaced from the slot of a worker that is alone goes to the ring.
const model::program slot_alone{"worker: one, its LIFO slot", patient, [](model::run& r) {
                                  auto& s = r.make<shop<2>>(1u);
                                  r.thread("worker", [&s] {
                                    worker& w = s.me();
                                    w.wake(s[0]);
                                    w.wake(s[1]);
                                    runnable* const next = w.next();
                                    model::check(next == &s[1], "What was woken last runs first.");
                                    w.run(*next);
                                    run_all(w);
                                  });
                                  r.finally([&s] { s.check_end(); });
                                }};

// A task runs as itself, on its scheduler, with a slice of its own.
const model::program runs_as_itself{"worker: one, what a task is while it runs", patient, [](model::run& r) {
                                      auto& s = r.make<shop<2>>(1u);
                                      for (std::size_t i = 0; i < 2; ++i) {
                                        s.set_job(i, [&s, i] {
                                          model::check(running_task::get() == &s[i], "The task is the one that runs.");
                                          model::check(running_scheduler::get() == &s.pool.owner, "It runs here.");
                                          model::check(slice_left::get() == s.pool.ready_budget, "Its slice is whole.");
                                          slice_left::set(s.pool.ready_budget + 7);
                                        });
                                      }
                                      s.pool.workers[0]->submit(s[0]);
                                      s.pool.workers[0]->submit(s[1]);
                                      r.thread("worker", [&s] {
                                        s.pool.workers[0]->work();
                                        model::check(running_task::get() == nullptr, "None runs any more.");
                                        model::check(running_scheduler::get() == nullptr, "It is no worker any more.");
                                      });
                                      r.finally([&s] { s.check_end(); });
                                    }};

const model::program slice{"worker: a slice is used up wait by wait", {}, [](model::run& r) {
                             r.thread("worker", [] {
                               slice_left::set(3);
                               model::check(!spend_slice() && !spend_slice(), "Some are left.");
                               model::check(spend_slice(), "None is left.");
                               stretch_slice();
                               model::check(spend_slice(), "It is asked again at once.");
                             });
                           }};

// Where children are taken back one after another, or waits are over at once, others have their turn if there are any.
const model::program goes_on{"worker: one, goes on unless others wait", patient, [](model::run& r) {
                               auto& s = r.make<shop<3>>(1u);
                               r.thread("worker", [&s] {
                                 worker& w = s.me();
                                 w.fork(s[0]);
                                 model::check(w.take_back(s[0]), "Nobody waits for a turn.");
                                 slice_left::set(7);
                                 model::check(!w.others_wait(), "Nobody waits for a turn.");
                                 model::check(slice_left::get() == s.pool.ready_budget, "A new slice has begun.");
                                 w.fork(s[0]);
                                 model::check(w.others_wait(), "A child waits.");
                                 model::check(w.take_back(s[0]), "It is there.");
                                 w.wake(s[1]);
                                 model::check(w.others_wait(), "One that was woken waits.");
                                 w.run(*w.next());
                                 w.submit(s[0]);
                                 model::check(w.others_wait(), "One that is ready waits.");
                                 w.run(*w.next());
                                 worker::set_current(nullptr);
                                 s.pool.put_outside(s[2]);
                                 model::check(s.me().others_wait(), "One waits outside.");
                                 run_all(w);
                               });
                               r.finally([&s] { s.check_end(); });
                             }};

// Each step takes so long that the next one begins with a look outside. What would not be found there has its turn,
// and so has what would be found there only now and then.
const model::program long_steps{
    "worker: one, long steps keep nothing waiting", {.max_steps = 20'000}, [](model::run& r) {
      static constexpr int before = 150;  // that many turns
      struct all : shop<4> {
        all() : shop<4>(1u), yielding([this] { return turn(); }) {
          for (std::size_t i = 0; i < 4; ++i) {
            set_job(i, [] { model::advance(microseconds(150)); });
          }
        }
        bool turn() {
          model::advance(microseconds(150));
          if (yielding.turns_taken() == before) {
            me().fork((*this)[0]);
            me().wake((*this)[1]);
            pool.lanes.get(lane_set::critical).wake((*this)[2]);
            pool.lanes.get(lane_set::background).wake((*this)[3]);
          }
          return left.load(relaxed) == 0;
        }
        restless yielding;
      };
      auto& s = r.make<all>();
      r.thread("worker", [&s] {
        worker& w = s.me();
        w.submit(s.yielding.ready());
        run_all(w);
      });
      r.finally([&s] {
        s.check_jobs();
        model::check(s.yielding.turns_taken() <= before + 40, "None waits for long.");
      });
    }};

// All sleep, so nobody watches. The one that wakes has a task that stepped back while it was alone, and then a long one that only this worker
// can run: so another one is woken for the first.
const model::program stepped_back_alone{"worker: two, one steps back alone and then runs what is pinned",
                                        {.bound = 2, .staleness = 0, .timeouts = 0},
                                        [](model::run& r) {
                                          struct all : shop<2> {
                                            all() : shop<2>(2u) {
                                              set_job(0, [this] { slice.done(); });
                                              set_job(1, [this] { slice.wait(); });
                                            }
                                            long_slice slice;
                                          };
                                          auto& s = r.make<all>();
                                          s.pool.idle.announce_sleep(0, false);
                                          r.thread("owner", [&s] {
                                            while (!s.pool.workers[1]->parker().sleeping()) yield_thread();
                                            (void)s.pool.idle.leave_sleep(0);
                                            worker& me = s.me();
                                            me.yield(s.jobs[0].renew());
                                            me.pinned().wake(s.jobs[1].renew());
                                            me.look_soon();
                                            runnable* const next = me.next();
                                            model::check(next == &s[1], "What is pinned comes first.");
                                            me.run(*next);
                                          });
                                          r.thread("worker", s.worker(1));
                                          r.finally([&s] { s.check_prompt(); });
                                        }};

const model::program lanes_described{
    "worker: one, its lanes are described while they are made", patient, [](model::run& r) {
      auto& s = r.make<shop<1>>(1u);
      r.thread("worker", s.worker(0));
      r.thread("outside", [&s] {
        worker::set_current(nullptr);
        s.pool.lanes.get(lane_set::critical).wake(s[0]);
      });
      r.thread("dump", [&s] { model::check(s.pool.lanes.size(lane_set::critical) <= 1, "One at most."); });
      r.finally([&s] { s.check_end(); });
    }};

}  // namespace
