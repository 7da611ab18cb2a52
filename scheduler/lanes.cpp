#include <sluice/scheduler/lanes.hpp>

#include <sluice/scheduler/worker.hpp>

#include <memory>

namespace sluice::impl {

void lane_queue::wake(runnable& r) noexcept {
  worker* const w = worker::current();
  runnable* const one = &r;
  if (w != nullptr && &w->pool() == &pool_) {
    if (!items_.put(w->index(), &one, 1)) pool_.inbox.put(r);  // I1
    return pool_.wake_for_outside();
  }
  const visit here(pool_);
  if (!items_.put(injection_queue::any_thread, &one, 1)) pool_.inbox.put(r);  // I1
  pool_.wake_for_outside();
}

lane_set::~lane_set() { delete queues_.load(relaxed); }  // relaxed: nobody else is left

lane_queue& lane_set::get(which lane) {
  both* made = queues_.load(acquire);  // E1 observe
  if (made == nullptr) {
    auto mine = std::make_unique<both>(pool_, workers_);
    // E1 publish, D1 store; acquire, E1 observe
    if (queues_.compare_exchange_strong(made, mine.get(), seq_cst, acquire)) made = mine.release();
  }
  return made->at[lane];
}

runnable* lane_set::take(which lane) noexcept {
  if (!in_use()) return nullptr;
  runnable* r = nullptr;
  return queues_.load(acquire)->at[lane].items_.take(&r, 1) == 1 ? r : nullptr;  // E1 observe
}

bool lane_set::have_items() const noexcept {
  both* const made = queues_.load(seq_cst);  // D1 load, E1 observe
  return made != nullptr && (made->at[critical].items_.has_items() || made->at[background].items_.has_items());
}

std::size_t lane_set::size(which lane) const noexcept {
  both* const made = queues_.load(acquire);  // E1 observe
  return made == nullptr ? 0 : made->at[lane].items_.size();
}

}  // namespace sluice::impl
