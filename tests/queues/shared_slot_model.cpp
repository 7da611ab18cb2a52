// models: queues/shared_slot.hpp queues/value_pool.hpp queues/snapshot.hpp
// One slot: values that are read while others replace them, in every interleaving. Each is destroyed once, after its
// last reader.
#include <sluice/model/program.hpp>
#include <sluice/queues/shared_slot.hpp>

#include "model_broadcast.hpp"

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

// A slot and its pool, without what a broadcast does besides.
class cell {
 public:
  using node = value_node<heavy>;

  explicit cell(std::uint32_t first = 2, std::uint32_t most = 8) : pool_(first, most), most_(most) {
    node& n = *pool_.take();
    n.references.store(node::whole, relaxed);
    slot_.begin(layout_.pack(0, n.number));
  }
  ~cell() {
    const std::uint64_t word = slot_.look();
    (void)pool_.retire(pool_.at(layout_.node(word)), slot_layout::references(word));
    model::check(pool_.read_count() == 0, "All readers have given back.");
    model::check(pool_.free_count() == pool_.made(), "All nodes are back.");
    model::check(pool_.made() <= most_, "There are no more than were allowed.");
  }

  // False: there is no node.
  bool set(int number) {
    node* const n = pool_.take();
    if (n == nullptr) return false;
    std::construct_at(n->item(), number);
    n->position.set(static_cast<std::uint64_t>(number));
    n->references.store(node::whole, relaxed);
    std::uint64_t word = slot_.look();
    const auto thread = static_cast<std::uint64_t>(model::thread_index() + 1);
    const std::uint64_t lap = 1000 * thread + ++sets_[thread];  // no two replacements have the same
    while (!slot_.replace(word, layout_.pack(lap, n->number))) {
    }
    (void)pool_.retire(pool_.at(layout_.node(word)), slot_layout::references(word));
    return true;
  }
  node& borrow() {
    std::uint64_t word = slot_.look();
    while (!slot_.get_reference(word, layout_, pool_)) {
    }
    return pool_.at(layout_.node(word));
  }
  void give_back(node& n) { pool_.give_back(n); }
  int get() {
    node& n = borrow();
    const int number = n.item()->number();
    give_back(n);
    return number;
  }
  value_pool<heavy>& pool() { return pool_; }

 private:
  slot_layout layout_{16};
  shared_slot<heavy> slot_;
  value_pool<heavy> pool_;
  std::uint32_t most_;
  std::uint64_t sets_[model::most_threads + 1]{};  // by each thread
};

struct shared {
  explicit shared(std::uint32_t first = 2, std::uint32_t most = 8) : slot(first, most) { slot.set(1); }
  cell slot;
  plain<int> written{0};
};

void read_and_replace(model::run& r) {
  auto& s = r.make<shared>();
  r.thread("reader", [&s] {
    const int number = s.slot.get();
    model::check(number == 1 || number == 2, "A value that was set.");
    if (number == 2) model::check(s.written.get() == 7, "What was written before it was set is visible.");
  });
  r.thread("setter", [&s] {
    s.written.set(7);
    s.slot.set(2);
  });
}

// Two references in one word are moved to the node, whatever becomes of the slot meanwhile.
void two_readers(model::run& r) {
  auto& s = r.make<shared>();
  r.thread("reader 1", [&s] { s.slot.get(); });
  r.thread("reader 2", [&s] { s.slot.get(); });
  r.thread("setter", [&s] { s.slot.set(2); });
}

void readers_alone(model::run& r) {
  auto& s = r.make<shared>();
  for (int i = 0; i < 3; ++i) r.thread("reader", [&s] { model::check(s.slot.get() == 1, "The value."); });
}

// A reader that keeps its value while its node's place is taken twice, and another that comes and goes.
void keeps(model::run& r) {
  auto& s = r.make<shared>();
  r.thread("keeps", [&s] {
    auto& mine = s.slot.borrow();
    const int before = mine.item()->number();
    const int other = s.slot.get();
    model::check(before == mine.item()->number(), "It does not change.");
    model::check(other >= before, "It does not go back.");
    s.slot.give_back(mine);
  });
  r.thread("setter", [&s] {
    s.slot.set(2);
    s.slot.set(3);
  });
}

// Nodes go through the pool from one setter to the other, while a reader looks at old words.
void two_setters(model::run& r) {
  auto& s = r.make<shared>();
  r.thread("setter 1", [&s] { s.slot.set(2); });
  r.thread("setter 2", [&s] { s.slot.set(3); });
  r.thread("reader", [&s] { model::check(s.slot.get() > 0, "A value that was set."); });
}

// Both need the next segment, or one has what the other gives back.
void pool_grows(model::run& r) {
  auto& s = r.make<shared>(std::uint32_t{1}, std::uint32_t{4});
  for (int i = 0; i < 2; ++i) {
    r.thread("taker", [&s] {
      auto* const n = s.slot.pool().take();
      auto* const m = s.slot.pool().take();
      model::check(m == nullptr || n != m, "A node is in one hand.");
      if (n != nullptr) s.slot.pool().give(*n);
      if (m != nullptr) s.slot.pool().give(*m);
    });
  }
}

// The stack of free nodes: one taker sleeps while the other takes two and gives back the first.
void pool_reused(model::run& r) {
  auto& s = r.make<shared>(std::uint32_t{4}, std::uint32_t{4});
  for (int i = 0; i < 2; ++i) {
    auto* const a = s.slot.pool().take();
    auto* const b = s.slot.pool().take();
    s.slot.pool().give(*a);
    s.slot.pool().give(*b);
  }
  r.thread("taker 1", [&s] {
    auto* const a = s.slot.pool().take();
    a->position.set(1);
    model::check(a->position.get() == 1, "It is in one hand.");
    s.slot.pool().give(*a);
  });
  r.thread("taker 2", [&s] {
    auto* const a = s.slot.pool().take();
    auto* const b = s.slot.pool().take();
    a->position.set(2);
    b->position.set(3);
    s.slot.pool().give(*a);
    model::check(b->position.get() == 3, "It is in one hand.");
    s.slot.pool().give(*b);
  });
}

const model::program p01{"slot: read x replace", {}, read_and_replace};
const model::program p02{"slot: two readers x replace", {}, two_readers};
const model::program p03{"slot: three readers", {}, readers_alone};
const model::program p04{"slot: a value is kept while two replace it", {}, keeps};
const model::program p05{"slot: two replace x read", {}, two_setters};
const model::program p06{"slot: the pool grows for two", {}, pool_grows};
const model::program p07{"slot: nodes go round in the pool", {}, pool_reused};

}  // namespace
