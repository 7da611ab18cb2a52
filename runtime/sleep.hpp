#pragma once
// sleep_for and sleep_until: a gate of the timer and the link to the caller's cancellation.
//
// The link is armed first, then the timer, so a canceller may come before there is a timer to stop. The phase word decides
// who stops it:
//
//   starting --(await_suspend: the timer is there)--> armed --(canceller)--> stopped by the canceller
//      +-----(canceller)--> asked --(await_suspend)--> stopped by await_suspend
//
// E1  armed (release) -> the canceller (acquire): the timer's address. The way back needs no edge: the gate hands all else over.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/awaited_once.hpp>
#include <sluice/runtime/deadline.hpp>
#include <sluice/runtime/gate.hpp>
#include <sluice/scheduler/scheduler.hpp>

#include <chrono>
#include <exception>

namespace sluice {
namespace impl {

class [[nodiscard]] sleep_awaiter final : public canceller, public timer_target {
 public:
  static constexpr bool is_arm = true;  // of a select

  sleep_awaiter(task_context& context, time_point deadline) noexcept
      : context_(context), scheduler_(*scheduler::current()), deadline_(deadline) {}
  sleep_awaiter(const sleep_awaiter&) = delete;
  sleep_awaiter& operator=(const sleep_awaiter&) = delete;

  bool await_ready() noexcept {
    present_ = scheduler_.now();
    return context_.cancelled() || deadline_ <= present_;
  }
  bool await_suspend(std::coroutine_handle<> self) noexcept;
  void await_resume();

  void fired() noexcept override;
  void cancel(cancellable&, cancellation&) noexcept override;

 private:
  enum : std::uint32_t { starting, armed, asked };

  bool give_up() noexcept;

  task_context& context_;
  scheduler& scheduler_;
  time_point deadline_;
  time_point present_{};    // when it was found that it has to wait
  timer* timer_ = nullptr;  // not null: await_resume returns it
  cancellable link_{this};
  gate gate_{3};                           // the timer, the link, await_suspend
  atomic<std::uint32_t> phase_{starting};  // the enumerators; written once by await_suspend and once by the canceller
  bool cancelled_ = false;
  std::exception_ptr error_;
};

class [[nodiscard]] sleep_operation {
 public:
  explicit sleep_operation(time_point deadline) noexcept : deadline_(deadline) {}
  sleep_awaiter bind(task_context& context) && {
    once_.take();
    return {context, deadline_};
  }

 private:
  awaited_once once_;
  time_point deadline_;
};

template <class Rep, class Period>
class [[nodiscard]] sleep_for_operation {
 public:
  explicit sleep_for_operation(std::chrono::duration<Rep, Period> wait) noexcept : wait_(wait) {}
  sleep_awaiter bind(task_context& context) && {
    once_.take();
    return {context, deadline_after(scheduler::current()->now(), wait_)};
  }

 private:
  awaited_once once_;
  std::chrono::duration<Rep, Period> wait_;
};

}  // namespace impl

/// Waits until `deadline` or a little later, never less. Cancellable. Throws std::bad_alloc when there is no memory for
/// a timer, before it waits.
inline impl::sleep_operation sleep_until(std::chrono::steady_clock::time_point deadline) noexcept {
  return impl::sleep_operation(deadline);
}

/// The same for a time from when it is awaited; zero or less returns at once. Centuries mean for ever.
template <class Rep, class Period>
impl::sleep_for_operation<Rep, Period> sleep_for(std::chrono::duration<Rep, Period> wait) noexcept {
  return impl::sleep_for_operation<Rep, Period>(wait);
}

}  // namespace sluice
