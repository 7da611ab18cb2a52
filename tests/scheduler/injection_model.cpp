// The count around the injection queue, over a fake that promises as little as moodycamel's queue.

#include "forgetful_queue.hpp"
#include "items.hpp"

#include <sluice/scheduler/idle.hpp>
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

// E1: what was counted before a claim is found by the first dequeue, if nobody else takes it.
struct found_at_once : forgetful_queue<item, 1, 2> {
  std::size_t dequeue(item** out, std::size_t n) noexcept {
    const std::size_t got = forgetful_queue::dequeue(out, n);
    model::check(got == n, "What is claimed is there.");
    return got;
  }
};
const model::program at_once{"injection: what is claimed is found at once", {}, [](model::run& r) {
                               struct pair {
                                 counted_queue<item, found_at_once> queue;
                                 std::array<item, 2> items;
                               };
                               auto& s = r.make<pair>();
                               r.thread("producer", [&s] {
                                 for (item& it : s.items) {
                                   item* const one = filled(it);
                                   (void)s.queue.put(0, &one, 1);
                                 }
                               });
                               r.thread("consumer", [&s] {
                                 item* out[2];
                                 for (std::size_t left = 2; left > 0;) {
                                   const std::size_t n = s.queue.take(out, left);
                                   for (std::size_t i = 0; i < n; ++i) take(out[i]);
                                   left -= n;
                                   if (n == 0) yield_thread();
                                 }
                               });
                               r.finally([&s] { check_all_taken(s.items); });
                             }};

// D1, as in submit_outside and park of worker.cpp.
const model::program seen_or_seeing{"injection: a put while somebody falls asleep", {}, [](model::run& r) {
                                      struct both : shared {
                                        idle_state idle{2};
                                        bool sleeper_seen = false;
                                        bool item_seen = false;
                                      };
                                      auto& s = r.make<both>();
                                      r.thread("producer", [&s] {
                                        s.put(0, 0);
                                        s.sleeper_seen = s.idle.anybody_sleeps();
                                      });
                                      r.thread("sleeper", [&s] {
                                        s.idle.announce_sleep(1, false);
                                        s.item_seen = s.queue.has_items();
                                      });
                                      r.finally([&s] {
                                        model::check(s.sleeper_seen || s.item_seen, "One of them sees the other.");
                                        model::check(s.queue.size() == 1, "It is counted.");
                                      });
                                    }};

}  // namespace
