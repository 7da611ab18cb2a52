#pragma once
// The waiter hub: who waits on one object, in which order, and who serves them. Every object with waiters
// (queue, semaphore, event) derives from it. Non-blocking delegation: waiters and kicks are pushed on
// one word, whoever moves that word from idle to running serves everybody, and nobody waits for the runner.
// Waiters live in coroutine frames (or on the stack of a plain thread): nothing is allocated.
//
// The inbox word:  newest waiter pushed | running | kicks
//   running   somebody serves; owns the lists and everything called runner-private
//   kick n    the object's word n changed; one bit for each word with a one-shot flag of its own
//
// A waiter's state, and the task's cancel word (task_context.hpp), which decides who has it:
//
//   unregistered --runner--> linked --runner disarms the cancel word--> (result made) --> woken
//        |                     |
//    canceller             canceller took it out of the cancel word: disarming fails
//        v                     v
//    cancelled             message to the runner --> unlinked, woken as cancelled
//
// Who finds the hub idle and so is the runner of its own wait links it at once, and arms the cancel word only then.
//
// I1  The runner disarms a waiter's cancel word before it takes anything for it; if that fails it takes nothing. One that needs more than
//     there is it may put back in front, armed again: cancelled meanwhile, it ends with what it has.
// I2  A canceller owns the waiter that it took out of the cancel word. unregistered -> cancelled is its last touch; otherwise
//     it sends the waiter itself as a message (its inbox link is free by then), and the runner wakes it only after that.
// I3  Leave before you wake: completed waiters are woken from a local list after the exit from `running` has
//     succeeded; after that nothing of the hub is touched, because a woken side may destroy the object. Of a crowd all but one may be
//     woken before, `max_ready` at a time while they are in a cache: that one's wait has not returned, so the object lives.
// I4  A flag that owes a kick is cleared by the same operation that makes its cause true; whoever cleared it
//     kicks exactly once, and the kick is its last touch of the object. The runner never sets a flag again
//     before the kick that it owes has come, so one bit for each word is enough, and a destructor knows how many to wait for.
// I5  The runner's work for those who go on coming is bounded: after `max_rounds`, each of which has found new messages, it hands `running` to
//     a waiter that it has completed, the heir, which goes on in its await_resume. That waiter's wait has not returned: the object
//     lives. `heir_` names it until it begins. Who must not wait for it (it may be queued behind the caller) takes over. The heir is one
//     that roams: one that is pinned, or on a strand, may have to wait for a turn of its own. If there is none the runner goes on.
//
// E1  push, kick, exit (release) -> take, enter (acquire), on the inbox: the waiter's fields, what the kicker published
//     before it kicked, and the runner-private state of the runner before.
// E2  a canceller's or the runner's step on `state` (release) -> the other, who finds it taken (acquire): the inbox link, or that
//     the waiter may go. (Where it is linked before it is armed, E1 of cancellation.hpp says so to the canceller.)
// E3  heir_ set (release) -> taken over (acquire): the runner-private state. The heir itself has it from being woken.
//
// Progress: no mutex, no spin on the runner. A preempted runner delays this object's waiters. Source: the idea is
// flat combining / delegation (Hendler et al., SPAA 2010), with waiters as messages. Design note: queues/README.md.

#include <sluice/queues/short_wait.hpp>
#include <sluice/queues/task_context.hpp>

#include <cstddef>
#include <cstdint>

namespace sluice::impl {

enum class wait_state : std::uint8_t { unregistered, linked, cancelled };
enum class wait_result : std::uint8_t { none, done, closed, cancelled, full, no_memory };

/// One wait. Lives in the awaiter; does not move while it is registered.
struct alignas(16) waiter : cancellable {
  explicit waiter(task_context& c, std::uint8_t which_list) noexcept : context(&c), list(which_list) {}
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;

  waiter* next;                        // runner-private: neighbours in a list, or the next ready waiter
  waiter* previous;                    // runner-private
  plain<waiter*> inbox_next{nullptr};  // the pusher's until the push, then the runner's; I2
  task_context* context;
  atomic<wait_state> state{wait_state::unregistered};  // see above; runner and one canceller
  std::uint8_t list;                                   // which of the hub's lists it belongs to
  wait_result result = wait_result::none;              // runner-private until woken
  bool linked = false;                                 // runner-private: it is in its list
  bool heir = false;                                   // set before it is woken: it has been handed `running` (I5)
  std::uint8_t kind = 0;                               // the derived object's: what it wants
};
static_assert(sizeof(void*) != 8 || sizeof(waiter) <= 48);

/// First in, first out; unlinks in constant time. Only the runner touches it.
class waiter_list {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  waiter* first() const noexcept { return first_; }
  waiter& front() const noexcept { return *first_; }
  waiter* back() const noexcept { return last_; }
  std::size_t size() const noexcept { return size_; }
  void push_back(waiter& w) noexcept;
  void push_front(waiter& w) noexcept;
  void remove(waiter& w) noexcept;

