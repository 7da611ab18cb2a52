#pragma once
// First in, first out: the ready tasks of one worker. The owner puts at the back and takes from the front; a thief takes
// half of what is there.
//
//        steal         real               tail
//   ......|-- claimed ---|----- ready ------|......
//     a thief copies        anybody may claim
//
// The layout is that of Go's and tokio's run queues: `head` holds two indexes, so that one CAS claims, and a thief has time
// to copy what it has claimed before the owner may write over it.
//
// Progress: wait-free for the owner but for a CAS that fails only when a thief claimed; a thief gives up rather than wait. A
// thief that is preempted while it copies delays other thieves of this ring, and nobody else.
//
// I1  steal <= real <= tail, tail - steal <= Capacity (modulo 2^32).
// I2  steal != real while a thief copies [steal, real); only that thief makes them equal again.
// I3  The owner writes a slot only when tail - steal < Capacity, so never one that is being copied.
// E1  push (release on tail) -> steal (acquire on tail): the slot, and what the item points to.
// E2  release_claim (release on head) -> push (acquire on head): the thief has read its slots. (A checker without load buffering
//     cannot show what E2 prevents, so its orders survive mutation.)
// D1  pop's CAS on head, then a look at the idle word; a worker announces its sleep in the idle word, then reads head. What was
//     pushed before that CAS is visible to whoever reads the CAS's value, so a push needs no read-modify-write of its own.

#include <sluice/queues/atomic.hpp>

#include <cstddef>
#include <cstdint>

namespace sluice::impl {

/// `First` is where the indexes begin: a model lets them go round.
template <class T, std::uint32_t Capacity = 256, std::uint32_t First = 0>
class ready_ring {
  static_assert(Capacity >= 2 && (Capacity & (Capacity - 1)) == 0, "the capacity of a ready ring is a power of two");

 public:
  static constexpr std::uint32_t capacity = Capacity;

  ready_ring() noexcept = default;
  ready_ring(const ready_ring&) = delete;
  ready_ring& operator=(const ready_ring&) = delete;

  /// Owner. False: full.
  [[nodiscard]] bool push(T* item) noexcept {
    const std::uint32_t tail = own_tail_.get();
    if (tail - steal_of(head_.load(acquire)) == Capacity) [[unlikely]]  // E2 observe
      return false;
    slots_[tail % Capacity].store(item, relaxed);  // relaxed: E1 hands it over
    own_tail_.set(tail + 1);
    tail_.store(tail + 1, release);  // E1 publish
    return true;
  }

  /// Owner: the oldest item, or null.
  T* pop() noexcept {
    const std::uint32_t tail = own_tail_.get();
    std::uint64_t head = head_.load(relaxed);  // relaxed: the slots were written by this thread
    for (;;) {
      const std::uint32_t steal = steal_of(head);
      const std::uint32_t real = real_of(head);
      if (real == tail) return nullptr;
      const std::uint64_t taken = pack(steal == real ? real + 1 : steal, real + 1);
      T* const item = slots_[real % Capacity].load(relaxed);                        // relaxed: written by this thread
      if (head_.compare_exchange_weak(head, taken, seq_cst, relaxed)) return item;  // D1 store
    }
  }

  /// Owner, where nobody ever steals: the same without a read-modify-write.
  T* pop_alone() noexcept {
    const std::uint32_t real = real_of(head_.load(relaxed));  // relaxed: nobody else writes it
    if (real == own_tail_.get()) return nullptr;
    T* const item = slots_[real % Capacity].load(relaxed);  // relaxed: written by this thread
    head_.store(pack(real + 1, real + 1), relaxed);         // relaxed: read by dumps
    return item;
  }

