#pragma once
// What the checker knows of one address: its last accesses (for races, by address, so that they
// survive the objects that live there in turn) and, for an atomic, the history of its values.

#include <sluice/model/hooks.hpp>
#include <sluice/model/raw.hpp>
#include <sluice/model/view.hpp>

#include <cstdint>
#include <cstring>

namespace model {

/// One value in an atomic's modification order, which is the order of execution.
struct message {
  bits value;
  view released;  // what an acquiring reader learns
  tick when;
  std::uint8_t thread;
};

struct location {
  enum class content : std::uint8_t { unknown, atomic, plain, destroyed };

  struct coherence_read {  // thread `thread` had read message `index` by its operation `when`
    tick when;
    std::uint16_t index;
    std::uint8_t thread;
  };
  struct seq_cst_access {  // a seq_cst operation touched message `index` when `fences` seq_cst fences had been executed
    tick fences;
    std::uint16_t index;
  };

  std::uintptr_t address = 0;
  std::size_t size = 0;
  content holds = content::unknown;
  bool freed = false;
  bool external = false;      // was there before the execution: restored after it
  bool shared = false;        // several threads operate on it: their operations are scheduling points
  std::int8_t user = 0;       // until it is shared: the only thread that did, 0 for none
  std::uint8_t sleepers = 0;  // mask of the threads in a futex wait here

  // Race detection. Exclusive accesses (plain writes, construction, destruction, freeing) must be ordered with
  // everything; shared ones (plain reads, atomic operations) with the last exclusive one.
  tick exclusive_when = 0;
  std::uint8_t exclusive_thread = 0;
  tick shared_when[max_threads] = {};
  site made_site;  // of its construction
  site exclusive_site;
  site shared_site[max_threads];

  // Of an atomic.
  raw_vector<message> history;
  raw_vector<coherence_read> reads;
  raw_vector<seq_cst_access> seq_csts;
  std::uint16_t last_read[max_threads] = {};
  std::uint8_t repeats[max_threads] = {};  // how often in a row last_read was read although it was stale
  bits initial = 0;                        // of an external one

  void reset(std::uintptr_t where) noexcept {
    address = where;
    size = 0;
    holds = content::unknown;
    freed = external = shared = false;
    user = 0;
    sleepers = 0;
    exclusive_when = 0;
    exclusive_thread = 0;
    made_site = {};
    std::memset(shared_when, 0, sizeof(shared_when));
    forget_values();
  }
  void forget_values() noexcept {
    history.clear();
    reads.clear();
    seq_csts.clear();
    std::memset(last_read, 0, sizeof(last_read));
    std::memset(repeats, 0, sizeof(repeats));
  }
  std::uint16_t newest() const noexcept { return static_cast<std::uint16_t>(history.size() - 1); }
};

/// All locations of an execution, found by address.
class locations {
 public:
  locations() : slots_(1024) {}

  /// Forgets all; keeps the memory.
  void clear() noexcept {
    used_ = 0;
    ++generation_;
  }
  std::uint32_t find(const void* p) {
    const auto address = reinterpret_cast<std::uintptr_t>(p);
    for (std::size_t i = hash(address);; ++i) {
      slot& s = slots_[i & (slots_.size() - 1)];
      if (s.generation != generation_) {
        s = {address, generation_, add(address)};
        if (used_ * 2 > slots_.size()) grow();
        return used_ - 1;
      }
      if (s.address == address) return s.index;
    }
  }
  location& operator[](std::uint32_t index) noexcept { return all_[index]; }
  static std::size_t hash(std::uintptr_t address) noexcept { return (address * 0x9E3779B97F4A7C15u) >> 40; }
  std::uint32_t size() const noexcept { return used_; }

 private:
  struct slot {
    std::uintptr_t address = 0;
    std::uint32_t generation = 0;
    std::uint32_t index = 0;
  };

  std::uint32_t add(std::uintptr_t address) {
    if (used_ == all_.size()) all_.emplace_back();
    all_[used_].reset(address);
    return used_++;
  }
  void grow() {
    slots_.assign(slots_.size() * 2, slot{});
    generation_ = 1;
    for (std::uint32_t n = 0; n < used_; ++n) {
      std::size_t i = hash(all_[n].address);
      while (slots_[i & (slots_.size() - 1)].generation == generation_) ++i;
      slots_[i & (slots_.size() - 1)] = {all_[n].address, generation_, n};
    }
  }

  raw_vector<location> all_;
  raw_vector<slot> slots_;
  std::uint32_t used_ = 0;
  std::uint32_t generation_ = 1;
};

}  // namespace model
