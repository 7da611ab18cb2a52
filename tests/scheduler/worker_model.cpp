// The shipped worker loop against each source of work: nothing is left while everybody sleeps. A lost wakeup is a deadlock, or,
// where a time-out would heal it, a clock that has moved.
// models: scheduler/worker.cpp scheduler/worker.hpp scheduler/inbox.hpp scheduler/parker.hpp scheduler/napper.hpp

#include "crew.hpp"
#include "forgetful_queue.hpp"

#include <array>

namespace {

bool injection_has_memory = true;  // says each program at its start

}  // namespace

namespace sluice::impl {

// What worker.cpp gets in place of moodycamel's queue.
struct injection_queue::state {
  test::forgetful_queue<runnable, 5, 3> items;  // a producer for each model thread
};
injection_queue::injection_queue(std::size_t) : state_(new state) {}
injection_queue::~injection_queue() = default;
bool injection_queue::enqueue(std::size_t, runnable* const* items, std::size_t n) noexcept {
  return injection_has_memory && state_->items.enqueue(static_cast<std::size_t>(model::thread_index()), items, n);
}
std::size_t injection_queue::dequeue(runnable** out, std::size_t n) noexcept { return state_->items.dequeue(out, n); }

}  // namespace sluice::impl

namespace {

using namespace sluice::test;
using namespace sluice::impl;
using std::chrono::milliseconds;

template <std::size_t Jobs>
struct shop : crew {
  explicit shop(std::size_t workers) : crew(workers, static_cast<int>(Jobs)), start(now()) {
    injection_has_memory = true;
    for (std::size_t i = 0; i < Jobs; ++i) set_job(i, [] {});
  }
  void set_job(std::size_t i, std::function<void()> body) {
    bodies[i] = std::move(body);
    if (ready[i] != nullptr) return;
    ready[i] = &jobs[i].prepare([this, i] {
      bodies[i]();
      finished_one();
    });
  }
  runnable& operator[](std::size_t i) { return *ready[i]; }
  void check_jobs() {
    for (job& j : jobs) model::check(j.runs() == 1, "No job is lost.");
    model::check(pool.idle.sleeping() == 0, "The counts come back to nothing.");
  }
  void check_end() {
    check_jobs();
    model::check(now() == start, "Nobody had to wait for a time-out.");
  }

