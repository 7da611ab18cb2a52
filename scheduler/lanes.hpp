#pragma once
// Tasks that go before all others (critical) or behind them (background), on whatever worker is free.
//
// Each lane is a queue of its own for all workers, made when a lane is first asked for: a scheduler whose lanes nobody uses pays one
// load of a pointer that does not change for each task.
//
// Who comes when is the worker's to say (worker.hpp): of 17 tasks in a row 16 at most are critical while others are ready, and a worker
// without anything else, or at every 16th look outside, takes one of the background. So none starves.
//
// I1  What a lane has no memory for goes to the inbox, and is run like a normal task.
// E1  the making of the queues (release) -> whoever finds them (acquire).
// D1  a publisher makes the queues (seq_cst) or finds them made (E1), puts something in, then looks at the idle word; a worker announces its sleep in
//     the idle word, then reads the pointer (seq_cst), then the count of each queue (D1 of injection.hpp).

#include <sluice/queues/task_context.hpp>
#include <sluice/scheduler/injection.hpp>

#include <cstddef>

namespace sluice::impl {

struct worker_pool;

/// A lane as a task's waker: what becomes runnable goes into the lane, and is resumed by any worker.
class lane_queue final : public waker {
 public:
  lane_queue(worker_pool& pool, std::size_t workers) : pool_(pool), items_(workers) {}
  void wake(runnable& r) noexcept override;

 private:
  friend class lane_set;
  worker_pool& pool_;
  injection items_;
};

class lane_set {
 public:
  enum which : std::size_t { critical, background };

  lane_set(worker_pool& pool, std::size_t workers) noexcept : pool_(pool), workers_(workers) {}
  ~lane_set();
  lane_set(const lane_set&) = delete;
  lane_set& operator=(const lane_set&) = delete;

  /// Makes the queues if need be: throws std::bad_alloc. Any thread.
  lane_queue& get(which lane);

  // Workers.
  bool in_use() const noexcept { return queues_.load(relaxed) != nullptr; }  // relaxed: take() looks again
  /// The oldest task of the lane, or null.
  runnable* take(which lane) noexcept;
  /// For a worker that has announced its sleep.
  bool have_items() const noexcept;
  std::size_t size(which lane) const noexcept;  // for dumps

 private:
  struct both {
    both(worker_pool& pool, std::size_t workers) : at{{pool, workers}, {pool, workers}} {}
    lane_queue at[2];
  };

  worker_pool& pool_;
  std::size_t workers_;
  atomic<both*> queues_{nullptr};  // null, then what the first get() has made
};

}  // namespace sluice::impl
