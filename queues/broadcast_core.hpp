#pragma once
// Broadcast and watch without their public faces: the last `capacity` items in a ring of shared slots, and the hub that
// serves who waits for the next one. A watch is a broadcast of capacity 1.
//
//   slot of item p:  p % capacity; it holds item p once it has been replaced p / capacity + 1 times
//   tail:            the number of items sent, or one less while a sender is between its two steps
//
// A send is two compare-and-swaps: it puts its node into the slot of item `tail`, and moves tail on. Who finds the slot
// taken moves tail on for the other, and tries the next one. So the slot decides the order, and a sender that is
// preempted anywhere delays nobody.
//
// I1  Item p is published when its slot is replaced; items 0 to p - 1 were before. tail is p or p + 1 then, until p + 1
//     is published.
// I2  Closing marks the slot of the item that would have come next: so an item is before the close or is refused, and
//     whoever has seen all items finds the mark where it looks for the next.
// I3  While somebody waits, the slot of the next item has the kick and is not closed, or a kick is owed. A kick is set
//     by an exchange that proves that there is nothing yet; the exchange that publishes the item, or closes, clears it.
// I4  A sender's last touch is the kick that it owes; if it owes none, that it retires the node whose place it took. So
//     a destructor waits for the kick, and until all nodes are back in the pool. (That is why slots begin with nodes
//     that hold nothing.)
// I5  A reader's position only grows. What it has skipped was sent, and overwritten before it was read; so seen +
//     missed = position.
// I6  Once there was an item for a reader there always is: who sees that an item was overwritten has seen, by that
//     look, that tail came `capacity` further. So a wait that ends with an item has it when it goes on.
// E1  tail moved on (release) -> who reads tail (acquire): the slots of all items before it are no older.
// E2  a reader goes (release) -> who counts the readers (acquire), and may destroy this: it touches nothing any more.
//
// Source: the helped tail is that of M. Michael and M. Scott's queue (PODC 1996). Design note: queues/README.md.

#include <sluice/queues/apart.hpp>
#include <sluice/queues/errors.hpp>
#include <sluice/queues/fail.hpp>
#include <sluice/queues/shared_slot.hpp>
#include <sluice/queues/snapshot.hpp>
#include <sluice/queues/waiter_hub.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace sluice::impl {

/// What a reader finds at its position.
enum class reading : std::uint8_t { item, nothing, closed };

struct item_waiter : waiter {
  item_waiter(task_context& c, std::uint64_t p) noexcept : waiter(c, 0), position(p) {}
  std::uint64_t position;  // of the item that it waits for
  bool settled = false;    // runner-private: was found to have to wait at `settled_at_`
};

template <class T>
class broadcast_core final : public waiter_hub {
 public:
  /// `kind` is "broadcast" or "watch". `layout` is given by tests alone. Throws std::invalid_argument, std::bad_alloc.
  broadcast_core(const char* kind, std::size_t capacity, std::string name, std::optional<slot_layout> layout = {});
  ~broadcast_core();

  /// Moves from `value`, or copies it if it is const. False: closed, and it is untouched. Throws what a copy throws,
  /// std::bad_alloc, and std::length_error when as many values are borrowed as there are numbers for.
  template <class Value>
  [[nodiscard]] bool send(Value& value);
  /// Calls `change` with a copy of the newest item, until that is sent as the next one after it. False: closed.
  template <class Change>
  [[nodiscard]] bool send_changed(Change& change);
  void close() noexcept;

  /// What a reader at `position` finds.
  reading peek(std::uint64_t position) const noexcept;
  /// Gets a reference to the item at `position`, or to the oldest that is kept: `position` is that of what it got.
  /// Null: there is none.
  value_node<T>* get(std::uint64_t& position) noexcept;
  /// What becomes of that reference.
  snapshot<T> hold(value_node<T>& n) noexcept { return snapshot<T>(pool_, n); }
  /// Of a watch: what it holds.
  snapshot<T> newest() noexcept;

