#pragma once
// Nodes that hold one immutable value each, are counted by who reads them, and go back to a pool when the last one has
// read.
//
//   node.references:  whole  it lies in a slot, or is about to: more by what readers moved here, less by what they gave back
//                     n      it was taken out of its slot, and n still read
//                     0      it lies in the pool, or is on its way there (or about `whole`, if all had given back before)
//
// I1  A node is in the pool, in one slot, in the hand of one sender, or read by somebody who will give it back.
// I2  A node's memory stays until the pool goes: so the number of a node that was looked at too late still leads to a
//     node.
// I3  Whoever brings `references` to 0 moves the value out, puts the node back, and destroys the value after that: no
//     code of a user but T's move runs while a node is missing from the pool.
// I4  The pool grows when it is empty, up to `most` nodes: a reader that takes its time makes nobody wait.
// E1  a reader gives back (release) -> who brings the count to 0, or finds that all have given back (acquire): it has
//     been read.
// E2  put back (release) -> taken (acquire): the node as it was left.
// E3  a segment (release) -> who needs it (acquire): its nodes as they were made.
//
// Source: the stack of free nodes is Treiber's (1986), with a tag of 32 bits against ABA: a thread that sleeps while it
// goes round exactly once would be deceived, which is accepted.

#include <sluice/queues/atomic.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace sluice::impl {

/// A value that nobody reads any more, on its way to its end. Of a type whose destructor does nothing it is nothing.
template <class T>
using remains = std::conditional_t<std::is_trivially_destructible_v<T>, std::nullopt_t, std::optional<T>>;

template <class T>
struct value_node {
  static constexpr std::uint64_t nothing = ~std::uint64_t{0};
  static constexpr std::uint64_t whole = std::uint64_t{1} << 40;

  T* item() noexcept { return std::launder(reinterpret_cast<T*>(storage)); }

  atomic<std::uint64_t> references{0};  // see above; readers, and who takes it out of its slot
  atomic<std::uint32_t> next_free{
      0};                    // a link: number + 1, 0 at the end; all accesses relaxed: E2, or an exchange that fails
  std::uint32_t number = 0;  // its own
  plain<std::uint64_t> position{nothing};  // of the item it holds; the sender's until it lies in a slot, then nobody's
  alignas(T) std::byte storage[sizeof(T)];
};

template <class T>
class value_pool {
 public:
  using node = value_node<T>;

  /// `first` nodes at once, `most` at most. Throws std::bad_alloc.
  value_pool(std::uint32_t first, std::uint32_t most) : first_(first), most_(most) {
    segments_[0].store(make_segment(0), relaxed);  // relaxed: not shared yet
  }
  ~value_pool() {
    for (auto& segment : segments_) delete[] segment.load(relaxed);  // relaxed: nobody else is left
  }
  value_pool(const value_pool&) = delete;
  value_pool& operator=(const value_pool&) = delete;

  /// A node without a value, or null: `most` are in use. Lock-free as long as there is one. Throws std::bad_alloc.
  node* take() {
    std::uint64_t seen = free_.load(acquire);  // E2 observe
    while (static_cast<std::uint32_t>(seen) != 0) {
      node& n = at(static_cast<std::uint32_t>(seen) - 1);
      const std::uint64_t after = tagged(seen, n.next_free.load(relaxed));
      // relaxed: it was observed when it was read, and a read-modify-write carries on what others published
      if (free_.compare_exchange_weak(seen, after, relaxed, acquire)) return &n;  // E2 observe
    }
    return make();
  }

  /// Puts back a node that has no value.
  void give(node& n) noexcept {
    std::uint64_t seen = free_.load(relaxed);  // relaxed: the exchange decides
    do {
      n.next_free.store(static_cast<std::uint32_t>(seen), relaxed);
    } while (!free_.compare_exchange_weak(seen, tagged(seen, n.number + 1), release, relaxed));  // E2 publish
  }

  /// A reader is done with `n`.
  void give_back(node& n) noexcept {
    if (n.references.fetch_sub(1, acq_rel) == 1) bury(n);  // E1 publish, observe
  }

