#pragma once
// The deque of forked children: the owner works at the newest end without any read-modify-write, thieves take the oldest.
//
//        tail          split            head
//   ......|-- public ---|--- private ----|......
//      thieves: CAS   owner only: plain stores
//
// The idea of splitting a deque into a private and a public part is that of Wool (Faxen, "Efficient work stealing for fine
// grained parallelism", ICPP 2010) and Lace (van Dijk and van de Pol, "Lace: non-blocking split deque for work-stealing",
// 2014). Thieves that find nothing public raise `want`; the owner looks at it whenever it pushes.
//
// Progress: push and pop are wait-free apart from growth and from the CAS of reclaim, which fails only because a thief took
// something; steal is lock-free.
//
// I1  tail only grows, and only by CAS: of a thief, or of the owner taking the last public item like a thief.
// I2  split is never lowered down to tail. Otherwise the owner would use the index of the item that a stalled thief has read
//     for another item, and the thief's CAS would succeed with the old one in its hands (the model of this file contains that
//     mistake and must find it).
// I3  An item in [tail, split) is not overwritten: the owner writes at head, and head - tail never exceeds the capacity.
// I4  A buffer lives as long as the deque, so that a thief may read an outgrown one; its slots in [tail, split) keep their values.
// I5  Indexes count modulo 2^32. A thief that sleeps while they go round exactly once would be deceived: accepted.
// E1  publish (release) -> steal (acquire): the slots, and what the items point to.
// E2  grow (release) -> steal (acquire): the copied slots of a new buffer.
// E3  steal's CAS (release) -> room_left (acquire): the thief has read its slot before the owner uses it again.
//     (A checker without load buffering cannot show what E3 prevents, so its orders survive mutation.)
// D1  publish stores ts, then reads the idle word; a worker announces its sleep in the idle word, then reads ts.
// D2  the owner clears `want`, then reads the idle word and sets `want` again if anybody sleeps (worker.cpp); a worker announces
//     its sleep in the idle word, then reads `want` and sets it if it is clear.

#include <sluice/queues/atomic.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace sluice::impl {

/// What a model may get wrong on purpose, or move to where it matters.
struct fork_deque_rules {
  static constexpr bool lower_to_tail = false;  // I2
  static constexpr std::uint32_t first = 0;     // where the indexes begin: I5
};

template <class T, class Rules = fork_deque_rules>
class fork_deque {
 public:
  /// `capacity` is a power of two; it doubles when it is too small.
  explicit fork_deque(std::uint32_t capacity = 256)
      : current_(new buffer(capacity, nullptr)),
        slots_(current_.get()->slots.get()),
        mask_(capacity - 1),
        buffer_(current_.get()) {}
  ~fork_deque() { delete current_.get(); }
  fork_deque(const fork_deque&) = delete;
  fork_deque& operator=(const fork_deque&) = delete;

  /// Owner. False: full, and there is no memory to grow.
  [[nodiscard]] bool push(T* item) noexcept {
    const std::uint32_t head = head_.get();
    if (head == limit_.get() && !room_left(head)) [[unlikely]]
      return false;
    slot(head).store(item, relaxed);  // relaxed: publish hands it over
    head_.set(head + 1);
    return true;
  }

  /// Owner: the newest item, or null.
  T* pop() noexcept {
    const std::uint32_t head = head_.get();
    if (head == split_.get())
      return tail_of(ts_.load(relaxed)) == head ? nullptr : reclaim(nullptr);  // relaxed: empty() says
    head_.set(head - 1);
    return slot(head - 1).load(relaxed);  // relaxed: written by this thread
  }
  /// Owner: takes `item` out if it is the newest.
  [[nodiscard]] bool pop_if(const T* item) noexcept {
    const std::uint32_t head = head_.get();
    if (head == split_.get()) [[unlikely]]
      return reclaim(item) != nullptr;
    if (slot(head - 1).load(relaxed) != item) return false;  // relaxed: written by this thread
    head_.set(head - 1);
    return true;
  }