  /// Where a new reader begins: behind every item that anybody has seen, or with the oldest that is kept.
  std::uint64_t end() noexcept { return find_end().position; }
  std::uint64_t oldest() noexcept { return kept_before(end()); }
  /// The number of items sent: exact at rest.
  std::uint64_t sent() const noexcept { return tail_.load(acquire); }  // E1 observe
  bool is_closed() const noexcept;
  std::size_t capacity() const noexcept { return capacity_; }
  [[noreturn]] void refuse_closed(const char* operation) const {
    throw queue_closed(std::string("sluice: ") + operation + " on " + kind_ + " '" + name_ + "', which is closed");
  }

  // Readers that may come back.
  void reader_came() noexcept { readers_.fetch_add(1, relaxed); }          // relaxed: only a number
  void reader_goes() noexcept { readers_.fetch_sub(1, release); }          // E2 publish
  std::size_t readers() const noexcept { return readers_.load(acquire); }  // E2 observe

 private:
  using node = value_node<T>;
  enum class sending : std::uint8_t { done, taken, closed };
  // Where the next item would go.
  struct end_of_items {
    std::uint64_t position;
    std::uint64_t word;
    bool closed() const noexcept { return (word & slot_layout::closed) != 0; }
  };

  static std::size_t checked(const char* kind, std::size_t capacity);
  static std::uint32_t nodes_at_first(std::size_t capacity) noexcept {
    return static_cast<std::uint32_t>(capacity) + (model_build ? 1 : 7);  // one for each sender or reader that is at it
  }
  static constexpr unsigned node_bits(std::size_t capacity) noexcept {
    return std::clamp(static_cast<unsigned>(std::bit_width(capacity)) + 4, 16U, 32U);
  }
  static std::uint32_t most_nodes(std::size_t capacity) noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{1} << node_bits(capacity)) - 1);
  }

  std::uint64_t kept_before(std::uint64_t end) const noexcept { return end > capacity_ ? end - capacity_ : 0; }
  shared_slot<T>& slot_of(std::uint64_t position) const noexcept { return slots_[position % capacity_]; }
  bool is_before(std::uint64_t word, std::uint64_t position) const noexcept {
    return layout_.is_at(word, position / capacity_);
  }
  bool is_there(std::uint64_t word, std::uint64_t position) const noexcept {
    return layout_.is_at(word, position / capacity_ + 1);
  }
  node& take_node();
  sending publish(node& n, std::uint64_t position) noexcept;
  void move_tail(std::uint64_t from) noexcept {
    // E1 publish. relaxed: somebody else has done it
    (void)tail_.compare_exchange_strong(from, from + 1, release, relaxed);
  }
  end_of_items find_end() noexcept;
  void kicked(std::uintptr_t bits) noexcept override;
  void serve() noexcept override;
  void let_pass(const end_of_items& end) noexcept;

  const std::size_t capacity_;
  const slot_layout layout_;
  const std::unique_ptr<shared_slot<T>[]> slots_;
  value_pool<T> pool_;
  apart after_pool_;
  atomic<std::uint64_t> tail_{0};  // see above; senders, whoever helps them
  apart after_tail_;
  atomic<std::size_t> readers_{0};  // how many may come back
  waiter_list waiters_;             // runner-private from here on
  std::uint64_t settled_at_ = 0;    // see item_waiter
  std::uint64_t armed_at_ = 0;      // the position where the kick was set last
  bool kick_armed_ = false;         // set, or cleared and owed
  const char* const kind_;
  const std::string name_;
};

// ------------------------------------------------------------------------------------------ any thread

template <class T>
broadcast_core<T>::broadcast_core(const char* kind, std::size_t capacity, std::string name,
                                  std::optional<slot_layout> layout)
    : waiter_hub(&waiters_),
      capacity_(checked(kind, capacity)),
      layout_(layout ? *layout : slot_layout(node_bits(capacity))),
      slots_(std::make_unique<shared_slot<T>[]>(capacity)),
      pool_(nodes_at_first(capacity), most_nodes(capacity)),
      kind_(kind),
      name_(std::move(name)) {
  for (std::size_t i = 0; i < capacity_; ++i) {
    node& n = *pool_.take();
    n.references.store(node::whole, relaxed);  // relaxed: not shared yet
    slots_[i].begin(layout_.pack(0, n.number));
  }
}

