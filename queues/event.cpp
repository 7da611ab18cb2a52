#include <sluice/queues/event.hpp>

#include <sluice/queues/fail.hpp>

#include <stdexcept>
#include <string>

namespace sluice {

namespace impl {

event_core::~event_core() {
  seize();
  if (!waiters_.empty()) {
    fail("an event is destroyed while somebody waits on it (" + std::to_string(waiters_.size()) +
         "): set it and let them return first, or declare it before the runtime, which cancels its tasks when it goes");
  }
  if (kick_armed_ && (word_.load(relaxed) & kick_flag) == 0) await_kick(0);
}

void event_core::set() noexcept {
  std::uint64_t word = word_.load(relaxed);
  std::uint64_t after = 0;
  do {
    after = (word & set_flag) != 0 ? word : ((word | set_flag) + count_one) & ~kick_flag;
  } while (!word_.compare_exchange_weak(word, after, release, relaxed));  // E1 publish
  if ((word & kick_flag) != 0 && (word & set_flag) == 0) kick(0);
}

bool event_core::passed(std::uint64_t& begun) const noexcept {
  const std::uint64_t word = word_.load(acquire);  // E1 observe
  begun = word / count_one;
  return (word & set_flag) != 0;
}

void event_core::kicked(std::uintptr_t) noexcept { kick_armed_ = false; }

void event_core::serve() noexcept {
  while (!waiters_.empty()) {
    std::uint64_t word = word_.load(acquire);  // E1 observe
    let_pass(word);
    if (waiters_.empty() || kick_armed_ || enough()) return;
    // Fails when the event was set meanwhile: then somebody may pass.
    if (word_.compare_exchange_strong(word, word | kick_flag, relaxed, relaxed)) {
      kick_armed_ = true;
      return;
    }
  }
}

// Completes everybody whom `word` lets pass. Those who were settled at this count stay settled, and stand in front: only the
// newcomers behind them are looked at, so that a million registrations are not a million walks.
void event_core::let_pass(std::uint64_t word) noexcept {
  const std::uint64_t count = word / count_one;
  const bool set = (word & set_flag) != 0;
  auto* w = static_cast<event_waiter*>(&waiters_.front());
  if (!set && count == settled_count_) {
    w = static_cast<event_waiter*>(waiters_.back());
    if (w->settled) return;
    while (w->previous != nullptr && !static_cast<event_waiter*>(w->previous)->settled) {
      w = static_cast<event_waiter*>(w->previous);
    }
  }
  lookahead ahead(w);
  while (w != nullptr) {
    if (enough()) return;  // settled_count_ stays: the next call begins in front
    ahead.step();
    auto* const after = static_cast<event_waiter*>(w->next);
    w->settled = !set && w->begun == count;
    if (!w->settled && claim(*w)) complete(*w, wait_result::done);
    w = after;
  }
  settled_count_ = count;
}

}  // namespace impl

bool event_awaiter::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = impl::wait_result::cancelled;
    return true;
  }
  return core_->passed(wait_.begun);
}

bool event_awaiter::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->wait(wait_, "event.wait");
}

void event_awaiter::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if (wait_.result == impl::wait_result::cancelled) throw cancelled{};
}

event_awaiter event_operation::bind(impl::task_context& context) && {
  impl::event_core* const core = std::exchange(core_, nullptr);
  if (core == nullptr) throw std::logic_error("sluice: event::wait() was awaited twice: call it again instead");
  return event_awaiter(*core, context);
}

void event::block(impl::time_point deadline) {
  impl::refuse_on_worker("event::blocking_wait", "co_await e.wait()");
  impl::thread_context context;
  event_awaiter awaiter(core_, context);
  impl::block_on_awaiter(awaiter, context, deadline);
}

}  // namespace sluice
