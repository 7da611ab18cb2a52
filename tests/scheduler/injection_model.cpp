// The count around the injection queue, over a fake that promises as little as moodycamel's queue.

#include "forgetful_queue.hpp"
#include "items.hpp"

#include <sluice/scheduler/injection.hpp>

namespace {

using namespace sluice::test;
using namespace sluice::impl;

struct shared {
  counted_queue<item, forgetful_queue<item, 2, 2>> queue;
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

const model::program two_and_two{"injection: two producers, two consumers", {.spurious = 1}, [](model::run& r) {
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
