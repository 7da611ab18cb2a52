#include <sluice/queues/atomic.hpp>

#include <cerrno>
#include <ctime>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sluice::impl {

void yield_thread() noexcept { ::sched_yield(); }

void futex::wait(atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
  ::syscall(SYS_futex, &word.value_, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

bool futex::wait_until(atomic<std::uint32_t>& word, std::uint32_t expected, time_point deadline) noexcept {
  if (deadline == time_point::max()) {
    wait(word, expected);
    return true;
  }
  // FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time, which is what steady_clock reads.
  const auto since_epoch = deadline.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  if (seconds.count() < 0) return false;
  timespec until{};
  until.tv_sec = static_cast<std::time_t>(seconds.count());
  until.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since_epoch - seconds).count());
  const long result =
      ::syscall(SYS_futex, &word.value_, FUTEX_WAIT_BITSET_PRIVATE, expected, &until, nullptr, FUTEX_BITSET_MATCH_ANY);
  return result == 0 || errno != ETIMEDOUT;
}

void futex::wake(atomic<std::uint32_t>& word, int count) noexcept {
  ::syscall(SYS_futex, &word.value_, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace sluice::impl
