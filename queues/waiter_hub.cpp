#include <sluice/queues/waiter_hub.hpp>

namespace sluice::impl {

// ---------------------------------------------------------------------------------------------- lists

void waiter_hub::ready_waiters::push(waiter& w) noexcept {
  w.next = nullptr;
  (last != nullptr ? last->next : first) = &w;
  last = &w;
  ++size;
}

void waiter_hub::ready_waiters::remove(waiter& w, waiter* before) noexcept {
  (before != nullptr ? before->next : first) = w.next;
  if (last == &w) last = before;
  --size;
}

// ------------------------------------------------------------------------------------ the waiting side

bool waiter_hub::wait(waiter& w, const char* operation) noexcept {
  note(w, operation);
  if (!enter()) return wait_behind(w);
  return link(w) && !run(&w);
}

bool waiter_hub::wait_behind(waiter& w) noexcept {
  if (!w.context->arm(w)) {
    w.result = wait_result::cancelled;
    return false;
  }
  if (!push(w)) return true;
  grab();
  return !run(&w);
}

// True: the caller has become the runner, and must grab.
bool waiter_hub::push(waiter& w) noexcept {
  std::uintptr_t head = inbox_.load(relaxed);  // only a guess for the exchange
  do {
    w.inbox_next.set(reinterpret_cast<waiter*>(head & ~flag_mask));
  } while (!inbox_.compare_exchange_weak(head, reinterpret_cast<std::uintptr_t>(&w) | running | (head & flag_mask),
                                         release, relaxed));  // E1 publish
  return (head & running) == 0;
}

void waiter_hub::kick(unsigned word) noexcept {
  if (!enter()) return kick_behind(word);
  kicked(kick_bit(word));
  run(nullptr);
}

void waiter_hub::kick_behind(unsigned word) noexcept {
  const std::uintptr_t before = inbox_.fetch_or(running | kick_bit(word), release);  // E1 publish
  if ((before & running) != 0) return;
  grab();
  run(nullptr);
}

void waiter_hub::cancel(cancellable& wait, cancellation&) noexcept {
  auto& w = static_cast<waiter&>(wait);
  auto seen = wait_state::unregistered;
  if (w.state.compare_exchange_strong(seen, wait_state::cancelled, release, acquire)) return;  // E2, I2: last touch
  if (!push(w)) return;
  grab();
  run(nullptr);
}

// ------------------------------------------------------------------------------------------- the runner

bool waiter_hub::unclaim(waiter& w) noexcept {
  lists_[w.list].push_front(w);
  if (w.context->arm(w)) return true;
  lists_[w.list].remove(w);
  complete(w, wait_result::cancelled);
  return false;
}

void waiter_hub::complete(waiter& w, wait_result result) noexcept {
  w.result = result;
  ready_.push(w);
}

// One waiter from the inbox: a registration, or a canceller's message.
void waiter_hub::receive(waiter& w) noexcept {
  auto seen = wait_state::unregistered;
  if (w.state.compare_exchange_strong(seen, wait_state::linked, release, acquire)) {  // E2
    lists_[w.list].push_back(w);
    return;
  }
  if (w.linked) lists_[w.list].remove(w);
  complete(w, wait_result::cancelled);
}

// Takes what is in the inbox: first the kicks, then the waiters, in the order in which they came.
void waiter_hub::grab() noexcept {
  const std::uintptr_t grabbed = inbox_.exchange(running, acquire);  // E1 observe
  if ((grabbed & flag_mask) != running) kicked(grabbed & flag_mask);
  waiter* newest = reinterpret_cast<waiter*>(grabbed & ~flag_mask);
  waiter* oldest = nullptr;
  while (newest != nullptr) {
    waiter* const before = newest->inbox_next.get();
    newest->inbox_next.set(oldest);
    oldest = newest;
    newest = before;
  }
  while (oldest != nullptr) {
    waiter* const after = oldest->inbox_next.get();
    receive(*oldest);
    oldest = after;
  }
}

bool waiter_hub::run(waiter* self) noexcept {
  for (unsigned round = 1;; ++round) {
    enough_ = ready_.size + max_ready;
    serve();
    while (enough()) {
      wake_most(self);
      enough_ = ready_.size + max_ready;
      serve();
    }
    ready_waiters ready = ready_;
    ready_ = {};
    if (leave()) return wake_all(ready, self);  // I3
    if (waiter* const heir = round >= max_rounds ? take_heir(ready, self) : nullptr) {
      // I5. The heir is woken last: until then `running` is still ours, and the hub cannot go away.
      heir->heir = true;
      heir_.store(heir, release);  // E3 publish
      const bool mine = wake_all(ready, self);
      heir->context->wake();
      return mine;
    }
    ready_ = ready;
    if (ready_.size >= max_ready) wake_most(self);
    grab();
  }
}

// Wakes the ready waiters but for the last one and the caller's own: I3.
void waiter_hub::wake_most(const waiter* self) noexcept {
  ready_waiters kept;
  for (waiter* w = ready_.first; w != nullptr;) {
    waiter* const after = w->next;
    if (w == self || after == nullptr) {
      kept.push(*w);
    } else {
      w->context->wake();
    }
    w = after;
  }
  ready_ = kept;
}

// Takes out the longest-served waiter that can be the heir: one that roams, and is not the caller's own. Null: there is none.
waiter* waiter_hub::take_heir(ready_waiters& ready, const waiter* self) noexcept {
  waiter* before = nullptr;
  for (waiter* w = ready.first; w != nullptr; before = w, w = w->next) {
    if (w == self || !w->context->current_waker().roams()) continue;
    ready.remove(*w, before);
    return w;
  }
  return nullptr;
}

bool waiter_hub::wake_all(ready_waiters ready, const waiter* self) noexcept {
  bool mine = false;
  for (waiter* w = ready.first; w != nullptr;) {
    waiter* const after = w->next;
    if (w == self) {
      mine = true;
    } else {
      w->context->wake();
    }
    w = after;
  }
  return mine;
}

void waiter_hub::inherit(waiter& w) noexcept {
  w.heir = false;
  auto* const hub = static_cast<waiter_hub*>(w.owner);
  const waiter* expected = &w;
  if (!hub->heir_.compare_exchange_strong(expected, nullptr, relaxed, relaxed)) return;  // taken over
  hub->grab();
  hub->run(nullptr);
}

void waiter_hub::take_over() noexcept {
  if (heir_.exchange(nullptr, acquire) == nullptr) return;  // E3 observe
  grab();
  run(nullptr);
}

// --------------------------------------------------------------------------------------- the destructor

void waiter_hub::seize() noexcept {
  std::uintptr_t expected = 0;
  while (!inbox_.compare_exchange_weak(expected, running, acquire, relaxed)) {  // E1 observe
    expected = 0;
    yield_thread();
  }
}

void waiter_hub::await_kick(unsigned word) noexcept {
  while ((inbox_.load(acquire) & kick_bit(word)) == 0) yield_thread();  // E1 observe
}

}  // namespace sluice::impl
