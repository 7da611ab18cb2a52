// Counting tasks in and out, and the way a runtime goes.

#include <sluice/runtime/runtime_core.hpp>

#include <sluice/runtime/futex_mutex.hpp>
#include <sluice/runtime/roster.hpp>
#include <sluice/scheduler/process.hpp>

#include <cstdlib>
#include <new>
#include <utility>

namespace sluice::impl {
namespace {

futex_mutex list_mutex;
atomic<runtime_core*> list_head{nullptr};  // under list_mutex, so all accesses are relaxed

// A child of fork() has none of the threads of the runtimes so far, and one of these may hold the lock: no use for either.
[[gnu::constructor(101)]] void watch_forks() {
  if constexpr (!model_build) {
    at_fork_in_child([] {
      ::new (static_cast<void*>(&list_mutex)) futex_mutex;
      list_head.store(nullptr, relaxed);
    });
  }
}

void print_unhandled(const unhandled_exception& e, const char* what) noexcept {
  const bool placed = *e.file != '\0';
  char line[16] = "";
  if (placed) std::snprintf(line, sizeof line, ":%u", e.line);
  std::fprintf(stderr,
               "sluice: the task '%s'%s%s%s ended with an exception that nobody collected: %s. "
               "Await or wait() its join_handle, or set runtime_options::on_unhandled_exception.\n",
               *e.name != '\0' ? e.name : "unnamed", placed ? " spawned at " : "", e.file, line, what);
}

void print_unhandled(const unhandled_exception& e) noexcept {
  try {
    std::rethrow_exception(e.error);
  } catch (const std::exception& caught) {
    print_unhandled(e, caught.what());
  } catch (...) {
    print_unhandled(e, "an exception that is not a std::exception");
  }
}

}  // namespace

void record::free() noexcept {
  runtime_core& owner = core();
  record_block& block = record_block::around(this);
  if (block.word.orphaned()) {
    owner.give_orphan();
  } else {
    owner.give_back(block);
  }
}

runtime_core::runtime_core(scheduler_options options, std::size_t blocking_threads,
                           std::function<void(const unhandled_exception&)> hook)
    : name_(options.name), hook_(std::move(hook)), blocking_(blocking_threads, options.name) {
  scheduler_.emplace(std::move(options));
  tally_.emplace(scheduler_->worker_slots());
  enlist();
}

runtime_core::~runtime_core() {
  for (std::uint32_t i = 0; i < roster_pages_.used(); ++i) roster::free_leftovers(roster_pages_.at(i));
}

void runtime_core::start(record& r, bool with_handle) noexcept {
  r.word().open(with_handle);
  if (r.counted) task_came();
  if (draining_.load(relaxed) != 0) r.cancel();
  scheduler_->submit(r);
}

void runtime_core::watched_task_left() noexcept {
  if (watched_.fetch_sub(1, release) == 1) scheduler_->unblock(drained_);  // E1 publish
}

void runtime_core::count_in(record& r) noexcept {
  r.counted = true;
  tally_->count_start(nullptr);
}

void runtime_core::unhandled(std::exception_ptr error, const record& from) noexcept {
  unhandled_count_.fetch_add(1, relaxed);
  const unhandled_exception report{std::move(error), from.name, from.file, from.line};
  if (hook_) {
    hook_(report);
  } else {
    print_unhandled(report);
  }
}

void runtime_core::retire() noexcept {
  if (scheduler_->left_behind()) abort_made_before_fork();
  draining_.store(1, relaxed);
  for (std::uint64_t before = tally_->started(); cancel_everything() || tally_->started() != before;
       before = tally_->started()) {
    if (watched_.fetch_sub(1, acquire) != 1) {  // E1 observe
      block_until(drained_);
      drained_.store(0, relaxed);    // relaxed: nobody is watched now
      (void)watched_.load(acquire);  // E1 observe: of all, for their decrements are one chain
    }
  }
  delist();
  blocking_.stop();
  scheduler_.reset();  // joins the workers: whoever was still leaving a record has left
  release_records();
}

// watched_ counts those that have not ended, and one more. False: there are none.
bool runtime_core::cancel_everything() noexcept {
  watched_.store(1, relaxed);  // relaxed: nobody is watched yet
  bool found = false;
  for (std::uint32_t i = 0; i < records_.used(); ++i) {
    record_block& block = records_.at(i);
    watched_.fetch_add(1, relaxed);  // before it may end; relaxed: the record's word hands it over
    if (!block.word.watch()) {
      watched_.fetch_sub(1, relaxed);  // relaxed: this thread's own
      continue;
    }
    found = true;
    auto* task = std::launder(reinterpret_cast<record*>(block.storage));
    task->cancel();
    if (block.word.leave_visit()) task->free();
  }
  return found;
}

void runtime_core::release_records() noexcept {
  std::uint32_t orphans = 0;
  for (std::uint32_t i = 0; i < records_.used(); ++i) {
    // Counted before it is marked: its handle may be dropped at once.
    owners_.fetch_add(1, relaxed);  // relaxed: this thread holds a share
    if (records_.at(i).word.make_orphan()) {
      ++orphans;
    } else {
      owners_.fetch_sub(1, relaxed);  // relaxed: this thread still holds one
    }
  }
  // A handle that was being dropped meanwhile is between the word and the free list for a few instructions.
  while (free_records() + orphans != records_.used()) yield_thread();
  give_orphan();
}

std::uint32_t runtime_core::free_records() noexcept {
  std::uint32_t free = records_.free_count();
  for (std::size_t i = 0; i < tally_->workers(); ++i) free += records_.free_count(tally_->of(i).records);
  return free;
}

void runtime_core::give_orphan() noexcept {
  if (owners_.fetch_sub(1, acq_rel) == 1) delete this;  // E2 publish, E2 observe
}

void runtime_core::enlist() noexcept {
  const locked hold(list_mutex);
  next_ = list_head.load(relaxed);
  if (next_ != nullptr) next_->previous_ = this;
  list_head.store(this, relaxed);
}

void runtime_core::delist() noexcept {
  const locked hold(list_mutex);
  if (previous_ != nullptr) {
    previous_->next_ = next_;
  } else {
    list_head.store(next_, relaxed);
  }
  if (next_ != nullptr) next_->previous_ = previous_;
}

void runtime_core::dump_all(std::FILE* out) {
  const locked hold(list_mutex);
  for (runtime_core* core = list_head.load(relaxed); core != nullptr; core = core->next_) {
    const std::string text = core->dump();
    std::fwrite(text.data(), 1, text.size(), out);
  }
  std::fflush(out);
}

}  // namespace sluice::impl
