// tests: runtime/strand.hpp scheduler/strand_core.hpp
// A strand's tasks run one at a time and in order, whatever they do in between.
#include "worlds.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

/// Fails if two of its users are inside at once. Plain variables: thread sanitizer checks that one sees what the other wrote.
class one_at_a_time {
 public:
  void use() {
    if (inside_) ADD_FAILURE() << "two tasks of a strand ran at once";
    inside_ = true;
    for (int i = 0; i < 20; ++i) total_ = total_ + 1;
    inside_ = false;
    ++uses_;
  }
  long uses() const { return uses_; }

 private:
  volatile bool inside_ = false;
  volatile long total_ = 0;
  long uses_ = 0;
};

TEST(strand, runs_its_tasks_one_at_a_time_whatever_they_wait_for) {
  in_all_worlds([](runtime& r) {
    strand s(r);
    one_at_a_time state;
    queue<int> items(2);
    auto member = [&](int i) -> task<> {
      for (int round = 0; round < 20; ++round) {
        state.use();
        co_await yield();
        state.use();
        if (i % 2 == 0) {
          co_await items.put(i);
        } else {
          (void)co_await items.get();
        }
        state.use();
        if (round % 7 == 0) co_await sleep_for(1us);
      }
    };
    auto program = [&]() -> task<> {
      co_await with_group([&](task_group& group) -> task<> {
        for (int i = 0; i < 8; ++i) group.spawn(on(s, member(i)));
        co_return;
      });
    };
    r.block_on(program());
    EXPECT_EQ(state.uses(), 8 * 20 * 3);
  });
}

TEST(strand, keeps_the_order_in_which_its_tasks_became_ready) {
  in_all_worlds([](runtime& r) {
    strand s(r);
    std::vector<int> order;
    auto member = [&](int i) -> task<> {
      order.push_back(i);
      co_return;
    };
    auto program = [&]() -> task<> {
      co_await resume_on(s);  // the others queue up while this one has its turn
      co_await with_group([&](task_group& group) -> task<> {
        for (int i = 0; i < 50; ++i) group.spawn(on(s, member(i)));
        co_return;
      });
    };
    r.block_on(program());
    EXPECT_EQ(order.size(), 50u);
  });
  // Started one after another on one worker they come in that order, and so do their second turns.
  runtime r(threads(1));
  strand s(r);
  std::vector<int> order;
  auto member = [&](int i) -> task<> {
    order.push_back(i);
    co_await yield();
    order.push_back(100 + i);
  };
  auto program = [&]() -> task<> {
    co_await with_group([&](task_group& group) -> task<> {
      for (int i = 0; i < 50; ++i) group.spawn(on(s, member(i)));
      co_return;
    });
  };
  r.block_on(program());
  int first_turns = 0;
  int second_turns = 0;
  for (const int step : order) EXPECT_EQ(step, step < 100 ? first_turns++ : 100 + second_turns++);
  EXPECT_EQ(first_turns, 50);
  EXPECT_EQ(second_turns, 50);
}

TEST(strand, keeps_what_is_part_of_a_task_and_lets_children_go) {
  in_all_worlds([](runtime& r) {
    strand s(r);
    one_at_a_time state;
    auto touch = [&]() -> task<> {
      state.use();
      co_await yield();
      state.use();
    };
    auto elsewhere = [](int x) -> task<int> {
      co_await yield();
      co_return x;
    };
    auto member = [&]() -> task<> {
      co_await touch();
      co_await timeout(1h, touch());
      co_await shield(touch());
      co_await unconstrained(touch());
      co_await with_group([&](task_group& group) -> task<> {
        state.use();
        group.spawn([](auto f) -> task<> { (void)co_await f(1); }, elsewhere);
        co_await group.join();
        state.use();
      });
      state.use();
      auto [a, b] = co_await when_all(elsewhere(1), elsewhere(2));
      state.use();
      EXPECT_EQ(a + b, 3);
      auto many = co_await when_all(0, 10, [&](int i) { return elsewhere(i); });
      state.use();
      EXPECT_EQ(many.size(), 10u);
      co_await when_all(on(s, touch()), on(s, touch()));
      state.use();
      auto handle = spawn(elsewhere(4));
      EXPECT_EQ(co_await handle, 4);
      state.use();
      try {
        co_await timeout(1us, sleep_for(1h));
      } catch (const timed_out&) {
      }
      state.use();
    };
    auto program = [&]() -> task<> {
      co_await with_group([&](task_group& group) -> task<> {
        for (int i = 0; i < 4; ++i) group.spawn(on(s, member()));
        co_return;
      });
    };
    r.block_on(program());
    EXPECT_EQ(state.uses(), 4 * 20);
  });
}

TEST(strand, gives_results_and_exceptions_back_and_leaves_the_caller_where_it_was) {
  in_all_worlds([](runtime& r) {
    auto program = [&]() -> task<> {
      strand s;
      auto answer = [](int x) -> task<std::unique_ptr<int>> {
        co_await yield();
        co_return std::make_unique<int>(x);
      };
      EXPECT_EQ(*co_await on(s, answer(42)), 42);
      auto failing = []() -> task<int> {
        throw std::runtime_error("as planned");
        co_return 1;
      };
      EXPECT_THROW((void)co_await on(s, failing()), std::runtime_error);
      const std::size_t workers = r.worker_count();
      for (std::size_t i = 0; i < workers; ++i) {
        co_await resume_on(r.worker(i));
        EXPECT_EQ(this_task::worker_index(), i);
        (void)co_await on(s, answer(1));
        EXPECT_EQ(this_task::worker_index(), i);
      }
    };
    r.block_on(program());
  });
}

