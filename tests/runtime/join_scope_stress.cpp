// stresses: runtime/split_scope.hpp runtime/join_scope.hpp runtime/each_scope.hpp queues/task_context.hpp queues/cancellation.hpp
// Trees of when_all, in its three forms, when_any and when_all_settled on real threads, whose leaves compute, give way, sleep, wait, or fail, and whose
// roots are cancelled at any time: every child that begins ends once, before its parent goes on, and a failure or a
// cancellation of one part reaches nothing outside of it.
#include "worlds.hpp"

#include <array>
#include <atomic>
#include <random>
#include <stdexcept>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

struct forest {
  std::atomic<long> begun{0};
  std::atomic<long> ended{0};
  std::atomic<long> early{0};     // parents that went on before a child had ended
  std::atomic<long> leaked{0};    // cancellations that were seen outside of the part that was cancelled
  std::atomic<bool> cuts{false};  // whether roots are cancelled
  event never;
};

struct failure : std::runtime_error {
  failure() : std::runtime_error("as planned") {}
};

/// Counts a child in and out, for its parent and for all.
class census {
 public:
  census(forest& f, std::atomic<int>& alive) : forest_(f), alive_(alive) {
    ++forest_.begun;
    ++alive_;
  }
  census(const census&) = delete;
  census& operator=(const census&) = delete;
  ~census() {
    --alive_;
    ++forest_.ended;
  }

 private:
  forest& forest_;
  std::atomic<int>& alive_;
};

task<long> grow(forest& f, std::atomic<int>& alive, unsigned seed, int depth);

task<long> leaf(forest& f, unsigned how) {
  switch (how % 8) {
    case 0:
      co_await yield();
      break;
    case 1:
      co_await sleep_for(std::chrono::microseconds(how / 8 % 50));
      break;
    case 2:
      try {
        co_await timeout(std::chrono::microseconds(how / 8 % 50), f.never.wait());
      } catch (const timed_out&) {
      }
      break;
    case 3:
      if (how / 8 % 4 == 0) throw failure();
      break;
    default:
      break;
  }
  co_return 1;
}

/// Children that fail, or are cancelled because another did, must leave this line as it was.
task<long> branch(forest& f, unsigned seed, int depth) {
  std::mt19937 random(seed);
  std::atomic<int> alive{0};
  const auto child = [&] { return grow(f, alive, static_cast<unsigned>(random()), depth - 1); };
  const auto how = random() % 5;
  const bool cancelled_before = this_task::cancelled();
  long sum = 0;
  try {
    if (how == 0) {
      auto [a, b] = co_await when_all(child(), child());
      sum = a + b;
    } else if (how == 1) {
      std::vector<task<long>> children;
      for (auto n = random() % 5; n > 0; --n) children.push_back(child());
      for (const long each : co_await when_all(std::move(children))) sum += each;
    } else if (how == 2) {
      auto first = co_await when_any(child(), child(), child());
      sum = std::visit([](long n) { return n; }, first);
    } else if (how == 3) {
      const auto next = [&](unsigned) { return child(); };  // one call after another: `random` is shared
      for (const long each : co_await when_all(0u, random() % 5, next)) sum += each;
    } else {
      auto both = co_await when_all_settled(child(), child());
      sum = std::get<0>(both).has_value() ? std::get<0>(both).value() : 0;
    }
  } catch (const failure&) {
    sum = -1;
  } catch (const cancelled&) {
    if (alive != 0) ++f.early;
    throw;
  }
  if (alive != 0) ++f.early;
  // Nobody but an outer part or the root's own cancellation may have reached this line.
  if (!cancelled_before && depth == 5 && this_task::cancelled() && !f.cuts) ++f.leaked;
  co_return sum;
}

task<long> grow(forest& f, std::atomic<int>& alive, unsigned seed, int depth) {
  const census counted(f, alive);
  if (depth == 0 || seed % 5 == 0) co_return co_await leaf(f, seed / 5);
  co_return co_await branch(f, seed / 5, depth);
}

void plant(std::size_t workers, bool cuts) {
  forest f;
  f.cuts = cuts;
  {
    runtime r(threads(workers));
    std::mt19937 random(static_cast<unsigned>(workers) * 2 + cuts);
    for (int round = 0; round < 300; ++round) {
      std::array<std::atomic<int>, 4> alive{};
      std::vector<join_handle<long>> roots;
      for (auto& one : alive) roots.push_back(r.spawn(grow(f, one, static_cast<unsigned>(random()) * 5 + 1, 5)));
      for (auto& root : roots) {
        if (cuts && random() % 2 == 0) root.cancel();
      }
      for (auto& root : roots) {
        try {
          (void)root.wait();
        } catch (const failure&) {
        } catch (const cancelled&) {
          EXPECT_TRUE(cuts);
        }
      }
      for (auto& one : alive) EXPECT_EQ(one.load(), 0);
    }
    EXPECT_EQ(r.task_count(), 0u);
  }
  EXPECT_EQ(f.begun.load(), f.ended.load());
  EXPECT_EQ(f.early.load(), 0);
  EXPECT_EQ(f.leaked.load(), 0);
}

TEST(join_scope_stress, trees_of_children_that_wait_and_fail) {
  for (const std::size_t workers : {1u, 2u, 4u}) plant(workers, false);
}
TEST(join_scope_stress, trees_whose_roots_are_cancelled) {
  for (const std::size_t workers : {1u, 2u, 4u}) plant(workers, true);
}

}  // namespace
}  // namespace sluice
