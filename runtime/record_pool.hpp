#pragma once
// Where the records of spawned tasks live: blocks of one size in slabs that double, never given back before the
// pool goes. So a block can be looked at at any time (its record_word says whether anyone is in), and every live task
// can be enumerated without any list that spawning would have to keep.
//
//   directory_[k] --> slab of 64 << k blocks           block: | word | next_free | index | record ... |
//   free lists (one per shard of threads) --> index --> index --> ...
//
// I1  A block is in at most one free list, and only while its word is 0.
// I2  Blocks with an index below bump_ exist; those above have never been used.
// E1  push (release) -> pop (acquire): whoever reuses a block sees it as it was left.
// E2  a slab's entry (release) -> whoever needs the slab (acquire), then bump_ (release) -> used() (acquire): the zeroed blocks.
// The head of a free list carries a 32-bit tag that every change increments, against ABA (Treiber, 1986).

#include <sluice/queues/atomic.hpp>
#include <sluice/runtime/record_word.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::impl {

/// The room for one record of a spawned task.
struct alignas(64) record_block {
  static constexpr std::size_t header = 16;
  static constexpr std::size_t room = 192 - header;

  record_word word;
  atomic<std::uint32_t> next_free{
      0};  // index + 1 of the next block in its free list, 0 at the end; all accesses relaxed
  std::uint32_t index = 0;
  alignas(16) std::byte storage[room];

  /// The block around a record that was built in it.
  static record_block& around(void* record) noexcept {
    return *reinterpret_cast<record_block*>(static_cast<std::byte*>(record) - header);
  }
};
static_assert(sizeof(record_block) == 192 && offsetof(record_block, storage) == record_block::header);

class record_pool {
 public:
  record_pool() = default;
  record_pool(const record_pool&) = delete;
  record_pool& operator=(const record_pool&) = delete;
  ~record_pool();

  /// A free block. From any thread, lock-free; throws std::bad_alloc.
  record_block& take();
  /// Gives back a block whose word is 0. From any thread, lock-free.
  void give(record_block& block) noexcept;

  /// How many blocks were ever used; their indexes are below it.
  std::uint32_t used() const noexcept { return bump_.load(acquire); }  // E2 observe
  /// Precondition: index < used().
  record_block& at(std::uint32_t index) const noexcept;
  /// How many blocks lie in free lists. Precondition: nobody takes any more.
  std::uint32_t free_count() const noexcept;

 private:
  static constexpr unsigned first_slab_bits = model_build ? 1 : 6;
  static constexpr std::size_t shards = model_build ? 1 : 8;
  struct alignas(64) free_list {
    atomic<std::uint64_t> head{0};  // tag << 32 | index + 1, 0 in the low half when empty; written by takers and givers
  };

  record_block* pop(free_list& list) noexcept;
  void push(free_list& list, record_block& block) noexcept;
  record_block& take_new();
  record_block* slab(unsigned k);

  std::array<free_list, shards> free_;
  std::array<atomic<record_block*>, 27> directory_{};  // null, then a slab for good; set by whoever needs it first
  atomic<std::uint32_t> bump_{0};                      // only grows; written by takers
};

}  // namespace sluice::impl
