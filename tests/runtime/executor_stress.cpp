// stresses: scheduler/strand_core.hpp scheduler/lanes.hpp runtime/strand.hpp runtime/executor.hpp runtime/resume_on.hpp
// Tasks that move between strands, workers and lanes on real threads, are cancelled on the way, and are woken from outside: all end, and
// each strand's state is touched by one at a time (thread sanitizer looks on).
#include "worlds.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

struct counted_strand {
  explicit counted_strand(runtime& r) : at(r) {}
  strand at;
  long touched = 0;  // by tasks on the strand only
};

struct town {
  explicit town(runtime& r) : home(r) {
    for (auto& s : strands) s = std::make_unique<counted_strand>(r);
  }
  runtime& home;
  std::array<std::unique_ptr<counted_strand>, 3> strands;
  semaphore permits{2};
  std::atomic<long> touches{0};
  std::atomic<long> ended{0};
};

task<> wander(town& t, unsigned seed) {
  struct at_end {
    std::atomic<long>& n;
    ~at_end() { ++n; }
  } count{t.ended};
  std::mt19937 random(seed);
  for (int i = 0; i < 30; ++i) {
    const auto pick = random() % 6;
    if (pick < 3) {
      counted_strand& s = *t.strands[pick];
      co_await resume_on(s.at);
      ++s.touched;
      ++t.touches;
      if (random() % 2 == 0) {
        co_await yield();
        ++s.touched;
        ++t.touches;
      }
      if (random() % 4 == 0) {
        auto held = co_await t.permits.acquire();
        ++s.touched;
        ++t.touches;
      }
    } else if (pick == 3) {
      co_await resume_on(t.home.worker(random() % t.home.worker_count()));
    } else {
      co_await resume_on(pick == 4 ? lane::critical : lane::background);
    }
    if (random() % 8 == 0) co_await sleep_for(std::chrono::microseconds(random() % 50));
    if (random() % 8 == 0) {
      auto child = [](int x) -> task<int> {
        co_await yield();
        co_return x;
      };
      (void)co_await when_all(child(1), child(2), on(lane::critical, child(3)));
    }
  }
}

TEST(executor, wanderers_end_and_touch_a_strand_one_at_a_time) {
  runtime r(threads(4));
  long tasks = 0;
  for (unsigned round = 0; round < 20; ++round) {
    town t(r);
    std::vector<join_handle<void>> handles;
    for (unsigned i = 0; i < 24; ++i) handles.push_back(r.spawn(wander(t, round * 100 + i)));
    std::thread canceller([&handles] {
      for (std::size_t i = 0; i < handles.size(); i += 3) handles[i].cancel();
    });
    canceller.join();
    for (auto& h : handles) {
      try {
        h.wait();
      } catch (const cancelled&) {
      }
    }
    tasks += 24;
    EXPECT_EQ(t.ended.load(), 24);
    // Its last worker may just be leaving: a task of this thread's own sees what the strand's tasks wrote.
    long touched = 0;
    for (auto& s : t.strands) {
      auto read = [&]() -> task<long> { co_return s->touched; };
      touched += r.block_on(on(s->at, read()));
    }
    EXPECT_EQ(touched, t.touches.load());
  }
  EXPECT_EQ(tasks, 480);
}

}  // namespace
}  // namespace sluice
