#pragma once
// A lock for the few cold places of the runtime where plain threads meet: the blocking pool's queue, the list of
// runtimes, the signal watcher. Held for a few instructions, never across user code. States after Drepper, "Futexes
// are tricky" (2004): 0 free, 1 held, 2 held and somebody may sleep.
//
// E1  unlock (release) -> lock (acquire): everything done under the lock.

#include <sluice/queues/atomic.hpp>

namespace sluice::impl {

class futex_mutex {
 public:
  constexpr futex_mutex() noexcept = default;

  void lock() noexcept {
    std::uint32_t before = 0;
    if (word_.compare_exchange_strong(before, 1, acquire, relaxed)) return;  // E1 observe
    while (word_.exchange(2, acquire) != 0) futex::wait(word_, 2);           // E1 observe
  }
  void unlock() noexcept {
    if (word_.exchange(0, release) == 2) futex::wake(word_, 1);  // E1 publish
  }

 private:
  atomic<std::uint32_t> word_{0};  // 0 | 1 | 2; written by lock and unlock
};

/// Holds a futex_mutex for a scope.
class locked {
 public:
  explicit locked(futex_mutex& mutex) noexcept : mutex_(mutex) { mutex_.lock(); }
  ~locked() { mutex_.unlock(); }
  locked(const locked&) = delete;
  locked& operator=(const locked&) = delete;

 private:
  futex_mutex& mutex_;
};

}  // namespace sluice::impl
