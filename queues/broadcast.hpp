#pragma once
// A broadcast: every subscriber has every item, and who is too slow is told how many it has missed.

#include <sluice/queues/broadcast_core.hpp>
#include <sluice/queues/broadcast_waits.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace sluice {

template <class T>
class broadcast;

/// One reader of a broadcast: has each item once, in the order in which they were sent, but for those that it was too
/// slow for.
///
/// Callers: one task or thread at a time; it may be moved while nobody waits with it. Progress: lock-free; the copy of
/// an item is made by the reader's own thread, and nobody waits for it. Takes effect: when it returns an item, which is
/// then passed. Visibility: what was written before the item was sent. Cancellation: a cancelled wait throws
/// sluice::cancelled and has passed nothing. It must go before its broadcast.
template <class T>
class [[nodiscard]] subscription {
 public:
  /// Waits for the next item; gives std::optional<T>, which is empty once the broadcast is closed and all was seen. If
  /// copying throws, the item is not passed.
  auto next() {
    static_assert(impl::can_be_copied<T>());
    return impl::item_operation<T, std::optional<T>>(reader_.checked("subscription::next"), next_name);
  }
  /// The same without a copy; gives std::optional<snapshot<T>>.
  auto borrow() {
    return impl::item_operation<T, std::optional<snapshot<T>>>(reader_.checked("subscription::borrow"), borrow_name);
  }
  /// Empty: nothing has come, or the broadcast is closed and all was seen.
  [[nodiscard]] std::optional<T> try_next() {
    static_assert(impl::can_be_copied<T>());
    return reader_.checked("subscription::try_next").template take<std::optional<T>>();
  }
  [[nodiscard]] std::optional<snapshot<T>> try_borrow() {
    return reader_.checked("subscription::try_borrow").template take<std::optional<snapshot<T>>>();
  }
  /// The waits for plain threads. With a duration they throw timed_out; zero or less tries once. On a worker:
  /// std::logic_error.
  std::optional<T> blocking_next() { return block_next(impl::time_point::max()); }
  std::optional<snapshot<T>> blocking_borrow() { return block_borrow(impl::time_point::max()); }
  template <class Rep, class Period>
  std::optional<T> blocking_next(std::chrono::duration<Rep, Period> patience) {
    return block_next(impl::deadline_after(patience));
  }
  template <class Rep, class Period>
  std::optional<snapshot<T>> blocking_borrow(std::chrono::duration<Rep, Period> patience) {
    return block_borrow(impl::deadline_after(patience));
  }

  /// How many items it has missed in all: they were overwritten before it came. What it has seen, missed() and lag()
  /// make up what was sent since it began, exactly when no send is under way.
  std::uint64_t missed() const noexcept { return reader_.missed(); }
  /// How many of them lay just before the item that it was given last.
  std::uint64_t gap() const noexcept { return reader_.gap(); }
  /// How many items were sent that it has neither seen nor missed yet. More than capacity(): the next item comes after
  /// a gap.
  std::uint64_t lag() { return reader_.checked("subscription::lag").lag(); }

 private:
  friend broadcast<T>;
  static constexpr const char* next_name = "subscription.next";
  static constexpr const char* borrow_name = "subscription.borrow";

  subscription(impl::broadcast_core<T>& core, std::uint64_t position) noexcept : reader_(core, position) {}

  std::optional<T> block_next(impl::time_point deadline) {
    static_assert(impl::can_be_copied<T>());
    impl::refuse_on_worker("subscription::blocking_next", "co_await s.next()");
    return impl::block_on_item<std::optional<T>>(reader_.checked("subscription::blocking_next"), next_name, deadline);
  }
  std::optional<snapshot<T>> block_borrow(impl::time_point deadline) {
    impl::refuse_on_worker("subscription::blocking_borrow", "co_await s.borrow()");
    return impl::block_on_item<std::optional<snapshot<T>>>(reader_.checked("subscription::blocking_borrow"),
                                                           borrow_name, deadline);
  }

  impl::item_reader<T> reader_;
};

struct broadcast_options {
  std::string name = "broadcast";  ///< stands in errors
};

/// A broadcast: any number of senders, any number of subscribers, each of which has every item. The last `capacity`
/// items are kept; a subscriber that is further behind goes on with the oldest that is kept, and knows how many it has
/// missed.
///
/// Every operation may be called from any thread. Progress: lock-free; a send waits for nobody, and nobody waits for a
/// sender or a reader that is preempted. Order: all subscribers see the items in one order, in which each sender's are
/// as it sent them. Takes effect: a send when its item is in the place of the one that is `capacity` older; close()
/// between two items. Visibility: what was written before a send is visible to who is given its item, what was written
/// before close() to who hears of it. Nothing is allocated after construction, except by a send when more values are in
/// use than were ever before: `capacity` and one for each send, copy and snapshot that is under way. No code of T runs
/// while anybody waits for it, but for a move; the last one that reads an item destroys it. It may be destroyed as soon
/// as its subscriptions have gone, even while the send or close that ended their waits is returning on another thread.
/// Before that it prints a sentence and aborts, likewise with snapshots of its items.
template <class T>
class broadcast : impl::broadcast_item<T> {
 public:
  /// Keeps exactly the last `capacity` items, 1 to 2^26. Throws std::invalid_argument, std::bad_alloc.
  explicit broadcast(std::size_t capacity, broadcast_options options = {})
      : core_("broadcast", capacity, std::move(options.name)) {}

  /// Throws queue_closed; then the value is untouched. Moves from it only when it succeeds. Throws std::bad_alloc, and
  /// std::length_error when more snapshots are held than there is room for (65,000 or more, 16 for each item kept);
  /// then the value is untouched, too.
  void send(T&& value) {
    if (!core_.send(value)) core_.refuse_closed("send");
  }
  /// The same with a copy. A copy that throws has sent nothing.
  void send(const T& value) {
    if (!core_.send(value)) core_.refuse_closed("send");
  }
  /// No item is sent any more; subscribers see what was sent, and then the end. Idempotent.
  void close() noexcept { core_.close(); }

  /// Begins with the next item that is sent.
  subscription<T> subscribe() noexcept { return {core_, core_.end()}; }
  /// Begins with the oldest item that is kept.
  subscription<T> subscribe(from_kept_t) noexcept { return {core_, core_.oldest()}; }

  /// Snapshots, exact at rest.
  std::uint64_t sent() const noexcept { return core_.sent(); }
  std::size_t subscribers() const noexcept { return core_.readers(); }
  bool closed() const noexcept { return core_.is_closed(); }
  std::size_t capacity() const noexcept { return core_.capacity(); }

 private:
  impl::broadcast_core<T> core_;
};

}  // namespace sluice