  /// Owner: whether a thief left hungry. To be looked at after each push.
  bool wanted() const noexcept { return want_.load(relaxed) != 0; }

  /// Owner: makes the older half of what is private public, if less than `enough` is. True: something was published.
  bool publish(std::uint32_t enough = 1) noexcept {
    const std::uint32_t head = head_.get();
    const std::uint32_t split = split_.get();
    const std::uint64_t now = ts_.load(relaxed);  // relaxed: a stale tail only postpones
    if (head == split || split - tail_of(now) >= enough) return false;
    const std::uint32_t more = (head - split + 1) / 2;
    ts_.fetch_add(std::uint64_t{more} << 32, seq_cst);  // E1 publish, D1 store
    split_.set(split + more);
    return true;
  }

  /// Owner: whether thieves would find less than `enough`, however much is here.
  bool hides(std::uint32_t enough) const noexcept {
    return split_.get() - tail_of(ts_.load(relaxed)) < enough;  // relaxed: a stale tail says that more is public
  }

  /// Owner: whether anybody is hungry still.
  void set_wanted(bool wanted) noexcept { want_.store(wanted ? 1 : 0, seq_cst); }  // D2 store
  /// Anybody, after it has announced its sleep: somebody is.
  void demand() noexcept {
    // relaxed store: if the load has not seen the owner's 0, the owner sees the sleeper; if it has, the 1 comes after it
    if (want_.load(seq_cst) == 0) want_.store(1, relaxed);  // D2 load
  }

  enum class outcome { took, empty, lost };

  /// A thief: the oldest item. `lost` means that others took or added something meanwhile: trying again makes sense.
  outcome steal(T*& item) noexcept {
    return steal(item, [] { return true; });
  }
  /// As above, if `may_take()` says so after the item was seen to be there, and before it is claimed; otherwise `empty`.
  template <class Condition>
  outcome steal(T*& item, Condition may_take) noexcept {
    std::uint64_t seen = ts_.load(acquire);  // E1 observe
    const std::uint32_t tail = tail_of(seen);
    const std::uint32_t split = split_of(seen);
    if (tail == split) {
      if (want_.load(relaxed) == 0) want_.store(1, relaxed);  // relaxed: a hint; D2 serves the sleepers
      return outcome::empty;
    }
    buffer* const slots = buffer_.load(acquire);         // E2 observe
    T* const candidate = slots->at(tail).load(relaxed);  // relaxed: E1
    if (!may_take()) return outcome::empty;
    if (!ts_.compare_exchange_strong(seen, pack(tail + 1, split), release, relaxed))
      return outcome::lost;  // E3 publish
    item = candidate;
    return outcome::took;
  }

  /// Anybody: whether a thief would find something.
  bool has_public() const noexcept {
    const std::uint64_t seen = ts_.load(seq_cst);  // D1 load
    return tail_of(seen) != split_of(seen);
  }

  /// Owner: nothing at all is left.
  bool empty() const noexcept {
    return head_.get() == split_.get() &&
           tail_of(ts_.load(relaxed)) == split_.get();  // relaxed: a stale tail says "not empty"
  }

  /// Owner: how much is left.
  std::uint32_t size() const noexcept {
    return head_.get() - tail_of(ts_.load(relaxed));  // relaxed: a stale tail says "more"
  }

  /// Anybody: how much is public, for dumps.
  std::uint32_t public_size() const noexcept {
    const std::uint64_t seen = ts_.load(relaxed);  // relaxed: a snapshot
    return split_of(seen) - tail_of(seen);
  }

 private:
  struct buffer {
    buffer(std::uint32_t capacity, buffer* outgrown)
        : slots(new atomic<T*>[capacity]), mask(capacity - 1), previous(outgrown) {}
    atomic<T*>& at(std::uint32_t index) noexcept { return slots[index & mask]; }

    std::unique_ptr<atomic<T*>[]> slots;
    std::uint32_t mask;
    std::unique_ptr<buffer> previous;  // I4
  };

