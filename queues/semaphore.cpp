#include <sluice/queues/semaphore.hpp>

#include <sluice/queues/fail.hpp>

#include <stdexcept>
#include <string>

namespace sluice {

namespace impl {

namespace {

constexpr std::size_t largest = std::size_t{1} << 60;

std::uint64_t checked_total(std::size_t permits) {
  if (permits > largest) {
    throw std::invalid_argument("sluice: a semaphore can hold 2^60 permits at most, not " + std::to_string(permits) +
                                ": was a negative number converted?");
  }
  return permits;
}

}  // namespace

semaphore_core::semaphore_core(std::size_t permits, bool refuses)
    : waiter_hub(&waiters_), total_(checked_total(permits)), refuses_(refuses) {}

semaphore_core::~semaphore_core() {
  seize();
  if (!waiters_.empty()) {
    fail("a semaphore is destroyed while somebody waits on it (" + std::to_string(waiters_.size()) +
         "): let them return, or cancel them, first, or declare it before the runtime, which cancels its tasks when it "
         "goes");
  }
  if (kick_armed_ && (word_.load(relaxed) & kick_flag) == 0) await_kick(0);
}

std::uint64_t semaphore_core::checked(std::size_t n) const {
  if (n > total()) {
    throw std::invalid_argument("sluice: acquire(" + std::to_string(n) + ") on a semaphore of " +
                                std::to_string(total()) +
                                " permits could never succeed: ask for fewer, or resize it first");
  }
  return n;
}

bool semaphore_core::has_free(std::uint64_t word, std::uint64_t n) const noexcept {
  const std::uint64_t total = total_.load(relaxed);
  return (total & shut_flag) == 0 && n <= total && word / one <= total - n;
}

// What who waits for `n` ends as. None: it may wait.
wait_result semaphore_core::refusal(std::uint64_t n) const noexcept {
  const std::uint64_t total = total_.load(acquire);  // E3 observe
  if ((total & shut_flag) != 0) return wait_result::closed;
  return refuses_ && n > total ? wait_result::full : wait_result::none;
}

bool semaphore_core::try_take(std::uint64_t n) noexcept {
  if (n == 0) return true;
  std::uint64_t word = word_.load(relaxed);
  do {
    if ((word & frozen_flag) != 0 || !has_free(word, n)) return false;
  } while (!word_.compare_exchange_weak(word, word + n * one, acquire, relaxed));  // E1 observe
  return true;
}

void semaphore_core::give_back(std::uint64_t n) {
  std::uint64_t word = word_.load(relaxed);
  do {
    if (n > word / one) {
      throw std::logic_error("sluice: release(" + std::to_string(n) + ") on a semaphore with only " +
                             std::to_string(word / one) + " permits out: give back each forgotten permit once");
    }
  } while (!word_.compare_exchange_weak(word, (word - n * one) & ~kick_flag, release, relaxed));  // E1 publish
  if ((word & kick_flag) != 0) pay_kick();
}

void semaphore_core::resize(std::size_t permits) {
  const std::uint64_t wanted = checked_total(permits);
  std::uint64_t before = total_.load(relaxed);
  while (!total_.compare_exchange_weak(before, wanted | (before & shut_flag), relaxed, relaxed)) {
  }
  total_changed();
}

void semaphore_core::shut() noexcept {
  total_.fetch_or(shut_flag, release);  // E3 publish
  total_changed();
}

void semaphore_core::total_changed() noexcept {
  if ((word_.fetch_and(~kick_flag, release) & kick_flag) != 0) kick(0);  // E2 publish
}

std::size_t semaphore_core::available() const noexcept {
  const std::size_t most = total();
  return out() < most ? most - out() : 0;
}

bool semaphore_core::wait_first(permit_waiter& w) noexcept {
  note(w, "semaphore.acquire");
  if (!enter()) return wait_behind(w);
  const bool behind = !waiters_.empty();  // of others, for whom all has been done: I2
  if (!link(w)) return false;
  if (behind) {
    waiting_.store(waiters_.size(), relaxed);
    if (leave()) return true;
  }
  return !run(&w);
}

// kick(), with a short cut: what serve() would do where it serves one.
void semaphore_core::pay_kick() noexcept {
  if (!enter()) return kick_behind(0);
  kick_armed_ = false;
  if (!serve_first()) run(nullptr);
}

// True: the caller has left. False: it still runs.
bool semaphore_core::serve_first() noexcept {
  std::uint64_t word = word_.load(relaxed);
  if (waiters_.empty() || !has_free(word, static_cast<permit_waiter&>(waiters_.front()).wanted)) return false;
  auto& w = static_cast<permit_waiter&>(waiters_.front());
  if (!claim(w)) return false;
  const bool last = waiters_.empty();
  const std::uint64_t next = last ? 0 : static_cast<permit_waiter&>(waiters_.front()).wanted;
  std::uint64_t then = 0;
  do {
    then = word + w.wanted * one;
    then = last ? then & ~frozen_flag : then | kick_flag;
  } while (!word_.compare_exchange_weak(word, then, acquire, relaxed));  // E1 observe, E2 observe
  frozen_ = kick_armed_ = !last;
  waiting_.store(waiters_.size(), relaxed);
  w.result = wait_result::done;
  // The kick was set whether it was needed or not. So the total is looked at after it, too (E2).
  if ((last || (!has_free(then, next) && refusal(next) == wait_result::none)) && leave()) {
    w.context->wake();
    return true;
  }
  complete(w, wait_result::done);
  return false;
}

void semaphore_core::kicked(std::uintptr_t) noexcept { kick_armed_ = false; }

void semaphore_core::serve() noexcept {
  if (!waiters_.empty() && !frozen_) {
    word_.fetch_or(frozen_flag, relaxed);
    frozen_ = true;
  }
  while (!waiters_.empty() && !enough() && grant(static_cast<permit_waiter&>(waiters_.front()))) {
  }
  if (waiters_.empty() && frozen_) {
    word_.fetch_and(~frozen_flag, relaxed);
    frozen_ = false;
  }
  waiting_.store(waiters_.size(), relaxed);
}

// Serves or refuses the first waiter. False: it must wait, and a release or a resize that could help it will kick (I2).
bool semaphore_core::grant(permit_waiter& w) noexcept {
  std::uint64_t word = word_.load(relaxed);
  while (!has_free(word, w.wanted)) {
    if (const wait_result result = refusal(w.wanted); result != wait_result::none) {
      if (claim(w)) complete(w, result);
      return true;
    }
    if (kick_armed_) return false;
    // Once it is set, the total is looked at again. E2 observe
    if (word_.compare_exchange_weak(word, word | kick_flag, acquire, relaxed)) kick_armed_ = true;
  }
  if (!claim(w)) return true;
  word_.fetch_add(w.wanted * one, acquire);  // E1 observe. Frozen: nobody else takes
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
    impl::fail(error.what() + std::string(" (a permit gave back what was released already)"));
  }
}

permit permit::split(std::size_t n) {
  if (n > count_) {
    throw std::invalid_argument("sluice: split(" + std::to_string(n) + ") of a permit that holds " +
                                std::to_string(count_));
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
  return core_->wait_first(wait_);
}

permit acquire_awaiter::await_resume() {
  impl::waiter_hub::resumed(wait_);
  if (wait_.result == impl::wait_result::cancelled) throw cancelled{};
  return {*core_, wait_.result == impl::wait_result::none || wait_.result == impl::wait_result::done ? wanted() : 0};
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
  impl::refuse_on_worker("semaphore::blocking_acquire", "co_await s.acquire(n)");
  impl::thread_context context;
  acquire_awaiter awaiter(core_, core_.checked(n), context);
  return impl::block_on_awaiter(awaiter, context, deadline);
}

}  // namespace sluice
