#pragma once
// A plain thread as the waiter of a wait: what the `blocking_` twins stand on.
//
// States of the word:  0 waiting   1 woken
// I1  The word goes to 1 once, by wake(); after that the context may be destroyed at any moment, so the
//     store is wake()'s last touch of it (the futex call that follows only names the address).
// E1  wake (release) -> park (acquire): what the waking side wrote is visible to the thread.

#include <sluice/queues/errors.hpp>
#include <sluice/queues/task_context.hpp>

#include <string>

namespace sluice::impl {

/// The name of the runtime whose worker this thread is, or null on a plain thread. Set by the scheduler.
inline thread_local constinit const char* worker_thread_name = nullptr;

/// Throws std::logic_error when a worker calls what would block it. `call` and `instead` complete the sentence.
inline void refuse_on_worker(const char* call, const char* instead) {
  if (worker_thread_name == nullptr) return;
  throw std::logic_error(std::string("sluice: ") + call + " would block a worker of runtime '" + worker_thread_name +
                         "': use " + instead + " there");
}

class thread_context final : public task_context, private waker {
 public:
  thread_context() noexcept : task_context(static_cast<waker&>(*this)) {}
  ~thread_context() = default;

  /// Sleeps until woken.
  void park() noexcept {
    while (word_.load(acquire) == 0) futex::wait(word_, 0);  // E1 observe
  }

  /// Sleeps until woken or until `deadline`. False: not woken yet.
  [[nodiscard]] bool park_until(time_point deadline) noexcept {
    while (word_.load(acquire) == 0) {                                              // E1 observe
      if (!futex::wait_until(word_, 0, deadline)) return word_.load(acquire) != 0;  // E1 observe
    }
    return true;
  }

 private:
  void wake(runnable&) noexcept override {
    word_.store(1, release);  // E1 publish, I1
    futex::wake(word_, 1);
  }

  atomic<std::uint32_t> word_{0};  // 0 | 1, see above
};

/// Runs an awaiter to its end on a plain thread; `deadline` max is never. Throws timed_out when it passes.
template <class Awaiter>
auto block_on_awaiter(Awaiter& awaiter, thread_context& context, time_point deadline)
    -> decltype(awaiter.await_resume()) {
  if (awaiter.await_ready()) return awaiter.await_resume();
  if (deadline != time_point::max() && deadline <= now()) {
    if (has_part(awaiter)) return awaiter.await_resume();
    throw timed_out{};
  }
  if (!awaiter.await_suspend(std::coroutine_handle<>{}) || context.park_until(deadline)) return awaiter.await_resume();
  context.cancel();
  context.park();
  try {
    return awaiter.await_resume();  // the result may have been there first
  } catch (const cancelled&) {
    throw timed_out{};
  }
}

/// The deadline of a call that was given `patience`: now if that is zero or less, never if it is too long to count.
template <class Rep, class Period>
time_point deadline_after(std::chrono::duration<Rep, Period> patience) {
  const time_point start = now();
  if (!(patience > patience.zero())) return start;
  const std::chrono::duration<long double, time_point::period> exact = patience;
  const std::chrono::duration<long double, time_point::period> longest = time_point::max() - start;
  if (exact >= longest) return time_point::max();
  return start + std::chrono::ceil<time_point::duration>(patience);
}

}  // namespace sluice::impl
