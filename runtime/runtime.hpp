#pragma once
// runtime: workers, the tasks spawned onto them, and the pool for blocking calls.

#include <sluice/runtime/executor.hpp>
#include <sluice/runtime/join_handle.hpp>
#include <sluice/runtime/runtime_core.hpp>
#include <sluice/runtime/task.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace sluice {

struct runtime_options {
  /// Worker threads, 4096 at most. 0: what the affinity mask and the cgroup quota allow, which is looked up again every few seconds of
  /// work and when work begins after a pause: workers beyond that stand by. It may grow to the size of the affinity mask of now.
  std::size_t workers = 0;
  /// Thread names and dumps show it.
  std::string name = "sluice";
  /// A seed: the runtime becomes a simulation. One thread (the one in block_on or wait) runs `workers` virtual
  /// workers in an order that the seed decides, on a virtual clock; the same seed gives the same run.
  std::optional<std::uint64_t> simulation = {};
  /// How many waits of a task may be over at once, one after another, before it steps back behind what is ready: so a task whose
  /// queue is never empty does not keep its worker for ever. 0: never; for single tasks see unconstrained(). 128, as in tokio.
  std::uint32_t ready_budget = 128;
  /// Binds each worker to a processor of its own among those that this thread may use: one last-level cache is filled before the
  /// next, separate cores before second threads of a core; in turn if there are more workers than processors. It helps a process that
  /// has its processors for itself and whose tasks work on what lies in their caches. It harms where other processes, or
  /// threads of this one, want the same processors: a worker that must wait for its own cannot go to one that is free. So two
  /// runtimes with it meet on the same processors, and a thread that a task starts inherits its worker's (those of run_blocking and
  /// signals do not). Has no effect in a simulation.
  bool pin_workers = false;
  /// The most threads that run_blocking may use; 1 to 65536. 512, because blocked threads cost memory, not processors.
  std::size_t blocking_threads = 512;
  /// Called when worker threads start, stop and sleep.
  worker_hooks hooks = {};
  /// Called with an exception that no handle collected, on the thread that found it; must not throw. The default
  /// prints one sentence with the task's name and site, and the program goes on.
  std::function<void(const unhandled_exception&)> on_unhandled_exception = {};
};

namespace impl {

template <class F, class... Args>
using task_made_by = std::invoke_result_t<std::decay_t<F>&, std::decay_t<Args>...>;

/// f and its arguments live in this coroutine's frame until the task that f made has ended.
template <class T, class F, class... Args>
task<T> keep_and_call(F f, Args... args) {
  co_return co_await std::invoke(f, std::move(args)...);
}

template <class F, class... Args>
auto make_task(F&& f, Args&&... args) {
  using made = task_made_by<F, Args...>;
  static_assert(
      is_task<made>,
      "spawn(f, args...) takes a function that returns a sluice::task; for a plain function use run_blocking");
  return keep_and_call<typename made::value_type, std::decay_t<F>, std::decay_t<Args>...>(std::forward<F>(f),
                                                                                          std::forward<Args>(args)...);
}

template <class X>
constexpr void refuse_to_run() {
  static_assert(holds_task<X>,
                "block_on and run take a sluice::task: call the coroutine that makes one, have a task await this "
                "operation, or on "
                "a plain thread use its blocking_ twin, such as q.blocking_get()");
}

template <class F>
constexpr const char* function_of_callable() noexcept {
  return __PRETTY_FUNCTION__;  // "... [F = the type]", or "... [with F = the type]"
}

template <class F>
consteval std::string_view type_in_function() {
  const std::string_view text = function_of_callable<F>();
  const std::size_t at = text.find("F = ");
  return at == std::string_view::npos ? text : text.substr(at + 4, text.size() - at - 5);
}

template <class F>
consteval auto type_with_end() {
  std::array<char, type_in_function<F>().size() + 1> text{};  // one more: the terminating zero
  std::ranges::copy(type_in_function<F>(), text.begin());
  return text;
}
template <class F>
inline constexpr auto callable_text = type_with_end<F>();

/// What to call a task that was spawned as a callable: compilers put the place of a lambda into its type's name.
template <class F>
constexpr const char* callable_name() noexcept {
  return callable_text<F>.data();
}

template <class F>
concept task_callable = !is_task<std::remove_cvref_t<F>>;

struct spawner {
  /// Throws std::bad_alloc or std::logic_error before anything has changed.
  template <class T>
  static join_handle<T> spawn(runtime_core& core, task<T>& t, const char* name, const char* file, unsigned line) {
    task_access::check(t);
    auto& record = core.make_record<spawned<T>>(name, file, line);
    attach(task_access::take(t), record, record.outcome());
    core.start(record, true);
    return join_handle<T>(record);
  }

  /// The core of the runtime of the running task. Throws std::logic_error outside of every task.
  static runtime_core& current_core();
};

}  // namespace impl

