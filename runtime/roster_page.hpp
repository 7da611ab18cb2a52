#pragma once
// A page of a group's roster; roster.hpp says who publishes what to whom.

#include <sluice/runtime/stable_pool.hpp>

#include <cstdint>

namespace sluice::impl {

class group_child;
class roster;

struct alignas(64) roster_page : stable_block {
  static constexpr std::uint32_t places = model_build ? 2 : 56;

  // How many places were given out since it was opened; written by its user.
  atomic<std::uint32_t> given{0};
  // A bit for each place that is taken, and those below; written by the user, by children that leave, by walkers.
  atomic<std::uint64_t> state{sealed};
  // Children that left while somebody walked; written by them and the last walker.
  atomic<group_child*> leftovers{nullptr};
  roster_page* next = nullptr;         // in the roster's list
  roster_page* next_closed = nullptr;  // among its closed ones
  roster* owner = nullptr;
  atomic<std::uint32_t> user{0};    // the worker's number; written by a new user
  atomic<group_child*> at[places];  // all accesses relaxed: the bits publish

  static constexpr std::uint64_t taken = (std::uint64_t{1} << places) - 1;
  static constexpr std::uint64_t sealed = std::uint64_t{1} << 56;
  static constexpr std::uint64_t canceller = std::uint64_t{1} << 57;
  static constexpr std::uint64_t draining = std::uint64_t{1} << 58;  // who leaves it empty closes it
  static constexpr std::uint64_t looker = std::uint64_t{1} << 59;    // a count of them
  static constexpr std::uint64_t most_lookers = 31 * looker;
  static constexpr std::uint64_t walkers = canceller | most_lookers;

  static constexpr bool nobody(std::uint64_t state) noexcept { return (state & (taken | walkers)) == 0; }
  static constexpr bool is_closed(std::uint64_t state) noexcept { return (state & ~draining) == sealed; }
};

using roster_pool = stable_pool<roster_page, model_build ? 2 : 16>;

}  // namespace sluice::impl
