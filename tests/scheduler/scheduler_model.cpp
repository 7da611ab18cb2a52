// The shipped scheduler from its first call to its destructor: who hands something over from outside may be the last to know
// of it, and nothing that was accepted is left when the workers stop.
// models: scheduler/scheduler.cpp

#include "house.hpp"

#include <sluice/scheduler/cpu_budget.hpp>
#include <sluice/scheduler/topology.hpp>

#include <string>
#include <vector>

namespace sluice::impl {

std::size_t cpu_budget() { return 1; }
std::size_t cpu_budget_from(const std::string&, std::size_t processors) { return processors; }
std::vector<unsigned> allowed_processors() { return {0}; }
unsigned current_processor() noexcept { return 0; }

topology this_topology() { return topology({{.number = 0, .core = 0, .cache = 0, .node = 0}}); }

threads_driver::threads_driver(worker_pool& pool, std::vector<unsigned>) : pool_(pool) {
  test::here->pool = &pool;
  test::here->at_work.store(static_cast<std::uint32_t>(pool.workers.size()), relaxed);
  pool.headcount.open();
}
bool threads_driver::start_another() noexcept { return false; }
threads_driver::~threads_driver() { stop(); }
void threads_driver::stop() noexcept {
  pool_.stopping.store(1, relaxed);
  for (auto& w : pool_.workers) w->parker().unpark();
  for (std::uint32_t n = test::here->at_work.load(acquire); n != 0; n = test::here->at_work.load(acquire)) {
    futex::wait(test::here->at_work, n);
  }
}
bool sim_driver::step() noexcept { model::fail("These schedulers are not simulated."); }

}  // namespace sluice::impl

namespace {

using namespace sluice::test;
using namespace sluice::impl;
using std::chrono::milliseconds;

template <class Hand>
auto last_to_know(Hand hand) {
  return [hand](model::run& r) {
    auto& s = r.make<house>(1u);
    runnable& task = s.first.prepare([&s] { s.inside(0).unblock(s.done); });
    r.thread("worker", s.worker(0));
    r.thread("main", [&s] { s.wait_and_destroy(); });
    r.thread("outside", [&s, &task, hand] { hand(s.outside(), task); });
    r.finally([&s] { model::check(s.first.runs() == 1, "What was handed over runs."); });
  };
}

const model::program wake_and_destroy{"scheduler: destroyed by who waited for a task that was just woken",
                                      {.timeouts = 0},
                                      last_to_know([](scheduler& s, runnable& r) { s.wake(r); })};
const model::program submit_and_destroy{"scheduler: destroyed by who waited for a task that was just submitted",
                                        {.timeouts = 0},
                                        last_to_know([](scheduler& s, runnable& r) { s.submit(r); })};

// What a task hands over itself is run before the workers stop, for it ends before who waits for it knows.
const model::program spawn_and_destroy{
    "scheduler: destroyed by who waited for what a task has spawned", {.timeouts = 0}, [](model::run& r) {
      auto& s = r.make<house>(1u);
      runnable& child = s.second.prepare([&s] { s.inside(0).unblock(s.done); });
      s.owner->submit(s.first.prepare([&s, &child] { s.inside(0).submit(child); }));
      r.thread("worker", s.worker(0));
      r.thread("main", [&s] { s.wait_and_destroy(); });
      r.finally([&s] { model::check(s.second.runs() == 1, "What was spawned runs."); });
    }};

struct bell final : timer_target {
  void fired() noexcept override { s->inside(0).unblock(s->done); }
  house* s = nullptr;
};

const model::program timer_and_destroy{
    "scheduler: destroyed by who waited for a timer that was just started", {.timeouts = 0}, [](model::run& r) {
      struct all : house {
        all() : house(1u) { ring.s = this; }
        bell ring;
      };
      auto& s = r.make<all>();
      const time_point deadline = now() + milliseconds(1);
      r.thread("worker", s.worker(0));
      r.thread("main", [&s] { s.wait_and_destroy(); });
      r.thread("outside", [&s, deadline] { s.outside().start_timer(deadline, s.ring); });
    }};

// Never fires unless the clock is moved, which it is not.
struct silent final : timer_target {
  void fired() noexcept override { model::fail("It was stopped before its time."); }
};

const model::program stop_and_destroy{
    "scheduler: destroyed by who waited for a timer that was just stopped", {.timeouts = 0}, [](model::run& r) {
      struct all : house {
        all() : house(1u) {}
        silent never;
      };
      auto& s = r.make<all>();
      r.thread("worker", s.worker(0));
      r.thread("main", [&s] { s.wait_and_destroy(); });
      r.thread("outside", [&s] {
        timer* const t = s.outside().start_timer(time_point::max(), s.never);
        model::check(s.outside().stop_timer(t), "It has not fired.");
        s.outside().unblock(s.done);
      });
    }};

const model::program stopped_by_a_task{"scheduler: a task starts a timer, stops it, and one that was started outside",
                                       {.bound = 1, .timeouts = 0},
                                       [](model::run& r) {
                                         struct all : house {
                                           all() : house(1u) {}
                                           silent never;
                                           timer* outer = nullptr;
                                         };
                                         auto& s = r.make<all>();
                                         runnable& task = s.first.prepare([&s] {
                                           const time_point deadline = now() + milliseconds(1);
                                           timer* const own = s.inside(0).start_timer(deadline, s.never);
                                           model::check(own->home == &s.pool->workers[0]->timers() && !own->outside,
                                                        "It is a timer of this worker.");
                                           model::check(s.inside(0).stop_timer(own), "It has not fired.");
                                           model::check(s.inside(0).stop_timer(s.outer), "Nor has the other one.");
                                           s.inside(0).unblock(s.done);
                                         });
                                         r.thread("worker", s.worker(0));
                                         r.thread("main", [&s, &task] {
                                           s.outer = s.outside().start_timer(time_point::max(), s.never);
                                           s.outside().wake(task);
                                           s.wait_and_destroy();
                                         });
                                       }};

const model::program described{"scheduler: described while a task runs", {.timeouts = 0}, [](model::run& r) {
                                 auto& s = r.make<house>(1u);
                                 s.outside().submit(s.first.prepare([&s] { s.inside(0).unblock(s.done); }));
                                 r.thread("worker", s.worker(0));
                                 r.thread("main", [&s] {
                                   std::string text;
                                   s.outside().describe(text);
                                   model::check(text.find("\"model\": 1 workers") != std::string::npos,
                                                "It says what it is.");
                                   s.wait_and_destroy();
                                 });
                                 r.finally([&s] { model::check(s.first.runs() == 1, "What was handed over runs."); });
                               }};

const model::program nothing_to_do{
    "scheduler: destroyed before its workers have begun", {.bound = 2, .timeouts = 0}, [](model::run& r) {
      auto& s = r.make<house>(2u);
      r.thread("worker", s.worker(0));
      r.thread("worker", s.worker(1));
      r.thread("main", [&s] { delete s.owner; });
    }};

const model::program unblocked{"scheduler: the word that is waited for dies with its waiter", {}, [](model::run& r) {
                                 auto& s = r.make<house>(1u);
                                 auto* const word = new atomic<std::uint32_t>(0);
                                 r.thread("main", [&s, word] {
                                   s.outside().block_until(*word);
                                   delete word;
                                 });
                                 r.thread("outside", [&s, word] { s.outside().unblock(*word); });
                                 r.finally([&s] {
                                   s.at_work.store(0, relaxed);
                                   delete s.owner;
                                 });
                               }};

}  // namespace