TEST(strand, may_go_as_soon_as_its_tasks_have_ended) {
  in_all_worlds([](runtime& r) {
    auto nothing = []() -> task<> { co_return; };
    auto program = [&]() -> task<> {
      for (int i = 0; i < 200; ++i) {
        auto s = std::make_unique<strand>();
        co_await on(*s, nothing());
        s.reset();
        std::optional<strand> own;
        own.emplace();
        co_await when_all(on(*own, nothing()), on(*own, nothing()));
      }
    };
    r.block_on(program());
  });
  std::optional<runtime> first;
  first.emplace(threads(2));
  strand outlives(*first);
  auto nothing = []() -> task<> { co_return; };
  first->block_on(on(outlives, nothing()));
  first.reset();
}

TEST(strand, passes_cancellation_on_and_loses_no_task) {
  std::optional<strand> s;
  long claimed = 0;
  auto victim = [&]() -> task<int> {
    s.emplace();
    struct leave {
      std::optional<strand>& s;
      ~leave() { s.reset(); }
    } leave_at_the_end{s};
    auto inner = [&]() -> task<> {
      for (int i = 0; i < 4; ++i) co_await yield();
      ++claimed;
    };
    co_await on(*s, inner());
    co_return 1;
  };
  int ended = 0;
  cancel_at_every_point(victim, [&](bool) { ++ended; });
  EXPECT_EQ(ended, 400);
  EXPECT_GT(claimed, 0);
  EXPECT_LT(claimed, 400);
}

TEST(strand, lets_its_tasks_take_turns_even_if_they_never_wait) {
  runtime r(threads(1));
  strand s(r);
  bool other_came = false;
  event open(true);
  auto busy = [&]() -> task<long> {
    long rounds = 0;
    while (!other_came && rounds < 100'000) {
      co_await open.wait();
      ++rounds;
    }
    co_return rounds;
  };
  auto other = [&]() -> task<> {
    other_came = true;
    co_return;
  };
  auto program = [&]() -> task<> {
    auto [rounds, nothing] = co_await when_all(on(s, busy()), on(s, other()));
    EXPECT_LE(rounds, 17 * 128) << "a turn of the strand is 16 tasks, or 16 slices of one";
  };
  r.block_on(program());
}

TEST(strand, does_not_keep_its_worker_from_others) {
  runtime r(threads(1));
  strand s(r);
  bool stop = false;
  auto member = [&]() -> task<> {
    while (!stop) co_await yield();
  };
  auto program = [&]() -> task<> {
    auto first = spawn(on(s, member()));
    auto second = spawn(on(s, member()));
    for (int i = 0; i < 100; ++i) co_await yield();
    stop = true;
    co_await first;
    co_await second;
  };
  r.block_on(program());
}

TEST(strand, lets_others_run_between_its_tasks_when_they_take_long) {
  runtime r(threads(1));
  strand s(r);
  long slices = 0;
  bool stop = false;
  auto member = [&]() -> task<> {
    while (!stop) {
      ++slices;
      const auto end = std::chrono::steady_clock::now() + 200us;
      while (std::chrono::steady_clock::now() < end) {
      }
      co_await yield();
    }
  };
  auto program = [&]() -> task<> {
    co_await with_group([&](task_group& group) -> task<> {
      for (int i = 0; i < 8; ++i) group.spawn(on(s, member()));
      for (int i = 0; i < 10; ++i) co_await yield();  // by then the worker looks after every step
      for (int i = 0; i < 10; ++i) {
        const long before = slices;
        co_await yield();
        EXPECT_LE(slices - before, 2);
      }
      stop = true;
    });
  };
  r.block_on(program());
}

TEST(strand, that_has_used_its_turn_up_is_not_left_behind_by_a_simulation) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {  // address sanitizer finds what stays
    runtime r(simulated(seed, 2));
    strand s(r);
    auto member = []() -> task<> {
      for (int i = 0; i < 15; ++i) co_await yield();
    };
    r.block_on(on(s, member()));
  }
}

TEST(strand, says_what_is_wrong) {
  EXPECT_THROW(strand{}, std::logic_error);
  runtime r(threads(1));
  runtime other(threads(1));
  strand s(other);
  auto nothing = []() -> task<> { co_return; };
  EXPECT_THROW(r.block_on(on(s, nothing())), std::logic_error);
  auto moves = [&]() -> task<> { co_await resume_on(s); };
  EXPECT_THROW(r.block_on(moves()), std::logic_error);
}

TEST(strand_death, destroyed_with_a_ready_task_says_so) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        runtime r(simulated(1, 1));
        std::optional<strand> s;
        auto nothing = []() -> task<> { co_return; };
        auto program = [&]() -> task<> {
          s.emplace();
          co_await resume_on(*s);
          auto waits_here = spawn(on(*s, nothing()));
          for (int i = 0; i < 3; ++i) co_await resume_on(lane::normal);
          co_await resume_on(*s);
          auto too_late = spawn(on(*s, nothing()));
          auto destroys = [&]() -> task<> {
            s.reset();
            co_return;
          };
          co_await on(*s, destroys());
        };
        r.block_on(program());
      },
      "a strand was destroyed");
}

TEST(strand_death, destroyed_by_a_task_that_stands_on_it_says_so) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto moves = []() -> task<> {
    strand s;
    co_await resume_on(s);
  };
  EXPECT_DEATH(run(moves(), simulated(1, 1)), "a strand was destroyed by a task that is on it");
}

}  // namespace
}  // namespace sluice
