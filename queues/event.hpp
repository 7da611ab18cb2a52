#pragma once
// A manual-reset event.
//
//   word:  number of times it was set | set | kick
//     kick  tasks wait: the set() that clears it kicks the hub
//
// I1  A waiter remembers the count it began with; it may go on when the event is set, or the count is another. So set()
//     then reset() still wakes everybody who waited.
// I2  While tasks wait, kick is set and the event is not, or a kick is owed.
// E1  set (release) -> wait, is_set (acquire), on the word: what was written before set().

#include <sluice/queues/errors.hpp>
#include <sluice/queues/thread_context.hpp>
#include <sluice/queues/waiter_hub.hpp>

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <utility>

namespace sluice {

namespace impl {

struct event_waiter : waiter {
  explicit event_waiter(task_context& c) noexcept : waiter(c, 0) {}
  bool settled = false;     // runner-private: was found to have to wait at `settled_count_`
  std::uint64_t begun = 0;  // the count when it began
};

class event_core final : public waiter_hub {
 public:
  explicit event_core(bool set) noexcept : waiter_hub(&waiters_), word_(set ? set_flag : 0) {}
  ~event_core();

  void set() noexcept;
  void reset() noexcept { word_.fetch_and(~set_flag, relaxed); }                  // orders nothing
  bool is_set() const noexcept { return (word_.load(acquire) & set_flag) != 0; }  // E1 observe
  /// True: it is set. `begun` gets what an event_waiter needs otherwise.
  bool passed(std::uint64_t& begun) const noexcept;

 private:
  static constexpr std::uint64_t kick_flag = 1;
  static constexpr std::uint64_t set_flag = 2;
  static constexpr std::uint64_t count_one = 4;

  void kicked(std::uintptr_t bits) noexcept override;
  void serve() noexcept override;
  void let_pass(std::uint64_t word) noexcept;

  atomic<std::uint64_t> word_;       // see above; anyone
  waiter_list waiters_;              // runner-private
  std::uint64_t settled_count_ = 0;  // runner-private: see event_waiter
  bool kick_armed_ = false;          // runner-private: set, or cleared and owed
};

}  // namespace impl

/// What `co_await e.wait()` waits with.
class event_awaiter {
 public:
  static constexpr bool is_arm = true;  // of a select

  event_awaiter(impl::event_core& core, impl::task_context& context) noexcept : wait_(context), core_(&core) {}

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  void await_resume();

 private:
  [[no_unique_address]] impl::event_waiter wait_;  // so that what follows uses its padding
  impl::event_core* core_;
};
static_assert(sizeof(void*) != 8 || sizeof(event_awaiter) <= 64);

/// `e.wait()`: awaited once.
class [[nodiscard]] event_operation {
 public:
  explicit event_operation(impl::event_core& core) noexcept : core_(&core) {}
  event_operation(event_operation&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  event_awaiter bind(impl::task_context& context) &&;

 private:
  impl::event_core* core_;
};

/// A manual-reset event: once set it stays set, and lets everybody through, until reset.
///
/// Every operation may be called from any thread and is lock-free. Takes effect: set and reset at once; a wait
/// when the event is, or was since it began, set. Visibility: what was written before set() is visible after the waits that it ends.
/// Cancellation: a cancelled wait throws sluice::cancelled. It may be destroyed as soon as its waits have returned, even while
/// the set() that ended them is returning on another thread. Destroying it with waiters prints a sentence and aborts.
class event {
 public:
  explicit event(bool initially_set = false) noexcept : core_(initially_set) {}

  void set() noexcept { core_.set(); }
  void reset() noexcept { core_.reset(); }
  bool is_set() const noexcept { return core_.is_set(); }
  /// Waits until the event is set.
  event_operation wait() noexcept { return event_operation(core_); }
  /// The same for a plain thread. On a worker: std::logic_error.
  void blocking_wait() { block(impl::time_point::max()); }
  /// Throws timed_out; zero or less tries once.
  template <class Rep, class Period>
  void blocking_wait(std::chrono::duration<Rep, Period> patience) {
    block(impl::deadline_after(patience));
  }

 private:
  void block(impl::time_point deadline);

  impl::event_core core_;
};

}  // namespace sluice
