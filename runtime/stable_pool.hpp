#pragma once
// Blocks of one type that are never given back before their pool goes: so a block can be looked at at any time, by whoever knows from
// the block itself whether somebody is in it, and all of them can be enumerated without a list.
//
//   directory_[k] --> slab of first << k blocks         block: | next_free | next_batch | index | ... |
//   a worker's cache --> index --> index --> ...        plain: nobody else touches it
//   batches_ --> index --(next_batch)--> index ...      shared; each the first of a chain through next_free
//
// A worker takes from its cache and gives to it; it gets and gives away a batch at a time, as the frame pool does.
//
// I1  A block is in at most one free list.
// I2  Blocks with an index below made_ exist; those above have never been used.
// E1  push_batch (release) -> pop_batch (acquire): whoever uses a block again sees it as it was left.
// E2  a slab's entry (release) -> whoever needs the slab (acquire), then made_ (release) -> used() (acquire): the blocks as made.
// The head of the batches carries a 32-bit tag that every change increments, against ABA (Treiber, 1986).

#include <sluice/queues/atomic.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

namespace sluice::impl {

/// What a block begins with: its links are index + 1, or 0 at the end.
struct stable_block {
  atomic<std::uint32_t> next_free{0};  // in its chain; all accesses relaxed: E1
  atomic<std::uint32_t> next_batch{
      0};  // of the first of a chain; all accesses relaxed: a stale one makes the exchange fail
  std::uint32_t index = 0;
};

/// One worker's free blocks of a pool. Touched by that worker only.
struct stable_cache {
  std::uint32_t first = 0;  // as a link
  std::uint32_t count = 0;
};

/// `First` blocks in the first slab, a power of two.
template <class Block, unsigned First = model_build ? 2 : 64>
class stable_pool {
 public:
  stable_pool() = default;
  stable_pool(const stable_pool&) = delete;
  stable_pool& operator=(const stable_pool&) = delete;
  ~stable_pool() {
    for (auto& entry : directory_) {
      ::operator delete(entry.load(relaxed), alignment);  // relaxed: nobody else is left
    }
  }

  /// A free block. From any thread, `cache` being its own or null; lock-free; throws std::bad_alloc.
  Block& take(stable_cache* cache) {
    if (cache == nullptr) return take_shared();
    if (cache->first == 0) {
      cache->first = pop_batch();
      if (cache->first == 0) return make();
      cache->count = batch_size;  // of one from outside it may be fewer: then this worker gives away sooner
    }
    Block& block = at(cache->first - 1);
    cache->first = block.next_free.load(relaxed);
    --cache->count;
    return block;
  }

  /// Gives back a block that nobody uses. As above, but does not throw.
  void give(Block& block, stable_cache* cache) noexcept {
    if (cache == nullptr) {
      block.next_free.store(0, relaxed);
      return push_batch(block);
    }
    if (cache->count >= batch_size && cache->first != 0) {
      push_batch(at(cache->first - 1));
      *cache = {};
    }
    block.next_free.store(cache->first, relaxed);
    cache->first = block.index + 1;
    ++cache->count;
  }

  /// How many blocks were ever used; their indexes are below it.
  std::uint32_t used() const noexcept { return made_.load(acquire); }  // E2 observe
  /// Precondition: index < used().
  Block& at(std::uint32_t index) const noexcept {
    const unsigned k = slab_of(index);
    // relaxed: whoever knows the index has it from made_ or from a list, which publish the slab, too
    return directory_[k].load(relaxed)[index - ((std::uint32_t{1} << k) - 1) * First];
  }
  /// How many blocks lie in the shared lists. Precondition: nobody takes any more.
  std::uint32_t free_count() const noexcept {
    std::uint32_t count = 0;
    auto batch = static_cast<std::uint32_t>(batches_.load(acquire));  // E1 observe: of this push and all before it
    for (; batch != 0; batch = at(batch - 1).next_batch.load(relaxed)) count += length(batch);
    return count;
  }
  /// Likewise in a cache.
  std::uint32_t free_count(const stable_cache& cache) const noexcept { return length(cache.first); }

 private:
  static constexpr std::uint32_t batch_size = model_build ? 2 : 64;
  static constexpr std::align_val_t alignment{alignof(Block)};
  static unsigned slab_of(std::uint32_t index) noexcept {
    return static_cast<unsigned>(std::bit_width(index / First + 1)) - 1;
  }

  std::uint32_t length(std::uint32_t chain) const noexcept {
    std::uint32_t count = 0;
    for (; chain != 0; chain = at(chain - 1).next_free.load(relaxed)) ++count;
    return count;
  }

  Block& take_shared() {
    const std::uint32_t batch = pop_batch();
    if (batch == 0) return make();
    Block& block = at(batch - 1);
    if (const std::uint32_t rest = block.next_free.load(relaxed)) push_batch(at(rest - 1));
    return block;
  }

  std::uint32_t pop_batch() noexcept {
    std::uint64_t head = batches_.load(acquire);  // E1 observe
    while (static_cast<std::uint32_t>(head) != 0) {
      const std::uint64_t next = at(static_cast<std::uint32_t>(head) - 1).next_batch.load(relaxed);
      const std::uint64_t after = ((head >> 32) + 1) << 32 | next;
      // relaxed: the head was observed when it was read, and a read-modify-write carries on what the pushes below published
      if (batches_.compare_exchange_weak(head, after, relaxed, acquire)) break;  // E1 observe
    }
    return static_cast<std::uint32_t>(head);
  }

  void push_batch(Block& first) noexcept {
    std::uint64_t head = batches_.load(relaxed);  // relaxed: the exchange below decides
    for (;;) {
      first.next_batch.store(static_cast<std::uint32_t>(head), relaxed);
      const std::uint64_t after = ((head >> 32) + 1) << 32 | (std::uint64_t{first.index} + 1);
      if (batches_.compare_exchange_weak(head, after, release, relaxed)) return;  // E1 publish
    }
  }

  Block& make() {
    std::uint32_t index = made_.load(relaxed);  // relaxed: the exchange below decides
    do {
      need_slab(slab_of(index));
    } while (!made_.compare_exchange_weak(index, index + 1, release, relaxed));  // E2 publish
    Block& block = at(index);
    block.index = index;
    return block;
  }

  void need_slab(unsigned k) {
    Block* present = directory_.at(k).load(acquire);  // E2 observe
    if (present != nullptr) return;
    const std::size_t count = std::size_t{First} << k;
    auto* fresh = static_cast<Block*>(::operator new(count * sizeof(Block), alignment));
    for (std::size_t i = 0; i < count; ++i) ::new (&fresh[i]) Block;
    if (directory_[k].compare_exchange_strong(present, fresh, release, acquire)) return;  // E2 publish, E2 observe
    ::operator delete(fresh, alignment);
  }

  std::array<atomic<Block*>, 27> directory_{};     // null, then a slab for good; set by whoever needs it first
  atomic<std::uint32_t> made_{0};                  // only grows; written by takers
  alignas(128) atomic<std::uint64_t> batches_{0};  // tag << 32 | link; written by takers and givers
};

}  // namespace sluice::impl