  time_point start;
  std::array<job, Jobs> jobs;
  std::array<std::function<void()>, Jobs> bodies;
  std::array<runnable*, Jobs> ready{};
};

// A wait that times out although somebody can still go proves nothing here.
const model::options patient{.timeouts = 0};

// ---- One worker, and work from outside ----------------------------------------------------------------------------------

template <class Put>
auto from_outside(Put put, int threads) {
  return [put, threads](model::run& r) {
    auto& s = r.make<shop<2>>(1u);
    r.thread("worker", s.worker(0));
    if (threads == 1) {
      r.thread("outside", [&s, put] {
        put(s.pool, s[0]);
        put(s.pool, s[1]);
      });
    } else {
      r.thread("outside", [&s, put] { put(s.pool, s[0]); });
      r.thread("outside", [&s, put] { put(s.pool, s[1]); });
    }
    r.finally([&s] { s.check_end(); });
  };
}

void woken(worker_pool& pool, runnable& r) { pool.put_outside(r); }
void submitted(worker_pool& pool, runnable& r) { pool.submit_outside(r); }

const model::program inbox_one{"worker: one, two wakes from one thread outside", patient, from_outside(woken, 1)};
const model::program inbox_two{"worker: one, wakes from two threads outside", patient, from_outside(woken, 2)};
const model::program injection_one{
    "worker: one, two submissions from one thread outside", {.spurious = 1, .timeouts = 0}, from_outside(submitted, 1)};
const model::program injection_two{"worker: one, submissions from two threads outside", patient,
                                   from_outside(submitted, 2)};

const model::program no_memory{"worker: one, a submission that the injection queue has no memory for", patient,
                               [](model::run& r) {
                                 auto& s = r.make<shop<1>>(1u);
                                 injection_has_memory = false;
                                 r.thread("worker", s.worker(0));
                                 r.thread("outside", [&s] { s.pool.submit_outside(s[0]); });
                                 r.finally([&s] { s.check_end(); });
                               }};

const model::program both_sources{"worker: one, a wake and a submission from outside", patient, [](model::run& r) {
                                    auto& s = r.make<shop<2>>(1u);
                                    r.thread("worker", s.worker(0));
                                    r.thread("outside", [&s] { s.pool.submit_outside(s[0]); });
                                    r.thread("outside", [&s] { s.pool.put_outside(s[1]); });
                                    r.finally([&s] { s.check_end(); });
                                  }};

// As scheduler::start_timer does.
struct bell final : timer_target {
  void fired() noexcept override { s->finished_one(); }
  crew* s = nullptr;
};
const model::program timer_outside{"worker: one, timers from outside", patient, [](model::run& r) {
                                     struct all : crew {
                                       all() : crew(1, 2) { early.s = late.s = this; }
                                       bell early;
                                       bell late;
                                     };
                                     auto& s = r.make<all>();
                                     const time_point start = now();
                                     r.thread("worker", s.worker(0));
                                     r.thread("outside", [&s, start] {
                                       auto& w = *s.pool.workers[0];
                                       for (int i = 2; i > 0; --i) {
                                         const time_point deadline = start + milliseconds(i);
                                         w.timers().start_outside(deadline, i == 1 ? s.early : s.late);
                                         if (w.timers().must_wake_for(deadline)) w.parker().unpark();
                                       }
                                     });
                                     r.finally([&s] { model::check(s.left.load(relaxed) == 0, "Both have fired."); });
                                   }};

const model::program stopped{"worker: two, stopped from outside", patient, [](model::run& r) {
                               auto& s = r.make<crew>(2u, 0);
                               r.thread("worker", s.worker(0));
                               r.thread("worker", s.worker(1));
                               r.thread("outside", [&s] { s.stop(); });
                             }};

const model::program unannounced{
    "worker: one, a wake from outside that tells nobody (canary)", {.must_fail = "lost wakeup"}, [](model::run& r) {
      auto& s = r.make<shop<1>>(1u);
      r.thread("worker", s.worker(0));
      r.thread("outside", [&s] { s.pool.inbox.put(s[0]); });
    }};

// ---- A busy worker, and another that helps it ------------------------------------------------------------------------------

// Model thread 1 is worker 0, taking its steps by hand. Its last step is a long one: it ends when worker 1, which goes round
// the shipped loop, has done everything else. Worker 1 may nap or watch meanwhile, so time-outs are in order (I3 of worker.hpp).
template <std::size_t Jobs>
struct helped : shop<Jobs> {
  helped() : shop<Jobs>(2u), others(static_cast<int>(Jobs) - 1) {
    this->set_job(0, [this] {
      if (model::thread_index() == 1) slice.wait();
    });
    for (std::size_t i = 1; i < Jobs; ++i) {
      this->set_job(i, [this] {
        if (others.fetch_sub(1, acq_rel) == 1) slice.done();
      });
    }
  }
  void take_a_step() {
    worker& me = this->me();
    if (runnable* const r = me.next()) {
      this->me();
      me.run(*r);
    }
  }
  atomic<int> others;
  long_slice slice;
};

template <std::size_t Jobs, class Make>
auto helps(Make make) {
  return [make](model::run& r) {
    auto& s = r.make<helped<Jobs>>();
    r.thread("owner", [&s, make] {
      make(s);
      s.take_a_step();
    });
    r.thread("worker", s.worker(1));
    r.finally([&s] { s.check_jobs(); });
  };
}

const model::program from_ring{"worker: two, the ready ring of a busy one", patient, helps<2>([](helped<2>& s) {
                                 s.me().submit(s[0]);
                                 s.me().submit(s[1]);
                               })};

const model::program from_overflow{"worker: two, what does not fit into the ring of a busy one",
                                   {.timeouts = 0, .max = 200'000},
                                   helps<5>([](helped<5>& s) {
                                     for (std::size_t i = 0; i < 5; ++i) s.me().submit(s[i]);
                                   })};

const model::program from_inbox{"worker: two, an inbox that a busy one unpacks", patient, helps<2>([](helped<2>& s) {
                                  s.pool.inbox.put(s[0]);
                                  s.pool.inbox.put(s[1]);
                                })};

const model::program from_slot{"worker: two, the LIFO slot of a busy one", patient, [](model::run& r) {
                                 auto& s = r.make<helped<2>>();
                                 r.thread("owner", [&s] {
                                   s.me().wake(s[1]);
                                   s.me().run(s[0]);
                                 });
                                 r.thread("worker", s.worker(1));
                                 r.finally([&s] { s.check_jobs(); });
                               }};

const model::program displaced{"worker: two, what was displaced from the LIFO slot of a busy one", patient,
                               [](model::run& r) {
                                 auto& s = r.make<helped<3>>();
                                 r.thread("owner", [&s] {
                                   s.me().wake(s[1]);
                                   s.me().wake(s[2]);
                                   s.me().run(s[0]);
                                 });
                                 r.thread("worker", s.worker(1));
                                 r.finally([&s] { s.check_jobs(); });
                               }};

const model::program forked{"worker: two, one forks and the other steals", patient, [](model::run& r) {
                              auto& s = r.make<shop<3>>(2u);
                              r.thread("owner", [&s] {
                                for (std::size_t i = 0; i < 3; ++i) s.me().fork(s[i]);
                                while (runnable* const next = s.me().next()) s.me().run(*next);
                              });
                              r.thread("worker", s.worker(1));
                              r.finally([&s] { s.check_jobs(); });
                            }};

}  // namespace
