// Strands on the shipped scheduler: tasks that become ready on several threads run one at a time, each sees what the one before did, none is
// lost, and the strand goes when its owner and its last worker have let go.
// models: scheduler/strand_core.cpp scheduler/strand_core.hpp

#include "house.hpp"

#include <sluice/scheduler/strand_core.hpp>

namespace {

using namespace sluice::test;
using namespace sluice::impl;

struct block : house {
  explicit block(std::size_t workers) : house(workers), strand(new strand_core(*owner)) {}

  /// What a task does on the strand: race-checked, so two at once are found, and one that does not see the one before.
  void work(int tasks) {
    count.set(count.get() + 1);
    if (count.get() == tasks) inside(static_cast<std::size_t>(model::thread_index()) - 1).unblock(done);
  }
  runnable& task(job& j, int tasks) {
    return j.prepare([this, tasks] { work(tasks); });
  }
  void wait_and_destroy_all() {
    outside().block_until(done);
    model::check(count.get() == 2, "Both have run.");
    strand->abandon();
    delete owner;
  }

  strand_core* strand;
  plain<int> count{0};
};

const model::options searched{.timeouts = 0};
const model::options bounded{.bound = 1, .timeouts = 0};

const model::program one_worker{"strand: two tasks woken by two threads, one worker", bounded, [](model::run& r) {
                                  auto& s = r.make<block>(1u);
                                  runnable& a = s.task(s.first, 2);
                                  runnable& b = s.task(s.second, 2);
                                  r.thread("worker", s.worker(0));
                                  r.thread("outside", [&s, &a] {
                                    s.outside();
                                    s.strand->wake(a);
                                  });
                                  r.thread("main", [&s, &b] {
                                    s.outside();
                                    s.strand->wake(b);
                                    s.wait_and_destroy_all();
                                  });
                                }};

const model::program in_order{"strand: two tasks woken by one thread run in that order", searched, [](model::run& r) {
                                auto& s = r.make<block>(1u);
                                runnable& a = s.first.prepare([&s] {
                                  model::check(s.count.get() == 0, "It was woken first.");
                                  s.work(2);
                                });
                                runnable& b = s.task(s.second, 2);
                                r.thread("worker", s.worker(0));
                                r.thread("main", [&s, &a, &b] {
                                  s.outside();
                                  s.strand->wake(a);
                                  s.strand->wake(b);
                                  s.wait_and_destroy_all();
                                });
                              }};

const model::program two_workers{
    "strand: two tasks, two workers", {.bound = 1, .timeouts = 0, .max = 200000}, [](model::run& r) {
      auto& s = r.make<block>(2u);
      runnable& a = s.task(s.first, 2);
      runnable& b = s.task(s.second, 2);
      r.thread("worker", s.worker(0));
      r.thread("worker", s.worker(1));
      r.thread("main", [&s, &a, &b] {
        s.outside();
        s.strand->wake(a);
        s.strand->wake(b);
        s.wait_and_destroy_all();
      });
    }};

const model::program woken_within{"strand: a task of it makes the next one ready", searched, [](model::run& r) {
                                    auto& s = r.make<block>(1u);
                                    runnable& b = s.task(s.second, 2);
                                    runnable& a = s.first.prepare([&s, &b] {
                                      s.work(2);
                                      s.inside(0);
                                      s.strand->wake(b);
                                    });
                                    r.thread("worker", s.worker(0));
                                    r.thread("main", [&s, &a] {
                                      s.outside();
                                      s.strand->wake(a);
                                      s.wait_and_destroy_all();
                                    });
                                  }};

// Without their loops: between the two workers stands nothing but the strand's own word. Either of them may get all three.
const model::program one_after_another{
    "strand: two workers have it one after another", {.bound = 2, .timeouts = 0}, [](model::run& r) {
      struct by_hand : block {
        by_hand() : block(2u) {}
        void take_steps(std::size_t i) {
          auto& w = *pool->workers[i];
          while (runnable* const next = w.next()) w.run(*next);
        }
        job third;
      };
      auto& s = r.make<by_hand>();
      const int more = 4;  // than there are
      runnable& a = s.task(s.first, more);
      s.task(s.second, more);
      s.task(s.third, more);
      r.thread("worker", [&s, &a] {
        s.inside(0);
        s.strand->wake(a);
        s.take_steps(0);
      });
      r.thread("worker", [&s] {
        s.inside(1);
        s.strand->wake(s.second.renew());
        s.strand->wake(s.third.renew());
        s.take_steps(1);
      });
      r.finally([&s] {
        model::check(s.count.get() == 3, "All have run.");
        s.strand->abandon();
        s.at_work.store(0, relaxed);
        delete s.owner;
      });
    }};

// The same tasks handed to two workers as they are.
const model::program without{"strand: without one two tasks run at once (canary)",
                             {.must_fail = "race", .bound = 1, .timeouts = 0},
                             [](model::run& r) {
                               auto& s = r.make<block>(2u);
                               runnable& a = s.task(s.first, 2);
                               runnable& b = s.task(s.second, 2);
                               r.thread("worker", s.worker(0));
                               r.thread("worker", s.worker(1));
                               r.thread("main", [&s, &a, &b] {
                                 s.outside().wake(a);
                                 s.outside().wake(b);
                                 s.wait_and_destroy_all();
                               });
                             }};

}  // namespace
