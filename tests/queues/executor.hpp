#pragma once
// The smallest world above a queue: an executor that resumes what is woken, in order, on the thread that
// runs it, and a coroutine type with a context of its own. What every queue test stands on.

#include <sluice/queues/task_context.hpp>

#include <coroutine>
#include <exception>
#include <utility>

namespace sluice::test {

class executor final : public impl::waker {
 public:
  void wake(impl::runnable& r) noexcept override {
    impl::runnable* head = woken_.load(impl::relaxed);
    do {
      r.next = head;
    } while (!woken_.compare_exchange_weak(head, &r, impl::release, impl::relaxed));  // E1 publish: the woken frame
  }

  /// Resumes until nothing is runnable. True: something was resumed.
  bool run() {
    bool any = false;
    for (;;) {
      impl::runnable* newest = woken_.exchange(nullptr, impl::acquire);  // E1 observe
      if (newest == nullptr) return any;
      any = true;
      impl::runnable* oldest = nullptr;
      while (newest != nullptr) oldest = std::exchange(newest, std::exchange(newest->next, oldest));
      while (oldest != nullptr) std::exchange(oldest, oldest->next)->handle.resume();
    }
  }

  std::size_t live = 0;  ///< coroutines begun here and not ended

 private:
  impl::atomic<impl::runnable*> woken_{nullptr};
};

/// A coroutine that begins at once and frees itself. Its parameters begin with the executor it runs on.
struct coroutine {
  struct promise_type {
    template <class... Arguments>
    explicit promise_type(executor& e, Arguments&&...) noexcept : home(&e), context(e) {
      ++home->live;
    }
    coroutine get_return_object() noexcept { return {&context}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept {
      --home->live;
      return {};
    }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
    template <class Operation>
      requires impl::bindable<Operation>
    auto await_transform(Operation&& operation) {
      return std::forward<Operation>(operation).bind(context);
    }

    executor* home;
    impl::task_context context;
  };

  impl::task_context* context;  ///< to cancel it; valid while the coroutine lives
};

}  // namespace sluice::test
