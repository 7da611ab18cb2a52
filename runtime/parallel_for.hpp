#pragma once
// parallel_for: a loop whose rounds run in parallel on the stacks of the workers. It is halved lazily: only while nothing that
// this worker has forked is left to steal (Tzannes, Caragea, Barua and Vishkin, "Lazy binary-splitting", PPoPP 2010). The first four
// times it is halved anyway: of as many long rounds as workers each shall find one, and not wait until the piece before was stolen.

#include <sluice/runtime/fork_join.hpp>
#include <sluice/runtime/index_range.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>

namespace sluice {
namespace impl {

template <class Index, class Body>
class parallel_loop {
 public:
  using size = std::make_unsigned_t<Index>;

  parallel_loop(Body& body, size grain) noexcept : body_(body), grain_(grain) {}

  /// `eager`: so many times it is halved anyway.
  void operator()(Index first, Index last, int eager) {
    fork_lane& lane = lane_for("parallel_for");
    while (distance(first, last) > grain_) {
      if (failed_.raised()) return;
      if (!lane.has_forks() || (eager > 0 && !lane.has_enough_forks())) {
        const auto middle = static_cast<Index>(static_cast<size>(first) + distance(first, last) / 2);
        fork_join([&] { (*this)(first, middle, eager - 1); }, [&] { (*this)(middle, last, eager - 1); });
        return;
      }
      lane.feed_the_hungry();
      const auto next = static_cast<Index>(static_cast<size>(first) + grain_);
      rounds(first, next);
      first = next;
    }
    rounds(first, last);
  }

  static size distance(Index first, Index last) noexcept {
    return static_cast<size>(static_cast<size>(last) - static_cast<size>(first));
  }

 private:
  void rounds(Index first, Index last) {
    try {
      for (; first != last; ++first) static_cast<void>(std::invoke(body_, Index{first}));
    } catch (...) {
      failed_.raise();
      throw;
    }
  }

  Body& body_;
  const size grain_;
  hint failed_;  // a round has thrown; the exception itself goes by way of the joins
};

}  // namespace impl

/// Calls `body(i)` once for every i in [first, end), in parallel and in no particular order; returns when all calls have ended. An empty
/// or reversed range calls nothing. `grain` is how many rounds are called one after another before the loop looks for workers
/// that have nothing to do; 0 chooses one from the length: make it so that a grain takes some microseconds or more.
///
/// Callers, progress, cancellation: as for fork_join. Errors: std::logic_error elsewhere than on a worker;
/// std::invalid_argument if the type of `first`, which is that of i, cannot hold `end`. If a call throws, the others stop at the end of
/// their grains; one of the exceptions is rethrown when all that have begun have ended.
template <std::integral Index, std::integral Last, class Body>
  requires std::invocable<Body&, Index> && (!std::same_as<Index, bool>)
void parallel_for(Index first, Last end, Body&& body, std::size_t grain = 0) {
  const Index last = impl::checked_end<Index>(end, "parallel_for");
  static_assert(
      !impl::bindable<std::invoke_result_t<Body&, Index>>,
      "parallel_for: the body is a coroutine, or gives something to await, and nobody would; use when_all or a "
      "task_group for tasks");
  using loop = impl::parallel_loop<Index, std::remove_reference_t<Body>>;
  using size = typename loop::size;
  if (first >= last) {
    (void)impl::lane_for("parallel_for");
    return;
  }
  constexpr std::size_t pieces = 512;
  constexpr std::size_t longest = 1024;
  const std::size_t rounds = loop::distance(first, last);
  if (grain == 0) grain = std::clamp<std::size_t>(rounds / pieces, 1, longest);
  loop all(body, static_cast<size>(std::min(grain, rounds)));
  all(first, last, 4);
}

}  // namespace sluice
