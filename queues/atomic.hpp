#pragma once
// The one door to atomics: every lock-free line of sluice goes through this header and no other.
//
// In a product build the door *is* std::atomic, without default orders and without operators: each
// access says its order, and the comment beside it says its partner. In a model build
// (SLUICE_MODEL, tests/model/) the same names belong to a checker that explores the interleavings
// and the stale reads which the C++20 memory model allows.
//
// There is no fence in it: thread sanitizer cannot see one, and an order on an operation reads better.
// What else the checker must see passes here too: futex waits, yields, and `plain`, a variable whose
// unsynchronised use is a data race that the checker reports.

#if __cplusplus < 202002L
#error "sluice needs C++20: add -std=c++20"
#endif

#if defined(SLUICE_MODEL)
#include <sluice/model/door.hpp>
#else

#include <atomic>
#include <chrono>
#include <cstdint>

namespace sluice::impl {

using order = std::memory_order;
inline constexpr order relaxed = std::memory_order_relaxed;
inline constexpr order acquire = std::memory_order_acquire;
inline constexpr order release = std::memory_order_release;
inline constexpr order acq_rel = std::memory_order_acq_rel;
inline constexpr order seq_cst = std::memory_order_seq_cst;

using time_point = std::chrono::steady_clock::time_point;

/// Whether this is a model build, where bounds are small so that a search reaches what lies behind them.
inline constexpr bool model_build = false;

/// An atomic whose every access names its memory order.
template <class T>
class atomic {
 public:
  constexpr atomic() noexcept : value_{} {}
  constexpr explicit atomic(T initial) noexcept : value_{initial} {}
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(order o) const noexcept { return value_.load(o); }
  void store(T v, order o) noexcept { value_.store(v, o); }
  T exchange(T v, order o) noexcept { return value_.exchange(v, o); }
  bool compare_exchange_weak(T& expected, T desired, order success, order failure) noexcept {
    return value_.compare_exchange_weak(expected, desired, success, failure);
  }
  bool compare_exchange_strong(T& expected, T desired, order success, order failure) noexcept {
    return value_.compare_exchange_strong(expected, desired, success, failure);
  }
  T fetch_add(T v, order o) noexcept { return value_.fetch_add(v, o); }
  T fetch_sub(T v, order o) noexcept { return value_.fetch_sub(v, o); }
  T fetch_or(T v, order o) noexcept { return value_.fetch_or(v, o); }
  T fetch_and(T v, order o) noexcept { return value_.fetch_and(v, o); }

 private:
  friend struct futex;
  std::atomic<T> value_;
};

/// Data that only one thread at a time may touch. Free in a product build; race-checked in a model.
template <class T>
class plain {
 public:
  constexpr plain() noexcept : value_{} {}
  constexpr explicit plain(T initial) noexcept : value_{initial} {}

  T get() const noexcept { return value_; }
  void set(T v) noexcept { value_ = v; }

 private:
  T value_;
};

/// One value for each thread, and in a model for each model thread; `Tag` tells one such variable from another. At first it is T{}.
template <class Tag, class T>
class per_thread {
 public:
  static T get() noexcept { return value_; }
  static void set(T v) noexcept { value_ = v; }

 private:
  static inline thread_local constinit T value_{};
};

/// Tells the processor that this is a spin loop.
inline void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

/// Says that this thread will soon write to where `address` points: a hint, for any address.
inline void will_write(const void* address) noexcept { __builtin_prefetch(address, 1); }

/// Lets another thread run: the way to wait for the few instructions of a thread that may be preempted.
void yield_thread() noexcept;

/// Fresh monotonic time.
inline time_point now() noexcept { return std::chrono::steady_clock::now(); }

/// Sleeping on a 32-bit word, straight on the system call (glibc's condition variable and
/// std::atomic::wait have known lost wakeups in the versions we support).
struct futex {
  /// Sleeps while `word` equals `expected`, until woken; may return early for no reason.
  static void wait(atomic<std::uint32_t>& word, std::uint32_t expected) noexcept;
  /// The same, until `deadline` at the latest; time_point::max() is never. False: the deadline passed.
  static bool wait_until(atomic<std::uint32_t>& word, std::uint32_t expected, time_point deadline) noexcept;
  /// Wakes at most `count` sleepers.
  static void wake(atomic<std::uint32_t>& word, int count) noexcept;
};

}  // namespace sluice::impl

#endif
