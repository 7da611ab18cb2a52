#pragma once
// The shipped workers (worker.cpp) on model threads: a pool without threads of its own, and jobs that its workers run.
//
// A job that calls its worker first says who it is (`me`): these jobs are resumed without a scheduler.

#include "items.hpp"

#include <sluice/scheduler/worker.hpp>

#include <coroutine>
#include <cstddef>
#include <functional>
#include <utility>

namespace sluice::test {

/// Something to run once, on whatever worker takes it.
class job {
 public:
  job() = default;
  job(const job&) = delete;
  job& operator=(const job&) = delete;

  /// Before the job is handed to a worker.
  impl::runnable& prepare(std::function<void()> body) {
    body_ = std::move(body);
    payload_.set(7);
    context_.handle = once(*this).handle;
    return context_;
  }
  /// The thread that hands a prepared job over writes what its taker must see.
  impl::runnable& renew() {
    payload_.set(7);
    return context_;
  }
  int runs() const { return runs_.load(impl::relaxed); }

 private:
  struct never_woken final : impl::waker {
    void wake(impl::runnable&) noexcept override { model::fail("A job waits for nothing."); }
  };
  struct coroutine {
    struct promise_type {
      coroutine get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
      std::suspend_always initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() noexcept {}
      void unhandled_exception() noexcept { model::fail("A job throws."); }
    };
    std::coroutine_handle<> handle;
  };
  static coroutine once(job& self) {
    self.run();
    co_return;
  }
  void run() {
    model::check(payload_.get() == 7, "Who runs a job sees what was written before it was handed over.");
    model::check(runs_.fetch_add(1, impl::relaxed) == 0, "A job runs once.");
    body_();
  }

  static inline never_woken nobody;
  std::function<void()> body_;
  impl::plain<int> payload_{0};
  impl::atomic<int> runs_{0};
  impl::task_context context_{nobody};
};

/// So many workers, for model threads 1 .. workers, and the jobs that they end with.
struct crew {
  explicit crew(std::size_t workers, int jobs, std::size_t allowed = ~std::size_t{0})
      : pool(owner(), "model", workers, false, 0, 0, allowed), left(jobs) {}

  /// The worker that runs the calling job.
  impl::worker& me() {
    impl::worker& w = *pool.workers[static_cast<std::size_t>(model::thread_index()) - 1];
    impl::worker::set_current(&w);
    impl::running_task::set(reinterpret_cast<impl::task_context*>(&w));  // anything but null
    return w;
  }
  /// The end of a job. The last one stops the workers, as the driver does.
  void finished_one() {
    if (left.fetch_sub(1, impl::relaxed) == 1) stop();
  }
  void stop() {
    pool.stopping.store(1, impl::relaxed);
    for (auto& w : pool.workers) w->parker().unpark();
  }
  auto worker(std::size_t i) {
    return [this, i] { pool.workers[i]->work(); };
  }

  impl::worker_pool pool;
  impl::atomic<int> left;

 private:
  // A pool knows its scheduler, but never looks at it.
  static impl::scheduler& owner() {
    alignas(impl::scheduler) static std::byte nothing[sizeof(impl::scheduler)];
    return reinterpret_cast<impl::scheduler&>(nothing);
  }
};

/// A job's long computation: it ends when somebody else says `done()`.
class long_slice {
 public:
  void wait() {
    while (word_.load(impl::acquire) == 0) impl::futex::wait(word_, 0);
  }
  void done() {
    word_.store(1, impl::release);
    impl::futex::wake(word_, 3);
  }

 private:
  impl::atomic<std::uint32_t> word_{0};
};

}  // namespace sluice::test
