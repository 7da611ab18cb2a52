#include <sluice/queues/semaphore.hpp>

#include <sluice/queues/fail.hpp>

#include <stdexcept>
#include <string>

namespace sluice {

namespace impl {

namespace {

constexpr std::size_t largest = std::size_t{1} << 60;

std::int64_t checked_total(std::size_t permits) {
  if (permits > largest) {
    throw std::invalid_argument("sluice: a semaphore can hold 2^60 permits at most, not " + std::to_string(permits));
  }
  return static_cast<std::int64_t>(permits);
}

}  // namespace

semaphore_core::semaphore_core(std::size_t permits)
    : waiter_hub(&waiters_), word_(checked_total(permits) * one), total_(static_cast<std::int64_t>(permits)) {}

semaphore_core::~semaphore_core() {
  seize();
  if (!waiters_.empty()) {
    fail("a semaphore is destroyed while " + std::to_string(waiters_.size()) +
         " acquires on it are pending: let them return, or cancel them, first");
  }
  if (kick_armed_ && (word_.load(relaxed) & kick_flag) == 0) await_kick(0);
}

std::int64_t semaphore_core::checked(std::size_t n) const {
  const std::int64_t total = total_.load(relaxed);
  if (n > static_cast<std::size_t>(total)) {
    throw std::invalid_argument("sluice: acquire(" + std::to_string(n) + ") on a semaphore of " + std::to_string(total) +
                                " permits could never succeed: ask for fewer, or resize it first");
  }
  return static_cast<std::int64_t>(n);
}

bool semaphore_core::try_take(std::int64_t n) noexcept {
  if (n == 0) return true;
  std::int64_t word = word_.load(relaxed);
  do {
    if ((word & frozen_flag) != 0 || word < n * one) return false;
  } while (!word_.compare_exchange_weak(word, word - n * one, acquire, relaxed));  // E1 observe
  return true;
}

void semaphore_core::give_back(std::size_t n) {
  std::int64_t word = word_.load(relaxed);
  do {
    const std::int64_t out = total_.load(relaxed) - (word >> 2);
    if (n > largest || static_cast<std::int64_t>(n) > out) {
      throw std::logic_error("sluice: release(" + std::to_string(n) + ") on a semaphore with only " + std::to_string(out) +
                             " permits out: release what was forgotten, once");
    }
    // E1 publish
  } while (!word_.compare_exchange_weak(word, (word + static_cast<std::int64_t>(n) * one) & ~kick_flag, acq_rel, relaxed));
  if ((word & kick_flag) != 0) kick(0);
}

// Adds to the free permits what a resize changes.
void semaphore_core::add(std::int64_t n) noexcept {
  std::int64_t word = word_.load(relaxed);
  while (!word_.compare_exchange_weak(word, (word + n * one) & ~kick_flag, acq_rel, relaxed)) {  // E1 publish
  }
  if ((word & kick_flag) != 0) kick(0);
}

// The total is the larger of the two while they change, so that no release is refused wrongly.
void semaphore_core::resize(std::size_t permits) {
  const std::int64_t wanted = checked_total(permits);
  std::int64_t total = total_.load(relaxed);
  for (;;) {
    const std::int64_t change = wanted - total;
    if (change < 0) add(change);
    if (total_.compare_exchange_strong(total, wanted, relaxed, relaxed)) {
      if (change > 0) add(change);
      return;
    }
    if (change < 0) add(-change);  // somebody else resized: undo, and begin again from what it made
  }
}

std::size_t semaphore_core::available() const noexcept {
  const std::int64_t free = word_.load(relaxed) >> 2;  // a snapshot
  return free < 0 ? 0 : static_cast<std::size_t>(free);
}

bool semaphore_core::enlist(permit_waiter& w) noexcept { return wait(w, "semaphore.acquire"); }

void semaphore_core::kicked(std::uintptr_t) noexcept { kick_armed_ = false; }

void semaphore_core::serve() noexcept {
  if (!waiters_.empty() && !frozen_) {
    word_.fetch_or(frozen_flag, relaxed);
    frozen_ = true;
  }
  while (!waiters_.empty() && grant(static_cast<permit_waiter&>(waiters_.front()))) {
  }
  if (waiters_.empty() && frozen_) {
    word_.fetch_and(~frozen_flag, relaxed);
    frozen_ = false;
  }
  waiting_.store(waiters_.size(), relaxed);
}

// Serves the first waiter. False: it must wait, and a release that could help it will kick (I2).
bool semaphore_core::grant(permit_waiter& w) noexcept {
  std::int64_t word = word_.load(relaxed);
  while (word < w.wanted * one) {
    if (kick_armed_) return false;
    if (word_.compare_exchange_weak(word, word | kick_flag, relaxed, relaxed)) {
      kick_armed_ = true;
      return false;
    }
  }
  if (!claim(w)) return true;
  word_.fetch_sub(w.wanted * one, acquire);  // E1 observe. Frozen: nobody else takes
  complete(w, wait_result::done);
  return true;
}

}  // namespace impl

void permit::release() noexcept {
  if (count_ == 0) return;
  const std::size_t n = std::exchange(count_, 0);
  try {
    core_->give_back(n);
  } catch (const std::logic_error& error) {
    impl::fail(error.what());
  }
}

permit permit::split(std::size_t n) {
  if (n > count_) {
    throw std::invalid_argument("sluice: split(" + std::to_string(n) + ") of a permit that holds " + std::to_string(count_));
  }
  count_ -= n;
  return {*core_, n};
}

bool acquire_awaiter::await_ready() noexcept {
  if (wait_.context->cancelled()) {
    wait_.result = impl::wait_result::cancelled;
    return true;
  }
  return core_->try_take(wait_.wanted);
}

bool acquire_awaiter::await_suspend(std::coroutine_handle<> suspended) noexcept {
  wait_.context->handle = suspended;
  return core_->enlist(wait_);
}

permit acquire_awaiter::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if (wait_.result == impl::wait_result::cancelled) throw cancelled{};
  return {*core_, static_cast<std::size_t>(wait_.wanted)};
}

acquire_awaiter acquire_operation::bind(impl::task_context& context) && {
  impl::semaphore_core* const core = std::exchange(core_, nullptr);
  if (core == nullptr) throw std::logic_error("sluice: semaphore::acquire() was awaited twice: call it again instead");
  return {*core, wanted_, context};
}

std::optional<permit> semaphore::try_acquire(std::size_t n) {
  if (!core_.try_take(core_.checked(n))) return std::nullopt;
  return permit(core_, n);
}

permit semaphore::block(std::size_t n, impl::time_point deadline) {
  impl::refuse_on_worker("semaphore::blocking_acquire", "co_await acquire");
  impl::thread_context context;
  acquire_awaiter awaiter(core_, core_.checked(n), context);
  return impl::block_on_awaiter(awaiter, context, deadline);
}

}  // namespace sluice
