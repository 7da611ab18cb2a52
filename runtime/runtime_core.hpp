#pragma once
// What a runtime is made of, and what its records and handles point to. It outlives the runtime for as long as
// handles of finished tasks do.
//
// I1  A spawned record is counted before it is submitted, and leaves the count before its end is published.
// I2  The destructor says that it drains, then visits every record: a task that has not ended is cancelled, and its end will be told.
//     When all of these have ended it visits again, until it has found none and none was spawned since the visit began. (A task
//     that it has missed was spawned meanwhile by one that it found to have ended, and so is counted by then.)
// E1  a watched task's end (release) -> the destructor's next visit (acquire): what it has spawned is counted.
// E2  an owner's leave (release) -> the last owner's (acquire): nobody else uses the core any more.

#include <sluice/runtime/blocking_pool.hpp>
#include <sluice/runtime/record_block.hpp>
#include <sluice/runtime/root_context.hpp>
#include <sluice/runtime/roster_page.hpp>
#include <sluice/runtime/worker_tally.hpp>
#include <sluice/scheduler/fork_lane.hpp>
#include <sluice/scheduler/process.hpp>
#include <sluice/scheduler/scheduler.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <string>

namespace sluice {

/// What is known of a task whose exception nobody collected.
struct unhandled_exception {
  std::exception_ptr error;
  const char* name;  ///< as given to spawn, or the type of what was spawned; may be empty
  const char* file;  ///< where it was spawned; may be empty
  unsigned line;     ///< 0 when unknown
};

namespace impl {

/// A task that was spawned: enumerable by dump() and by the runtime's destructor. Lives in a record_block, and its
/// destructor is never run: whoever owns the result last disposes of it (record_word, I2).
class record : public root_context {
 public:
  record(runtime_core& core, const char* name, const char* file, unsigned line) noexcept;

  record_word& word() noexcept { return record_block::around(this).word; }
  void free() noexcept;

  const char* name;
  const char* file;
  unsigned line;
  bool counted = true;  // in task_count(); false for block_on

 protected:
  ~record() = default;
};

class runtime_core {
 public:
  runtime_core(scheduler_options options, std::size_t blocking_threads,
               std::function<void(const unhandled_exception&)> hook);
  runtime_core(const runtime_core&) = delete;
  runtime_core& operator=(const runtime_core&) = delete;
  /// The runtime goes: cancels and awaits every task, stops the threads, and frees the core now or with the last handle.
  void retire() noexcept;

  scheduler& sched() noexcept { return *scheduler_; }
  blocking_pool& blocking() noexcept { return blocking_; }
  record_pool& records() noexcept { return records_; }
  /// How many blocks of it are free. Precondition: no task starts or ends meanwhile.
  std::uint32_t free_records() noexcept;
  roster_pool& roster_pages() noexcept { return roster_pages_; }
  roster_page& new_roster_page() { return roster_pages_.take(own_cache(&worker_share::roster_pages)); }
  void give_back(roster_page& page) noexcept { roster_pages_.give(page, own_cache(&worker_share::roster_pages)); }
  void give_back(record_block& block) noexcept { records_.give(block, own_cache(&worker_share::records)); }

  /// Builds a record in a block of the pool. Throws std::bad_alloc, and on a thread outside what require_threads() throws.
  template <class Record, class... Args>
  Record& make_record(Args&&... args);

  /// Opens a built record and hands it to the scheduler.
  void start(record& r, bool with_handle) noexcept;
  void task_came() noexcept { tally_->count_start(own_share()); }
  void task_left() noexcept { tally_->count_end(own_share()); }
  /// The end of a task that the destructor waits for.
  void watched_task_left() noexcept;
  /// Counts a task of block_on that a simulation at a standstill has left: the runtime's destructor cancels it like any other.
  void count_in(record& r) noexcept;
  std::size_t task_count() const noexcept { return tally_->alive(); }

  /// Reports an exception that nobody collected.
  void unhandled(std::exception_ptr error, const record& from) noexcept;
  std::size_t unhandled_count() const noexcept { return unhandled_count_.load(relaxed); }

  /// Throws std::logic_error in a child of the process that this runtime's threads are in.
  void require_threads() const {
    if (scheduler_->left_behind()) [[unlikely]]
      throw_made_before_fork();
  }
  void give_orphan() noexcept;
  std::string dump();  // throws what require_threads() throws
  /// As the scheduler's. Throws what require_threads() throws. At the standstill of a simulation the std::logic_error also lists the tasks.
  void block_until(atomic<std::uint32_t>& done);
  const std::string& name() const noexcept { return name_; }

  /// Dumps every runtime of the process that was not made before a fork(): for watchdogs.
  static void dump_all(std::FILE* out);

 private:
  ~runtime_core();
  void describe_tasks(std::string& out);
  bool cancel_everything() noexcept;
  /// The calling thread's, or null if it is none of this runtime's workers.
  worker_share* own_share() noexcept {
    return running_scheduler::get() == &*scheduler_ ? &tally_->of(fork_lane::current()->index()) : nullptr;
  }
  stable_cache* own_cache(stable_cache worker_share::* which) noexcept {
    worker_share* const own = own_share();
    return own == nullptr ? nullptr : &(own->*which);
  }
  void release_records() noexcept;
  void enlist() noexcept;
  void delist() noexcept;

  std::string name_;
  std::function<void(const unhandled_exception&)> hook_;
  record_pool records_;
  roster_pool roster_pages_;
  std::optional<worker_tally> tally_;
  atomic<std::uint32_t> draining_{0};       // 0 | 1; set by retire; all accesses relaxed: I2
  atomic<std::uint64_t> watched_{0};        // tasks that retire waits for, and retire itself while it looks for them
  atomic<std::uint32_t> drained_{0};        // 1 once watched_ fell to 0
  atomic<std::size_t> unhandled_count_{0};  // all accesses relaxed: a statistic
  atomic<std::uint32_t> owners_{1};         // the runtime, and afterwards every handle that outlives it
  std::optional<scheduler> scheduler_;
  blocking_pool blocking_;
  runtime_core* previous_ = nullptr;  // the process's list of runtimes, under its lock
  runtime_core* next_ = nullptr;
};

inline record::record(runtime_core& core, const char* name_, const char* file_, unsigned line_) noexcept
    : root_context(core.sched(), core), name(name_), file(file_), line(line_) {}

template <class Record, class... Args>
Record& runtime_core::make_record(Args&&... args) {
  static_assert(sizeof(Record) <= record_block::room && alignof(Record) <= 16);
  stable_cache* const cache = own_cache(&worker_share::records);
  if (cache == nullptr) require_threads();
  record_block& block = records_.take(cache);
  try {
    auto* made = ::new (static_cast<void*>(block.storage)) Record(*this, std::forward<Args>(args)...);
    // Visitors find the record's base at the start of the storage.
    if (static_cast<void*>(static_cast<record*>(made)) != static_cast<void*>(block.storage)) std::abort();
    return *made;
  } catch (...) {
    records_.give(block, cache);
    throw;
  }
}

}  // namespace impl
}  // namespace sluice
