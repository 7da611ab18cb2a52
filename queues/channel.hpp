#pragma once
// A queue that nobody owns: it lives as long as somebody holds an end of it, and closes when one side has gone.
//
// I1  The last sender closes the queue as it goes; the last receiver closes it and destroys what is left. The last end of all, which has done
//     that for its side, destroys the queue.
// E1  an end goes (release) -> the last one of its side, and of all (acquire): what the others did.

#include <sluice/queues/atomic.hpp>
#include <sluice/queues/blocking_range.hpp>
#include <sluice/queues/fail.hpp>
#include <sluice/queues/overflow.hpp>
#include <sluice/queues/queue.hpp>
#include <sluice/queues/queue_options.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace sluice {

template <class T>
class sender;
template <class T>
class receiver;
template <class T>
struct channel_ends;

namespace impl {
template <class T, class... Arguments>
channel_ends<T> new_channel(Arguments&&... arguments);
}

/// What make_channel gives: `auto [tx, rx] = make_channel<T>(10);`
template <class T>
struct channel_ends {
  sender<T> tx;
  receiver<T> rx;
};

namespace impl {

template <class T>
struct channel_state {
  template <class... Arguments>
  explicit channel_state(Arguments&&... arguments) : items(std::forward<Arguments>(arguments)...) {}

  void last_sender_gone() noexcept { items.close(); }
  void last_receiver_gone() noexcept {
    items.close();
    items.core_.abandon();
    while (const auto left = items.try_get()) items.task_done();
  }

  queue<T> items;
  atomic<std::size_t> senders{1};
  atomic<std::size_t> receivers{1};
  atomic<std::size_t> ends{2};
};

/// One end of a channel: shares the queue, and counts itself.
template <class T, class Self>
class channel_end {
 public:
  channel_end(const channel_end& other) noexcept : state_(other.state_) { count(); }
  channel_end(channel_end&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  channel_end& operator=(channel_end other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~channel_end() { reset(); }

  /// Leaves the channel before the end is destroyed. Idempotent.
  void reset() noexcept;
  /// Whether it is still an end of a channel: it was not moved from, nor reset.
  explicit operator bool() const noexcept { return state_ != nullptr; }

  /// As of the queue, for everybody.
  void close() noexcept { items().close(); }
  void close(std::exception_ptr cause) { items().close(std::move(cause)); }
  std::exception_ptr cause() const noexcept { return items().cause(); }
  bool closed() const noexcept { return items().closed(); }
  std::size_t size() const noexcept { return items().size(); }
  std::size_t capacity() const noexcept { return items().capacity(); }
  std::size_t unfinished() const noexcept { return items().unfinished(); }
  bool empty() const noexcept { return items().empty(); }
  bool full() const noexcept { return items().full(); }
  auto join() noexcept { return items().join(); }

 protected:
  explicit channel_end(channel_state<T>& state) noexcept : state_(&state) {}

  channel_state<T>& state() const noexcept {
    if (state_ == nullptr) fail("an end of a channel is used that was moved from or reset: keep a copy for later");
    return *state_;
  }
  queue<T>& items() const noexcept { return state().items; }

 private:
  void count() noexcept {
    if (state_ == nullptr) return;
    state_->ends.fetch_add(1, relaxed);  // there is one already, which keeps it
    Self::counter(*state_).fetch_add(1, relaxed);
  }

  channel_state<T>* state_;
};

template <class T, class Self>
void channel_end<T, Self>::reset() noexcept {
  channel_state<T>* const left = std::exchange(state_, nullptr);
  if (left == nullptr) return;
  if (Self::counter(*left).fetch_sub(1, acq_rel) == 1) Self::last_gone(*left);  // E1 publish, E1 observe
  if (left->ends.fetch_sub(1, acq_rel) == 1) delete left;                       // E1 publish, E1 observe
}

}  // namespace impl

/// The end of a channel that puts. Copies are ends of the same channel; when the last one goes, the channel closes. A wait refers to the
/// channel, so the end through which it was begun must live until it has returned; each end is used by one thread at a time, as a
/// shared_ptr, and different ends by any.
template <class T>
class sender : public impl::channel_end<T, sender<T>> {
 public:
  using slot = typename queue<T>::slot;

  // As of queue: see impl::queue_face.
  auto put(T&& value) noexcept { return this->items().put(std::move(value)); }
  auto put(const T& value) noexcept { return this->items().put(value); }
  auto put_many(std::span<T> values) noexcept { return this->items().put_many(values); }
  auto reserve() { return this->items().reserve(); }
  [[nodiscard]] bool try_put(T&& value) { return this->items().try_put(std::move(value)); }
  [[nodiscard]] bool try_put(const T& value) { return this->items().try_put(value); }
  [[nodiscard]] std::optional<slot> try_reserve() { return this->items().try_reserve(); }
  template <class... Patience>
  void blocking_put(T&& value, Patience... patience) {
    this->items().blocking_put(std::move(value), patience...);
  }
  template <class... Patience>
  void blocking_put(const T& value, Patience... patience) {
    this->items().blocking_put(value, patience...);
  }
  template <class... Patience>
  std::size_t blocking_put_many(std::span<T> values, Patience... patience) {
    return this->items().blocking_put_many(values, patience...);
  }
  template <class... Patience>
  slot blocking_reserve(Patience... patience) {
    return this->items().blocking_reserve(patience...);
  }

