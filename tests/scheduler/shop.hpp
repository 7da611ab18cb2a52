#pragma once
// Shipped workers with so many jobs to run, for the models of worker.cpp.

#include "crew.hpp"

#include <array>
#include <chrono>

namespace sluice::test {

using namespace sluice::impl;
using std::chrono::microseconds;
using std::chrono::milliseconds;

inline bool injection_has_memory = true;  // says each program at its start

template <std::size_t Jobs>
struct shop : crew {
  explicit shop(std::size_t workers, std::size_t allowed = ~std::size_t{0})
      : crew(workers, static_cast<int>(Jobs), allowed), start(now()) {
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
    model::check(pool.idle.sleeping() == 0 && pool.headcount.standing_by() == 0, "The counts come back to nothing.");
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

// A wait that times out although somebody can still go proves nothing here.
inline const model::options patient{.timeouts = 0};
inline const model::options patient_bounded{.bound = 2, .timeouts = 0};  // where an unbounded search would not end

inline void woken(worker_pool& pool, runnable& r) { pool.put_outside(r); }
inline void submitted(worker_pool& pool, runnable& r) { pool.submit_outside(r); }

}  // namespace sluice::test
