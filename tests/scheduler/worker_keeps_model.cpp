// What a worker keeps to itself (I5 of worker.hpp) is not forgotten when a step turns out to be long.
// models: scheduler/worker.cpp scheduler/worker.hpp scheduler/keeper.hpp

#include "shop.hpp"

namespace {

using namespace sluice::test;

// At its first look a worker knows of no steps: from then on it keeps one ready task.
template <class Shop, class... Workers>
Shop& keeping(model::run& r, Workers... workers) {
  auto& s = r.make<Shop>(workers...);
  for (auto& w : s.pool.workers) {
    w->look_soon();
    (void)w->next();
  }
  return s;
}

// When it has seen a short step it keeps many.
template <class Shop, class... Workers>
Shop& keeping_many(model::run& r, Workers... workers) {
  auto& s = keeping<Shop>(r, workers...);
  for (auto& w : s.pool.workers) {
    w->run(r.make<job>().prepare([] {}));
    w->look_soon();
    (void)w->next();
  }
  return s;
}

const model::program slot_and_ring{"worker: two, one steps back in favour of its LIFO slot, and a long task",
                                   patient_bounded, [](model::run& r) {
                                     auto& s = keeping<helped<3>>(r);
                                     r.thread("owner", [&s] {
                                       s.me().wake(s.jobs[1].renew());
                                       s.me().yield(s.jobs[2].renew());
                                       s.me().run(s[0]);
                                     });
                                     r.thread("worker", s.worker(1));
                                     r.finally([&s] { s.check_jobs(); });
                                   }};

const model::program ring_alone{"worker: two, one steps back alone, and a long task", patient_bounded,
                                [](model::run& r) {
                                  auto& s = keeping<helped<2>>(r);
                                  r.thread("owner", [&s] {
                                    s.me().yield(s.jobs[1].renew());
                                    s.me().run(s[0]);
                                  });
                                  r.thread("worker", s.worker(1));
                                  r.finally([&s] { s.check_jobs(); });
                                }};

// Nobody watches while all sleep: so who wakes and leaves a task behind asks for it.
const model::program unwatched{"worker: two, one wakes and steps back before a long task",
                               {.bound = 2, .staleness = 0, .timeouts = 0},
                               [](model::run& r) {
                                 auto& s = keeping<helped<2>>(r);
                                 s.pool.idle.announce_sleep(0, false);
                                 r.thread("owner", [&s] {
                                   while (!s.pool.workers[1]->parker().sleeping()) yield_thread();
                                   (void)s.pool.idle.leave_sleep(0);
                                   s.me().yield(s.jobs[1].renew());
                                   s.me().run(s[0]);
                                 });
                                 r.thread("worker", s.worker(1));
                                 r.finally([&s] { s.check_jobs(); });
                               }};

// A thief that comes by once takes what two share only if there is more of it.
const model::program one_look{"worker: two, a thief looks once at one that keeps a task", patient, [](model::run& r) {
                                auto& s = keeping<shop<1>>(r, 2u);
                                worker& owner = *s.pool.workers[0];
                                worker& thief = *s.pool.workers[1];
                                r.thread("owner", [&s, &owner] {
                                  s.me().yield(s.jobs[0].renew());
                                  if (runnable* const next = owner.next()) owner.run(*next);
                                });
                                r.thread("thief", [&thief] {
                                  runnable* const stolen = thief.search();
                                  model::check(stolen == nullptr, "It is kept.");
                                });
                                r.finally([&s] { s.check_jobs(); });
                              }};

// What is new is announced at once, though the worker keeps what steps back.
const model::program submitted{"worker: two, one that keeps a task submits one in a long task",
                               {.bound = 2, .staleness = 0, .timeouts = 0},
                               [](model::run& r) {
                                 auto& s = keeping<helped<2>>(r);
                                 r.thread("owner", [&s] {
                                   while (!s.pool.workers[1]->parker().sleeping()) yield_thread();
                                   s.me().submit(s.jobs[1].renew());
                                   s.me().run(s[0]);
                                 });
                                 r.thread("worker", s.worker(1));
                                 r.finally([&s] { s.check_prompt(); });
                               }};

// And what is displaced from its LIFO slot: there are two then.
const model::program displaced{"worker: two, one that keeps a task wakes two in a long task",
                               {.bound = 2, .staleness = 0, .timeouts = 0},
                               [](model::run& r) {
                                 auto& s = keeping<shop<3>>(r, 2u);
                                 auto& slice = r.make<long_slice>();
                                 s.set_job(0, [&slice] { slice.wait(); });
                                 s.set_job(1, [&slice] { slice.done(); });
                                 r.thread("owner", [&s] {
                                   while (!s.pool.workers[1]->parker().sleeping()) yield_thread();
                                   s.me().wake(s.jobs[1].renew());
                                   s.me().wake(s.jobs[2].renew());
                                   s.me().run(s[0]);
                                   if (runnable* const next = s.me().next()) s.me().run(*next);
                                 });
                                 r.thread("worker", s.worker(1));
                                 r.finally([&s] { s.check_prompt(); });
                               }};

// Where several are kept, those that a task has woken are, and found behind a long one.
const model::program several{"worker: two, one that keeps several wakes two before a long task", patient_bounded,
                             [](model::run& r) {
                               auto& s = keeping_many<helped<3>>(r);
                               r.thread("owner", [&s] {
                                 for (std::size_t i = 1; i < 3; ++i) s.me().wake(s.jobs[i].renew());
                                 s.me().run(s[0]);
                               });
                               r.thread("worker", s.worker(1));
                               r.finally([&s] { s.check_jobs(); });
                             }};

const model::program several_unwatched{"worker: two, one that keeps several wakes two while nobody watches",
                                       {.bound = 2, .staleness = 0, .timeouts = 0},
                                       [](model::run& r) {
                                         auto& s = keeping_many<helped<3>>(r);
                                         s.pool.idle.announce_sleep(0, false);
                                         r.thread("owner", [&s] {
                                           while (!s.pool.workers[1]->parker().sleeping()) yield_thread();
                                           (void)s.pool.idle.leave_sleep(0);
                                           s.me().yield(s.jobs[1].renew());
                                           s.me().yield(s.jobs[2].renew());
                                           s.me().run(s[0]);
                                         });
                                         r.thread("worker", s.worker(1));
                                         r.finally([&s] { s.check_jobs(); });
                                       }};

const model::program several_passed_by{"worker: two, a thief looks once at one that keeps several", patient,
                                       [](model::run& r) {
                                         auto& s = keeping_many<shop<2>>(r, 2u);
                                         worker& owner = *s.pool.workers[0];
                                         worker& thief = *s.pool.workers[1];
                                         r.thread("owner", [&s, &owner] {
                                           for (std::size_t i = 0; i < 2; ++i) s.me().yield(s.jobs[i].renew());
                                           while (runnable* const next = owner.next()) owner.run(*next);
                                         });
                                         r.thread("thief", [&thief] {
                                           runnable* const stolen = thief.search();
                                           model::check(stolen == nullptr, "They are kept.");
                                         });
                                         r.finally([&s] { s.check_jobs(); });
                                       }};

// Steps that turn out long: what is left after the third of them is announced, long before the watch would see it.
const model::program long_after_all{"worker: two, one that keeps several takes long steps",
                                    {.bound = 2, .staleness = 0, .timeouts = 0},
                                    [](model::run& r) {
                                      auto& s = keeping_many<shop<5>>(r, 2u);
                                      auto& slice = r.make<long_slice>();
                                      for (std::size_t i = 0; i < 3; ++i) {
                                        s.set_job(i, [] { model::advance(microseconds(20)); });
                                      }
                                      s.set_job(3, [&slice] { slice.wait(); });
                                      s.set_job(4, [&slice] { slice.done(); });
                                      r.thread("owner", [&s] {
                                        while (!s.pool.workers[1]->parker().sleeping()) yield_thread();
                                        for (const std::size_t i : {1u, 2u, 3u, 4u, 0u}) s.me().wake(s.jobs[i].renew());
                                        for (int i = 0; i < 4; ++i) {
                                          if (runnable* const next = s.me().next()) s.me().run(*next);
                                        }
                                      });
                                      r.thread("worker", s.worker(1));
                                      r.finally([&s] { s.check_prompt(); });
                                    }};

// What a thief has taken and does not run at once is not kept: it may be long, as may what it runs.
const model::program loot{"worker: two, a thief that keeps a task takes two", patient, [](model::run& r) {
                            auto& s = keeping<shop<3>>(r, 2u);
                            worker& owner = *s.pool.workers[0];
                            worker& thief = *s.pool.workers[1];
                            for (std::size_t i = 0; i < 3; ++i) owner.submit(s[i]);
                            r.thread("thief", [&s, &owner, &thief] {
                              runnable* const stolen = thief.search();
                              model::check(stolen == &s[0], "It takes half, and runs the oldest first.");
                              model::check(thief.has_public_work(), "The other one is for whoever comes.");
                              while (runnable* const next = owner.next()) owner.run(*next);
                              thief.run(*stolen);
                              while (runnable* const next = thief.next()) thief.run(*next);
                            });
                            r.finally([&s] { s.check_jobs(); });
                          }};

}  // namespace
