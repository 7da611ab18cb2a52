#pragma once
// The memory that the program under test allocates: global operator new and delete of a model binary
// lead here while an execution runs. Freed blocks are poisoned and never reused within the execution, so
// that a use after free is seen; what is left at the end is a leak.

#include <sluice/model/hooks.hpp>
#include <sluice/model/raw.hpp>
#include <sluice/model/view.hpp>

#include <cstddef>
#include <cstdint>

namespace model {

class heap {
 public:
  struct block {
    char* memory;
    std::size_t size;
    int thread;
    bool freed;
    site after;  // the last site of the allocating thread before the allocation
  };

  heap();
  ~heap();
  heap(const heap&) = delete;
  heap& operator=(const heap&) = delete;

  /// Forgets all blocks of the execution.
  void clear() noexcept;
  /// Null: this execution has used up its share.
  void* allocate(std::size_t size, std::size_t alignment, int thread, site after) noexcept;
  bool owns(const void* p) const noexcept { return p >= base_ && p < base_ + total; }
  /// Of what it owns: where, from its beginning.
  std::size_t offset(const void* p) const noexcept {
    return static_cast<std::size_t>(static_cast<const char*>(p) - base_);
  }
  /// The block that begins at `p`, or null.
  block* starting_at(const void* p) noexcept;
  /// The block that contains `p`, or null.
  const block* around(const void* p) const noexcept;
  /// The freed block that contains `p`, or null.
  const block* freed_around(const void* p) const noexcept;
  void release(block& b) noexcept;
  /// The first block that is still allocated, or null.
  const block* left_over() const noexcept;

 private:
  // Each thread has its own share, so that addresses do not depend on the order of independent steps.
  static constexpr std::size_t share = std::size_t{4} << 20;
  static constexpr std::size_t total = share * max_threads;

  char* base_ = nullptr;
  std::size_t used_[max_threads] = {};
  raw_vector<block> blocks_;
  int freed_ = 0;
};

}  // namespace model
