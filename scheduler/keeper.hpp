#pragma once
// How many ready tasks a worker keeps to itself (I5 of worker.hpp): one where its steps take 6 us at most, and as many as it runs
// within 100 us, 128 at most, where they take 2 us at most.
//
// Tasks that wake each other share cache lines, and to move one of them costs more than so short a step: several putters and
// getters of one queue take half the processor on one worker that they take on two. Tasks that have nothing to do with each
// other, or that do some work between two waits, would be better off apart, though. The worker cannot know, so it tries: when it
// has had ready tasks at all its looks for 32 ms it shares all but one, and sees how long its own steps take then. If that is half as
// long again as before they disturb each other: it keeps them, and waits twice as long for the next trial, up to half a
// second, until it sleeps. Otherwise it shares them for half a second, as long as that holds. Tasks of one queue come
// together again: each is woken where its waker is, and a worker whose tasks all wait has none left.
//
// Steps that turn out long end it: while several are kept the worker looks at the clock after 16 steps at most. If those were long,
// and more than twice as long as before, it looks again after two; if those were, too, they are believed. (The first time it may
// be the processor that was lent to somebody else.) What lies behind one step that does not end is found by the watch (I3 of
// worker.hpp).
//
// The owner's, but for shares(): anybody may ask, and any answer is safe.

#include <sluice/queues/atomic.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

namespace sluice::impl {

class keeper {
 public:
  using duration = time_point::duration;

  /// Whether so many ready tasks are worth another worker's while.
  bool shares(std::uint32_t ready) const noexcept { return ready > most_.load(relaxed); }  // relaxed: a hint

  void nothing() noexcept { set(0); }

  /// When the worker begins, and after each sleep.
  void awake(time_point now, std::uint64_t steps) noexcept {
    steps_ = steps;
    surprised_ = false;
    calm_ = shares_until_ = now;
    patience_ = shortest_patience;
    set(std::min(most_.load(relaxed), 1u));  // relaxed: its own
  }

  /// At a look at the clock: `since` the last one, when the worker has begun `steps` in all and so many tasks are in its ring.
  void look(time_point now, duration since, std::uint64_t steps, std::uint32_t waiting) noexcept {
    measure(since, steps);
    if (now < shares_until_) {
      go_on_sharing(now);
    } else if (waiting == 0) {
      calm_ = now;
    } else if (now - calm_ >= patience_) {
      begin_sharing(now);
    }
    set(now < shares_until_ ? std::min(fitting(), 1u) : fitting());
  }

  /// The next look should come after so many steps at most.
  std::uint32_t steps_to_look() const noexcept {
    if (surprised_) return steps_after_surprise;
    if (most_.load(relaxed) > 1) return steps_with_several;  // relaxed: its own
    return std::numeric_limits<std::uint32_t>::max();
  }

  static constexpr duration longest_step = std::chrono::microseconds(6);
  static constexpr duration longest_of_many = std::chrono::microseconds(2);
  static constexpr duration longest_queue = std::chrono::microseconds(100);
  static constexpr std::uint32_t most_of_all = 128;
  static constexpr duration trial = std::chrono::microseconds(250);  // before it is judged
  static constexpr duration longest_sharing = std::chrono::milliseconds(512);
  static constexpr duration shortest_patience = std::chrono::milliseconds(32);
  static constexpr duration longest_patience = std::chrono::milliseconds(512);
  static constexpr std::uint32_t steps_with_several = model_build ? 1 : 16;
  static constexpr std::uint32_t steps_after_surprise = model_build ? 1 : 2;

 private:
  void measure(duration since, std::uint64_t steps) noexcept {
    const auto done = static_cast<duration::rep>(steps - std::exchange(steps_, steps));
    if (done == 0) return;
    const duration each = since / done;
    const bool surprises = each > std::max(step_ * 2, longest_of_many);
    const bool believed = std::exchange(surprised_, surprises) && surprises;
    step_ = believed ? each : std::clamp(each, step_ / 2, step_ * 2);
    step_ = std::clamp(step_, duration(1), longest_step * 4);
  }
  void begin_sharing(time_point now) noexcept {
    judged_from_ = now + trial;
    shares_until_ = calm_ = now + longest_sharing;
    kept_step_ = step_;
    disturbed_ = 0;
  }
  // Three looks in a row are believed: for the first one the others have not come yet, or the processor was away.
  void go_on_sharing(time_point now) noexcept {
    disturbed_ = step_ > kept_step_ + kept_step_ / 2 ? disturbed_ + 1 : 0;
    if (now < judged_from_ || disturbed_ < 3) return;
    patience_ = std::min(patience_ * 2, longest_patience);
    shares_until_ = calm_ = now;
  }
  std::uint32_t fitting() const noexcept {
    if (step_ > longest_step) return 0;
    if (step_ > longest_of_many) return 1;
    return static_cast<std::uint32_t>(std::min<duration::rep>(longest_queue / step_, most_of_all));
  }
  void set(std::uint32_t most) noexcept {
    if (most_.load(relaxed) != most) most_.store(most, relaxed);  // relaxed: its own; a hint to others
  }

  atomic<std::uint32_t> most_{0};     // so many are kept; the owner
  bool surprised_ = false;            // the last steps were long, and those before were not
  std::uint64_t steps_ = 0;           // begun until the last look
  duration step_ = longest_step / 2;  // about how long they take
  time_point calm_{};                 // when the ring was last seen empty, or is shared no more
  duration patience_ = shortest_patience;
  time_point judged_from_{};
  time_point shares_until_{};
  duration kept_step_{};         // how long a step took before the tasks were shared
  std::uint32_t disturbed_ = 0;  // so many looks in a row have seen longer ones since
};

}  // namespace sluice::impl
