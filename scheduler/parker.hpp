#pragma once
// One thread sleeps here, any thread wakes it: a binary token over a futex word.
//
//   empty     no token, the owner is awake        (0)
//   parked    the owner sleeps or is about to     (1)
//   notified  a token is there                    (2)
//
// E1  unpark (release) -> park (acquire): what the waker did before is visible to the woken.

#include <sluice/queues/atomic.hpp>

#include <cstdint>

namespace sluice::impl {

class parker {
 public:
  /// Owner: takes the token, or sleeps until there is one or until `deadline`. False: no token came.
  bool park_until(time_point deadline) noexcept {
    std::uint32_t seen = empty;
    // relaxed: nothing is handed over by going to sleep
    if (word_.compare_exchange_strong(seen, parked, relaxed, relaxed)) {
      while (word_.load(relaxed) == parked && futex::wait_until(word_, parked, deadline)) {
      }
    }
    return word_.exchange(empty, acquire) == notified;  // E1 observe
  }

  /// Any thread. Tokens do not add up.
  void unpark() noexcept {
    if (word_.exchange(notified, release) == parked) futex::wake(word_, 1);  // E1 publish
  }

  bool sleeping() const noexcept { return word_.load(relaxed) == parked; }  // for dumps

 private:
  static constexpr std::uint32_t empty = 0;
  static constexpr std::uint32_t parked = 1;
  static constexpr std::uint32_t notified = 2;

  alignas(128) atomic<std::uint32_t> word_{empty};  // parked: written by the owner; notified: by anybody
};

}  // namespace sluice::impl
