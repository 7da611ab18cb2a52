#pragma once
// The threads that make blocking calls on behalf of tasks: as many as there are calls at once up to a bound, each kept
// for ten seconds of idleness, the last one idle the first one used again.
//
// One short lock guards the queue and the idle stack; it is never held around a job. Each idle thread sleeps on a word of
// its own.
//
// I1  A job is queued, or runs, or was withdrawn; the moves are made under the lock.
// I2  A queued job coexists with an idle thread only until that thread, which was told, gets the lock.
// I3  Queued jobs coexist with fewer than `most` threads only if the system gives no more threads, and then at least one
//     thread lives.
// I4  A thread that was taken off the idle stack goes on, or away, only after it was told: until then whoever took it off
//     touches it.
// E1  told (release) -> the idle thread (acquire): it is no longer in the stack, and nobody touches it any more.

#include <sluice/queues/atomic.hpp>
#include <sluice/runtime/blocking_thread.hpp>
#include <sluice/runtime/futex_mutex.hpp>
#include <sluice/scheduler/process.hpp>

#include <cstddef>
#include <list>
#include <string>

namespace sluice::impl {

/// A call to be made on a thread of the pool. Its owner keeps it alive until run() has returned or withdraw() said true.
class blocking_job {
 public:
  /// Called once, on a thread of the pool. The job may be gone when it returns.
  virtual void run() noexcept = 0;

  // The pool's queue, under its lock.
  blocking_job* previous = nullptr;
  blocking_job* next = nullptr;
  bool queued = false;

 protected:
  ~blocking_job() = default;
};

class blocking_pool {
 public:
  blocking_pool(std::size_t most, std::string name);
  ~blocking_pool() { stop(); }
  blocking_pool(const blocking_pool&) = delete;
  blocking_pool& operator=(const blocking_pool&) = delete;

  /// Queues a job. From any thread. Throws std::system_error, before anything has changed, when not even one thread
  /// can be started.
  void submit(blocking_job& job);
  /// Takes a job out of the queue. False: it runs, or has run.
  [[nodiscard]] bool withdraw(blocking_job& job) noexcept;
  /// Joins the threads. Precondition: no job is left.
  void stop() noexcept;

  /// Appends a line: threads, idle ones, jobs queued.
  void describe(std::string& out) const;

 protected:  // for the canary of the models, which leaves out a step of submit()
  struct worker {
    explicit worker(blocking_pool& p) noexcept : pool(p) {}
    blocking_pool& pool;
    blocking_thread thread;
    // 0 while idle, 1 once there is something to do; written by whoever pops it, and by it
    atomic<std::uint32_t> told{0};
    worker* below = nullptr;  // the idle stack, under the lock
    std::list<worker>::iterator self;
  };

  void add_thread();
  void work(worker& me) noexcept;
  bool sleep(worker& me) noexcept;
  bool is_idle(const worker& me) const noexcept;
  void leave_idle(worker& me) noexcept;
  void push(blocking_job& job) noexcept;
  void unlink(blocking_job& job) noexcept;
  static void tell(worker& w) noexcept;
  static void join(std::list<worker>& gone) noexcept;

  const std::size_t most_;
  const std::string name_;
  const process_stamp made_in_;
  mutable futex_mutex lock_;
  // All of these under lock_; the two counts change with the queue and the stack, and so show whoever comes without it.
  blocking_job* first_ = nullptr;
  blocking_job* last_ = nullptr;
  plain<std::size_t> queued_{0};
  worker* idle_ = nullptr;
  plain<std::size_t> idle_count_{0};
  std::list<worker> threads_;
  std::list<worker> gone_;  // have left work(), or are about to; to be joined
  bool stopping_ = false;
};

}  // namespace sluice::impl