/// A set of workers and the tasks that run on them. Several may live in one process. Any thread may call any member; the
/// destructor is called by one thread that is not a worker, when no other thread uses the runtime any more.
///
/// After fork() the child has none of the workers. There block_on, spawn, dump and join_handle::wait throw std::logic_error; what cannot
/// throw (the destructor, waking a task of this runtime) says so and aborts, and so does a task that called fork() and goes on in the
/// child until it waits or ends. A child may call exec or _exit at any time, and may make runtimes of its own on a thread that is no
/// worker. A simulation has no threads and goes on in the child. For signals see there.
class runtime {
 public:
  /// Throws std::invalid_argument for options that make no sense, std::system_error when a thread cannot be started
  /// or bound.
  explicit runtime(runtime_options options = {});
  /// Cancels what still runs, waits for it, joins the threads. On a worker, and in a child of fork(): prints why not and aborts.
  ~runtime();
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  /// Runs the task to its end while this thread waits. Throws what the task threw; std::logic_error on a worker of any
  /// runtime (use co_await there), and in a simulation where nothing can run any more: then the task stays, as if spawned.
  template <class T>
  T block_on(task<T> t) {
    refuse_on_worker("runtime::block_on()", "co_await the task instead");
    impl::task_access::check(t);
    auto& record = core_->make_record<impl::spawned<T>>("block_on", "", 0u);
    record.counted = false;
    impl::attach(impl::task_access::take(t), record, record.outcome());
    core_->start(record, true);
    join_handle<T> handle(record);
    try {
      return handle.wait();
    } catch (...) {
      if (!handle.done()) core_->count_in(record);
      throw;
    }
  }

  /// Says what to write instead.
  template <class X>
    requires(!impl::holds_task<std::remove_cvref_t<X>>)
  void block_on(X&&) {
    impl::refuse_to_run<std::remove_cvref_t<X>>();
  }

  /// Starts a task beside everything else. Lock-free. `name` is a string that outlives the task, for dumps and reports.
  template <class T>
  join_handle<T> spawn(task<T> t, const char* name = "", const char* file = __builtin_FILE(),
                       unsigned line = __builtin_LINE()) {
    return impl::spawner::spawn(*core_, t, name, file, line);
  }
  /// The same for f(args...): keeps copies of f and its arguments alive until the task has ended.
  template <impl::task_callable F, class... Args>
  auto spawn(F&& f, Args&&... args) {
    auto t = impl::make_task(std::forward<F>(f), std::forward<Args>(args)...);
    return impl::spawner::spawn(*core_, t, impl::callable_name<std::decay_t<F>>(), "", 0);
  }

  /// How many workers may run now; changes only where runtime_options::workers is 0.
  std::size_t worker_count() const noexcept;
  /// Worker `index` alone, from 0: for what must stay on one thread. A task there goes on when that worker has time for it, though
  /// others may be idle. Throws std::invalid_argument when there is no such worker. Valid while the runtime is, also when that worker stands
  /// by: what is pinned to it is served all the same. For state per worker set runtime_options::workers, so that their number stays.
  executor worker(std::size_t index);
  /// Spawned tasks that have not ended, children of groups included. Exact when nothing is spawned or ends meanwhile.
  /// The frame of a task that is counted out is destroyed; so is its result, unless a handle had it until that moment.
  std::size_t task_count() const noexcept { return core_->task_count(); }
  /// Exceptions that went to the unhandled-exception hook so far.
  std::size_t unhandled_exception_count() const noexcept { return core_->unhandled_count(); }
  /// The runtime's clock: steady_clock, or the virtual clock of a simulation.
  std::chrono::steady_clock::time_point now() const noexcept { return core_->sched().now(); }

  /// Prints every worker, spawned task, wait and timer: a snapshot, also while the program hangs.
  void dump(std::FILE* out = stderr) const;
  std::string dump_text() const { return core_->dump(); }

 private:
  friend strand;
  static void refuse_on_worker(const char* what, const char* instead);

  impl::runtime_core* core_;
};

/// Builds a runtime, runs the task to its end, tears the runtime down. std::logic_error on a worker of any runtime.
template <class T>
T run(task<T> t, runtime_options options = {}) {
  if (impl::scheduler::current() != nullptr) impl::throw_on_worker("run()", "co_await the task instead");
  runtime r(std::move(options));
  return r.block_on(std::move(t));
}

/// Says what to write instead.
template <class X>
  requires(!impl::holds_task<std::remove_cvref_t<X>>)
void run(X&&, runtime_options = {}) {
  impl::refuse_to_run<std::remove_cvref_t<X>>();
}

/// Starts a task on the runtime of the task that calls it; std::logic_error outside of every task.
template <class T>
join_handle<T> spawn(task<T> t, const char* name = "", const char* file = __builtin_FILE(),
                     unsigned line = __builtin_LINE()) {
  return impl::spawner::spawn(impl::spawner::current_core(), t, name, file, line);
}
/// The same for f(args...): keeps copies of f and its arguments alive until the task has ended.
template <impl::task_callable F, class... Args>
auto spawn(F&& f, Args&&... args) {
  auto& core = impl::spawner::current_core();
  auto t = impl::make_task(std::forward<F>(f), std::forward<Args>(args)...);
  return impl::spawner::spawn(core, t, impl::callable_name<std::decay_t<F>>(), "", 0);
}

}  // namespace sluice
