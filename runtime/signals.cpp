#include <sluice/runtime/signals.hpp>

#include <sluice/runtime/futex_mutex.hpp>
#include <sluice/runtime/signal_counts.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

namespace sluice::impl {
namespace {

constinit signal_counts arrived;

void handler(int number) {
  const int saved = errno;
  arrived.arrive(number);
  errno = saved;
}

}  // namespace

/// The state of one signals object; everything under the lock.
struct signal_listener {
  std::array<bool, most_signals> listed{};
  std::array<std::uint32_t, most_signals> pending{};
  signal_awaiter* first = nullptr;
  signal_awaiter* last = nullptr;
  signal_listener* next = nullptr;

  /// The lowest pending signal, or 0.
  int take() noexcept {
    for (std::size_t i = 1; i < pending.size(); ++i) {
      if (pending[i] == 0) continue;
      --pending[i];
      return static_cast<int>(i);
    }
    return 0;
  }

  void append(signal_awaiter& waiter) noexcept {
    waiter.listed_ = true;
    waiter.previous_ = last;
    (last != nullptr ? last->next_ : first) = &waiter;
    last = &waiter;
  }
  void remove(signal_awaiter& waiter) noexcept {
    waiter.listed_ = false;
    (waiter.previous_ != nullptr ? waiter.previous_->next_ : first) = waiter.next_;
    (waiter.next_ != nullptr ? waiter.next_->previous_ : last) = waiter.previous_;
  }

  void serve() noexcept {
    while (first != nullptr) {
      const int number = take();
      if (number == 0) return;
      signal_awaiter& waiter = *first;
      remove(waiter);
      waiter.number_ = number;
      waiter.gate_.leave_and_wake(waiter.context_.disarm(waiter.link_) ? 2 : 1, waiter.context_);
    }
  }
};

namespace {

struct watch {
  futex_mutex lock;
  // All under the lock.
  signal_listener* listeners = nullptr;
  std::array<std::uint32_t, most_signals> users{};
  std::array<struct sigaction, most_signals> before{};
  bool started = false;

  void start() {
    // The watcher takes no signals itself: they interrupt threads that have something to lose by waiting.
    sigset_t all;
    sigset_t old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    try {
      std::thread([this] { run(); }).detach();
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &old, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
    started = true;
  }

  [[noreturn]] void run() noexcept {
    pthread_setname_np(pthread_self(), "sluice/signals");
    for (;;) {
      arrived.sleep(arrived.collect([this](std::size_t number, std::uint32_t n) { hand_on(number, n); }));
    }
  }

  void hand_on(std::size_t number, std::uint32_t n) noexcept {
    const locked hold(lock);
    for (signal_listener* l = listeners; l != nullptr; l = l->next) {
      if (!l->listed[number]) continue;
      l->pending[number] += n;
      l->serve();
    }
  }

  void add(signal_listener& l) {
    const locked hold(lock);
    if (!started) start();
    for (std::size_t i = 1; i < users.size(); ++i) {
      if (!l.listed[i] || users[i]++ != 0) continue;
      struct sigaction action{};
      action.sa_handler = handler;
      action.sa_flags = SA_RESTART;
      sigemptyset(&action.sa_mask);
      if (sigaction(static_cast<int>(i), &action, &before[i]) == 0) continue;
      --users[i];
      for (std::size_t k = i; k < users.size(); ++k) l.listed[k] = false;  // these are not counted in
      drop(l);
      throw std::invalid_argument("sluice::signals: the system does not let signal " + std::to_string(i) +
                                  " be handled; leave it out");
    }
    l.next = listeners;
    listeners = &l;
  }

  /// Restores what was there before the last object that listed a signal. Under the lock.
  void drop(const signal_listener& l) noexcept {
    for (std::size_t i = 1; i < users.size(); ++i) {
      if (l.listed[i] && users[i] != 0 && --users[i] == 0) sigaction(static_cast<int>(i), &before[i], nullptr);
    }
  }

  void remove(signal_listener& l) noexcept {
    const locked hold(lock);
    if (l.first != nullptr) {
      std::fputs("sluice::signals: an object was destroyed while a task waits in next(); let the task end first.\n",
                 stderr);
      std::abort();
    }
    signal_listener** at = &listeners;
    while (*at != &l) at = &(*at)->next;
    *at = l.next;
    drop(l);
  }
};

watch& the_watch() {
  static watch* const one = new watch;  // never destroyed: its thread runs as long as the process
  return *one;
}

}  // namespace

bool signal_awaiter::await_ready() noexcept {
  cancelled_ = context_.cancelled();
  if (cancelled_) return true;
  const locked hold(the_watch().lock);
  if (listener_.first == nullptr) number_ = listener_.take();
  return number_ != 0;
}

bool signal_awaiter::await_suspend(std::coroutine_handle<> self) noexcept {
  context_.handle = self;
  context_.note_wait("signals.next", &listener_);
  if (!context_.arm(link_)) {
    cancelled_ = true;
    return false;
  }
  const locked hold(the_watch().lock);
  // A canceller that came before this has left a note; it may still be inside.
  if (cancelled_) return !gate_.leave(1);
  listener_.append(*this);
  listener_.serve();
  return true;
}

void signal_awaiter::cancel(cancellable&) noexcept {
  std::uint32_t parties = 1;
  {
    const locked hold(the_watch().lock);
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

namespace sluice {

signals::signals(std::initializer_list<int> numbers) : listener_(std::make_unique<impl::signal_listener>()) {
  if (numbers.size() == 0) throw std::invalid_argument("sluice::signals: the list is empty; name at least one signal");
  for (const int number : numbers) {
    if (number <= 0 || number >= impl::most_signals) {
      throw std::invalid_argument("sluice::signals: there is no signal " + std::to_string(number) +
                                  "; give numbers from <csignal> such as SIGTERM");
    }
    if (number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL) {
      throw std::invalid_argument("sluice::signals: signal " + std::to_string(number) +
                                  " reports a fault of the thread itself, which could not go on; leave it out");
    }
    listener_->listed[static_cast<std::size_t>(number)] = true;
  }
  impl::the_watch().add(*listener_);
}

signals::~signals() { impl::the_watch().remove(*listener_); }

}  // namespace sluice