template <class T>
broadcast_core<T>::~broadcast_core() {
  seize();
  const std::size_t left = readers_.load(relaxed);  // relaxed: who may destroy it knows that they have gone
  if (left != 0) {
    fail(std::string("a ") + kind_ + " '" + name_ + "' is destroyed while somebody may still read it (" +
         std::to_string(left) + " subscribed, of whom " + std::to_string(waiters_.size()) +
         " wait): close it and let them go first, or declare it before the runtime, which cancels its tasks when it "
         "goes");
  }
  if (kick_armed_ && !slot_of(armed_at_).has_kick()) await_kick(0);
  for (std::size_t i = 0; i < capacity_; ++i) {
    const std::uint64_t word = slots_[i].look();
    (void)pool_.retire(pool_.at(layout_.node(word)), slot_layout::references(word));
  }
  for (short_wait retiring; pool_.free_count() != pool_.made(); retiring()) {  // I4
    if (const std::size_t borrowed = pool_.read_count()) {
      fail(std::string("a ") + kind_ + " '" + name_ + "' is destroyed while its values are borrowed (" +
           std::to_string(borrowed) + "): let their snapshots go first");
    }
  }
}

template <class T>
std::size_t broadcast_core<T>::checked(const char* kind, std::size_t capacity) {
  constexpr std::size_t largest = std::size_t{1} << 26;
  if (capacity >= 1 && capacity <= largest) return capacity;
  throw std::invalid_argument(
      std::string("sluice: the capacity of a ") + kind + " must be between 1 and 2^26, not " +
      std::to_string(capacity) +
      (capacity == 0 ? ": it keeps at least the newest item" : ": was a negative number converted?"));
}

template <class T>
typename broadcast_core<T>::node& broadcast_core<T>::take_node() {
  node* const n = pool_.take();
  if (n != nullptr) return *n;
  throw std::length_error(
      std::string("sluice: a send on ") + kind_ + " '" + name_ + "' found " + std::to_string(pool_.made()) +
      " values in use, which is as many as it can have: somebody keeps snapshots and does not let them go");
}

template <class T>
template <class Value>
bool broadcast_core<T>::send(Value& value) {
  node& n = take_node();
  try {
    std::construct_at(n.item(), std::move(value));
  } catch (...) {
    pool_.give(n);
    throw;
  }
  for (;;) {
    const std::uint64_t position = sent();
    const sending result = publish(n, position);
    if (result == sending::done) [[likely]]
      return true;  // it may be gone
    if (result == sending::closed) break;
    move_tail(position);
  }
  if constexpr (!std::is_const_v<Value>) {
    std::destroy_at(&value);
    std::construct_at(&value, std::move(*n.item()));
  }
  std::destroy_at(n.item());
  pool_.give(n);
  return false;
}

template <class T>
template <class Change>
bool broadcast_core<T>::send_changed(Change& change) {
  node& n = take_node();
  for (;;) {
    std::uint64_t position = 0;
    bool made = false;
    try {
      {
        const snapshot<T> now = newest();  // given back before the next item is published, after which this may be gone
        position = now.position() + 1;
        std::construct_at(n.item(), *now);
        made = true;
      }
      change(*n.item());
    } catch (...) {
      if (made) std::destroy_at(n.item());
      pool_.give(n);
      throw;
    }
    const sending result = publish(n, position);
    if (result == sending::done) return true;  // it may be gone
    std::destroy_at(n.item());
    if (result == sending::closed) break;
    move_tail(position);
  }
  pool_.give(n);
  return false;
}

// Makes `n`, which has its value, item `position`. Taken: somebody else has. After done it may be gone.
template <class T>
typename broadcast_core<T>::sending broadcast_core<T>::publish(node& n, std::uint64_t position) noexcept {
  n.position.set(position);
  n.references.store(node::whole, relaxed);  // relaxed: published with the slot
  shared_slot<T>& slot = slot_of(position);
  const std::uint64_t after = layout_.pack(position / capacity_ + 1, n.number);
  std::uint64_t word = slot.look();
  do {
    if (!is_before(word, position)) return sending::taken;
    if ((word & slot_layout::closed) != 0) return sending::closed;
  } while (!slot.replace(word, after));
  move_tail(position);
  // What is left of the old value ends after the last touch.
  [[maybe_unused]] const remains<T> old = pool_.retire(pool_.at(layout_.node(word)), slot_layout::references(word));
  if ((word & slot_layout::kick) != 0) kick(0);
  return sending::done;
}

