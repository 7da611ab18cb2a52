// The shipped worker loop against each source of work: nothing is left while everybody sleeps. A lost wakeup is a deadlock, or,
// where a time-out would heal it, a clock that has moved.
// models: scheduler/worker.cpp scheduler/worker.hpp scheduler/inbox.hpp scheduler/parker.hpp

#include "forgetful_queue.hpp"
#include "shop.hpp"

namespace sluice::impl {

// What worker.cpp gets in place of moodycamel's queue.
struct injection_queue::state {
  test::forgetful_queue<runnable, 5, 3> items;  // a producer for each model thread
};
injection_queue::injection_queue(std::size_t) : state_(new state) {}
injection_queue::~injection_queue() = default;
bool injection_queue::enqueue(std::size_t, runnable* const* items, std::size_t n) noexcept {
  return test::injection_has_memory && state_->items.enqueue(static_cast<std::size_t>(model::thread_index()), items, n);
}
std::size_t injection_queue::dequeue(runnable** out, std::size_t n) noexcept { return state_->items.dequeue(out, n); }

}  // namespace sluice::impl

namespace {

using namespace sluice::test;
using namespace sluice::impl;
using std::chrono::microseconds;
using std::chrono::milliseconds;

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

const model::program inbox_one{"worker: one, two wakes from one thread outside", patient, from_outside(woken, 1)};
const model::program inbox_two{"worker: one, wakes from two threads outside", patient_bounded, from_outside(woken, 2)};
const model::program injection_one{
    "worker: one, two submissions from one thread outside", {.spurious = 1, .timeouts = 0}, from_outside(submitted, 1)};
const model::program injection_two{"worker: one, submissions from two threads outside", patient_bounded,
                                   from_outside(submitted, 2)};

const model::program no_memory{"worker: one, a submission that the injection queue has no memory for", patient,
                               [](model::run& r) {
                                 auto& s = r.make<shop<1>>(1u);
                                 injection_has_memory = false;
                                 r.thread("worker", s.worker(0));
                                 r.thread("outside", [&s] { s.pool.submit_outside(s[0]); });
                                 r.finally([&s] { s.check_end(); });
                               }};

const model::program both_sources{"worker: one, a wake and a submission from outside", patient_bounded,
                                  [](model::run& r) {
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

const model::program stopped{"worker: two, stopped from outside", patient_bounded, [](model::run& r) {
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

void two_of_its_own(helped<2>& s) {
  s.me().submit(s[0]);
  s.me().submit(s.jobs[1].renew());
}
const model::program from_ring{"worker: two, the ready ring of a busy one", patient_bounded, helps<2>(two_of_its_own)};

// Without stale reads: the look after the pop does not depend on the watch. (With them a waker may look for a sleeper's bit again
// and again until that one has gone by itself.)
const model::program from_ring_at_once{"worker: two, the ready ring of a busy one, at once",
                                       {.bound = 2, .staleness = 0, .timeouts = 0},
                                       [](model::run& r) {
                                         auto& s = r.make<helped<2>>();
                                         r.thread("owner", [&s] {
                                           two_of_its_own(s);
                                           s.take_a_step();
                                         });
                                         r.thread("worker", s.worker(1));
                                         r.finally([&s] { s.check_prompt(); });
                                       }};

// The ring is full from the start, unless it has been robbed. The owner does not come to another step.
auto overflows(bool has_memory) {
  return [has_memory](model::run& r) {
    auto& s = r.make<helped<6>>();
    injection_has_memory = has_memory;
    for (std::size_t i = 1; i < 5; ++i) s.pool.workers[0]->submit(s[i]);
    r.thread("owner", [&s] {
      s.me().submit(s.jobs[5].renew());
      s.me().run(s[0]);
    });
    r.thread("worker", s.worker(1));
    r.finally([&s] { s.check_prompt(); });
  };
}
const model::program from_overflow{
    "worker: two, what does not fit into the ring of a busy one", {.bound = 1, .timeouts = 0}, overflows(true)};
const model::program from_overflow_to_inbox{"worker: two, what fits neither into the ring of a busy one nor elsewhere",
                                            {.bound = 1, .timeouts = 0},
                                            overflows(false)};

// The ring is filled up to its half, the rest goes where others find it.
const model::program from_inbox{
    "worker: two, an inbox that a busy one unpacks", {.bound = 1, .timeouts = 0}, [](model::run& r) {
      auto& s = r.make<helped<4>>();
      for (std::size_t i = 0; i < 4; ++i) s.pool.inbox.put(s[i]);
      r.thread("owner", [&s] { s.take_a_step(); });
      r.thread("worker", s.worker(1));
      r.finally([&s] { s.check_prompt(); });
    }};

const model::program from_slot{"worker: two, the LIFO slot of a busy one", patient_bounded, [](model::run& r) {
                                 auto& s = r.make<helped<2>>();
                                 r.thread("owner", [&s] {
                                   s.me().wake(s.jobs[1].renew());
                                   s.me().run(s[0]);
                                 });
                                 r.thread("worker", s.worker(1));
                                 r.finally([&s] { s.check_jobs(); });
                               }};

// Too many in a row: the next one goes to the ring (the limit is 1 in a model build), unless a thief is quicker.
const model::program slot_in_a_row{"worker: two, the LIFO slot of one that has taken too many in a row", patient,
                                   [](model::run& r) {
                                     auto& s = r.make<shop<2>>(2u);
                                     worker& owner = *s.pool.workers[0];
                                     worker& thief = *s.pool.workers[1];
                                     for (std::size_t i = 0; i < 2; ++i) {
                                       running_task::set(reinterpret_cast<task_context*>(&s));  // anything but null
                                       owner.wake(s[i]);
                                       running_task::set(nullptr);
                                       if (i == 0) owner.run(*owner.next());
                                     }
                                     (void)thief.search();
                                     r.thread("owner", [&owner] {
                                       if (runnable* const next = owner.next()) owner.run(*next);
                                     });
                                     r.thread("thief", [&thief] {
                                       if (runnable* const stolen = thief.search()) thief.run(*stolen);
                                     });
                                     r.finally([&s] { s.check_jobs(); });
                                   }};

// A thief takes what was put into a slot that was full, and has met nothing else of its owner.
const model::program slot_refilled{"worker: two, a thief at a LIFO slot that is filled again", patient,
                                   [](model::run& r) {
                                     auto& s = r.make<shop<2>>(2u);
                                     worker& owner = *s.pool.workers[0];
                                     worker& thief = *s.pool.workers[1];
                                     running_task::set(reinterpret_cast<task_context*>(&s));  // anything but null
                                     owner.wake(s[0]);
                                     running_task::set(nullptr);
                                     (void)thief.search();
                                     r.thread("owner", [&s] {
                                       s.me().wake(s.jobs[1].renew());
                                       while (runnable* const next = s.me().next()) s.me().run(*next);
                                     });
                                     r.thread("thief", [&thief] {
                                       if (runnable* const stolen = thief.search()) thief.run(*stolen);
                                     });
                                     r.finally([&s] { s.check_jobs(); });
                                   }};

const model::program displaced{"worker: two, what was displaced from the LIFO slot of a busy one", patient_bounded,
                               [](model::run& r) {
                                 auto& s = r.make<helped<3>>();
                                 r.thread("owner", [&s] {
                                   s.me().wake(s.jobs[1].renew());
                                   s.me().wake(s.jobs[2].renew());
                                   s.me().run(s[0]);
                                 });
                                 r.thread("worker", s.worker(1));
                                 r.finally([&s] { s.check_jobs(); });
                               }};

// What is forked in a long task while the other one sleeps is made public, and the other one is woken for it; also when a
// demand was met just before. Without stale reads: the owner knows what a sleeper wants when it sleeps.
const model::program hungry{"worker: two, one sleeps and the other forks in a long task",
                            {.bound = 2, .staleness = 0, .timeouts = 0},
                            [](model::run& r) {
                              auto& s = r.make<helped<3>>();
                              (void)s.pool.workers[1]->search();  // an old demand
                              r.thread("owner", [&s] {
                                s.me().fork(s[2]);
                                s.take_a_step();
                                while (!s.pool.idle.anybody_sleeps() || !s.pool.workers[1]->parker().sleeping())
                                  yield_thread();
                                s.me().fork(s.jobs[1].renew());
                                s.me().run(s[0]);
                              });
                              r.thread("worker", s.worker(1));
                              r.finally([&s] { s.check_prompt(); });
                            }};

// The same with the ring, and with a child that was forked before the other one slept: the next pop makes it public.
const model::options no_stale_reads{.bound = 2, .staleness = 0, .timeouts = 0};
const model::program submitted_meanwhile{"worker: two, one sleeps and the other submits in a long task", no_stale_reads,
                                         [](model::run& r) {
                                           auto& s = r.make<helped<2>>();
                                           r.thread("owner", [&s] {
                                             while (!s.pool.workers[1]->parker().sleeping()) yield_thread();
                                             s.me().submit(s.jobs[1].renew());
                                             s.me().run(s[0]);
                                           });
                                           r.thread("worker", s.worker(1));
                                           r.finally([&s] { s.check_prompt(); });
                                         }};
const model::program forked_before{
    "worker: two, one sleeps and the other takes a forked child", no_stale_reads, [](model::run& r) {
      auto& s = r.make<helped<2>>();
      s.pool.workers[0]->fork(s[1]);
      s.pool.workers[0]->fork(s[0]);
      r.thread("owner", [&s] {
        while (!s.pool.idle.anybody_sleeps() || !s.pool.workers[1]->parker().sleeping()) {
          yield_thread();
        }
        s.take_a_step();
      });
      r.thread("worker", s.worker(1));
      r.finally([&s] { s.check_prompt(); });
    }};

const model::program forked{"worker: two, one forks and the other steals", patient_bounded, [](model::run& r) {
                              auto& s = r.make<shop<3>>(2u);
                              r.thread("owner", [&s] {
                                for (std::size_t i = 0; i < 3; ++i) s.me().fork(s[i]);
                                while (runnable* const next = s.me().next()) s.me().run(*next);
                              });
                              r.thread("worker", s.worker(1));
                              r.finally([&s] { s.check_jobs(); });
                            }};

}  // namespace
