// The notify left out, source by source, on the shipped worker loop: each is a lost wakeup, and beside it stands the same work
// with its notify, which is done. (tests/scheduler/worker_model.cpp has those of work from outside, and the canary of the inbox.)
// models: scheduler/worker.cpp scheduler/worker.hpp

#include "crew.hpp"

#include <array>

namespace {

using namespace sluice::test;
using namespace sluice::impl;
using std::chrono::milliseconds;

const model::options silent{.must_fail = "lost wakeup", .bound = 1, .timeouts = 0};

// ---- One worker, and work from outside that tells nobody ------------------------------------------------------------------

const model::program injected{"notify: a submission from outside that tells nobody (canary)", silent,
                              [](model::run& r) {
                                struct shop : crew {
                                  shop() : crew(1u, 1) {}
                                  job only;
                                };
                                auto& s = r.make<shop>();
                                runnable& task = s.only.prepare([&s] { s.finished_one(); });
                                r.thread("worker", s.worker(0));
                                r.thread("outside", [&s, &task] {
                                  runnable* const one = &task;
                                  if (!s.pool.injection.put(injection_queue::any_thread, &one, 1))
                                    s.pool.inbox.put(task);
                                });
                              }};

const model::program timed{"notify: a timer from outside that tells nobody (canary)", silent, [](model::run& r) {
                             struct shop final : crew, timer_target {
                               shop() : crew(1u, 1) {}
                               void fired() noexcept override { finished_one(); }
                             };
                             auto& s = r.make<shop>();
                             const time_point deadline = now() + milliseconds(1);
                             r.thread("worker", s.worker(0));
                             r.thread("outside",
                                      [&s, deadline] { s.pool.workers[0]->timers().start_outside(deadline, s); });
                           }};

// ---- A busy worker, and another that nothing wakes but a notify --------------------------------------------------------------

// Model thread 1 is worker 0, whose first task goes on until worker 1, in the shipped loop, has done all others. As the watch and
// the nap are in other hands, worker 1 sleeps without a deadline.
template <std::size_t Jobs>
struct busy : crew {
  busy() : crew(2u, Jobs), others(static_cast<int>(Jobs) - 1) {
    model::check(pool.watch.take(0) && pool.nap.lie_down(0), "Both are free.");
    for (std::size_t i = 0; i < Jobs; ++i) {
      ready[i] = &jobs[i].prepare([this] {
        if (model::thread_index() == 1) {
          slice.wait();
        } else if (others.fetch_sub(1, acq_rel) == 1) {
          slice.done();
        }
        finished_one();
      });
    }
  }
  void take_a_step() {
    runnable* const r = me().next();
    if (r != nullptr) me().run(*r);
  }
  void check_jobs() {
    for (job& j : jobs) model::check(j.runs() == 1, "No job is lost.");
  }

  atomic<int> others;
  long_slice slice;
  std::array<job, Jobs> jobs;
  std::array<runnable*, Jobs> ready{};
};

template <std::size_t Jobs, class Make>
auto beside(Make make) {
  return [make](model::run& r) {
    auto& s = r.make<busy<Jobs>>();
    r.thread("owner", [&s, make] { make(s); });
    r.thread("worker", s.worker(1));
    r.finally([&s] { s.check_jobs(); });
  };
}

const model::program ring{
    "notify: two tasks in the ring of a worker that runs one", {.bound = 2, .timeouts = 0}, beside<2>([](busy<2>& s) {
      s.me().submit(*s.ready[0]);
      s.me().submit(*s.ready[1]);
      s.take_a_step();  // the pop looks for sleepers
    })};
// The look after a push is a hint.
const model::program ring_silent{"notify: a task in the ring of a worker that pops nothing afterwards (canary)", silent,
                                 beside<2>([](busy<2>& s) {
                                   s.me().submit(*s.ready[1]);
                                   s.me().run(*s.ready[0]);
                                 })};

// As worker::give_away does.
template <bool Tells>
void into_overflow(busy<2>& s) {
  if (!s.pool.overflow.put(0, &s.ready[1], 1)) s.pool.inbox.put(*s.ready[1]);
  if (Tells && s.pool.idle.must_wake()) s.pool.wake_one();
  s.me().run(*s.ready[0]);
}
const model::program overflow{
    "notify: a task in the overflow of a busy worker", {.bound = 2, .timeouts = 0}, beside<2>(into_overflow<true>)};
const model::program overflow_silent{"notify: into the overflow, and nobody is told (canary)", silent,
                                     beside<2>(into_overflow<false>)};

}  // namespace
