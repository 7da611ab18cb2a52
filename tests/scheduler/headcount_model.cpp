// The shipped worker loop while the number of workers that may run changes: nothing is left with a worker that stands by, and one that may
// run again does. (The stand-in for the injection queue is that of worker_model.cpp.)
// models: scheduler/headcount.hpp scheduler/worker.cpp scheduler/worker.hpp

#include "shop.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::impl;

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
