#pragma once
// join_handle<T>: the one who may cancel a spawned task and ask for its result.
//
// The record holds the result once its word says done (record_word.hpp). A coroutine that awaits the handle is a gate
// of two parties, the end of the task and the link to the caller's cancellation:
//
//   end of the task takes the waiter bit:  takes the link back, or leaves it to the canceller that has it
//   canceller takes the waiter bit:        nobody else knows of the wait any more; the wait ends as cancelled
//
// I1  Whoever takes the waiter bit out of the word counts off the end of the task; so that happens once.

#include <sluice/runtime/gate.hpp>
#include <sluice/runtime/runtime_core.hpp>
#include <sluice/runtime/task.hpp>

#include <memory>
#include <stdexcept>

namespace sluice {

template <class T = void>
class join_handle;

namespace impl {

/// Learns of the end of a spawned task. Called as the record's last touch of it.
class end_listener {
 public:
  virtual void ended() noexcept = 0;

 protected:
  ~end_listener() = default;
};

/// The record of a spawned task that has a handle. A result too large for the block lies beside it.
template <class T>
class spawned final : public record {
  static constexpr bool fits = sizeof(result<T>) <= 72 && alignof(result<T>) <= 16;

 public:
  spawned(runtime_core& core, const char* task_name, const char* task_file, unsigned task_line)
      : record(core, task_name, task_file, task_line) {
    if constexpr (!fits) outcome_ = std::make_unique<result<T>>();
  }

  std::coroutine_handle<> finished(std::coroutine_handle<> frame, task_context&) noexcept override {
    frame.destroy();
    // A result that nobody will ask for goes before the task is counted out, except where the handle goes just now.
    const bool disposed = word().handle_gone();
    if (disposed) dispose();
    runtime_core& owner = core();
    if (counted) owner.task_left();
    auto end = word().finish(disposed);
    if (end.what == record_word::finish_result::dispose) {
      dispose();
      end = word().finish(true);
    }
    if (end.what == record_word::finish_result::free) free();
    if (end.what == record_word::finish_result::wake) listener_.load(relaxed)->ended();
    if (end.watched) owner.watched_task_left();
    return std::noop_coroutine();
  }

  /// The handle goes.
  void drop() noexcept {
    if (word().drop_running()) return;
    dispose();
    if (word().drop_done()) free();
  }

  result<T>& outcome() noexcept {
    if constexpr (fits) {
      return outcome_;
    } else {
      return *outcome_;
    }
  }

  /// For whoever gives the result away. True: it was given away before.
  [[nodiscard]] bool take_result() noexcept { return result_taken_.exchange(true, relaxed); }
  bool result_taken() const noexcept { return result_taken_.load(relaxed); }

  /// To be claimed before the waiter bit is set. False: somebody waits already.
  [[nodiscard]] bool claim_listener(end_listener& who) noexcept {
    end_listener* expected = nullptr;
    return listener_.compare_exchange_strong(expected, &who, relaxed, relaxed);
  }
  /// For whoever took the waiter bit back, or did not come to set it. (Once the task has ended nobody claims any more.)
  void clear_listener() noexcept { listener_.store(nullptr, relaxed); }

 private:
  // An exception that nobody collected goes to the hook, unless it only says that the task was cancelled, which it was.
  void dispose() noexcept {
    if (outcome().has_error()) {
      std::exception_ptr error = outcome().take_error();
      if (error && !(cancelled() && is_cancelled(error))) core().unhandled(std::move(error), *this);
    }
    if constexpr (fits) {
      outcome_.clear();  // its destructor need not run
    } else {
      outcome_.reset();
    }
  }
  static bool is_cancelled(const std::exception_ptr& error) noexcept {
    try {
      std::rethrow_exception(error);
    } catch (const sluice::cancelled&) {
      return true;
    } catch (...) {
      return false;
    }
  }

  // null or who waits; all accesses relaxed: the waiter bit hands it over
  atomic<end_listener*> listener_{nullptr};
  // set by the one who waits; all accesses relaxed: waiters come one after another
  atomic<bool> result_taken_{false};
  std::conditional_t<fits, result<T>, std::unique_ptr<result<T>>> outcome_;
};

[[noreturn]] inline void throw_handle_empty() {
  throw std::logic_error(
      "sluice::join_handle: the result of this task was already taken, or the handle was detached or moved from; "
      "keep the result instead of awaiting the handle again");
}
[[noreturn]] inline void throw_handle_taken() {
  throw std::logic_error(
      "sluice::join_handle: somebody waits on this handle already; let one coroutine or thread wait and share the "
      "result from there, for example through an event");
}

template <class T>
class [[nodiscard]] join_awaiter final : public canceller, public end_listener {
 public:
  static constexpr bool is_arm = true;  // of a select

  join_awaiter(join_handle<T>& handle, task_context& context) : handle_(&handle), context_(context) {}
  join_awaiter(const join_awaiter&) = delete;
  join_awaiter& operator=(const join_awaiter&) = delete;

