#pragma once
// A watch: one value that is replaced now and then, read by anybody at any time, and watched for changes.

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
class watch;

/// One who watches a watch: is given each value that it finds when it looks, once. Values that come and go between two
/// looks are not seen; the last one always is.
///
/// Callers: one task or thread at a time; it may be moved while nobody waits with it. Progress: lock-free; a copy is
/// made by its own thread, and nobody waits for it. Takes effect: when it returns a value, which then counts as seen.
/// Visibility: what was written before the value was set. Cancellation: a cancelled wait throws sluice::cancelled, and
/// has seen nothing. It must go before its watch.
template <class T>
class [[nodiscard]] watcher {
 public:
  /// Waits until there is a value that it has not seen; gives std::optional<T>, which is empty once the watch is closed
  /// and the last value was seen. If copying throws, the value is not seen.
  auto next() {
    static_assert(impl::can_be_copied<T>());
    return impl::item_operation<T, std::optional<T>>(reader_.checked("watcher::next"), next_name);
  }
  /// The same without a copy; gives std::optional<snapshot<T>>.
  auto borrow() {
    return impl::item_operation<T, std::optional<snapshot<T>>>(reader_.checked("watcher::borrow"), borrow_name);
  }
  /// Waits until there is a value that it has not seen, and does not look at it; gives false once the watch is closed
  /// and the last was seen.
  auto changed() { return impl::item_operation<T, bool>(reader_.checked("watcher::changed"), changed_name); }
  /// Empty: it has seen the present value.
  [[nodiscard]] std::optional<T> try_next() {
    static_assert(impl::can_be_copied<T>());
    return reader_.checked("watcher::try_next").template take<std::optional<T>>();
  }
  [[nodiscard]] std::optional<snapshot<T>> try_borrow() {
    return reader_.checked("watcher::try_borrow").template take<std::optional<snapshot<T>>>();
  }
  /// The waits for plain threads. With a duration they throw timed_out; zero or less tries once. On a worker:
  /// std::logic_error.
  std::optional<T> blocking_next() { return block_next(impl::time_point::max()); }
  std::optional<snapshot<T>> blocking_borrow() { return block_borrow(impl::time_point::max()); }
  bool blocking_changed() { return block_changed(impl::time_point::max()); }
  template <class Rep, class Period>
  std::optional<T> blocking_next(std::chrono::duration<Rep, Period> patience) {
    return block_next(impl::deadline_after(patience));
  }
  template <class Rep, class Period>
  std::optional<snapshot<T>> blocking_borrow(std::chrono::duration<Rep, Period> patience) {
    return block_borrow(impl::deadline_after(patience));
  }
  template <class Rep, class Period>
  bool blocking_changed(std::chrono::duration<Rep, Period> patience) {
    return block_changed(impl::deadline_after(patience));
  }

 private:
  friend watch<T>;
  static constexpr const char* next_name = "watcher.next";
  static constexpr const char* borrow_name = "watcher.borrow";
  static constexpr const char* changed_name = "watcher.changed";

  watcher(impl::broadcast_core<T>& core, std::uint64_t position) noexcept : reader_(core, position) {}

  std::optional<T> block_next(impl::time_point deadline) {
    static_assert(impl::can_be_copied<T>());
    impl::refuse_on_worker("watcher::blocking_next", "co_await w.next()");
    return impl::block_on_item<std::optional<T>>(reader_.checked("watcher::blocking_next"), next_name, deadline);
  }
  std::optional<snapshot<T>> block_borrow(impl::time_point deadline) {
    impl::refuse_on_worker("watcher::blocking_borrow", "co_await w.borrow()");
    return impl::block_on_item<std::optional<snapshot<T>>>(reader_.checked("watcher::blocking_borrow"), borrow_name,
                                                           deadline);
  }
  bool block_changed(impl::time_point deadline) {
    impl::refuse_on_worker("watcher::blocking_changed", "co_await w.changed()");
    return impl::block_on_item<bool>(reader_.checked("watcher::blocking_changed"), changed_name, deadline);
  }

  impl::item_reader<T> reader_;
};

struct watch_options {
  std::string name = "watch";  ///< stands in errors
};

/// One value, replaced as a whole and read as a whole, by any number of tasks and threads.
///
/// Every operation may be called from any thread. Progress: lock-free; nobody waits for a reader, nor for a set() that
/// is preempted. Takes effect: a set when the new value is in the place of the old one; get() and borrow() when they
/// get hold of the value. Visibility: what was written before a set() is visible to who reads its value, what was
/// written before close() to who hears of it. Nothing is allocated after construction, except by a set() or modify()
/// when more values are in use than were ever before: one for each set, copy and snapshot that is under way. No code of
/// T runs while anybody waits for it, but for a move; the last one that reads a value destroys it. It may be destroyed
/// as soon as its watchers have gone, even while the set() or close() that ended their waits is returning on another
/// thread. Before that it prints a sentence and aborts, likewise with snapshots of its values.
template <class T>
class watch : impl::broadcast_item<T> {
 public:
  /// Throws std::bad_alloc.
  explicit watch(T initial, watch_options options = {}) : core_("watch", 1, std::move(options.name)) {
    (void)core_.send(initial);  // it is not closed
  }

  /// Replaces the value. Throws queue_closed; then `value` is untouched. Moves from it only when it succeeds. Throws
  /// std::bad_alloc, and std::length_error when 65,000 snapshots of old values are held; then `value` is untouched,
  /// too.
  void set(T&& value) {
    if (!core_.send(value)) core_.refuse_closed("set");
  }
  /// The same with a copy. A copy that throws has set nothing.
  void set(const T& value) {
    if (!core_.send(value)) core_.refuse_closed("set");
  }
  /// Replaces the value by what `change(T&)` makes of a copy of it, and by nothing that was set meanwhile: then it is
  /// called again, with a copy of that. So it may run several times, and has an effect on its argument only. What it
  /// throws comes out, and nothing was set.
  template <class Change>
  void modify(Change&& change) {
    static_assert(impl::can_be_copied<T>());
    if (!core_.send_changed(change)) core_.refuse_closed("modify");
  }
  /// A copy of the value.
  T get() const {
    static_assert(impl::can_be_copied<T>());
    return *borrow();
  }
  /// The value where it lies. Later sets do not change it.
  snapshot<T> borrow() const noexcept { return core_.newest(); }
  /// The value is not replaced any more; watchers see the last one, and then the end. get() and borrow() go on.
  /// Idempotent.
  void close() noexcept { core_.close(); }

  /// One that counts the present value as seen.
  sluice::watcher<T> watcher() noexcept { return {core_, core_.end()}; }
  /// One that has seen nothing: it is given the present value first.
  sluice::watcher<T> watcher(from_kept_t) noexcept { return {core_, core_.oldest()}; }

  /// Snapshots, exact at rest.
  std::size_t watchers() const noexcept { return core_.readers(); }
  bool closed() const noexcept { return core_.is_closed(); }

 private:
  mutable impl::broadcast_core<T> core_;  // reading counts readers
};

}  // namespace sluice
