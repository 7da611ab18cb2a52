#pragma once
// A list through the runnables' own links, into which any thread puts and from which any worker takes all: it needs no memory
// and so cannot fail. It carries wakes from other threads, and whatever the injection queue cannot take.
//
// Progress: put is lock-free, take_all wait-free. Order: what one thread puts comes out in that order within one taking.
//
// E1  put (release) -> take_all (acquire): the runnables.
// D1  put, then a look at the idle word; a worker announces its sleep in the idle word, then reads the inbox.

#include <sluice/queues/task_context.hpp>

namespace sluice::impl {

class inbox {
 public:
  /// Any thread. After the call `r` may be gone.
  void put(runnable& r) noexcept { put_chain(r, r); }

  /// A chain through `next`, newest first: `last` is the one to be taken first.
  void put_chain(runnable& first, runnable& last) noexcept {
    runnable* top = top_.load(relaxed);  // relaxed: not looked into
    do {
      last.next = top;
    } while (!top_.compare_exchange_weak(top, &first, seq_cst, relaxed));  // E1 publish, D1 store
  }

  /// Any worker: everything, oldest first, linked through `next`.
  runnable* take_all() noexcept {
    if (top_.load(relaxed) == nullptr) return nullptr;  // relaxed: a hint; a sleeper asks has_items
    runnable* r = top_.exchange(nullptr, acquire);      // E1 observe
    runnable* oldest = nullptr;
    while (r != nullptr) {
      runnable* const older = r->next;
      r->next = oldest;
      oldest = r;
      r = older;
    }
    return oldest;
  }

  bool has_items() const noexcept { return top_.load(seq_cst) != nullptr; }  // D1 load

 private:
  alignas(128) atomic<runnable*> top_{nullptr};  // newest first; written by anybody
};

}  // namespace sluice::impl
