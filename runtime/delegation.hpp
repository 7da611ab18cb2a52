#pragma once
// Delegation: many threads send messages to one piece of sequential state, nobody waits for anybody. Whoever finds nobody
// running becomes the runner and handles every message that has come, its own included, until none is left.
//
//   word_:   idle ---push---> RUN | newest message ---take---> RUN ---leave---> idle
//                                ^---------push---------+
//
// I1  At most one thread is the runner: the one whose push moved the word from idle.
// I2  After leave() has succeeded the runner touches nothing of the state: whoever owns it may free it.
// E1  push (release) -> take (acquire): the message.
// E2  leave (release) -> the next runner's take (acquire): the state as the last runner left it. The push in between is a
//     read-modify-write, which carries it on; so the runner takes before it touches anything.

#include <sluice/queues/atomic.hpp>

#include <cstdint>

namespace sluice::impl {

struct message {
  message* next = nullptr;
};

class delegation {
 public:
  /// Sends `m`, which must not be in flight. True: the caller is the runner now, and takes next.
  [[nodiscard]] bool push(message& m) noexcept {
    std::uintptr_t before = word_.load(relaxed);  // relaxed: the exchange below decides and synchronises
    do {
      m.next = reinterpret_cast<message*>(before & ~run);
      // E1 publish
    } while (!word_.compare_exchange_weak(before, reinterpret_cast<std::uintptr_t>(&m) | run, release, relaxed));
    return (before & run) == 0;
  }

  /// For the runner: what has come since the last take, oldest first.
  [[nodiscard]] message* take() noexcept {
    auto* newest = reinterpret_cast<message*>(word_.exchange(run, acquire) & ~run);  // E1 observe, E2 observe
    message* oldest = nullptr;
    while (newest != nullptr) {
      message* older = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = older;
    }
    return oldest;
  }

  /// For the runner: stops being it. False: more has come, take it.
  [[nodiscard]] bool leave() noexcept {
    std::uintptr_t expected = run;
    return word_.compare_exchange_strong(expected, idle, release, relaxed);  // E2 publish
  }

 private:
  static constexpr std::uintptr_t idle = 0;
  static constexpr std::uintptr_t run = 1;

  atomic<std::uintptr_t> word_{idle};  // idle | newest message | run; written by senders and the runner
};

}  // namespace sluice::impl
