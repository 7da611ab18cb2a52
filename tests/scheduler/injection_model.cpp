// The count around the injection queue, over a fake that promises as little as moodycamel's queue: an item whose enqueue has not
// been seen may be missed by a dequeue, and the order holds for each producer alone.

#include "items.hpp"

#include <sluice/scheduler/injection.hpp>

namespace {

using namespace sluice::test;
using namespace sluice::impl;

class forgetful_queue {
 public:
  bool enqueue(std::size_t producer, item* const* items, std::size_t n) noexcept {
    for (std::size_t i = 0; i < n; ++i) cells_[producer][used_[producer]++].store(items[i], release);
    return true;
  }
  std::size_t dequeue(item** out, std::size_t n) noexcept {
    std::size_t got = 0;
    for (auto& row : cells_) {
      for (auto& cell : row) {
        if (got == n) return got;
        if (cell.load(relaxed) == nullptr) continue;  // relaxed: this is where it may miss one
        if (item* const it = cell.exchange(nullptr, acquire)) out[got++] = it;
      }
    }
    return got;
  }

 private:
  atomic<item*> cells_[2][2];
  std::size_t used_[2] = {0, 0};
};

struct shared {
  counted_queue<item, forgetful_queue> queue;
  std::array<item, 3> items;

  void put(std::size_t producer, std::size_t i) {
    item* const it = filled(items[i]);
    (void)queue.put(producer, &it, 1);
  }
  std::size_t take_some(std::size_t most) {
    item* out[3];
    const std::size_t n = queue.take(out, most);
    for (std::size_t i = 0; i < n; ++i) take(out[i]);
    return n;
  }
};

const model::program two_and_two{"injection: two producers, two consumers", {}, [](model::run& r) {
                                   auto& s = r.make<shared>();
                                   r.thread("producer", [&s] {
                                     s.put(0, 0);
                                     s.put(0, 1);
                                   });
                                   r.thread("producer", [&s] { s.put(1, 2); });
                                   r.thread("consumer", [&s] { s.take_some(2); });
                                   r.thread("consumer", [&s] { s.take_some(1); });
                                   r.finally([&s] {
                                     while (s.take_some(3) != 0) {
                                     }
                                     check_all_taken(s.items);
                                     model::check(!s.queue.has_items(), "The count comes back to nothing.");
                                   });
                                 }};

const model::program whole_batch{"injection: a batch is claimed only when it is all there", {}, [](model::run& r) {
                                   auto& s = r.make<shared>();
                                   r.thread("producer", [&s] {
                                     item* both[2] = {filled(s.items[0]), filled(s.items[1])};
                                     (void)s.queue.put(0, both, 2);
                                   });
                                   r.thread("consumer", [&s] {
                                     const std::size_t n = s.take_some(2);
                                     model::check(n == 0 || n == 2, "A batch is counted at once.");
                                   });
                                   r.finally([&s] {
                                     s.put(1, 2);
                                     while (s.take_some(3) != 0) {
                                     }
                                     check_all_taken(s.items);
                                   });
                                 }};

}  // namespace
