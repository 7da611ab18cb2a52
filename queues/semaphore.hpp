#pragma once
// A counting semaphore: first come, first served, several permits at a time, live resizing.
//
//   word:   permits that are out | frozen | kick
//     frozen  tasks wait: only the runner takes permits; newcomers must wait behind them
//     kick    ... and the release or resize that clears it kicks the hub
//   total:  how many may be out | shut
//     A resize below what is out drains as permits come back.
//     shut    nobody gets any more: who waits, or comes, is refused
//
// I1  Giving back more than is out is refused: the count that is checked is the count that is changed.
// I2  While tasks wait, the word is frozen, and kick is set and too few are free for the first of them, or a kick is owed.
// E1  release (release) -> acquire (acquire), on the word: what the holder of a permit wrote, for the next holder.
// E2  resize changes total, then clears kick (release) -> the runner sets kick (acquire), then reads total: either the resize
//     sees the kick, and kicks, or the runner sees the new total.
// E3  shut (release) -> the runner that refuses a waiter for it (acquire) -> the waiter: what was done before.

#include <sluice/queues/errors.hpp>
#include <sluice/queues/thread_context.hpp>
#include <sluice/queues/waiter_hub.hpp>

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace sluice {

class semaphore;

namespace impl {

struct permit_waiter : waiter {
  permit_waiter(task_context& c, std::uint64_t n) noexcept : waiter(c, 0), wanted(n) {}
  std::uint64_t wanted;
};

class semaphore_core final : public waiter_hub {
 public:
  /// `refuses`: a request that waits and has become more than the total ends as `full` when its turn comes; it does not wait for a resize.
  explicit semaphore_core(std::size_t permits, bool refuses = false);
  ~semaphore_core();

  bool try_take(std::uint64_t n) noexcept;
  /// As waiter_hub::wait, with a short cut behind others.
  [[nodiscard]] bool wait_first(permit_waiter& w) noexcept;
  void give_back(std::uint64_t n);
  void resize(std::size_t permits);
  /// Whoever waits ends as `closed`, and so does who comes.
  void shut() noexcept;
  std::size_t total() const noexcept { return total_.load(relaxed) & ~shut_flag; }  // a snapshot
  std::size_t available() const noexcept;
  std::size_t out() const noexcept { return word_.load(relaxed) / one; }  // a snapshot
  std::size_t waiting() const noexcept { return waiting_.load(relaxed); }
  /// Throws std::invalid_argument when `n` can never be had.
  std::uint64_t checked(std::size_t n) const;

 private:
  static constexpr std::uint64_t kick_flag = 1;
  static constexpr std::uint64_t frozen_flag = 2;
  static constexpr std::uint64_t one = 4;
  static constexpr std::uint64_t shut_flag = std::uint64_t{1} << 63;  // of total

  void kicked(std::uintptr_t bits) noexcept override;
  void serve() noexcept override;
  void pay_kick() noexcept;
  bool serve_first() noexcept;
  bool grant(permit_waiter& w) noexcept;
  bool has_free(std::uint64_t word, std::uint64_t n) const noexcept;
  wait_result refusal(std::uint64_t n) const noexcept;
  void total_changed() noexcept;

  atomic<std::uint64_t> word_{0};   // see above; anyone
  atomic<std::uint64_t> total_;     // see above; resize, shut; E2, E3, relaxed otherwise: a limit orders nothing
  atomic<std::size_t> waiting_{0};  // a snapshot of the list's length; the runner, relaxed
  const bool refuses_;
  waiter_list waiters_;      // runner-private
  bool frozen_ = false;      // runner-private
  bool kick_armed_ = false;  // runner-private: set, or cleared and owed
};

}  // namespace impl

/// Permits that are held; gives them back when destroyed. Must not outlive the semaphore.
class [[nodiscard]] permit {
 public:
  permit(permit&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  permit& operator=(permit&& other) noexcept {
    if (this != &other) {
      release();
      core_ = std::exchange(other.core_, nullptr);
      count_ = std::exchange(other.count_, 0);
    }
    return *this;
  }
  ~permit() { release(); }

  /// Gives all of it back now. Idempotent.
  void release() noexcept;
  /// Moves `n` of the permits into a permit of their own. More than count(): std::invalid_argument.
  permit split(std::size_t n);
  /// How many permits are held here.
  std::size_t count() const noexcept { return count_; }
  /// Keeps them out for good, until somebody calls semaphore::release for them.
  void forget() noexcept { count_ = 0; }

 private:
  friend class semaphore;
  friend class acquire_awaiter;
  permit(impl::semaphore_core& core, std::size_t n) noexcept : core_(&core), count_(n) {}

  impl::semaphore_core* core_;
  std::size_t count_;
};

/// What `co_await s.acquire(n)` waits with.
class acquire_awaiter {
 public:
  static constexpr bool is_arm = true;  // of a select

  acquire_awaiter(impl::semaphore_core& core, std::uint64_t n, impl::task_context& context) noexcept
      : wait_(context, n), core_(&core) {}

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> suspended) noexcept;
  /// The permit; one that holds nothing if it was refused.
  permit await_resume();
  /// After await_resume(): whether it was refused because the semaphore is shut.
  bool is_shut() const noexcept { return wait_.result == impl::wait_result::closed; }
  std::size_t wanted() const noexcept { return static_cast<std::size_t>(wait_.wanted); }

 private:
  [[no_unique_address]] impl::permit_waiter wait_;  // so that what follows uses its padding
  impl::semaphore_core* core_;
};
static_assert(sizeof(void*) != 8 || sizeof(acquire_awaiter) <= 64);

/// `s.acquire(n)`: awaited once.
class [[nodiscard]] acquire_operation {
 public:
  acquire_operation(impl::semaphore_core& core, std::uint64_t n) noexcept : core_(&core), wanted_(n) {}
  acquire_operation(acquire_operation&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), wanted_(other.wanted_) {}
  acquire_awaiter bind(impl::task_context& context) &&;

 private:
  impl::semaphore_core* core_;
  std::uint64_t wanted_;
};

/// A counting semaphore for tasks and plain threads.
///
/// Every operation may be called from any thread and is lock-free. Order: first come, first served; a large request at the head
/// holds up the small ones behind it, so it cannot starve. Takes effect: acquire when its permits are taken, release when they are
/// there. Visibility: what a holder wrote before it gave a permit back is visible to who gets it next. Cancellation: a cancelled acquire
/// throws sluice::cancelled and holds nothing, and those behind it are looked at again. It may be destroyed as soon as its waits
/// have returned, even while the release that ended them is returning on another thread. With waiters it prints a sentence and aborts.
class semaphore {
 public:
  /// 0 to 2^60 permits; more: std::invalid_argument.
  explicit semaphore(std::size_t permits) : core_(permits) {}

  /// Waits for `n` permits; 0 is had at once. More than the total: std::invalid_argument, from this call.
  acquire_operation acquire(std::size_t n = 1) { return {core_, core_.checked(n)}; }
  /// None: not enough are free, or others wait. More than the total: std::invalid_argument.
  std::optional<permit> try_acquire(std::size_t n = 1);
  /// acquire() for a plain thread. On a worker: std::logic_error.
  permit blocking_acquire(std::size_t n = 1) { return block(n, impl::time_point::max()); }
  /// Throws timed_out; zero or less tries once.
  template <class Rep, class Period>
  permit blocking_acquire(std::size_t n, std::chrono::duration<Rep, Period> patience) {
    return block(n, impl::deadline_after(patience));
  }
  template <class Rep, class Period>
  permit blocking_acquire(std::chrono::duration<Rep, Period> patience) {
    return block(1, impl::deadline_after(patience));
  }

  /// Gives back `n` permits that were forgotten. More than are out: std::logic_error, and nothing has changed.
  void release(std::size_t n) { core_.give_back(n); }
  /// Changes the total, live. Below what is out, it drains as permits come back; a waiter that wants more keeps its place.
  void resize(std::size_t permits) { core_.resize(permits); }

  /// Snapshots, exact at rest.
  std::size_t available() const noexcept { return core_.available(); }
  std::size_t waiters() const noexcept { return core_.waiting(); }

 private:
  permit block(std::size_t n, impl::time_point deadline);

  impl::semaphore_core core_;
};

}  // namespace sluice
