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

threads_driver::threads_driver(worker_pool& pool, std::vector<unsigned> processors)
    : pool_(pool), processors_(std::move(processors)) {
  threads_.reserve(pool.workers.size());
  try {
    for (auto& w : pool.workers) {
      const std::size_t index = threads_.size();
      const std::string number = std::to_string(index);
      constexpr std::size_t longest = 15;  // what the kernel keeps of a thread's name
      std::string label = pool.name.substr(0, longest - 1 - number.size());
      label.append(1, '/').append(number);
      threads_.emplace_back([worker = w.get(), label] {
        pthread_setname_np(pthread_self(), label.c_str());
        prctl(PR_SET_TIMERSLACK, 1000ul, 0ul, 0ul, 0ul);  // ns; the wheel decides what expires together
        worker_thread_name = worker->pool().name.c_str();
        worker->work();
      });
      if (!processors_.empty()) bind(label, processors_[index % processors_.size()]);
    }
  } catch (...) {
    stop();
    throw;
  }
}

void threads_driver::bind(const std::string& label, unsigned processor) {
  const int error = bind_thread(threads_.back().native_handle(), {processor});
  if (error == 0) return;
  throw std::system_error(error, std::generic_category(),
                          "sluice: worker " + label + " could not be bound to processor " + std::to_string(processor) +
                              "; leave pin_workers out where the processors that may be used change");
}

threads_driver::~threads_driver() { stop(); }

void threads_driver::stop() noexcept {
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
