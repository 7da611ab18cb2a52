// not compiled in model builds: it installs handlers and starts a thread of the system
// What signals ask of the system, and the objects that a user makes.

#include <sluice/runtime/signals.hpp>

#include <sluice/runtime/signal_watch.hpp>
#include <sluice/scheduler/binding.hpp>
#include <sluice/scheduler/process.hpp>
#include <sluice/scheduler/scheduler.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace sluice::impl {
namespace {

void handler(int number);

class system_watch final : public signal_watch {
 public:
  /// In a child, where its one thread calls it: the watcher is not there, and one that is not there may hold the lock.
  void forked() noexcept {
    lost_ = lost_ || has_watcher_;
    ::new (static_cast<void*>(&lock)) futex_mutex;
  }
  /// Whether the watcher was started before a fork(). Does not change while there are other threads.
  bool lost() const noexcept { return lost_; }

 private:
  void start() override {
    // The watcher takes no signals itself: they interrupt threads that have something to lose by waiting.
    sigset_t all;
    sigset_t old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    try {
      const scheduler* const maker = scheduler::current();
      std::thread([this, workers = maker != nullptr ? maker->processors() : std::vector<unsigned>()] {
        unbind_this_thread(workers);
        run();
      }).detach();
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &old, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
    has_watcher_ = true;
  }

  [[noreturn]] void run() noexcept {
    pthread_setname_np(pthread_self(), "sluice/signals");
    for (;;) sleep(hand_on());
  }

  bool install(std::size_t number) noexcept override {
    struct sigaction action{};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    return sigaction(static_cast<int>(number), &action, &before_[number]) == 0;
  }
  void restore(std::size_t number) noexcept override { sigaction(static_cast<int>(number), &before_[number], nullptr); }

  // Under the lock.
  std::array<struct sigaction, most_signals> before_{};
  bool has_watcher_ = false;

  bool lost_ = false;
};

// Made before any code runs, and with nothing to destroy: handlers and the watcher use it as long as the process runs.
constinit system_watch the_watch;
static_assert(std::is_trivially_destructible_v<system_watch>);

[[gnu::constructor(101)]] void watch_forks() {
  at_fork_in_child([] { the_watch.forked(); });
}

void handler(int number) {
  const int saved = errno;
  the_watch.arrive(number);
  errno = saved;
}

}  // namespace
}  // namespace sluice::impl

namespace sluice {

signals::signals(std::initializer_list<int> numbers)
    : listener_(std::make_unique<impl::signal_listener>(impl::the_watch)) {
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
  if (impl::the_watch.lost()) {
    throw std::logic_error(
        "sluice::signals: the thread that watches signals was started before fork(), and is not in the child; use "
        "signals in the parent only, or make the first object after fork()");
  }
  impl::the_watch.add(*listener_);
}

signals::~signals() { impl::the_watch.remove(*listener_); }

}  // namespace sluice