  static std::uint32_t tail_of(std::uint64_t ts) noexcept { return static_cast<std::uint32_t>(ts); }
  static std::uint32_t split_of(std::uint64_t ts) noexcept { return static_cast<std::uint32_t>(ts >> 32); }
  static std::uint64_t pack(std::uint32_t tail, std::uint32_t split) noexcept {
    return std::uint64_t{split} << 32 | tail;
  }

  atomic<T*>& slot(std::uint32_t index) noexcept { return slots_.get()[index & mask_.get()]; }
  [[gnu::noinline]] T* reclaim(const T* only) noexcept;
  [[gnu::noinline]] bool room_left(std::uint32_t head) noexcept;
  bool grow(std::uint32_t tail, std::uint32_t head) noexcept;

  // The owner's line.
  plain<std::uint32_t> head_{Rules::first};   // the next free index
  plain<std::uint32_t> split_{Rules::first};  // the owner's copy
  plain<std::uint32_t> limit_{Rules::first};  // head may go up to here before the tail must be looked at
  plain<buffer*> current_;
  plain<atomic<T*>*> slots_;   // of it
  plain<std::uint32_t> mask_;  // of it
  // The line that thieves write.
  // split << 32 | tail; written by the owner (split) and by thieves (tail)
  alignas(128) atomic<std::uint64_t> ts_{pack(Rules::first, Rules::first)};
  atomic<std::uint32_t> want_{0};        // 0 | 1; set by thieves and sleepers, cleared by the owner
  alignas(128) atomic<buffer*> buffer_;  // written by the owner
};

// ---------------------------------------------------------------------------------------------------------------------------

// The private part is empty: takes back the newer half of the public part, or its last item; if the newest item is `only`, or that is
// null.
template <class T, class Rules>
T* fork_deque<T, Rules>::reclaim(const T* only) noexcept {
  std::uint64_t seen = ts_.load(relaxed);  // relaxed: what is taken back was written by this thread
  for (;;) {
    const std::uint32_t tail = tail_of(seen);
    const std::uint32_t split = split_of(seen);
    if (tail == split) return nullptr;
    T* const newest = slot(split - 1).load(relaxed);  // relaxed: written by this thread
    if (only != nullptr && newest != only) return nullptr;
    if (split - tail == 1 && !Rules::lower_to_tail) {
      // relaxed: the owner gives nothing away, and knows what it has written
      if (ts_.compare_exchange_weak(seen, pack(tail + 1, split), relaxed, relaxed)) return newest;
      continue;
    }
    const std::uint32_t lower = tail + (split - tail) / 2;  // I2: above tail, since two or more are public
    if (!ts_.compare_exchange_weak(seen, pack(tail, lower), relaxed, relaxed)) continue;  // relaxed: as above
    split_.set(lower);
    head_.set(split - 1);
    return newest;
  }
}

template <class T, class Rules>
bool fork_deque<T, Rules>::room_left(std::uint32_t head) noexcept {
  const std::uint32_t tail = tail_of(ts_.load(acquire));  // E3 observe
  const std::uint32_t capacity = mask_.get() + 1;
  if (head - tail == capacity) return grow(tail, head);
  limit_.set(tail + capacity);
  return true;
}

template <class T, class Rules>
bool fork_deque<T, Rules>::grow(std::uint32_t tail, std::uint32_t head) noexcept {
  buffer* const old = current_.get();
  const std::uint32_t capacity = (old->mask + 1) * 2;
  if (capacity > 1u << 30) return false;
  buffer* bigger = nullptr;
  try {
    bigger = new buffer(capacity, nullptr);
  } catch (const std::bad_alloc&) {
    return false;
  }
  for (std::uint32_t i = tail; i != head; ++i) {
    bigger->at(i).store(old->at(i).load(relaxed), relaxed);  // relaxed: written by this thread; E2 hands it over
  }
  bigger->previous.reset(old);
  current_.set(bigger);
  slots_.set(bigger->slots.get());
  mask_.set(bigger->mask);
  buffer_.store(bigger, release);  // E2 publish
  limit_.set(tail + capacity);
  return true;
}

}  // namespace sluice::impl
