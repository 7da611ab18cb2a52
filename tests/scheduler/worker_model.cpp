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
using std::chrono::microseconds;
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
  // What was published is found at once or after a nap. The shortest watch, which would find it too, is 250 us.
  void check_prompt() {
    check_jobs();
    model::check(now() < start + microseconds(250), "Nobody had to wait for the watch.");
  }

  time_point start;
  std::array<job, Jobs> jobs;
  std::array<std::function<void()>, Jobs> bodies;
  std::array<runnable*, Jobs> ready{};
};

// A wait that times out although somebody can still go proves nothing here.
const model::options patient{.timeouts = 0};
const model::options patient_bounded{.bound = 2, .timeouts = 0};  // where an unbounded search would not end

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
const model::program slot_in_a_row{
    "worker: two, the LIFO slot of one that has taken too many in a row", patient, [](model::run& r) {
      auto& s = r.make<shop<2>>(2u);
      worker& owner = *s.pool.workers[0];
      worker& thief = *s.pool.workers[1];
      for (std::size_t i = 0; i < 2; ++i) {
        worker::set_current_task(reinterpret_cast<task_context*>(&s));  // anything but null
        owner.wake(s[i]);
        worker::set_current_task(nullptr);
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

// Comes back as soon as it has run, until `over`.
class restless {
 public:
  explicit restless(std::function<bool()> over) : over_(std::move(over)) { context_.handle = turns(*this).handle; }
  runnable& ready() { return context_; }
  int turns_taken() const { return taken_; }

 private:
  struct never_woken final : waker {
    void wake(runnable&) noexcept override { model::fail("It waits for nothing."); }
  };
  struct coroutine {
    struct promise_type {
      coroutine get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
      std::suspend_always initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() noexcept {}
      void unhandled_exception() noexcept { model::fail("It throws."); }
    };
    std::coroutine_handle<> handle;
  };
  struct once_more {
    bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) noexcept { worker::current()->yield(self.context_); }
    void await_resume() noexcept {}
    restless& self;
  };
  static coroutine turns(restless& self) {
    while (!self.over_()) {
      ++self.taken_;
      model::advance(microseconds(1));
      co_await once_more{self};
    }
  }

  static inline never_woken nobody;
  std::function<bool()> over_;
  int taken_ = 0;
  task_context context_{nobody};
};

// A job of each source from outside, and a timer, while a task yields: each has its turn, within 64 steps each. `looks`: so many
// looks outside come before.
template <class Drive>
auto never_idle(int looks, Drive drive) {
  return [looks, drive](model::run& r) {
    struct all : shop<3> {
      explicit all(int turns) : shop<3>(1u), before(turns), yielding([this] { return turn(); }) { ring.s = this; }
      bool turn() {
        if (before-- == 0) {
          runnable* const overflown = &(*this)[2];
          pool.inbox.put((*this)[0]);
          pool.submit_outside((*this)[1]);
          (void)pool.overflow.put(0, &overflown, 1);
          me().timers().start(now(), ring);
        }
        return left.load(relaxed) == 0;
      }
      int before;
      chime ring;
      restless yielding;
    };
    auto& s = r.make<all>(looks * 64 + 5);
    s.left.store(4, relaxed);
    r.thread("worker", [&s, drive] {
      worker& w = s.me();
      w.timers().poll(s.start);
      w.submit(s.yielding.ready());
      drive(w);
      worker::set_current_task(nullptr);
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
                                      worker::set_current_task(nullptr);
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