  /// A snapshot: how many receivers there are. None: puts fail.
  std::size_t receivers() const noexcept { return this->state().receivers.load(impl::relaxed); }

 private:
  using end = impl::channel_end<T, sender<T>>;
  friend end;
  template <class U, class... Arguments>
  friend channel_ends<U> impl::new_channel(Arguments&&... arguments);

  using end::end;
  static impl::atomic<std::size_t>& counter(impl::channel_state<T>& state) noexcept { return state.senders; }
  static void last_gone(impl::channel_state<T>& state) noexcept { state.last_sender_gone(); }
};

/// The end of a channel that gets. Copies share the items: each goes to one of them. When the last one goes, the channel closes, and what is left
/// in it is destroyed, and counts as done; what is put into slots afterwards is destroyed, too. For the rest as sender. A leased item must go
/// before the end that it came from.
template <class T>
class receiver : public impl::channel_end<T, receiver<T>> {
 public:
  // As of queue: see impl::queue_face.
  auto get() noexcept { return this->items().get(); }
  auto next() noexcept { return this->items().next(); }
  auto lease() noexcept { return this->items().lease(); }
  auto get_many(std::span<T> out) { return this->items().get_many(out); }
  auto peek() { return this->items().peek(); }
  [[nodiscard]] std::optional<T> try_get() { return this->items().try_get(); }
  [[nodiscard]] std::optional<T> try_peek() { return this->items().try_peek(); }
  template <class... Patience>
  T blocking_get(Patience... patience) {
    return this->items().blocking_get(patience...);
  }
  template <class... Patience>
  std::optional<T> blocking_next(Patience... patience) {
    return this->items().blocking_next(patience...);
  }
  /// As of queue.
  blocking_range<receiver> blocking_items() noexcept { return blocking_range<receiver>(*this); }
  template <class... Patience>
  std::optional<leased<T>> blocking_lease(Patience... patience) {
    return this->items().blocking_lease(patience...);
  }
  template <class... Patience>
  std::size_t blocking_get_many(std::span<T> out, Patience... patience) {
    return this->items().blocking_get_many(out, patience...);
  }
  template <class... Patience>
  T blocking_peek(Patience... patience) {
    return this->items().blocking_peek(patience...);
  }
  void task_done(std::size_t n = 1) { this->items().task_done(n); }
  std::vector<T> close_now() { return this->items().close_now(); }
  std::vector<T> close_now(std::exception_ptr cause) { return this->items().close_now(std::move(cause)); }
  close_report<T> close_and_report(std::exception_ptr cause = {}) {
    return this->items().close_and_report(std::move(cause));
  }

  /// A snapshot: how many senders there are. None: the channel is closed.
  std::size_t senders() const noexcept { return this->state().senders.load(impl::relaxed); }

 private:
  using end = impl::channel_end<T, receiver<T>>;
  friend end;
  template <class U, class... Arguments>
  friend channel_ends<U> impl::new_channel(Arguments&&... arguments);

  using end::end;
  static impl::atomic<std::size_t>& counter(impl::channel_state<T>& state) noexcept { return state.receivers; }
  static void last_gone(impl::channel_state<T>& state) noexcept { state.last_receiver_gone(); }
};

namespace impl {

template <class T, class... Arguments>
channel_ends<T> new_channel(Arguments&&... arguments) {
  auto* const state = new channel_state<T>(std::forward<Arguments>(arguments)...);
  return {sender<T>(*state), receiver<T>(*state)};
}

}  // namespace impl

/// A queue without an owner: its two ends share it. The arguments are those of queue's constructors, and so are the errors.
template <class T>
[[nodiscard]] channel_ends<T> make_channel(std::size_t capacity, queue_options options = {}) {
  return impl::new_channel<T>(capacity, std::move(options));
}
template <class T>
[[nodiscard]] channel_ends<T> make_channel(std::size_t capacity, overflow<T> when_full, queue_options options = {}) {
  return impl::new_channel<T>(capacity, std::move(when_full), std::move(options));
}
template <class T>
[[nodiscard]] channel_ends<T> make_channel(unbounded_t kind, queue_options options = {}) {
  return impl::new_channel<T>(kind, std::move(options));
}
template <class T>
[[nodiscard]] channel_ends<T> make_channel(rendezvous_t kind, queue_options options = {}) {
  return impl::new_channel<T>(kind, std::move(options));
}

}  // namespace sluice
