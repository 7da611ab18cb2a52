#pragma once
// A hierarchical timing wheel (Varghese and Lauck, 1987) of 64-slot levels, for one thread: O(1) insert and remove, and time is
// crossed in jumps from one occupied slot to the next.
//
// A tick is 2^shift nanoseconds. An entry stands on level L if L is the highest 6-bit digit in which its tick differs from the
// current one. So everything on a level is earlier than everything on the next, and slots that are reached are dealt out
// again to lower levels. With eleven levels the wheel spans all 64 bits: there is no horizon.
//
// I1  Every entry's tick is later than `current`, but for entries that are being dealt out or expired within advance().
// I2  A slot's `least` is at most the smallest tick in it.
// I3  Nothing expires early: deadlines are rounded up, and the present is rounded down.
//
// Timers that were started in a row expire in any order, so of many each is a cache miss of its own. That is why an entry knows one that
// stands some way behind it in its slot, which may be gone by now, and has it fetched when it is dealt out (jump pointers: Roth and
// Sohi, ISCA 1999), and why what expires is prepared first.

#include <sluice/queues/atomic.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>

namespace sluice::impl {

/// What a wheel holds: derive from it.
struct wheel_entry {
  wheel_entry* next = nullptr;
  wheel_entry** link = nullptr;  // what points to this entry; null: in no slot
  std::uint64_t tick = 0;
  const void* ahead = nullptr;  // what stood some way behind it in its slot: only to be fetched
  std::uint8_t level = 0;
  std::uint8_t slot = 0;
};

class timer_wheel {
 public:
  static constexpr std::uint64_t never = ~std::uint64_t{0};

