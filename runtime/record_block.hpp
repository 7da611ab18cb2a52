#pragma once
// Where the record of a spawned task lives. Its word says whether anyone is in, so every live task can be enumerated without any
// list that spawning would have to keep.

#include <sluice/runtime/record_word.hpp>
#include <sluice/runtime/stable_pool.hpp>

#include <cstddef>
#include <cstdint>

namespace sluice::impl {

/// The room for one record.
struct alignas(64) record_block : stable_block {
  static constexpr std::size_t header = 16;  // what stands before the storage
  static constexpr std::size_t room = 192 - header;

  record_word word;
  static_assert(sizeof(stable_block) + sizeof(record_word) == header);
  alignas(16) std::byte storage[room];

  /// The block around a record that was built in it.
  static record_block& around(void* record) noexcept {
    return *reinterpret_cast<record_block*>(static_cast<std::byte*>(record) - header);
  }
};
static_assert(sizeof(record_block) == 192);

using record_pool = stable_pool<record_block>;

}  // namespace sluice::impl
