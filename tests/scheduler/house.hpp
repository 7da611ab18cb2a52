#pragma once
// A shipped scheduler whose workers are model threads, and two jobs for it.

#include "crew.hpp"

#include <sluice/scheduler/driver.hpp>
#include <sluice/scheduler/scheduler.hpp>

#include <cstdint>

namespace sluice::test {

// Stands in for the threads of the driver (scheduler_model.cpp): model threads take the workers, and the driver's end waits for theirs.
struct stage {
  impl::worker_pool* pool = nullptr;
  impl::atomic<std::uint32_t> at_work{0};
};
inline stage* here = nullptr;  // of this execution

using namespace sluice::impl;

struct house : stage {
  explicit house(std::size_t workers) {
    here = this;
    owner = new scheduler({.workers = workers, .name = "model", .simulation = {}});
  }
  auto worker(std::size_t i) {
    return [this, i] {
      pool->workers[i]->work();
      const auto before = at_work.fetch_sub(1, release);
      if (before == 1) futex::wake(at_work, 1);
    };
  }
  // Any thread that is not a worker says so before it calls.
  scheduler& outside() {
    worker::set_current(nullptr);
    return *owner;
  }
  scheduler& inside(std::size_t i) {
    worker::set_current(pool->workers[i].get());
    running_task::set(reinterpret_cast<task_context*>(this));  // anything but null
    return *owner;
  }
  void wait_and_destroy() {
    outside().block_until(done);
    delete owner;
    owner_gone = true;
  }

  scheduler* owner;
  atomic<std::uint32_t> done{0};
  bool owner_gone = false;
  job first;
  job second;
};

}  // namespace sluice::test