 private:
  waiter* first_ = nullptr;
  waiter* last_ = nullptr;
  std::size_t size_ = 0;
};

/// Goes through a list some steps ahead of who completes its waiters, and has what they will need fetched from memory: of a million
/// waiters nothing is in a cache. They mostly lie in memory as they stand in the list, as frames of tasks that were spawned in a row do.
class lookahead {
 public:
  explicit lookahead(waiter* first) noexcept : at_(first) {
    for (int i = 0; i < distance; ++i) step();
  }
  /// Before the list loses the waiter that is `distance` behind.
  void step() noexcept {
    if (at_ == nullptr) return;
    at_->context->will_wake();
    const auto here = reinterpret_cast<std::uintptr_t>(at_);
    at_ = at_->next;
    const auto next = reinterpret_cast<std::uintptr_t>(at_);
    if (at_ != nullptr) will_write(reinterpret_cast<const void*>(next + distance * (next - here)));
  }

 private:
  static constexpr int distance = model_build ? 1 : 8;
  waiter* at_;
};

class waiter_hub : public canceller {
 public:
  static constexpr std::uintptr_t running = 1;
  static constexpr std::uintptr_t kick_bit(unsigned word) noexcept { return std::uintptr_t{2} << word; }
  static constexpr std::uintptr_t flag_mask = 15;  // running and three kicks: waiters are 16-aligned
  static constexpr unsigned max_rounds = model_build ? 1 : 64;
  static constexpr unsigned max_ready = model_build ? 2 : 256;

  waiter_hub(const waiter_hub&) = delete;
  waiter_hub& operator=(const waiter_hub&) = delete;

  /// Registers the waiter for its suspended task. True: the task stays suspended and will be woken. False: the wait is
  /// over already, go on. Lock-free. After true, the waiter and the hub may be gone. `operation` is a literal, for dumps.
  [[nodiscard]] bool wait(waiter& w, const char* operation) noexcept;

  /// The result, for the resumed side, which goes on as the runner first if it was handed that. Static, because an operation
  /// that did not wait may find the hub gone.
  static wait_result resumed(waiter& w) noexcept {
    if (w.owner == nullptr) return w.result;
    w.context->note_wait(nullptr, nullptr);
    if (w.heir) [[unlikely]]
      inherit(w);
    return w.result;
  }

  /// Pays an owed kick for `word` (I4). Lock-free. After the call the hub may be gone.
  void kick(unsigned word) noexcept;

  void cancel(cancellable& wait, cancellation&) noexcept final;

 protected:
  explicit waiter_hub(waiter_list* lists) noexcept : lists_(lists) {}
  ~waiter_hub() = default;

  // The steps of wait() and kick(), for short cuts of the derived object.
  void note(waiter& w, const char* operation) noexcept {
    w.owner = this;
    w.context->note_wait(operation, this);
  }
  /// The fast way in: nobody runs and nothing waits to be grabbed. True: the caller has become the runner.
  [[nodiscard]] bool enter() noexcept {
    std::uintptr_t expected = 0;
    return inbox_.compare_exchange_strong(expected, running, acquire, relaxed);  // E1 observe
  }
  /// The way out, with nobody ready but whom the caller wakes after it (I3). False: something has come, and the caller still runs.
  [[nodiscard]] bool leave() noexcept {
    std::uintptr_t expected = running;
    return inbox_.compare_exchange_strong(expected, 0, release, relaxed);  // E1 publish
  }
  /// Runner: its own wait is linked, and can be cancelled. False: it is cancelled already, and the caller runs no more.
  [[nodiscard]] bool link(waiter& w) noexcept;
  /// Serves and leaves. True: `self` is among the completed, and was not woken.
  bool run(waiter* self) noexcept;
  /// wait() and kick(), where somebody else runs, or did a moment ago.
  [[nodiscard]] bool wait_behind(waiter& w) noexcept;
  void kick_behind(unsigned word) noexcept;

