#include <sluice/runtime/signal_watch.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace sluice::impl {

int signal_listener::take() noexcept {
  for (std::size_t i = 1; i < pending.size(); ++i) {
    if (pending[i].get() == 0) continue;
    pending[i].set(pending[i].get() - 1);
    return static_cast<int>(i);
  }
  return 0;
}

void signal_listener::append(signal_awaiter& waiter) noexcept {
  waiter.listed_ = true;
  waiter.previous_ = last;
  if (last != nullptr) {
    last->next_ = &waiter;
  } else {
    first.set(&waiter);
  }
  last = &waiter;
}

void signal_listener::remove(signal_awaiter& waiter) noexcept {
  waiter.listed_ = false;
  if (waiter.previous_ != nullptr) {
    waiter.previous_->next_ = waiter.next_;
  } else {
    first.set(waiter.next_);
  }
  (waiter.next_ != nullptr ? waiter.next_->previous_ : last) = waiter.previous_;
}

void signal_listener::serve() noexcept {
  while (signal_awaiter* const waiter = first.get()) {
    const int number = take();
    if (number == 0) return;
    remove(*waiter);
    waiter->number_ = number;
    waiter->gate_.leave_and_wake(waiter->context_.disarm(waiter->link_) ? 2 : 1, waiter->context_);
  }
}

std::uint32_t signal_watch::hand_on() noexcept {
  return arrived_.collect([this](std::size_t number, std::uint32_t n) {
    const locked hold(lock);
    for (signal_listener* l = listeners_; l != nullptr; l = l->next) {
      if (!l->listed[number]) continue;
      l->pending[number].set(l->pending[number].get() + n);
      l->serve();
    }
  });
}

void signal_watch::add(signal_listener& l) {
  const locked hold(lock);
  if (!started_) start();
  started_ = true;
  for (std::size_t i = 1; i < users_.size(); ++i) {
    if (!l.listed[i] || users_[i]++ != 0 || install(i)) continue;
    --users_[i];
    for (std::size_t k = i; k < users_.size(); ++k) l.listed[k] = false;  // these are not counted in
    drop(l);
    throw std::invalid_argument("sluice::signals: the system does not let signal " + std::to_string(i) +
                                " be handled; leave it out");
  }
  l.next = listeners_;
  listeners_ = &l;
}

// Restores what was there before the last object that listed a signal. Under the lock.
void signal_watch::drop(const signal_listener& l) noexcept {
  for (std::size_t i = 1; i < users_.size(); ++i) {
    if (l.listed[i] && --users_[i] == 0) restore(i);
  }
}

void signal_watch::remove(signal_listener& l) noexcept {
  const locked hold(lock);
  if (l.first.get() != nullptr) {
    std::fputs("sluice::signals: an object was destroyed while a task waits in next(); let the task end first.\n",
               stderr);
    std::abort();
  }
  signal_listener** at = &listeners_;
  while (*at != &l) at = &(*at)->next;
  *at = l.next;
  drop(l);
}

bool signal_awaiter::await_ready() noexcept {
  cancelled_ = context_.cancelled();
  if (cancelled_) return true;
  const locked hold(listener_.watch.lock);
  if (listener_.first.get() == nullptr) number_ = listener_.take();
  return number_ != 0;
}

bool signal_awaiter::await_suspend(std::coroutine_handle<> self) noexcept {
  context_.handle = self;
  context_.note_wait("signals.next", &listener_);
  if (!context_.arm(link_)) {
    cancelled_ = true;
    return false;
  }
  const locked hold(listener_.watch.lock);
  // A canceller that came before this has left a note; it may still be inside.
  if (cancelled_) return !gate_.leave(1);
  listener_.append(*this);
  listener_.serve();
  return true;
}

void signal_awaiter::cancel(cancellable&, cancellation&) noexcept {
  std::uint32_t parties = 1;
  {
    const locked hold(listener_.watch.lock);
    if (listed_) {
      listener_.remove(*this);
      parties = 2;
    }
    if (number_ == 0) cancelled_ = true;
  }
  gate_.leave_and_wake(parties, context_);
}

int signal_awaiter::await_resume() const {
  context_.note_wait(nullptr, nullptr);
  if (cancelled_) throw sluice::cancelled{};
  return number_;
}

}  // namespace sluice::impl
