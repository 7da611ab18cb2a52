#pragma once
// The atomics door of a model build: source-compatible with the product's (queues/atomic.hpp), but
// every access goes to the checker together with its site, a pair of defaulted arguments.
//
// Model binaries compile the library again with -DSLUICE_MODEL -Dsluice=sluice_model, so that mixing the two builds
// does not link.

#include <sluice/model/hooks.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace sluice::impl {

/// Whether this is a model build, where bounds are small so that a search reaches what lies behind them.
inline constexpr bool model_build = true;

using order = std::memory_order;
inline constexpr order relaxed = std::memory_order_relaxed;
inline constexpr order acquire = std::memory_order_acquire;
inline constexpr order release = std::memory_order_release;
inline constexpr order acq_rel = std::memory_order_acq_rel;
inline constexpr order seq_cst = std::memory_order_seq_cst;

using time_point = std::chrono::steady_clock::time_point;

#define SLUICE_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE(), int column = __builtin_COLUMN()

template <class T>
class atomic {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(::model::bits),
                "The checker keeps atomics of at most 8 bytes.");

 public:
  constexpr atomic() noexcept : atomic(T{}) {}
  constexpr explicit atomic(T initial, SLUICE_SITE) noexcept : value_{initial} {
    if (!std::is_constant_evaluated())
      ::model::construct_atomic(&value_, sizeof(T), pack(initial), {file, line, column});
  }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;
  constexpr ~atomic() {
    if (!std::is_constant_evaluated()) ::model::destroy_atomic(&value_, {__builtin_FILE(), __builtin_LINE()});
  }

  T load(order o, SLUICE_SITE) const noexcept {
    return unpack(::model::atomic_load(&value_, sizeof(T), o, {file, line, column}));
  }
  void store(T v, order o, SLUICE_SITE) noexcept {
    ::model::atomic_store(&value_, sizeof(T), pack(v), o, {file, line, column});
  }
  T exchange(T v, order o, SLUICE_SITE) noexcept {
    return modify(::model::modification::exchange, v, o, {file, line, column});
  }
  bool compare_exchange_weak(T& expected, T desired, order success, order failure, SLUICE_SITE) noexcept {
    return compare_exchange(expected, desired, success, failure, true, {file, line, column});
  }
  bool compare_exchange_strong(T& expected, T desired, order success, order failure, SLUICE_SITE) noexcept {
    return compare_exchange(expected, desired, success, failure, false, {file, line, column});
  }
  T fetch_add(T v, order o, SLUICE_SITE) noexcept {
    return modify(::model::modification::add, v, o, {file, line, column});
  }
  T fetch_sub(T v, order o, SLUICE_SITE) noexcept {
    return modify(::model::modification::subtract, v, o, {file, line, column});
  }
  T fetch_or(T v, order o, SLUICE_SITE) noexcept {
    return modify(::model::modification::bit_or, v, o, {file, line, column});
  }
  T fetch_and(T v, order o, SLUICE_SITE) noexcept {
    return modify(::model::modification::bit_and, v, o, {file, line, column});
  }

 private:
  friend struct futex;

  static ::model::bits pack(T v) noexcept {
    ::model::bits result = 0;
    std::memcpy(&result, &v, sizeof(T));
    return result;
  }
  static T unpack(::model::bits b) noexcept {
    T result;
    std::memcpy(&result, &b, sizeof(T));
    return result;
  }
  T modify(::model::modification what, T v, order o, ::model::site where) noexcept {
    return unpack(::model::atomic_modify(&value_, sizeof(T), what, pack(v), o, where));
  }
  bool compare_exchange(T& expected, T desired, order success, order failure, bool weak, ::model::site where) noexcept {
    ::model::exchange_request request{pack(expected), pack(desired), success, failure, weak};
    const bool done = ::model::atomic_compare_exchange(&value_, sizeof(T), request, where);
    if (!done) expected = unpack(request.expected);
    return done;
  }

  T value_;
};

template <class T>
class plain {
 public:
  constexpr plain() noexcept : plain(T{}) {}
  constexpr explicit plain(T initial, SLUICE_SITE) noexcept : value_{initial} { constructed({file, line, column}); }
  constexpr plain(const plain& other, SLUICE_SITE) noexcept : value_{other.get(file, line, column)} {
    constructed({file, line, column});
  }
  constexpr plain& operator=(const plain& other) noexcept {
    set(other.get());
    return *this;
  }
  constexpr ~plain() {
    if (!std::is_constant_evaluated()) ::model::destroy_plain(&value_, {__builtin_FILE(), __builtin_LINE()});
  }

  constexpr T get(SLUICE_SITE) const noexcept {
    if (!std::is_constant_evaluated()) ::model::read_plain(&value_, {file, line, column});
    return value_;
  }
  constexpr void set(T v, SLUICE_SITE) noexcept {
    if (!std::is_constant_evaluated()) ::model::write_plain(&value_, {file, line, column});
    value_ = v;
  }

 private:
  constexpr void constructed(::model::site where) noexcept {
    if (!std::is_constant_evaluated()) ::model::construct_plain(&value_, where);
  }

  T value_;
};

template <class Tag, class T>
class per_thread {
 public:
  static T get() noexcept { return mine(); }
  static void set(T v) noexcept { mine() = v; }

 private:
  struct slot {
    std::uint64_t execution;
    T value;
  };
  static T& mine() noexcept {
    static slot slots[::model::most_threads + 1] = {};
    slot& s = slots[::model::thread_index() + 1];
    if (const std::uint64_t now = ::model::execution(); s.execution != now) s = {now, T{}};
    return s.value;
  }
};

inline void will_write(const void*) noexcept {}
inline void pause(SLUICE_SITE) noexcept { ::model::yield({file, line, column}); }
inline void yield_thread(SLUICE_SITE) noexcept { ::model::yield({file, line, column}); }
inline time_point now(SLUICE_SITE) noexcept { return ::model::clock_now({file, line, column}); }

/// For litmus programs and canaries only: the product's door has no fence.
inline void fence(order o, SLUICE_SITE) noexcept { ::model::atomic_fence(o, {file, line, column}); }

struct futex {
  static void wait(atomic<std::uint32_t>& word, std::uint32_t expected, SLUICE_SITE) noexcept {
    ::model::futex_wait(&word.value_, expected, {file, line, column});
  }
  static bool wait_until(atomic<std::uint32_t>& word, std::uint32_t expected, time_point deadline,
                         SLUICE_SITE) noexcept {
    return ::model::futex_wait_until(&word.value_, expected, deadline, {file, line, column});
  }
  static void wake(atomic<std::uint32_t>& word, int count, SLUICE_SITE) noexcept {
    ::model::futex_wake(&word.value_, count, {file, line, column});
  }
};

#undef SLUICE_SITE

}  // namespace sluice::impl
