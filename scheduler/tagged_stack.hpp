#pragma once
// A lock-free stack of values whose nodes are never given back, so that a late reader reads an old node rather than foreign memory;
// the top carries a tag that changes with every operation, so that a late CAS fails.
//
// I1  A node is on the stack, on the stack of free nodes, or in the hands of one thread.
// I2  The tag counts modulo 2^32: a thread that sleeps while it goes round exactly once would be deceived: accepted.
// E1  push (release) -> pop (acquire): the value, and what it points to.
// E2  the making of a segment (release) -> has_segment_for (acquire): its nodes as they were made.

#include <sluice/queues/atomic.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace sluice::impl {

/// `First` nodes in the first segment, doubling; a model wants few. All of it is zero at first, so it may be constinit.
template <class T, std::uint32_t First = 64>
class tagged_stack {
 public:
  constexpr tagged_stack() noexcept = default;
  ~tagged_stack() {
    for (auto& segment : segments_) delete[] segment.load(relaxed);  // relaxed: nobody else is left
  }
  tagged_stack(const tagged_stack&) = delete;
  tagged_stack& operator=(const tagged_stack&) = delete;

  /// False: no memory for another node.
  [[nodiscard]] bool push(T value) noexcept {
    std::uint32_t index = pop_from(free_);
    if (index == 0) index = new_node();
    if (index == 0) return false;
    at(index).value.set(value);
    push_to(top_, index);
    return true;
  }

  /// False: empty.
  [[nodiscard]] bool pop(T& value) noexcept {
    const std::uint32_t index = pop_from(top_);
    if (index == 0) return false;
    value = at(index).value.get();
    push_to(free_, index);
    return true;
  }

  /// At least as many as there are values: for who takes all that is there, and not what is put in meanwhile for ever.
  std::uint32_t nodes() const noexcept { return made_.load(relaxed); }  // relaxed: a bound

 private:
  struct node {
    plain<T> value;
    atomic<std::uint32_t> next{0};  // relaxed: E1, or a CAS that fails
  };

  // Indexes begin with 1. Segment k has First << k nodes.
  node& at(std::uint32_t index) noexcept {
    std::uint32_t offset = index - 1;
    unsigned k = 0;
    for (; offset >= First << k; ++k) offset -= First << k;
    return segments_[k].load(relaxed)[offset];  // relaxed: who has an index has seen its segment, through E1 or E2
  }

  std::uint32_t new_node() noexcept {
    std::uint32_t index = made_.load(relaxed);  // relaxed: only a number
    do {
      if (!has_segment_for(index)) return 0;
    } while (!made_.compare_exchange_weak(index, index + 1, relaxed, relaxed));  // relaxed: only a number
    return index + 1;
  }

  bool has_segment_for(std::uint32_t offset) noexcept {
    unsigned k = 0;
    for (; k < segment_count && offset >= First << k; ++k) offset -= First << k;
    if (k == segment_count) return false;
    node* there = segments_[k].load(acquire);  // E2 observe
    if (there != nullptr) return true;
    node* const made = new (std::nothrow) node[First << k];
    if (made == nullptr) return false;
    if (!segments_[k].compare_exchange_strong(there, made, release, acquire)) delete[] made;  // E2 publish, E2 observe
    return true;
  }

  void push_to(atomic<std::uint64_t>& top, std::uint32_t index) noexcept {
    node& n = at(index);
    std::uint64_t seen = top.load(relaxed);  // relaxed: not looked into
    do {
      n.next.store(static_cast<std::uint32_t>(seen), relaxed);
    } while (!top.compare_exchange_weak(seen, tagged(seen, index), release, relaxed));  // E1 publish
  }

  std::uint32_t pop_from(atomic<std::uint64_t>& top) noexcept {
    std::uint64_t seen = top.load(acquire);  // E1 observe
    while (static_cast<std::uint32_t>(seen) != 0) {
      const std::uint32_t index = static_cast<std::uint32_t>(seen);
      const std::uint32_t below = at(index).next.load(relaxed);
      if (top.compare_exchange_weak(seen, tagged(seen, below), relaxed, acquire)) return index;  // E1 observe
    }
    return 0;
  }

  static std::uint64_t tagged(std::uint64_t before, std::uint32_t index) noexcept {
    return ((before >> 32) + 1) << 32 | index;
  }

  static constexpr unsigned segment_count = 20;

  atomic<std::uint64_t> top_{0};   // tag << 32 | index; 0: empty
  atomic<std::uint64_t> free_{0};  // the same
  atomic<std::uint32_t> made_{0};  // so many nodes exist
  atomic<node*> segments_[segment_count];
};

}  // namespace sluice::impl