  /// `n` was taken out of its slot, of which `counted` references were got there. What is left of its value, if nobody
  /// reads it.
  remains<T> retire(node& n, std::uint64_t counted) noexcept {
    const std::uint64_t rest = node::whole - counted;
    // The caller's exchange on the slot has seen what readers moved here (E2 of shared_slot.hpp): so this is the last
    // value.
    if (n.references.load(acquire) == rest) return take_out(n);             // E1 observe
    if (n.references.fetch_sub(rest, acq_rel) == rest) return take_out(n);  // E1 publish, observe
    return remains<T>{std::nullopt};
  }

  /// Of all that are below made().
  node& at(std::uint32_t number) const noexcept {
    if (number < first_) [[likely]]
      return segments_[0].load(
          relaxed)[number];  // relaxed: who has a number has seen its segment, through E2 or the slot
    unsigned k = 0;
    std::uint32_t offset = number;
    for (; offset >= size_of(k); ++k) offset -= size_of(k);
    return segments_[k].load(relaxed)[offset];
  }

  std::uint32_t made() const noexcept { return made_.load(relaxed); }  // relaxed: a number; E3 says what is there

  /// For who destroys it, when nobody takes any more: how many lie in the pool ...
  std::uint32_t free_count() const noexcept {
    std::uint32_t count = 0;
    auto link = static_cast<std::uint32_t>(free_.load(acquire));  // E2 observe
    for (; link != 0; link = at(link - 1).next_free.load(relaxed)) ++count;
    return count;
  }
  /// ... and how many somebody reads, though they lie in no slot any more.
  std::uint32_t read_count() const noexcept {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < made(); ++i) {
      const std::uint64_t references = at(i).references.load(relaxed);  // relaxed: only a number
      count += references != 0 && references < node::whole / 2;
    }
    return count;
  }

 private:
  static constexpr unsigned segment_count = 32;

  static std::uint64_t tagged(std::uint64_t before, std::uint32_t link) noexcept {
    return ((before >> 32) + 1) << 32 | link;
  }
  std::uint32_t size_of(unsigned segment) const noexcept { return segment == 0 ? first_ : first_ << (segment - 1); }

  node* make_segment(unsigned k) const {
    std::uint32_t number = k == 0 ? 0 : size_of(k);  // twice as many with each: so many came before
    node* const made = new node[size_of(k)];
    for (std::uint32_t i = 0; i < size_of(k); ++i) made[i].number = number++;
    return made;
  }

  node* make() {
    std::uint32_t number = made_.load(relaxed);  // relaxed: the exchange decides
    do {
      if (number >= most_) return nullptr;
      need_segment_of(number);
    } while (!made_.compare_exchange_weak(number, number + 1, relaxed, relaxed));  // relaxed: only a number
    return &at(number);
  }

  void need_segment_of(std::uint32_t number) {
    unsigned k = 0;
    for (; number >= size_of(k); ++k) number -= size_of(k);
    node* there = segments_[k].load(acquire);  // E3 observe
    if (there != nullptr) return;
    node* const made = make_segment(k);
    if (!segments_[k].compare_exchange_strong(there, made, release, acquire)) delete[] made;  // E3 publish, E3 observe
  }

  // I3
  remains<T> take_out(node& n) noexcept {
    if constexpr (!std::is_trivially_destructible_v<T>) {
      if (n.position.get() != node::nothing) {  // which is what slots hold at first
        remains<T> value(std::move(*n.item()));
        std::destroy_at(n.item());
        give(n);
        return value;
      }
    }
    give(n);
    return remains<T>{std::nullopt};
  }
  // Apart, so that the way of the many who are not the last stays short.
  [[gnu::noinline]] void bury(node& n) noexcept { (void)take_out(n); }

  const std::uint32_t first_;
  const std::uint32_t most_;
  atomic<node*> segments_[segment_count];  // null, then a segment for good; set by whoever needs it first
  atomic<std::uint32_t> made_{0};          // so many nodes have been used; takers
  atomic<std::uint64_t> free_{0};          // tag << 32 | link; takers and givers
};

}  // namespace sluice::impl