  /// Owner, when full: takes everything out, puts the older half back, and leaves the newer half in `out`, oldest first.
  /// Returns how many; 0 when a thief is copying or has just made room.
  std::uint32_t spill(T** out) noexcept {
    const std::uint32_t tail = own_tail_.get();
    // relaxed: no slot is written here, and push looks with acquire: the exchange below carries the thieves' releases on
    std::uint64_t head = head_.load(relaxed);
    const std::uint32_t real = real_of(head);
    if (steal_of(head) != real || tail - real != Capacity) return 0;
    constexpr std::uint32_t half = Capacity / 2;
    // Everything is claimed, so the older half may be moved behind the newer one: the same slots under later indexes.
    if (!head_.compare_exchange_strong(head, pack(tail, tail), relaxed, relaxed))
      return 0;  // relaxed: all this thread's own
    for (std::uint32_t i = 0; i < half; ++i) {
      out[i] = slots_[(real + half + i) % Capacity].load(relaxed);  // relaxed: written by this thread
    }
    own_tail_.set(tail + half);
    tail_.store(tail + half, release);  // E1 publish
    return half;
  }

  /// A thief, which must own `to`, a ring with room for half of this one: moves the older half. One item is handed back, the
  /// others are in `to`. Null: nothing there, or another thief is at it.
  T* steal_into(ready_ring& to) noexcept {
    T* batch[Capacity / 2];
    const std::uint32_t count = steal(batch, Capacity / 2);
    for (std::uint32_t i = 1; i < count; ++i) {
      while (!to.push(batch[i])) pause();  // never: a thief steals only when its own ring is empty
    }
    return count > 0 ? batch[0] : nullptr;
  }

  /// A thief: takes the older half, at most `room` items, oldest first. Returns how many.
  std::uint32_t steal(T** out, std::uint32_t room) noexcept {
    std::uint64_t head = head_.load(relaxed);  // relaxed: E1 brings the items, and a tail older than head is seen
    std::uint32_t count = 0;
    std::uint32_t real = 0;
    for (;;) {
      real = real_of(head);
      if (steal_of(head) != real) return 0;            // I2: another thief
      const std::uint32_t tail = tail_.load(acquire);  // E1 observe
      const std::uint32_t there = tail - real;
      if (there > Capacity) {        // head is older than tail: look again
        head = head_.load(relaxed);  // relaxed: as above
        continue;
      }
      count = there - there / 2;
      if (count > room) count = room;
      if (count == 0) return 0;
      if (head_.compare_exchange_weak(head, pack(real, real + count), relaxed, relaxed)) break;  // relaxed: as above
    }
    for (std::uint32_t i = 0; i < count; ++i) out[i] = slots_[(real + i) % Capacity].load(relaxed);  // relaxed: E1
    release_claim();
    return count;
  }

  /// Anybody: whether there is something to claim.
  bool has_items() const noexcept {
    const std::uint64_t head = head_.load(seq_cst);  // D1 load
    return real_of(head) != tail_.load(relaxed);     // relaxed: not looked into; D1 brings the tail that counts
  }

  /// Anybody: how many, for dumps and for thresholds.
  std::uint32_t size() const noexcept {
    const std::uint64_t head = head_.load(relaxed);  // relaxed: a snapshot
    const std::uint32_t there = tail_.load(relaxed) - real_of(head);
    return there > Capacity ? 0 : there;
  }

 private:
  static std::uint32_t real_of(std::uint64_t head) noexcept { return static_cast<std::uint32_t>(head); }
  static std::uint32_t steal_of(std::uint64_t head) noexcept { return static_cast<std::uint32_t>(head >> 32); }
  static std::uint64_t pack(std::uint32_t steal, std::uint32_t real) noexcept {
    return std::uint64_t{steal} << 32 | real;
  }

  void release_claim() noexcept {
    std::uint64_t head = head_.load(relaxed);
    // the owner may have moved real on meanwhile
    while (!head_.compare_exchange_weak(head, pack(real_of(head), real_of(head)), release, relaxed)) {  // E2 publish
    }
  }

  alignas(128) atomic<std::uint64_t> head_{pack(First, First)};  // steal << 32 | real; written by owner and thieves
  alignas(128) plain<std::uint32_t> own_tail_{First};            // the owner's copy of tail
  atomic<std::uint32_t> tail_{First};                            // written by the owner
  atomic<T*> slots_[Capacity];                                   // written by the owner
};

}  // namespace sluice::impl
