#pragma once
// What a runtime keeps for each of its workers: how many tasks it has started and seen the end of, and free blocks. One more for
// all threads that are none of its workers.
//
// E1  an end is counted (release) -> alive (acquire): what ended tasks did.
// E2  a start is counted (release) -> started (acquire): the task's record.

#include <sluice/queues/atomic.hpp>
#include <sluice/runtime/stable_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice::impl {

struct alignas(128) worker_share {
  // Written by the worker; of the share for outsiders by any of them.
  atomic<std::uint64_t> started{0};
  atomic<std::uint64_t> ended{0};
  // The worker's.
  stable_cache records;
  stable_cache roster_pages;
};

class worker_tally {
 public:
  explicit worker_tally(std::size_t workers) : shares_(new worker_share[workers + 1]), workers_(workers) {}

  worker_share& of(std::size_t worker) noexcept { return shares_[worker]; }
  std::size_t workers() const noexcept { return workers_; }

  // `own`: the share of the calling thread, a worker; null for others.
  void count_start(worker_share* own) noexcept {
    if (own == nullptr) {
      shares_[workers_].started.fetch_add(1, release);  // E2 publish
    } else {
      own->started.store(own->started.load(relaxed) + 1, release);  // E2 publish; relaxed: one writer
    }
  }
  void count_end(worker_share* own) noexcept {
    if (own == nullptr) {
      shares_[workers_].ended.fetch_add(1, release);  // E1 publish
    } else {
      own->ended.store(own->ended.load(relaxed) + 1, release);  // E1 publish; relaxed: one writer
    }
  }

  /// Those that were started and have not ended: exact when none starts or ends meanwhile, otherwise no less than it was at some
  /// moment of the call.
  std::size_t alive() const noexcept {
    std::uint64_t ended = 0;
    for (std::size_t i = 0; i <= workers_; ++i) ended += shares_[i].ended.load(acquire);  // E1 observe
    return static_cast<std::size_t>(started() - ended);  // read afterwards: who has ended has been started
  }
  /// All that were ever started.
  std::uint64_t started() const noexcept {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i <= workers_; ++i) sum += shares_[i].started.load(acquire);  // E2 observe
    return sum;
  }

 private:
  std::unique_ptr<worker_share[]> shares_;
  const std::size_t workers_;
};

}  // namespace sluice::impl
