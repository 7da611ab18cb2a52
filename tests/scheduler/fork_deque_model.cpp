// The split deque: an owner that pushes, publishes, pops and takes back, against thieves; with indexes that begin at 0 and
// with indexes that go round meanwhile.

#include "items.hpp"

#include <sluice/scheduler/fork_deque.hpp>
#include <sluice/scheduler/idle.hpp>

namespace {

using namespace sluice::test;
using namespace sluice::impl;

template <class Rules, std::size_t Items = 3>
struct shared {
  using deque_type = fork_deque<item, Rules>;

  explicit shared(std::uint32_t capacity) : deque(capacity) {}

  void push(std::size_t i) { model::check(deque.push(filled(items[i])), "There is memory."); }
  bool steal_one() {
    item* it = nullptr;
    if (deque.steal(it) != deque_type::outcome::took) return false;
    take(it);
    return true;
  }
  void steal_until_empty() {
    item* it = nullptr;
    for (;;) {
      const auto got = deque.steal(it);
      if (got == deque_type::outcome::empty) return;
      if (got == deque_type::outcome::took) take(it);
    }
  }
  void pop_until_empty() {
    while (item* const it = deque.pop()) take(it);
  }

  deque_type deque;
  std::array<item, Items> items;
};

using right = fork_deque_rules;
struct wrong : right {
  static constexpr bool lower_to_tail = true;
};
// The first index is the last before 0, or the last but one.
struct goes_round : right {
  static constexpr std::uint32_t first = ~std::uint32_t{0};
};
struct goes_round_later : right {
  static constexpr std::uint32_t first = ~std::uint32_t{1};
};

const model::program alone{"fork deque: the owner alone", {}, [](model::run& r) {
                             r.thread("owner", [] {
                               shared<right, 5> s(2u);
                               model::check(s.deque.empty(), "Nothing is there yet.");
                               for (std::size_t i = 0; i < 5; ++i) s.push(i);
                               model::check(s.deque.publish() && s.deque.public_size() == 3,
                                            "The older half is public.");
                               for (std::size_t i = 5; i > 0; --i) {
                                 model::check(!s.deque.empty(), "Some are left.");
                                 item* const it = s.deque.pop();
                                 model::check(it == &s.items[i - 1], "The newest comes first.");
                                 take(it);
                               }
                               model::check(s.deque.empty() && s.deque.pop() == nullptr, "None is left.");
                             });
                           }};

const model::program meant{"fork deque: the owner takes back only the one that is meant", {}, [](model::run& r) {
                             r.thread("owner", [] {
                               shared<right, 2> s(2u);
                               s.push(0);
                               s.push(1);
                               model::check(!s.deque.pop_if(&s.items[0]), "It is not the newest.");
                               while (s.deque.publish(2)) {
                               }
                               model::check(s.deque.public_size() == 2, "Both are public.");
                               model::check(!s.deque.pop_if(&s.items[0]), "Nor is it there.");
                               model::check(s.deque.pop_if(&s.items[1]), "This one is.");
                               take(&s.items[1]);
                               s.pop_until_empty();
                               check_all_taken(s.items);
                             });
                           }};

// One public item that both want, and then its index again.
template <class Rules>
auto same_index(model::run& r) {
  auto& s = r.make<shared<Rules>>(2u);
  r.thread("owner", [&s] {
    s.push(0);
    s.deque.publish();
    if (item* const it = s.deque.pop()) take(it);
    s.push(1);
    s.deque.publish();
    s.pop_until_empty();
    s.push(2);
    s.pop_until_empty();
  });
  r.thread("thief", [&s] {
    for (int i = 0; i < 2; ++i) s.steal_one();
  });
  r.finally([&s] { check_all_taken(s.items); });
}

const model::program reuse{"fork deque: an index used again while a thief looks at it", {}, same_index<right>};
const model::program reuse_round{"fork deque: an index used again, and the next is 0", {}, same_index<goes_round>};
const model::program canary{
    "fork deque: split lowered down to tail (canary)", {.must_fail = "An item is taken once."}, same_index<wrong>};

// The owner takes back what it has just pushed, if it is there still: as when_all does.
template <int Thieves>
auto take_back(model::run& r) {
  auto& s = r.make<shared<right>>(2u);
  r.thread("owner", [&s] {
    for (std::size_t i = 0; i < 2; ++i) {
      s.push(i);
      s.deque.publish();
    }
    for (std::size_t i = 2; i > 0; --i) {
      if (s.deque.pop_if(&s.items[i - 1])) take(&s.items[i - 1]);
    }
    s.push(2);
    if (s.deque.pop_if(&s.items[2])) take(&s.items[2]);
    model::check(s.deque.empty(), "Nothing else is there.");
  });
  for (int i = 0; i < Thieves; ++i) {
    r.thread("thief", [&s] {
      for (int k = 0; k < 2; ++k) s.steal_one();
    });
  }
  r.finally([&s] {
    s.steal_until_empty();
    check_all_taken(s.items);
  });
}

const model::program taken_back{"fork deque: taken back, or stolen by one", {}, take_back<1>};
const model::program taken_back_two{"fork deque: taken back, or stolen by two", {}, take_back<2>};

template <class Rules, int Thieves>
auto share(model::run& r) {
  auto& s = r.make<shared<Rules>>(2u);  // three items: it grows while thieves read
  r.thread("owner", [&s] {
    for (std::size_t i = 0; i < 3; ++i) {
      s.push(i);
      if (s.deque.wanted()) s.deque.publish();
    }
    s.deque.publish();
    s.pop_until_empty();
  });
  for (int i = 0; i < Thieves; ++i) {
    r.thread("thief", [&s] { s.steal_until_empty(); });
  }
  r.finally([&s] { check_all_taken(s.items); });
}

const model::program one_thief{"fork deque: grows while one thief steals", {}, share<right, 1>};
const model::program one_thief_round{
    "fork deque: grows while one thief steals, and the indexes go round", {}, share<goes_round_later, 1>};
const model::program two_thieves{"fork deque: grows while two thieves steal", {}, share<right, 2>};

// The fourth item goes where a thief that has not been here still wants to read.
template <class Rules>
auto overwritten(model::run& r) {
  auto& s = r.make<shared<Rules, 4>>(2u);
  s.push(0);
  s.deque.publish();
  r.thread("owner", [&s] {
    s.push(1);
    s.push(2);  // room only if the thief was here
    s.push(3);  // no room even then
    s.deque.publish();
    s.pop_until_empty();
  });
  r.thread("thief", [&s] {
    if (s.steal_one()) s.steal_one();
  });
  r.finally([&s] { check_all_taken(s.items); });
}
const model::program slot_again{
    "fork deque: a slot is written again only after its thief has read it", {}, overwritten<right>};
const model::program slot_again_round{
    "fork deque: a slot is written again, and the indexes go round", {}, overwritten<goes_round_later>};

// What was pushed after the growth is found in the new buffer, and what was pushed before too.
template <class Rules>
auto outgrown(model::run& r) {
  auto& s = r.make<shared<Rules, 5>>(2u);
  s.push(0);
  s.deque.publish();
  r.thread("owner", [&s] {
    for (std::size_t i = 1; i < 5; ++i) s.push(i);  // grows once, or twice if the thief is late
    while (!s.deque.publish()) yield_thread();
    s.pop_until_empty();
  });
  r.thread("thief", [&s] {
    while (!s.steal_one()) yield_thread();
    s.steal_one();
  });
  r.finally([&s] { check_all_taken(s.items); });
}
const model::program new_buffer{"fork deque: a thief before and after it grows", {}, outgrown<right>};
const model::program new_buffer_round{
    "fork deque: a thief before and after it grows, and the indexes go round", {}, outgrown<goes_round_later>};

const model::program all_stolen{"fork deque: grows, and the thief gets all", {}, [](model::run& r) {
                                  auto& s = r.make<shared<right>>(2u);
                                  r.thread("owner", [&s] {
                                    for (std::size_t i = 0; i < 3; ++i) s.push(i);
                                    for (int i = 0; i < 2; ++i) {
                                      while (!s.deque.publish()) yield_thread();
                                    }
                                  });
                                  r.thread("thief", [&s] {
                                    for (int left = 3; left > 0;) {
                                      if (s.steal_one()) {
                                        --left;
                                      } else {
                                        yield_thread();
                                      }
                                    }
                                  });
                                  r.finally([&s] { check_all_taken(s.items); });
                                }};

// ---- Requests ---------------------------------------------------------------------------------------------------------------

const model::program heard{"fork deque: a hungry thief is heard, and again", {}, [](model::run& r) {
                             struct both : shared<right> {
                               both() : shared(2u) {}
                               atomic<int> asked{0};
                               atomic<int> served{0};
                             };
                             auto& s = r.make<both>();
                             r.thread("owner", [&s] {
                               if (s.asked.load(acquire) == 0) return;
                               model::check(s.deque.wanted(), "It is heard.");
                               s.deque.set_wanted(false);
                               model::check(!s.deque.wanted(), "It does not ask any more.");
                               s.served.store(1, release);
                               if (s.asked.load(acquire) == 1) return;
                               model::check(s.deque.wanted(), "It is heard again.");
                             });
                             r.thread("thief", [&s] {
                               s.steal_until_empty();
                               s.asked.store(1, release);
                               if (s.served.load(acquire) == 0) return;
                               s.steal_until_empty();
                               s.asked.store(2, release);
                             });
                           }};

const model::program found{"fork deque: what is public is found", {}, [](model::run& r) {
                             struct both : shared<right> {
                               both() : shared(2u) {}
                               atomic<int> published{0};
                             };
                             auto& s = r.make<both>();
                             r.thread("owner", [&s] {
                               s.push(0);
                               s.deque.publish();
                               s.published.store(1, release);
                             });
                             r.thread("thief", [&s] {
                               if (s.steal_one() || s.published.load(acquire) == 0) return;
                               model::check(s.steal_one(), "It was published before.");
                             });
                           }};

// D1, as in feed_thieves and park of worker.cpp.
const model::program seen_or_seeing{
    "fork deque: what becomes public while somebody falls asleep", {}, [](model::run& r) {
      struct both : shared<right> {
        both() : shared(2u) {}
        idle_state idle{2};
        bool sleeper_seen = false;
        bool item_seen = false;
      };
      auto& s = r.make<both>();
      r.thread("owner", [&s] {
        s.push(0);
        s.deque.publish();
        s.sleeper_seen = s.idle.anybody_sleeps();
      });
      r.thread("sleeper", [&s] {
        s.idle.announce_sleep(1, false);
        s.item_seen = s.deque.has_public();
      });
      r.finally([&s] { model::check(s.sleeper_seen || s.item_seen, "One of them sees the other."); });
    }};

// D2, likewise.
template <bool Looks>
auto request(model::run& r) {
  struct both : shared<right> {
    both() : shared(2u) {}
    idle_state idle{2};
  };
  auto& s = r.make<both>();
  s.steal_until_empty();  // asks
  r.thread("owner", [&s] {
    s.deque.set_wanted(false);
    if (Looks && s.idle.anybody_sleeps()) s.deque.set_wanted(true);
  });
  r.thread("sleeper", [&s] {
    s.steal_until_empty();
    s.idle.announce_sleep(1, false);
    s.deque.demand();
  });
  r.finally([&s] { model::check(s.deque.wanted(), "Who sleeps has asked for what will be forked."); });
}
const model::program sleeper_asks{"fork deque: a sleeper asks while the owner clears", {}, request<true>};
const model::program sleeper_unseen{"fork deque: the owner clears a request and does not look for sleepers (canary)",
                                    {.must_fail = "Who sleeps has asked"},
                                    request<false>};

}  // namespace
