#pragma once
// The queue for what comes from outside of the workers and for what overflows them: moodycamel::ConcurrentQueue with our own
// count beside it.
//
// moodycamel's emptiness is approximate, and it may fail to enqueue when there is no memory. So:
//   a producer enqueues, then adds to the count, then looks whether a worker must be woken;
//   a consumer first takes n from the count, then dequeues n, and tries again until it has them;
//   a worker that wants to sleep looks at the count alone.
//
// I1  The count never exceeds what is in the queue less what consumers have claimed: a claim is always honoured. Trying again
//     only waits for memory to become visible, or for another consumer to see the item that was meant for it.
// E1  add (release) -> claim (acquire): the items enqueued before the add, so that a dequeue finds one at once. (Without it the
//     consumer only tries longer: the acquire survives mutation.)
// D1  add, then a look at the idle word; a worker announces its sleep in the idle word, then reads the count.

#include <sluice/queues/task_context.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice::impl {

/// The protocol over any queue with `bool enqueue(producer, T* const* items, n)` and `size_t dequeue(T** out, n)`: the shipped
/// one is moodycamel's, a model's is a fake with the same contract.
template <class T, class Queue>
class counted_queue {
 public:
  counted_queue() = default;
  explicit counted_queue(std::size_t workers) : queue_(workers) {}

  /// False: no memory; nothing was enqueued.
  [[nodiscard]] bool put(std::size_t producer, T* const* items, std::size_t n) noexcept {
    if (!queue_.enqueue(producer, items, n)) return false;
    count_.fetch_add(n, seq_cst);  // E1 publish, D1 store
    return true;
  }

  /// Takes at most `most` items, in the order of each producer. 0: the count was 0.
  std::size_t take(T** out, std::size_t most) noexcept {
    std::size_t there = count_.load(relaxed);  // relaxed: the exchange decides
    std::size_t n = 0;
    do {
      if (there == 0) return 0;
      n = there < most ? there : most;
    } while (!count_.compare_exchange_weak(there, there - n, acquire, relaxed));  // E1 observe
    for (std::size_t got = queue_.dequeue(out, n); got < n; got += queue_.dequeue(out + got, n - got)) yield_thread();
    return n;
  }

  bool has_items() const noexcept { return count_.load(seq_cst) != 0; }  // D1 load
  std::size_t size() const noexcept { return count_.load(relaxed); }     // relaxed: a snapshot

 private:
  alignas(128) atomic<std::size_t> count_{0};  // written by producers and consumers
  alignas(128) Queue queue_;
};

/// moodycamel's queue, which only injection.cpp sees. Producers 0 .. workers-1 belong to the workers; any other thread borrows
/// one of a few more, and is refused when all of those are in use at this moment.
class injection_queue {
 public:
  explicit injection_queue(std::size_t workers);
  ~injection_queue();
  injection_queue(const injection_queue&) = delete;
  injection_queue& operator=(const injection_queue&) = delete;

  static constexpr std::size_t any_thread = ~std::size_t{0};

  bool enqueue(std::size_t producer, runnable* const* items, std::size_t n) noexcept;
  std::size_t dequeue(runnable** out, std::size_t n) noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

using injection = counted_queue<runnable, injection_queue>;

}  // namespace sluice::impl
