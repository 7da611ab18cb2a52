#pragma once
// The ends of a range of indexes, which may have different integral types.

#include <concepts>
#include <cstddef>

namespace sluice::impl {

[[noreturn]] void throw_end_too_far(const char* function);

/// `end` in the type of the beginning. Throws std::invalid_argument, which names `function`, if that cannot hold it.
template <std::integral Index, std::integral Last>
Index checked_end(Last end, const char* function) {
  static_assert(sizeof(Index) <= sizeof(std::size_t), "the index of a range must be no wider than std::size_t");
  const auto last = static_cast<Index>(end);
  if (static_cast<Last>(last) != end || (last < Index{}) != (end < Last{})) throw_end_too_far(function);
  return last;
}

}  // namespace sluice::impl
