#include <sluice/runtime/sleep.hpp>

namespace sluice::impl {

bool sleep_awaiter::await_suspend(std::coroutine_handle<> self) noexcept {
  context_.handle = self;
  context_.note_wait("sleep", nullptr);
  if (!context_.arm(link_)) {
    cancelled_ = true;
    return false;
  }
  try {
    timer_ = scheduler_.start_timer(deadline_, *this, present_);
  } catch (...) {
    error_ = std::current_exception();
    return !gate_.leave(context_.disarm(link_) ? 3 : 2);
  }
  if (phase_.exchange(armed, release) == asked) return !give_up();  // E1 publish
  return !gate_.leave(1);
}

// The canceller came before the timer: it is stopped here. True: the sleep is over and nobody is left inside.
bool sleep_awaiter::give_up() noexcept {
  const bool stopped = scheduler_.stop_timer(timer_);
  timer_ = nullptr;
  cancelled_ = stopped;
  return gate_.leave(stopped ? 2 : 1);
}

void sleep_awaiter::fired() noexcept { gate_.leave_and_wake(context_.disarm(link_) ? 2 : 1, context_); }

void sleep_awaiter::cancel(cancellable&, cancellation&) noexcept {
  if (phase_.exchange(asked, acquire) == starting) return gate_.leave_and_wake(1, context_);  // E1 observe
  const bool stopped = scheduler_.stop_timer(timer_);
  timer_ = nullptr;
  cancelled_ = stopped;
  gate_.leave_and_wake(stopped ? 2 : 1, context_);
}

void sleep_awaiter::await_resume() {
  if (timer_ != nullptr) (void)scheduler_.stop_timer(timer_);  // it has fired: this only returns it
  context_.note_wait(nullptr, nullptr);
  if (error_) std::rethrow_exception(std::move(error_));
  if (cancelled_ || (timer_ == nullptr && context_.cancelled())) throw sluice::cancelled{};
}

}  // namespace sluice::impl
