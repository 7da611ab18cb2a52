#pragma once
// Runs one program on real threads and in many simulations.

#include <sluice/sluice.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>

namespace sluice::testing {

inline runtime_options simulated(std::uint64_t seed, std::size_t workers = 3) {
  runtime_options options;
  options.workers = workers;
  options.simulation = seed;
  return options;
}

inline runtime_options threads(std::size_t workers = 2) {
  runtime_options options;
  options.workers = workers;
  return options;
}

/// `program(runtime&)` on two workers, on one, and in `seeds` simulations. A failure names the world.
template <class Program>
void in_all_worlds(Program program, std::uint64_t seeds = 30) {
  {
    SCOPED_TRACE("two workers");
    runtime r(threads(2));
    program(r);
  }
  {
    SCOPED_TRACE("one worker");
    runtime r(threads(1));
    program(r);
  }
  for (std::uint64_t seed = 0; seed < seeds && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("simulation, seed " + std::to_string(seed));
    runtime r(simulated(seed));
    program(r);
  }
}

/// Spawns `victim(runtime&)` and cancels it after 0, 1, 2 ... steps of another task, in every simulation of a few seeds. What the
/// victim returned, or that it was cancelled, is for `check(bool cancelled)`.
template <class Victim, class Check>
void cancel_at_every_point(Victim victim, Check check, int points = 40, std::uint64_t seeds = 10) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    for (int point = 0; point < points && !::testing::Test::HasFailure(); ++point) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", cancelled after step " + std::to_string(point));
      runtime r(simulated(seed));
      auto program = [&]() -> task<> {
        auto handle = spawn(victim);
        for (int i = 0; i < point; ++i) co_await yield();
        handle.cancel();
        bool was_cancelled = false;
        try {
          co_await handle;
        } catch (const cancelled&) {
          was_cancelled = true;
        }
        check(was_cancelled);
      };
      r.block_on(program());
      EXPECT_EQ(r.task_count(), 0u);
      EXPECT_EQ(r.dump_text().find("timer in"), std::string::npos) << "a timer was left behind";
    }
  }
}

/// Counts how many of it live.
struct counted {
  explicit counted(std::atomic<int>& live) : live_(&live) { ++*live_; }
  counted(const counted& other) : live_(other.live_) { ++*live_; }
  counted(counted&& other) noexcept : live_(other.live_) { ++*live_; }
  counted& operator=(const counted&) = delete;
  ~counted() { --*live_; }

 private:
  std::atomic<int>* live_;
};

inline task<> for_ever() { co_await sleep_for(std::chrono::hours(1000)); }

}  // namespace sluice::testing
