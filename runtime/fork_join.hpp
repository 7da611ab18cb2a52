#pragma once
// fork_join: two plain functions called in parallel on the stacks of the workers, without coroutines. How the second one
// is offered, stolen and awaited is in scheduler/fork_lane.hpp.

#include <sluice/runtime/result.hpp>
#include <sluice/runtime/task.hpp>
#include <sluice/scheduler/fork_lane.hpp>

#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

namespace sluice {
namespace impl {

/// The lane of this thread. Throws std::logic_error, which names `function`, if it is no worker.
fork_lane& lane_for(const char* function);

/// Calls `f`; void is std::monostate.
template <class F>
stored<std::invoke_result_t<F>> call_native(F&& f) {
  if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
    std::invoke(std::forward<F>(f));
    return {};
  } else {
    return std::invoke(std::forward<F>(f));
  }
}

template <class F>
using native_result = stored<std::invoke_result_t<F>>;

/// The second call: here, if it comes back, or on a thief's stack.
template <class G>
class forked_call final : public native_call {
 public:
  explicit forked_call(G& g) noexcept : native_call(&run), g_(g) {}

  native_result<G> call_here() { return call_native(std::forward<G>(g_)); }
  /// After a thief has called it: what it gave, or throws what it threw.
  native_result<G> take() {
    if (outcome_.has_error()) std::rethrow_exception(outcome_.take_error());
    return std::move(outcome_.value());
  }

 private:
  static void run(native_call& job) noexcept {
    auto& self = static_cast<forked_call&>(job);
    try {
      self.outcome_.set_value(self.call_here());
    } catch (...) {
      self.outcome_.set_error(std::current_exception());
    }
  }

  std::remove_reference_t<G>& g_;
  result<native_result<G>> outcome_;
};

/// A job between its fork and its join; joins it when the first call throws.
class open_fork {
 public:
  open_fork(fork_lane& lane, native_call& job) noexcept : lane_(lane), job_(job), forked_(lane.fork_call(job)) {}
  ~open_fork() {
    if (open_) (void)join();
  }
  open_fork(const open_fork&) = delete;
  open_fork& operator=(const open_fork&) = delete;

  /// True: nobody has begun the job, and nobody will. False: it is done.
  [[nodiscard]] bool join() noexcept {
    open_ = false;
    if (!forked_ || lane_.take_call_back()) return true;
    lane_.await(job_);
    return false;
  }

 private:
  fork_lane& lane_;
  native_call& job_;
  const bool forked_;
  bool open_ = true;
};

template <class F, class G>
std::pair<native_result<F>, native_result<G>> fork_join_on(fork_lane& lane, F&& f, G&& g) {
  forked_call<G> second(g);
  open_fork fork(lane, second);
  auto first = call_native(std::forward<F>(f));
  if (fork.join()) return {std::move(first), second.call_here()};
  return {std::move(first), second.take()};
}

}  // namespace impl

/// Calls `f` on this thread, and `g` meanwhile on another worker's if one is free, otherwise afterwards here; gives both results
/// (void as std::monostate) when both have ended. Meant for divide and conquer, as coarse or as fine as it comes: a fork within a
/// fork costs a few nanoseconds and no read-modify-write while nothing is stolen, so no cut-off is needed. Both are called within
/// this call: they may use its locals by reference.
///
/// Callers: a worker's thread, that is a task, or what f and g call in turn; elsewhere, run_blocking included, std::logic_error.
/// Progress: the four outermost open calls of a worker can be stolen at any time, more of them when somebody asks and the
/// worker forks again: so long calls belong outside. What has been stolen is waited for; meanwhile this thread runs parts of it,
/// and nothing else, so that a lock held across the call is safe as far as f and g are. Like any computation it keeps its
/// worker, and its worker's timers, waiting.
/// Errors: if f throws, g is not called unless it has begun, and what f threw is rethrown when g has ended; otherwise what g threw.
/// Cancellation: none of its own; f and g may ask this_task::cancelled(), which answers for the calling task in both.
/// Memory: the stack of the worker's thread, as deep as f and g go; nothing else unless more than 256 forks are open.
/// Source: split deques (Wool, Faxen 2010; Lace, van Dijk and van de Pol 2014), leapfrogging (Wagner and Calder 1993).
template <class F, class G>
  requires std::invocable<F> && std::invocable<G>
std::pair<impl::native_result<F>, impl::native_result<G>> fork_join(F&& f, G&& g) {
  static_assert(!std::is_reference_v<std::invoke_result_t<F>> && !std::is_reference_v<std::invoke_result_t<G>>,
                "fork_join: both functions must return values; return a pointer instead of a reference");
  static_assert(!impl::is_task<std::invoke_result_t<F>> && !impl::is_task<std::invoke_result_t<G>>,
                "fork_join: a function is a coroutine, which nobody would await; use when_all for tasks");
  return impl::fork_join_on(impl::lane_for("fork_join"), std::forward<F>(f), std::forward<G>(g));
}

}  // namespace sluice