  /// Runner: the kicks in `bits` have come. Called before the waiters of the same grab are admitted.
  virtual void kicked(std::uintptr_t bits) noexcept = 0;
  /// Runner: serve whoever can be served, and leave a flag in every word whose change could serve the rest. Or stop when it is
  /// enough(): then they are woken, and it is called again.
  virtual void serve() noexcept = 0;

  /// Runner: wins the right to make `w`'s result (I1). False: a canceller has it; either way `w` has left its list.
  [[nodiscard]] bool claim(waiter& w) noexcept;
  /// Runner: `w`, claimed and not completed, waits on as the first of its list. False: it is cancelled, and completed as that.
  bool unclaim(waiter& w) noexcept;
  /// Runner: `w` was claimed and its result is made; it is woken at the exit, or before (I3).
  void complete(waiter& w, wait_result result) noexcept;
  /// Runner, in serve(): so many are ready that they should be woken first.
  bool enough() const noexcept { return ready_.size >= enough_; }
  /// Runner: claims everybody in a list, and has `end` complete them, until it is enough.
  template <class End>
  void claim_all(waiter_list& list, End&& end) noexcept {
    lookahead ahead(list.first());
    while (!list.empty() && !enough()) {
      ahead.step();
      waiter& w = list.front();
      if (claim(w)) end(w);
    }
  }
  void complete_all(waiter_list& list, wait_result result) noexcept {
    claim_all(list, [this, result](waiter& w) { complete(w, result); });
  }

  /// Runs `act` as the runner, serves, and leaves. Waits for another runner: not lock-free. For callers that keep the object alive.
  template <class Act>
  void as_runner(Act&& act) noexcept {
    short_wait serving;
    while (!enter()) {
      take_over();
      serving();
    }
    act();
    run(nullptr);
  }

  /// Serves in place of an heir that has not begun, if there is one. For callers that keep the object alive.
  void take_over() noexcept;

  /// A destructor's first step: becomes the runner, for ever, and waits for a runner that is about to leave.
  void seize() noexcept;
  /// After seize(): waits for the kick of `word`, which somebody owes.
  void await_kick(unsigned word) noexcept;

 private:
  struct ready_waiters {
    waiter* first = nullptr;
    waiter* last = nullptr;
    unsigned size = 0;
    void push(waiter& w) noexcept;
    void remove(waiter& w, waiter* before) noexcept;
  };

  bool push(waiter& w) noexcept;
  void grab() noexcept;
  void receive(waiter& w) noexcept;
  static void inherit(waiter& w) noexcept;
  void wake_most(const waiter* self) noexcept;
  static waiter* take_heir(ready_waiters& ready, const waiter* self) noexcept;
  static bool wake_all(ready_waiters ready, const waiter* self) noexcept;

  atomic<std::uintptr_t> inbox_{0};  // see above; anyone
  atomic<const waiter*> heir_{
      nullptr};          // null | who was handed `running` and has not begun; the runner, then whoever takes it
  waiter_list* lists_;   // runner-private, the derived object's
  ready_waiters ready_;  // runner-private
  unsigned enough_ = 0;  // runner-private
};

// ---------------------------------------------------------------------------------------------------------------------------

inline void waiter_list::push_back(waiter& w) noexcept {
  w.next = nullptr;
  w.previous = last_;
  (last_ != nullptr ? last_->next : first_) = &w;
  last_ = &w;
  w.linked = true;
  ++size_;
}

inline void waiter_list::push_front(waiter& w) noexcept {
  w.next = first_;
  w.previous = nullptr;
  (first_ != nullptr ? first_->previous : last_) = &w;
  first_ = &w;
  w.linked = true;
  ++size_;
}

inline void waiter_list::remove(waiter& w) noexcept {
  (w.previous != nullptr ? w.previous->next : first_) = w.next;
  (w.next != nullptr ? w.next->previous : last_) = w.previous;
  w.linked = false;
  --size_;
}

inline bool waiter_hub::link(waiter& w) noexcept {
  w.state.store(wait_state::linked, relaxed);  // relaxed: no canceller finds it before it is armed
  lists_[w.list].push_back(w);
  if (w.context->arm(w)) return true;
  lists_[w.list].remove(w);
  w.result = wait_result::cancelled;
  run(nullptr);
  return false;
}

inline bool waiter_hub::claim(waiter& w) noexcept {
  lists_[w.list].remove(w);
  return w.context->disarm(w);
}

}  // namespace sluice::impl
