// The shipped worker loop with tasks that do not go on just anywhere: pinned ones and those in lanes. None is left while its workers
// sleep. (The stand-in for the injection queue is that of worker_model.cpp.)
// models: scheduler/worker.cpp scheduler/worker.hpp scheduler/lanes.cpp scheduler/lanes.hpp

#include "shop.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::impl;

// Any thread that is not a worker says so before it calls.
void outside() { worker::set_current(nullptr); }

// ---- Pinned tasks ---------------------------------------------------------------------------------------------------------

const model::program pinned_outside{"worker: one, a pinned task from outside", patient, [](model::run& r) {
                                      auto& s = r.make<shop<1>>(1u);
                                      r.thread("worker", s.worker(0));
                                      r.thread("outside", [&s] {
                                        outside();
                                        s.pool.workers[0]->pinned().wake(s[0]);
                                      });
                                      r.finally([&s] { s.check_end(); });
                                    }};

const model::program pinned_and_woken{"worker: one, a pinned task and a wake from two threads outside", patient_bounded,
                                      [](model::run& r) {
                                        auto& s = r.make<shop<2>>(1u);
                                        r.thread("worker", s.worker(0));
                                        r.thread("outside", [&s] {
                                          outside();
                                          s.pool.workers[0]->pinned().wake(s[0]);
                                        });
                                        r.thread("outside", [&s] { s.pool.put_outside(s[1]); });
                                        r.finally([&s] { s.check_end(); });
                                      }};

// A task on worker 0 makes one ready that belongs to worker 1, which may sleep, nap or search.
const model::program pinned_by_other{
    "worker: two, a task of one makes a pinned task of the other ready",
    {.bound = 1, .timeouts = 0},
    [](model::run& r) {
      auto& s = r.make<shop<2>>(2u);
      s.set_job(1, [] { model::check(model::thread_index() == 2, "It runs on its own worker."); });
      s.set_job(0, [&s] {
        s.me();
        s.pool.workers[1]->pinned().wake(s[1]);
      });
      r.thread("worker", s.worker(0));
      r.thread("worker", s.worker(1));
      r.thread("outside", [&s] {
        outside();
        s.pool.workers[0]->pinned().wake(s[0]);
      });
      r.finally([&s] { s.check_jobs(); });
    }};

// ---- Lanes ----------------------------------------------------------------------------------------------------------------

template <lane_set::which Lane>
auto lane_from_outside(bool memory) {
  return [memory](model::run& r) {
    auto& s = r.make<shop<1>>(1u);
    injection_has_memory = memory;
    r.thread("worker", s.worker(0));
    r.thread("outside", [&s] {
      outside();
      s.pool.lanes.get(Lane).wake(s[0]);  // it also makes the lanes
    });
    r.finally([&s] { s.check_end(); });
  };
}
const model::program critical{"worker: one, a critical task from outside, the first of all", patient,
                              lane_from_outside<lane_set::critical>(true)};
const model::program background{"worker: one, a background task from outside, the first of all", patient,
                                lane_from_outside<lane_set::background>(true)};
const model::program lane_without_memory{"worker: one, a critical task that its lane has no memory for", patient,
                                         lane_from_outside<lane_set::critical>(false)};

const model::program both_lanes{"worker: one, both lanes are made by two threads outside", patient_bounded,
                                [](model::run& r) {
                                  auto& s = r.make<shop<2>>(1u);
                                  r.thread("worker", s.worker(0));
                                  r.thread("outside", [&s] {
                                    outside();
                                    s.pool.lanes.get(lane_set::critical).wake(s[0]);
                                  });
                                  r.thread("outside", [&s] {
                                    outside();
                                    s.pool.lanes.get(lane_set::background).wake(s[1]);
                                  });
                                  r.finally([&s] { s.check_end(); });
                                }};

// Two workers: one is woken, the other may sleep meanwhile.
const model::program lane_two{
    "worker: two, a critical task and a background task from outside", {.bound = 1, .timeouts = 0}, [](model::run& r) {
      auto& s = r.make<shop<2>>(2u);
      r.thread("worker", s.worker(0));
      r.thread("worker", s.worker(1));
      r.thread("outside", [&s] {
        outside();
        s.pool.lanes.get(lane_set::background).wake(s[0]);
        s.pool.lanes.get(lane_set::critical).wake(s[1]);
      });
      r.finally([&s] { s.check_jobs(); });
    }};

// After as many critical tasks as may follow each other (one, in a model) another has its turn, and none is forgotten.
const model::program turns{"worker: one, critical tasks let another in between", patient, [](model::run& r) {
                             auto& s = r.make<shop<4>>(1u);
                             static int order[4];
                             static int place;
                             place = 0;
                             for (std::size_t i = 1; i < 4; ++i) {
                               s.set_job(i, [i] { order[place++] = static_cast<int>(i); });
                             }
                             s.set_job(0, [&s] {
                               worker& me = s.me();
                               s.pool.lanes.get(lane_set::critical).wake(s[1]);
                               s.pool.lanes.get(lane_set::critical).wake(s[2]);
                               me.submit(s[3]);
                             });
                             r.thread("worker", s.worker(0));
                             r.thread("outside", [&s] { s.pool.put_outside(s[0]); });
                             r.finally([&s] {
                               s.check_end();
                               model::check(order[0] == 1 && order[1] == 3 && order[2] == 2, "The other goes between.");
                             });
                           }};

}  // namespace
