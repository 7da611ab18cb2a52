#include <sluice/runtime/blocking_pool.hpp>

#include <system_error>
#include <utility>

namespace sluice::impl {
namespace {
constexpr std::chrono::seconds keep_alive{10};
}

blocking_pool::blocking_pool(std::size_t most, std::string name) : most_(most), name_(std::move(name)) {}

void blocking_pool::submit(blocking_job& job) {
  std::list<worker> gone;
  worker* wake = nullptr;
  {
    const locked hold(lock_);
    gone.swap(gone_);
    if (idle_ != nullptr) {
      wake = idle_;
      leave_idle(*wake);
    } else if (threads_.size() < most_) {
      try {
        add_thread();
      } catch (...) {
        if (threads_.empty()) {
          gone_.swap(gone);
          throw;
        }
      }
    }
    push(job);
  }
  if (wake != nullptr) tell(*wake);
  join(gone);
}

bool blocking_pool::withdraw(blocking_job& job) noexcept {
  const locked hold(lock_);
  if (!job.queued) return false;
  unlink(job);
  return true;
}

void blocking_pool::stop() noexcept {
  std::list<worker> gone;
  {
    const locked hold(lock_);
    stopping_ = true;
    while (idle_ != nullptr) {
      worker& w = *idle_;
      leave_idle(w);
      tell(w);
    }
    gone.splice(gone.end(), gone_);
    gone.splice(gone.end(), threads_);  // they move themselves nowhere once stopping_ is set
  }
  join(gone);
}

void blocking_pool::describe(std::string& out) const {
  const locked hold(lock_);
  out += "blocking pool: " + std::to_string(threads_.size()) + (threads_.size() == 1 ? " thread, " : " threads, ") +
         std::to_string(idle_count_.get()) + " idle, " + std::to_string(queued_.get()) +
         (queued_.get() == 1 ? " call queued\n" : " calls queued\n");
}

// Under the lock. The new thread needs it too, and so begins after this call.
void blocking_pool::add_thread() {
  threads_.emplace_back(*this);
  worker& w = threads_.back();
  w.self = std::prev(threads_.end());
  try {
    w.thread.start(
        name_.substr(0, 9) + "/block",
        [](void* self) {
          auto& me = *static_cast<worker*>(self);
          me.pool.work(me);
        },
        &w);
  } catch (...) {
    threads_.pop_back();
    throw;
  }
}

void blocking_pool::work(worker& me) noexcept {
  lock_.lock();
  for (;;) {
    if (first_ != nullptr) {
      blocking_job& job = *first_;
      unlink(job);
      lock_.unlock();
      job.run();
      if (made_in_.in_child()) abort_made_before_fork();  // the call has forked; another thread may have the lock there
      lock_.lock();
    } else if (stopping_) {
      break;
    } else {
      me.told.store(0, relaxed);  // relaxed: handed over by the lock
      me.below = std::exchange(idle_, &me);
      idle_count_.set(idle_count_.get() + 1);
      lock_.unlock();
      const bool was_told = sleep(me);
      lock_.lock();
      if (was_told) continue;
      if (!is_idle(me)) {
        // Popped just now, and about to be told: to be told before this thread goes is what keeps `me` alive for the teller,
        // also when the pool stops meanwhile.
        lock_.unlock();
        while (me.told.load(acquire) == 0) futex::wait(me.told, 0);  // E1 observe
        lock_.lock();
        continue;
      }
      leave_idle(me);
      gone_.splice(gone_.end(), threads_, me.self);
      break;
    }
  }
  lock_.unlock();
}

/// Sleeps until told. False: nobody did for as long as an idle thread is kept.
bool blocking_pool::sleep(worker& me) noexcept {
  const time_point deadline = now() + keep_alive;
  while (me.told.load(acquire) == 0) {                                                // E1 observe
    if (!futex::wait_until(me.told, 0, deadline)) return me.told.load(acquire) != 0;  // E1 observe
  }
  return true;
}

bool blocking_pool::is_idle(const worker& me) const noexcept {
  const worker* at = idle_;
  while (at != nullptr && at != &me) at = at->below;
  return at != nullptr;
}

void blocking_pool::leave_idle(worker& me) noexcept {
  worker** at = &idle_;
  while (*at != &me) at = &(*at)->below;
  *at = me.below;
  idle_count_.set(idle_count_.get() - 1);
}

void blocking_pool::tell(worker& w) noexcept {
  w.told.store(1, release);  // E1 publish
  futex::wake(w.told, 1);
}

void blocking_pool::push(blocking_job& job) noexcept {
  job.previous = last_;
  job.next = nullptr;
  job.queued = true;
  (last_ != nullptr ? last_->next : first_) = &job;
  last_ = &job;
  queued_.set(queued_.get() + 1);
}

void blocking_pool::unlink(blocking_job& job) noexcept {
  (job.previous != nullptr ? job.previous->next : first_) = job.next;
  (job.next != nullptr ? job.next->previous : last_) = job.previous;
  job.queued = false;
  queued_.set(queued_.get() - 1);
}

void blocking_pool::join(std::list<worker>& gone) noexcept {
  for (worker& w : gone) w.thread.join();
}

}  // namespace sluice::impl