template <class T>
void broadcast_core<T>::close() noexcept {
  for (end_of_items end = find_end(); !end.closed(); end = find_end()) {
    if (!slot_of(end.position).close(end.word)) continue;
    if ((end.word & slot_layout::kick) != 0) kick(0);
    return;
  }
}

template <class T>
bool broadcast_core<T>::is_closed() const noexcept {
  for (std::uint64_t end = sent();; ++end) {
    const std::uint64_t word = slot_of(end).look();
    if (is_before(word, end)) return (word & slot_layout::closed) != 0;
  }
}

template <class T>
typename broadcast_core<T>::end_of_items broadcast_core<T>::find_end() noexcept {
  for (;;) {
    const std::uint64_t position = sent();
    const std::uint64_t word = slot_of(position).look();
    if (is_before(word, position)) return {position, word};
    move_tail(position);
  }
}

// --------------------------------------------------------------------------------------------- readers

template <class T>
reading broadcast_core<T>::peek(std::uint64_t position) const noexcept {
  const std::uint64_t word = slot_of(position).look();
  if (!is_before(word, position)) return reading::item;  // or it was there: then a newer one is
  if (sent() > position) return reading::item;           // it has come, or the count in the word went round exactly
  return (word & slot_layout::closed) != 0 ? reading::closed : reading::nothing;
}

template <class T>
value_node<T>* broadcast_core<T>::get(std::uint64_t& position) noexcept {
  for (;;) {
    shared_slot<T>& slot = slot_of(position);
    std::uint64_t word = slot.look();
    if (is_there(word, position)) {
      if (!slot.get_reference(word, layout_, pool_)) continue;
      node& n = pool_.at(layout_.node(word));
      if (n.position.get() == position) [[likely]]
        return &n;
      pool_.give_back(n);  // the count in the word went round exactly
    } else if (is_before(word, position)) {
      if (sent() <= position) return nullptr;
      if (is_there(slot.look(), position)) continue;
    }
    position = std::max(position + 1, kept_before(sent()));  // it was overwritten
  }
}

template <class T>
snapshot<T> broadcast_core<T>::newest() noexcept {
  shared_slot<T>& slot = slots_[0];
  std::uint64_t word = slot.look();
  while (!slot.get_reference(word, layout_, pool_)) {
  }
  return hold(pool_.at(layout_.node(word)));
}

// ------------------------------------------------------------------------------------------- the runner

template <class T>
void broadcast_core<T>::kicked(std::uintptr_t) noexcept {
  kick_armed_ = false;
}

template <class T>
void broadcast_core<T>::serve() noexcept {
  while (!waiters_.empty()) {
    const end_of_items end = find_end();
    let_pass(end);
    if (waiters_.empty() || kick_armed_ || enough()) return;
    // Fails when somebody was faster: then there is an item, or the close, or another reader only.
    if (slot_of(end.position).arm(end.word)) {
      kick_armed_ = true;
      armed_at_ = end.position;
      return;
    }
  }
}

// Completes everybody who need not wait at `end`. Those who were settled there stay settled, and stand in front: only
// the newcomers behind them are looked at.
template <class T>
void broadcast_core<T>::let_pass(const end_of_items& end) noexcept {
  auto* w = static_cast<item_waiter*>(&waiters_.front());
  if (!end.closed() && end.position == settled_at_) {
    w = static_cast<item_waiter*>(waiters_.back());
    if (w->settled) return;
    while (w->previous != nullptr && !static_cast<item_waiter*>(w->previous)->settled) {
      w = static_cast<item_waiter*>(w->previous);
    }
  }
  lookahead ahead(w);
  while (w != nullptr) {
    if (enough()) return;  // settled_at_ stays: the next call begins in front
    ahead.step();
    auto* const after = static_cast<item_waiter*>(w->next);
    w->settled = !end.closed() && w->position >= end.position;
    if (!w->settled && claim(*w)) complete(*w, wait_result::done);
    w = after;
  }
  settled_at_ = end.position;
}

}  // namespace sluice::impl