  bool await_ready() noexcept {
    cancelled_ = context_.cancelled();
    return cancelled_ || handle_->record_->word().done();
  }
  bool await_suspend(std::coroutine_handle<> self) {
    spawned<T>& record = *handle_->record_;
    waiting_on_ = &record;
    context_.handle = self;
    context_.note_wait("join_handle", &record);
    // Claimed before the link is armed: from then on the canceller may come at any moment.
    refused_ = !record.claim_listener(*this);
    if (refused_) return false;
    if (!context_.arm(link_)) {
      record.clear_listener();
      cancelled_ = true;
      return false;
    }
    if (record.word().add_waiter()) return !gate_.leave(withdraw_if_cancelled() ? 2 : 1);
    // The end of the task will not call: it counts as gone. A canceller that has the link finds no waiter bit.
    return !gate_.leave(context_.disarm(link_) ? 3 : 2);
  }
  T await_resume() {
    context_.note_wait(nullptr, nullptr);
    if (refused_) throw_handle_taken();
    if (cancelled_) throw sluice::cancelled{};
    return handle_->take();
  }

  void ended() noexcept override { gate_.leave_and_wake(context_.disarm(link_) ? 2 : 1, context_); }

  void cancel(cancellable&, cancellation&) noexcept override {
    const bool mine = withdraw();
    gate_.leave_and_wake(mine ? 2 : 1, context_);
  }

 private:
  // Takes the end of the task out of the gate. False: it has come, or the other side has withdrawn it.
  bool withdraw() noexcept {
    if (!waiting_on_->word().remove_waiter()) return false;
    waiting_on_->clear_listener();
    cancelled_ = true;
    return true;
  }
  // A canceller that came before the waiter bit was set has found nothing to withdraw: then it is done here. The word's
  // read-modify-writes order the two: whose came second sees what the first one did before.
  bool withdraw_if_cancelled() noexcept { return context_.cancelled() && withdraw(); }

  join_handle<T>* handle_;
  task_context& context_;
  spawned<T>* waiting_on_ = nullptr;
  cancellable link_{this};
  gate gate_{3};  // the end of the task, the link, await_suspend
  bool cancelled_ = false;
  bool refused_ = false;
};

/// A plain thread that waits for the end of a task.
class thread_waiter final : public end_listener {
 public:
  explicit thread_waiter(runtime_core& core) noexcept : core_(core) {}
  void ended() noexcept override { core_.sched().unblock(done_); }
  void wait() { core_.block_until(done_); }

 private:
  runtime_core& core_;
  atomic<std::uint32_t> done_{0};  // 0 | 1; set by ended
};

struct spawner;

[[noreturn]] void throw_on_worker(const char* what, const char* instead);

}  // namespace impl

/// The handle of a spawned task. Dropping it detaches: the task runs on, and an exception that nobody collects
/// goes to the unhandled-exception hook.
///
/// `co_await handle` (rvalue or lvalue) waits for the end and gives the task's result or throws its exception. It is
/// cancellable: that only stops the waiting, the handle can be used again. One coroutine or thread waits at a
/// time (std::logic_error for another), and the result is given once.
template <class T>
class [[nodiscard("dropping the handle detaches the task: say so with detach()")]] join_handle {
 public:
  using awaited_by_reference = void;

  join_handle(join_handle&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
  join_handle& operator=(join_handle&& other) noexcept {
    join_handle old(std::move(*this));
    record_ = std::exchange(other.record_, nullptr);
    return *this;
  }
  ~join_handle() { detach(); }

  /// Requests cancellation of the task: its next or current wait throws sluice::cancelled. Any thread that may use
  /// the handle; idempotent; never waits.
  void cancel() noexcept {
    if (record_ != nullptr) record_->cancel();
  }

  /// Whether the task has ended. By then it has left task_count() and its frame is destroyed. True of an empty handle.
  bool done() const noexcept { return record_ == nullptr || record_->word().done(); }

  /// Lets go of the task, which runs on.
  void detach() noexcept {
    if (record_ != nullptr) std::exchange(record_, nullptr)->drop();
  }

  /// Waits on a plain thread. Throws what the task threw; std::logic_error on a worker (use co_await there), when the
  /// result was taken, when somebody waits already, or in a child of fork() if the task had not ended before.
  T wait() {
    if (scheduler::current() != nullptr) {
      impl::throw_on_worker("join_handle::wait()", "co_await the handle instead");
    }
    if (record_ == nullptr || record_->result_taken()) impl::throw_handle_empty();
    wait_for_end();
    return take();
  }

  /// What co_await calls.
  impl::join_awaiter<T> bind(impl::task_context& context) {
    if (record_ == nullptr || record_->result_taken()) impl::throw_handle_empty();
    return {*this, context};
  }

 private:
  using scheduler = impl::scheduler;
  friend class runtime;
  friend impl::join_awaiter<T>;
  friend impl::spawner;
  explicit join_handle(impl::spawned<T>& record) noexcept : record_(&record) {}

  void wait_for_end() {
    if (record_->word().done()) return;
    impl::thread_waiter waiter(record_->core());
    if (!record_->claim_listener(waiter)) impl::throw_handle_taken();
    if (!record_->word().add_waiter()) return;
    try {
      waiter.wait();
    } catch (...) {  // a simulation at a standstill, or a child of fork(): nothing runs, so the bit is still there
      (void)record_->word().remove_waiter();
      record_->clear_listener();
      throw;
    }
  }
  // The record stays until the handle goes: others may be inside cancel() and done().
  T take() {
    if (record_->take_result()) impl::throw_handle_empty();
    return record_->outcome().get();
  }

  impl::spawned<T>* record_;
};

}  // namespace sluice
