#pragma once
// A slot that holds one immutable value, which any number of threads read while others replace it: nobody waits for
// anybody.
//
//   word:  how often it was replaced | number of its node | references got here | closed | kick
//     references  readers that got the node by this word and were not moved to the node's own count yet
//     closed      it is not replaced any more
//     kick        somebody waits for the next replacement: who replaces or closes it clears this, and kicks the hub
//
// The count of references is split in two (differential counting). A reader gets its reference by one compare-and-swap
// on the word that names the node, so it cannot get one of a node that has gone; it gives it back at the node itself
// (value_pool.hpp). Who replaces the node brings the two counts together.
//
// I1  The readers of a node that lies in a slot: references + node.references - whole. Of one that was taken out:
//     node.references.
// I2  When `many` references were got in one word, the reader that got the last of them moves them to the node, which
//     it holds meanwhile. While it does so there is room for as many more; only if all those come too, those behind
//     them wait for it.
// I3  The number of replacements is counted modulo 2^(52 - node bits), 2^20 at least: a sender that sleeps between its
//     look at the slot and its exchange, while exactly so many replacements go round and bring the same node, would be
//     deceived, which is accepted. Readers are not: each node says in full which item it holds.
// E1  replaced or closed (release) -> who looks at the word (acquire): the node's value, and what the sender did
//     before.
// E2  references moved to the node, then taken from the word (release) -> who replaces it (acquire): they are in the
//     node's count.
//
// Source: split reference counts, as in A. Williams, C++ Concurrency in Action, 7.2.4; the idea is in J. Valois, PODC
// 1995.

#include <sluice/queues/short_wait.hpp>
#include <sluice/queues/value_pool.hpp>

#include <bit>
#include <cstdint>

namespace sluice::impl {

/// Where a slot's word has what.
class slot_layout {
 public:
  static constexpr std::uint64_t kick = 1;
  static constexpr std::uint64_t closed = 2;
  static constexpr std::uint64_t one_reference = 4;
  static constexpr std::uint64_t most_references = model_build ? 3 : 1023;
  static constexpr std::uint64_t many = model_build ? 2 : 512;

  /// For nodes with numbers of so many bits, 32 at most.
  explicit constexpr slot_layout(unsigned node_bits) noexcept : lap_shift_(node_shift + node_bits) {}

  static std::uint64_t references(std::uint64_t word) noexcept { return word / one_reference & most_references; }
  std::uint32_t node(std::uint64_t word) const noexcept {
    return static_cast<std::uint32_t>((word & ((std::uint64_t{1} << lap_shift_) - 1)) >> node_shift);
  }
  /// Whether it was replaced so often.
  bool is_at(std::uint64_t word, std::uint64_t lap) const noexcept {
    return (((word >> lap_shift_) ^ lap) << lap_shift_) == 0;
  }
  std::uint64_t pack(std::uint64_t lap, std::uint32_t number) const noexcept {
    return lap << lap_shift_ | std::uint64_t{number} << node_shift;
  }
  /// Whether the two words name the same node, as the same replacement brought it.
  static bool same_node(std::uint64_t a, std::uint64_t b) noexcept { return a >> node_shift == b >> node_shift; }

 private:
  static constexpr unsigned node_shift = 12;

  unsigned lap_shift_;
};

template <class T>
class shared_slot {
 public:
  using node = value_node<T>;

  /// Not shared yet.
  void begin(std::uint64_t word) noexcept { word_.store(word, relaxed); }
  std::uint64_t look() const noexcept { return word_.load(acquire); }  // E1 observe

  /// Gets a reference to the node that `word` names, if the slot still has that word. Otherwise: false, and `word` is
  /// what it has.
  bool get_reference(std::uint64_t& word, const slot_layout& layout, value_pool<T>& pool) noexcept {
    if (slot_layout::references(word) == slot_layout::most_references) [[unlikely]] {
      yield_thread();  // I2
      word = look();
      return false;
    }
    const std::uint64_t after = word + slot_layout::one_reference;
    if (!word_.compare_exchange_weak(word, after, acquire, relaxed)) return false;  // E1 observe
    if (slot_layout::references(after) >= slot_layout::many) [[unlikely]]
      move_references(after, pool.at(layout.node(after)));
    return true;
  }

  /// Puts another node in the place of the one that `word` names, if the slot still has that word. Otherwise: false,
  /// and `word` is what it has.
  bool replace(std::uint64_t& word, std::uint64_t after) noexcept {
    return word_.compare_exchange_weak(word, after, acq_rel, acquire);  // E1 publish, E2 observe; E1 observe
  }
  /// The same, where only flags change, and who fails looks again.
  bool close(std::uint64_t& word) noexcept {
    const std::uint64_t after = (word | slot_layout::closed) & ~slot_layout::kick;
    return word_.compare_exchange_weak(word, after, release, relaxed);  // E1 publish. Who fails begins anew
  }
  bool arm(std::uint64_t word) noexcept {
    return word_.compare_exchange_strong(word, word | slot_layout::kick, relaxed,
                                         relaxed);  // relaxed: the hub's inbox tells
  }

  bool has_kick() const noexcept { return (word_.load(relaxed) & slot_layout::kick) != 0; }

 private:
  // By a reader of `n`, which so stays.
  [[gnu::noinline]] void move_references(std::uint64_t word, node& n) noexcept {
    const std::uint64_t moved = slot_layout::references(word);
    n.references.fetch_add(moved, relaxed);  // relaxed: E2
    std::uint64_t seen = word;
    while (!word_.compare_exchange_weak(seen, seen - moved * slot_layout::one_reference, release,
                                        relaxed)) {  // E2 publish
      if (slot_layout::same_node(seen, word) && slot_layout::references(seen) >= moved) continue;
      n.references.fetch_sub(moved,
                             relaxed);  // somebody else was faster. relaxed: it is not 0, for the caller holds one
      return;
    }
  }

  atomic<std::uint64_t> word_{0};  // see above; anyone
};

}  // namespace sluice::impl
