// What a worker keeps to itself (I5 of worker.hpp) is not forgotten when a step turns out to be long.
// models: scheduler/worker.cpp scheduler/worker.hpp

#include "shop.hpp"

namespace {

using namespace sluice::test;

// At its first look a worker knows of short steps only: from then on it keeps one ready task.
template <class Shop, class... Workers>
Shop& keeping(model::run& r, Workers... workers) {
  auto& s = r.make<Shop>(workers...);
  for (auto& w : s.pool.workers) {
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
