#pragma once
// A runtime's core in a model: on the fake scheduler, with tasks whose results are race-checked, and a plain thread that awaits
// through the shipped awaiters.
#include "fake_scheduler.hpp"

#include <sluice/model/program.hpp>
#include <sluice/queues/thread_context.hpp>
#include <sluice/runtime/join_handle.hpp>
#include <sluice/runtime/runtime.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace sluice::test {

using namespace sluice::impl;

/// A result whose every touch is race-checked, its destruction too.
class checked_value {
 public:
  explicit checked_value(int value) noexcept : value_(value) {}
  checked_value(checked_value&& other) noexcept : value_(other.value_.get()) {}
  checked_value& operator=(checked_value&&) = delete;
  int value() const noexcept { return value_.get(); }

 private:
  plain<int> value_;
};

/// A core that is retired when the program ends, unless the program did.
class core_holder {
 public:
  explicit core_holder(int workers, std::function<void(const unhandled_exception&)> hook = {}) {
    scheduler_options options;
    options.workers = static_cast<std::size_t>(workers);
    core_ = new runtime_core(std::move(options), 1, std::move(hook));
  }
  ~core_holder() { retire(); }
  core_holder(const core_holder&) = delete;
  core_holder& operator=(const core_holder&) = delete;

  runtime_core* operator->() const noexcept { return core_; }
  runtime_core& operator*() const noexcept { return *core_; }
  /// What ~runtime does.
  void retire() noexcept {
    if (core_ != nullptr) std::exchange(core_, nullptr)->retire();
  }

 private:
  runtime_core* core_;
};

/// What a task awaits to learn whether its worker runs on its behalf: this_task, yield and nested waits go by that.
struct current {
  struct awaiter {
    task_context* own;
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    bool await_resume() const noexcept { return scheduler::current_task() == own; }
  };
  awaiter bind(task_context& context) && noexcept { return {&context}; }
};
inline constexpr const char* runs_as_itself = "A coroutine runs on behalf of its own context.";

/// How a wait ended: the value, -1 for cancelled, -2 for another exception.
template <class Awaiter>
int await(Awaiter& awaiter, thread_context& context) {
  try {
    if (!awaiter.await_ready() && awaiter.await_suspend(std::coroutine_handle<>{})) context.park();
    return awaiter.await_resume().value();
  } catch (const cancelled&) {
    return -1;
  } catch (...) {
    return -2;
  }
}

/// One spawned task, which the threads of the model run.
struct one_task {
  plain<int> argument{6};
  core_holder core{0};
  std::optional<join_handle<checked_value>> handle;
  runnable* root = nullptr;  // the task, until a thread takes it
  int outcome = 0;           // written by the worker that resumes the task last

  void spawn(task<checked_value> t) {
    handle.emplace(spawner::spawn(*core, t, "model", "", 0));
    root = &fake::take();
  }
};

}  // namespace sluice::test
