// not compiled in model builds: starts real threads
#include <sluice/scheduler/driver.hpp>

#include <sluice/queues/thread_context.hpp>
#include <sluice/scheduler/binding.hpp>

#include <algorithm>
#include <pthread.h>
#include <string>
#include <sys/prctl.h>
#include <system_error>
#include <utility>

namespace sluice::impl {
namespace {

// A worker whose task has called fork() goes on in the child, where it has no business: it notices when it looks outside.
[[gnu::constructor(101)]] void watch_forks() {
  at_fork_in_child([] {
    if (worker* const w = worker::current()) w->look_soon();
  });
}

}  // namespace

threads_driver::threads_driver(worker_pool& pool, std::vector<unsigned> processors)
    : pool_(pool), processors_(std::move(processors)) {
  pool_.starter = this;
  threads_.reserve(pool.workers.size());
  try {
    while (threads_.size() < pool.headcount.started()) {
      start();
      if (const int error = bind_newest()) {
        const std::size_t index = threads_.size() - 1;
        throw std::system_error(error, std::generic_category(),
                                "sluice: worker " + label_of(index) + " could not be bound to processor " +
                                    std::to_string(processors_[index % processors_.size()]) +
                                    "; leave pin_workers out where the processors that may be used change");
      }
    }
  } catch (...) {
    pool_.headcount.open();
    stop();
    throw;
  }
  pool_.headcount.open();
}

std::string threads_driver::label_of(std::size_t index) const {
  const std::string number = std::to_string(index);
  constexpr std::size_t longest = 15;  // what the kernel keeps of a thread's name
  std::string label = pool_.name.substr(0, longest - 1 - number.size());
  return label.append(1, '/').append(number);
}

void threads_driver::start() {
  worker* const w = pool_.workers[threads_.size()].get();
  threads_.emplace_back([w, label = label_of(threads_.size())] {
    pthread_setname_np(pthread_self(), label.c_str());
    prctl(PR_SET_TIMERSLACK, 1000ul, 0ul, 0ul, 0ul);  // ns; the wheel decides what expires together
    worker_thread_name = w->pool().name.c_str();
    w->work();
  });
}

int threads_driver::bind_newest() noexcept {
  if (processors_.empty()) return 0;
  return bind_thread(threads_.back().native_handle(), {processors_[(threads_.size() - 1) % processors_.size()]});
}

// The worker that asks for it holds the headcount (I1 of headcount.hpp). The new thread inherits that worker's processor: if it cannot
// have its own, it may use all.
bool threads_driver::start_another() noexcept {
  try {
    start();
  } catch (...) {
    return false;
  }
  if (bind_newest() != 0) (void)bind_thread(threads_.back().native_handle(), processors_);
  return true;
}

threads_driver::~threads_driver() { stop(); }

void threads_driver::stop() noexcept {
  pool_.headcount.fix();             // nobody starts another thread
  pool_.stopping.store(1, relaxed);  // relaxed: the tokens that follow publish it
  for (auto& w : pool_.workers) w->parker().unpark();
  for (auto& thread : threads_) thread.join();
}

bool sim_driver::step() noexcept {
  if (++busy_steps_ >= patience) jump();
  seed_ = seed_ * 6364136223846793005u + 1442695040888963407u;  // Knuth's MMIX
  const std::size_t n = pool_.workers.size();
  const std::size_t start = (seed_ >> 33) % n;
  for (std::size_t i = 0; i < n; ++i) {
    worker& w = *pool_.workers[(start + i) % n];
    worker::set_current(&w);
    if (w.step()) return true;
  }
  return jump();
}

bool sim_driver::jump() noexcept {
  busy_steps_ = 0;
  time_point earliest = time_point::max();
  for (auto& w : pool_.workers) {
    worker::set_current(w.get());
    w->timers().poll(pool_.now());
    earliest = std::min(earliest, w->timers().next_deadline());
  }
  if (earliest == time_point::max()) return pool_.any_work();
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(earliest.time_since_epoch()).count();
  // relaxed: one thread moves virtual time
  pool_.virtual_now.store(std::max(ns, pool_.virtual_now.load(relaxed)), relaxed);
  for (auto& w : pool_.workers) {
    worker::set_current(w.get());
    w->timers().poll(pool_.now());
  }
  return true;
}

}  // namespace sluice::impl
