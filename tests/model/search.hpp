#pragma once
// The choices of one execution, remembered so that the next execution takes the next ones: a
// depth-first search that replays a prefix and continues with defaults.

#include <sluice/model/raw.hpp>

#include <cstdint>
#include <vector>

namespace model {

class search {
 public:
  /// Forgets everything.
  void reset() {
    trail_.clear();
    astray_ = false;
  }

  /// Writes the trail down, for unpack() in another process.
  void pack(std::vector<std::uint32_t>& packed) const {
    packed.clear();
    for (const node& n : trail_) {
      packed.push_back(static_cast<std::uint32_t>(n.pick) | static_cast<std::uint32_t>(n.rest) << 8 |
                       static_cast<std::uint32_t>(n.sleep) << 16 | static_cast<std::uint32_t>(n.count) << 24);
    }
  }
  void unpack(const std::vector<std::uint32_t>& packed) {
    reset();
    for (const std::uint32_t p : packed) {
      trail_.push_back({static_cast<std::uint8_t>(p), static_cast<std::uint8_t>(p >> 8),
                        static_cast<std::uint8_t>(p >> 16), static_cast<std::uint8_t>(p >> 24)});
    }
  }
  /// Whether the trail asked for a choice that the program did not offer: it belongs to another one.
  bool astray() const noexcept { return astray_; }

  /// The next execution replays what stands in the trail.
  void begin() noexcept { position_ = 0; }

  /// Chooses one of the `candidates` (a mask of threads, at least two); `preferred` is tried first if it is one.
  /// `sleep` comes back with the threads whose next step was explored at this node before.
  int choose_thread(unsigned candidates, int preferred, unsigned& sleep) {
    if (position_ == trail_.size()) {
      const int pick = (candidates >> preferred & 1u) != 0 ? preferred : lowest(candidates);
      trail_.push_back({static_cast<std::uint8_t>(pick), static_cast<std::uint8_t>(candidates & ~(1u << pick)),
                        static_cast<std::uint8_t>(sleep), 0});
    }
    const node& n = trail_[position_++];
    sleep = n.sleep;
    if (n.count == 0 && n.pick < 8 && (candidates >> n.pick & 1u) != 0) return n.pick;
    astray_ = true;
    return lowest(candidates);
  }

  /// Chooses a number below `count`, from 0 upwards.
  int choose_value(int count) {
    if (position_ == trail_.size()) trail_.push_back({0, 0, 0, static_cast<std::uint8_t>(count)});
    const node& n = trail_[position_++];
    if (n.count == count && n.pick < count) return n.pick;
    astray_ = true;
    return 0;
  }

  /// Moves on to the next unexplored branch. False: there is none.
  bool next() {
    for (; !trail_.empty(); trail_.pop_back()) {
      node& n = trail_.back();
      if (n.count != 0) {
        if (++n.pick < n.count) return true;
      } else if (n.rest != 0) {
        n.sleep = static_cast<std::uint8_t>(n.sleep | 1u << n.pick);
        n.pick = static_cast<std::uint8_t>(lowest(n.rest));
        n.rest = static_cast<std::uint8_t>(n.rest & (n.rest - 1u));
        return true;
      }
    }
    return false;
  }

  static int lowest(unsigned mask) noexcept { return __builtin_ctz(mask); }

 private:
  struct node {
    std::uint8_t pick;   // the thread or the value taken
    std::uint8_t rest;   // threads still to be tried
    std::uint8_t sleep;  // threads that sleep here: their next step leads nowhere new
    std::uint8_t count;  // 0: a choice of thread; otherwise the number of values
  };
  raw_vector<node> trail_;
  std::size_t position_ = 0;
  bool astray_ = false;
};

}  // namespace model
