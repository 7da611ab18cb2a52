#pragma once
// A queue that promises as little as moodycamel's documentation does: items of one producer come out in order, those of
// several in any; a dequeue may miss an item whose enqueue it has not seen, and for no reason while others are at the queue
// (where `spurious` of the program allows it).

#include <sluice/queues/atomic.hpp>

#include <cstddef>

namespace sluice::test {

template <class T, std::size_t Producers, std::size_t Each>
class forgetful_queue {
 public:
  forgetful_queue() = default;
  explicit forgetful_queue(std::size_t) {}

  bool enqueue(std::size_t producer, T* const* items, std::size_t n) noexcept {
    row& mine = rows_[producer];
    const std::size_t first = mine.used.get();
    for (std::size_t i = 0; i < n; ++i) mine.cells[(first + i) % Each].store(items[i], impl::release);
    mine.used.set(first + n);
    return true;
  }
  std::size_t dequeue(T** out, std::size_t n) noexcept {
    std::size_t got = 0;
    for (row& r : rows_) {
      for (auto& cell : r.cells) {
        if (got == n) return got;
        T* there = cell.load(impl::relaxed);  // relaxed: this is where it may miss one
        if (there == nullptr) continue;
        if (cell.compare_exchange_weak(there, nullptr, impl::acquire, impl::relaxed)) out[got++] = there;
      }
    }
    return got;
  }

 private:
  struct row {
    impl::plain<std::size_t> used;  // one thread at a time is a producer
    impl::atomic<T*> cells[Each];
  };
  row rows_[Producers];
};

}  // namespace sluice::test
