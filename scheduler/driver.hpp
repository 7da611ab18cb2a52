#pragma once
// Who takes the workers' steps: one thread for each, or in a simulation the one thread that waits.

#include <sluice/scheduler/worker.hpp>

#include <string>
#include <thread>
#include <vector>

namespace sluice::impl {

/// Starts a thread for each worker that may run, and later for others when they may; each is bound to the i-th of `processors`, in turn if
/// these are fewer, and to none if there are none. Joins the threads when destroyed.
class threads_driver final : public worker_starter {
 public:
  explicit threads_driver(worker_pool& pool, std::vector<unsigned> processors = {});  // throws std::system_error
  ~threads_driver();
  threads_driver(const threads_driver&) = delete;
  threads_driver& operator=(const threads_driver&) = delete;

  /// As given: empty if the threads are not bound.
  const std::vector<unsigned>& processors() const noexcept { return processors_; }

 private:
  bool start_another() noexcept override;
  std::string label_of(std::size_t index) const;
  void start();  // a thread for the next worker
  int bind_newest() noexcept;
  void stop() noexcept;

  worker_pool& pool_;
  const std::vector<unsigned> processors_;
  std::vector<std::thread> threads_;
};

/// Takes steps of virtual workers in an order that a seed decides. Virtual time stands still while anything can run, and then
/// jumps to the next deadline; so that a task which waits for a deadline by yielding gets there too, it also jumps after
/// so many steps without a pause.
class sim_driver {
 public:
  sim_driver(worker_pool& pool, std::uint64_t seed) noexcept : pool_(pool), seed_(seed) {}

  /// False: nothing can run any more.
  bool step() noexcept;

 private:
  bool jump() noexcept;

  static constexpr std::uint32_t patience = 4096;

  worker_pool& pool_;
  std::uint64_t seed_;
  std::uint32_t busy_steps_ = 0;
};

}  // namespace sluice::impl
