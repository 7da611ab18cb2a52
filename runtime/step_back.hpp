#pragma once
// Steps back, behind what is ready, when the slice's budget of waits that are over at once is used up (scheduler/slice.hpp).
//
// The wait has ended by then: what it claimed lies in its awaiter, and is delivered when the task comes back, also if the
// task is cancelled meanwhile. Only a task that runs as itself steps back; the awaiter of an operation within a timeout does
// not, but the timeout does.

#include <sluice/runtime/root_context.hpp>
#include <sluice/scheduler/slice.hpp>

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace sluice::impl {

/// The slice is used up: whether the task of `context` steps back now.
bool must_step_back(task_context& context) noexcept;

/// An awaiter that keeps its line of execution, which then is kept once. (A store less before its locked operation: late.hpp.)
template <class Awaiter>
concept keeps_context = requires(const Awaiter& awaiter) {
  { awaiter.context() } -> std::same_as<task_context&>;
};

/// Around every awaiter that a task's co_await makes of an operation.
template <class Awaiter>
class [[nodiscard]] in_slice {
  using answer = decltype(std::declval<Awaiter&>().await_suspend(std::coroutine_handle<>{}));

 public:
  template <class Operation>
  in_slice(Operation&& operation, task_context& context)
      : inner_(std::forward<Operation>(operation).bind(context)), context_{context} {}
  in_slice(const in_slice&) = delete;
  in_slice& operator=(const in_slice&) = delete;

  bool await_ready() {
    if (!inner_.await_ready()) {
      over_ = false;
      return false;
    }
    if (!spend_slice()) [[likely]]
      return true;
    over_ = must_step_back(context());
    return !over_;
  }
  [[gnu::always_inline]] auto await_suspend(std::coroutine_handle<> self) {
    if constexpr (std::is_same_v<answer, bool>) {
      return over_ ? step_back(self) : inner_.await_suspend(self);
    } else if constexpr (std::is_void_v<answer>) {
      over_ ? static_cast<void>(step_back(self)) : inner_.await_suspend(self);
    } else {
      if (!over_) return answer(inner_.await_suspend(self));
      step_back(self);
      return answer(std::noop_coroutine());
    }
  }
  decltype(auto) await_resume() { return inner_.await_resume(); }

 private:
  bool step_back(std::coroutine_handle<> self) noexcept {
    context().handle = self;
    context().yield();
    return true;
  }

  struct kept {
    task_context& it;
  };
  struct not_kept {
    explicit not_kept(task_context&) noexcept {}
  };
  task_context& context() const noexcept {
    if constexpr (keeps_context<Awaiter>) {
      return inner_.context();
    } else {
      return context_.it;
    }
  }

  Awaiter inner_;
  bool over_;  // the wait has ended, and the task steps back before it goes on
  [[no_unique_address]] std::conditional_t<keeps_context<Awaiter>, not_kept, kept> context_;
};

}  // namespace sluice::impl
