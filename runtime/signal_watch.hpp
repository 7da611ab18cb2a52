#pragma once
// Who waits for which signal: everything about signals that asks nothing of the system, so that the models run it as it is. What
// the system is asked for is in signals.cpp; the purpose and I1-I3 are at the top of signals.hpp.
//
// I4  A signal's handler is installed while at least one listener lists it, and only then.

#include <sluice/runtime/futex_mutex.hpp>
#include <sluice/runtime/signal_counts.hpp>
#include <sluice/runtime/signals.hpp>

#include <array>

namespace sluice::impl {

class signal_watch;

/// The state of one signals object; everything under the watch's lock.
struct signal_listener {
  explicit signal_listener(signal_watch& w) noexcept : watch(w) {}

  /// The lowest pending signal, or 0.
  int take() noexcept;
  void append(signal_awaiter& waiter) noexcept;
  void remove(signal_awaiter& waiter) noexcept;
  /// Gives what is pending to who waits.
  void serve() noexcept;

  signal_watch& watch;
  std::array<bool, most_signals> listed{};
  std::array<plain<std::uint32_t>, most_signals> pending{};
  plain<signal_awaiter*> first{nullptr};
  signal_awaiter* last = nullptr;
  signal_listener* next = nullptr;
};

/// All listeners of the process, and the signals on their way to them.
class signal_watch {
 public:
  constexpr signal_watch() noexcept = default;
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;

  /// The handler. Async-signal-safe.
  void arrive(int number) noexcept { arrived_.arrive(number); }
  /// The watcher: gives what has arrived to all who listen. Returns what sleep() wants to know.
  std::uint32_t hand_on() noexcept;
  /// The watcher: sleeps unless a signal has arrived since that hand_on().
  void sleep(std::uint32_t seen) noexcept { arrived_.sleep(seen); }

  /// Throws std::invalid_argument for a signal that cannot be handled, and what start() throws; then nothing has changed.
  void add(signal_listener& l);
  /// With a waiter left: prints what waits, and aborts.
  void remove(signal_listener& l) noexcept;

  /// Guards every listener.
  futex_mutex lock;

 protected:
  ~signal_watch() = default;

 private:
  // What the system is asked for, under the lock.
  /// Starts a thread that takes no signals and for ever hands on and sleeps.
  virtual void start() = 0;
  /// Has `number` call arrive(). False: the system does not allow it.
  virtual bool install(std::size_t number) noexcept = 0;
  /// Puts back what was there before the last install.
  virtual void restore(std::size_t number) noexcept = 0;

  void drop(const signal_listener& l) noexcept;

  signal_counts arrived_;
  // All under the lock.
  signal_listener* listeners_ = nullptr;
  std::array<std::uint32_t, most_signals> users_{};
  bool started_ = false;
};

}  // namespace sluice::impl