  /// Far deadlines are rounded up to at most 1/16 of what is left and to 2^(shift + slack) ns, so that near ones are precise and far
  /// ones expire together.
  explicit timer_wheel(unsigned shift = 14, unsigned slack = 6) noexcept : shift_(shift), slack_(slack) {}
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  /// Nanoseconds since the clock's epoch. The rounding goes by what is left, so whoever comes before advance() says what time
  /// it is.
  void insert(wheel_entry& e, std::int64_t deadline, std::int64_t now = 0) noexcept {
    const std::uint64_t present =
        std::max(current_, static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0)) >> shift_);
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(deadline, 0));
    std::uint64_t tick = (ns >> shift_) + ((ns & ((std::uint64_t{1} << shift_) - 1)) != 0 ? 1 : 0);
    if (tick > present + 32) {
      const unsigned coarse = std::min(slack_, static_cast<unsigned>(std::bit_width((tick - present) >> 5)));
      const std::uint64_t grain = (std::uint64_t{1} << coarse) - 1;
      tick = (tick + grain) & ~grain;
    }
    e.tick = std::max(tick, current_ + 1);
    ++size_;
    place(e);
  }

  /// Precondition: e.link is not null.
  void remove(wheel_entry& e) noexcept {
    unlink(e);
    --size_;
  }

  /// Moves to the present, and calls expire(entry) for each entry whose deadline has come, removed before the call. `expire`
  /// may insert and remove, this entry included. Of many, prepare(entry) is called for the first ones before: it may not.
  template <class Expire, class Prepare>
  std::size_t advance(std::int64_t now, Expire expire, Prepare prepare) {
    const std::uint64_t target = static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0)) >> shift_;
    std::size_t expired = 0;
    while (levels_ != 0) {
      const unsigned level = lowest_level();
      const unsigned slot = first_slot(level);
      const std::uint64_t start = start_of(level, slot);
      if (start > target) break;
      current_ = start;
      detach(level, slot);
      if (level == 0) prepare_first(prepare);
      while (due_ != nullptr) {
        wheel_entry& e = *due_;
        unlink(e);
        if (level != 0) {
          place(e);
        } else {
          --size_;
          ++expired;
          expire(e);
        }
      }
    }
    current_ = std::max(current_, target);
    return expired;
  }

  template <class Expire>
  std::size_t advance(std::int64_t now, Expire expire) {
    return advance(now, expire, [](wheel_entry&) {});
  }

  /// Nanoseconds: nothing expires before. `never` in ticks is the largest int64.
  std::int64_t next_deadline() const noexcept {
    if (levels_ == 0) return INT64_MAX;
    const unsigned level = lowest_level();
    const std::uint64_t least = levels_at_[level].slots[first_slot(level)].least;
    return least > static_cast<std::uint64_t>(INT64_MAX) >> shift_ ? INT64_MAX
                                                                   : static_cast<std::int64_t>(least << shift_);
  }

  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr unsigned level_count = 11;
  static constexpr std::uint8_t detached = 255;
  static constexpr unsigned distance = 4;

  struct slot_list {
    wheel_entry* first = nullptr;
    std::uint64_t least = never;
    std::array<const void*, distance> latest{};  // the entries that came last, for `ahead`
    unsigned inserted = 0;
  };
  struct slots_of_level {
    std::uint64_t occupied = 0;  // a bit for each slot that is not empty
    std::array<slot_list, 64> slots;
  };

  unsigned lowest_level() const noexcept { return static_cast<unsigned>(std::countr_zero(levels_)); }
  unsigned first_slot(unsigned l) const noexcept {
    return static_cast<unsigned>(std::countr_zero(levels_at_[l].occupied));
  }

  // The tick at which a slot begins: the digits of `current` above the level, the slot's own digit, zeros.
  std::uint64_t start_of(unsigned l, unsigned s) const noexcept {
    const unsigned above = 6 * (l + 1);
    const std::uint64_t high = above >= 64 ? 0 : current_ >> above << above;
    return high | std::uint64_t{s} << (6 * l);
  }

  static void link_to(wheel_entry& e, wheel_entry** head) noexcept {
    e.next = *head;
    e.link = head;
    if (e.next != nullptr) e.next->link = &e.next;
    *head = &e;
  }

  void place(wheel_entry& e) noexcept {
    const std::uint64_t difference = e.tick ^ current_;
    const unsigned l = difference == 0 ? 0 : (static_cast<unsigned>(std::bit_width(difference)) - 1) / 6;
    const unsigned s = static_cast<unsigned>(e.tick >> (6 * l)) & 63;
    e.level = static_cast<std::uint8_t>(l);
    e.slot = static_cast<std::uint8_t>(s);
    slot_list& home = levels_at_[l].slots[s];
    home.least = std::min(home.least, e.tick);
    link_to(e, &home.first);
    e.ahead = std::exchange(home.latest[home.inserted++ % distance], &e);
    levels_at_[l].occupied |= std::uint64_t{1} << s;
    levels_ |= 1u << l;
  }

  void unlink(wheel_entry& e) noexcept {
    *e.link = e.next;
    if (e.next != nullptr) e.next->link = e.link;
    e.link = nullptr;
    if (e.level != detached && levels_at_[e.level].slots[e.slot].first == nullptr) vacate(e.level, e.slot);
  }

  void vacate(unsigned l, unsigned s) noexcept {
    levels_at_[l].slots[s].least = never;
    levels_at_[l].occupied &= ~(std::uint64_t{1} << s);
    if (levels_at_[l].occupied == 0) levels_ &= ~(1u << l);
  }

  // Moves a slot's entries to `due`, where they may still be removed, oldest first.
  void detach(unsigned l, unsigned s) noexcept {
    slot_list& from = levels_at_[l].slots[s];
    while (from.first != nullptr) {
      wheel_entry& e = *from.first;
      from.first = e.next;
      will_write(e.ahead);
      e.level = detached;
      link_to(e, &due_);
    }
    vacate(l, s);
  }

  template <class Prepare>
  void prepare_first(Prepare prepare) {
    unsigned left = 128;
    for (wheel_entry* e = due_; e != nullptr && left != 0; e = e->next, --left) prepare(*e);
  }

  unsigned shift_;
  unsigned slack_;
  std::uint64_t current_ = 0;
  std::size_t size_ = 0;
  std::uint32_t levels_ = 0;  // a bit for each level that is not empty
  wheel_entry* due_ = nullptr;
  std::array<slots_of_level, level_count> levels_at_;
};

}  // namespace sluice::impl
