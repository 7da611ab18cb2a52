// The split deque: an owner that pushes, publishes, pops and takes back, against thieves.

#include "items.hpp"

#include <sluice/scheduler/fork_deque.hpp>

namespace {

using namespace sluice::test;
using sluice::impl::fork_deque;

template <class Rules>
struct shared {
  explicit shared(std::uint32_t capacity) : deque(capacity) {}
  fork_deque<item, Rules> deque;
  std::array<item, 3> items;
};

using right = sluice::impl::fork_deque_rules;
struct wrong {
  static constexpr bool lower_to_tail = true;
};

template <class Deque>
void steal_until_empty(Deque& d) {
  item* it = nullptr;
  for (;;) {
    const auto got = d.steal(it);
    if (got == Deque::outcome::empty) return;
    if (got == Deque::outcome::took) take(it);
  }
}

template <class Deque>
void pop_until_empty(Deque& d) {
  while (item* const it = d.pop()) take(it);
}

// One public item that both want, and then its index again.
template <class Rules>
auto same_index(model::run& r) {
  auto& s = r.make<shared<Rules>>(2u);
  r.thread("owner", [&s] {
    (void)s.deque.push(filled(s.items[0]));
    s.deque.publish();
    if (item* const it = s.deque.pop()) take(it);
    (void)s.deque.push(filled(s.items[1]));
    s.deque.publish();
    pop_until_empty(s.deque);
    (void)s.deque.push(filled(s.items[2]));
    pop_until_empty(s.deque);
  });
  r.thread("thief", [&s] {
    item* it = nullptr;
    for (int i = 0; i < 2; ++i) {
      if (s.deque.steal(it) == fork_deque<item, Rules>::outcome::took) take(it);
    }
  });
  r.finally([&s] { check_all_taken(s.items); });
}

const model::program reuse{"fork deque: an index used again while a thief looks at it", {}, same_index<right>};
const model::program canary{
    "fork deque: split lowered down to tail (canary)", {.must_fail = "An item is taken once."}, same_index<wrong>};

template <int Thieves>
auto share(model::run& r) {
  auto& s = r.make<shared<right>>(2u);  // three items: it grows while thieves read
  r.thread("owner", [&s] {
    for (item& it : s.items) {
      (void)s.deque.push(filled(it));
      if (s.deque.wanted()) s.deque.publish();
    }
    s.deque.publish();
    pop_until_empty(s.deque);
  });
  for (int i = 0; i < Thieves; ++i) {
    r.thread("thief", [&s] { steal_until_empty(s.deque); });
  }
  r.finally([&s] { check_all_taken(s.items); });
}

const model::program one_thief{"fork deque: grows while one thief steals", {}, share<1>};
const model::program two_thieves{"fork deque: grows while two thieves steal", {}, share<2>};

const model::program overwritten{
    "fork deque: a slot is written again only after its thief has read it", {}, [](model::run& r) {
      auto& s = r.make<shared<right>>(2u);
      (void)s.deque.push(filled(s.items[0]));
      s.deque.publish();
      r.thread("owner", [&s] {
        (void)s.deque.push(filled(s.items[1]));
        (void)s.deque.push(filled(s.items[2]));  // room only if the thief was here
        s.deque.publish();
        pop_until_empty(s.deque);
      });
      r.thread("thief", [&s] { steal_until_empty(s.deque); });
      r.finally([&s] { check_all_taken(s.items); });
    }};

}  // namespace
