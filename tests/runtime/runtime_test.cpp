// tests: runtime/runtime.hpp runtime/runtime_core.hpp runtime/dump.cpp
#include "worlds.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <thread>

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;

task<int> number(int n) {
  co_await yield();
  co_return n;
}
task<> fails_with(std::string what) {
  co_await yield();
  throw std::runtime_error(what);
}

TEST(runtime, has_the_workers_it_was_asked_for) {
  EXPECT_EQ(runtime(threads(3)).worker_count(), 3u);
  EXPECT_GE(runtime().worker_count(), 1u);
  EXPECT_EQ(runtime(simulated(1, 5)).worker_count(), 5u);
}

TEST(runtime, refuses_nonsense_with_a_sentence) {
  EXPECT_THROW(runtime(threads(5000)), std::invalid_argument);
  runtime_options options;
  options.blocking_threads = 0;
  EXPECT_THROW(runtime{options}, std::invalid_argument);
  try {
    runtime r(threads(5000));
  } catch (const std::invalid_argument& e) {
    EXPECT_NE(std::string(e.what()).find("at most 4096"), std::string::npos) << e.what();
  }
}

TEST(runtime, spawns_from_any_thread) {
  in_all_worlds([](runtime& r) {
    auto handle = r.spawn(number(4));
    EXPECT_EQ(handle.wait(), 4);
    auto from_task = [](int n) -> task<int> { co_return co_await spawn(number(n)); };
    EXPECT_EQ(r.spawn(from_task, 5).wait(), 5);
  });
}

TEST(runtime, spawn_keeps_the_callable_and_its_arguments) {
  in_all_worlds([](runtime& r) {
    auto text = std::make_unique<std::string>("kept");
    auto handle = r.spawn(
        [text = std::move(text)](std::string more) -> task<std::string> {
          co_await yield();
          co_return *text + more;
        },
        std::string(" alive"));
    EXPECT_EQ(handle.wait(), "kept alive");
  });
}

TEST(runtime, free_spawn_outside_a_worker_is_a_logic_error) {
  EXPECT_THROW((void)spawn(number(1)), std::logic_error);
  EXPECT_THROW((void)spawn([]() -> task<> { co_return; }), std::logic_error);
}

TEST(runtime, blocking_on_a_worker_is_a_logic_error_that_names_the_replacement) {
  in_all_worlds([](runtime& r) {
    auto program = [&]() -> task<> {
      EXPECT_THROW(r.block_on(number(1)), std::logic_error);
      EXPECT_THROW((void)run(number(1), simulated(1)), std::logic_error);
      auto handle = spawn(number(1));
      std::string message;
      try {
        (void)handle.wait();
      } catch (const std::logic_error& e) {
        message = e.what();
      }
      EXPECT_NE(message.find("co_await"), std::string::npos) << message;
      const int n = co_await handle;
      EXPECT_EQ(n, 1);
    };
    r.block_on(program());
  });
}

TEST(runtime, block_on_of_a_task_that_was_given_away_is_a_logic_error) {
  runtime r(simulated(1));
  auto t = number(1);
  EXPECT_EQ(r.block_on(std::move(t)), 1);
  EXPECT_THROW(r.block_on(std::move(t)), std::logic_error);
}

TEST(runtime, counts_spawned_tasks_until_they_have_ended) {
  in_all_worlds([](runtime& r) {
    EXPECT_EQ(r.task_count(), 0u);
    auto program = [&]() -> task<> {
      EXPECT_EQ(r.task_count(), 0u);
      std::vector<join_handle<void>> handles;
      for (int i = 0; i < 10; ++i) handles.push_back(spawn(for_ever()));
      EXPECT_EQ(r.task_count(), 10u);
      for (auto& handle : handles) handle.cancel();
      for (auto& handle : handles) {
        EXPECT_THROW(co_await handle, cancelled);
        EXPECT_TRUE(handle.done());
      }
      EXPECT_EQ(r.task_count(), 0u);
    };
    r.block_on(program());
    EXPECT_EQ(r.task_count(), 0u);
  });
}

TEST(runtime, the_destructor_cancels_what_still_runs_and_waits_for_it) {
  for (std::uint64_t world = 0; world < 20; ++world) {
    std::atomic<int> live{0};
    std::atomic<int> ended{0};
    auto body = [&ended](counted) -> task<> {
      try {
        co_await sleep_for(1000h);
      } catch (const cancelled&) {
        ++ended;
        throw;
      }
    };
    {
      runtime r(world == 0 ? threads(2) : simulated(world));
      for (int i = 0; i < 50; ++i) r.spawn(body, counted(live)).detach();
      r.block_on(number(0));
    }
    EXPECT_EQ(ended, 50);
    EXPECT_EQ(live, 0);
  }
}

TEST(runtime, the_destructor_cancels_what_is_spawned_while_it_waits) {
  for (std::uint64_t world = 0; world < 20; ++world) {
    std::atomic<int> ended{0};
    struct chain {
      static task<> link(std::atomic<int>& count, int depth) {
        try {
          co_await sleep_for(1000h);
        } catch (const cancelled&) {
        }
        ++count;
        if (depth > 0) spawn(link(count, depth - 1)).detach();
      }
    };
    {
      runtime r(world == 0 ? threads(2) : simulated(world));
      r.spawn(chain::link(ended, 20)).detach();
    }
    EXPECT_EQ(ended, 21);
  }
}

TEST(runtime, a_handle_may_outlive_its_runtime) {
  std::optional<join_handle<int>> value;
  std::optional<join_handle<void>> error;
  std::optional<join_handle<void>> dropped;
  {
    runtime r(threads(2));
    value.emplace(r.spawn(number(8)));
    error.emplace(r.spawn(for_ever()));
    dropped.emplace(r.spawn(for_ever()));
  }
  EXPECT_TRUE(value->done());
  EXPECT_TRUE(error->done());
  error->cancel();
  dropped.reset();
  int got = 0;
  try {
    got = value->wait();
  } catch (const cancelled&) {
    got = 8;  // cancelled by the destructor before its first step
  }
  EXPECT_EQ(got, 8);
  EXPECT_THROW(error->wait(), cancelled);
}

TEST(runtime, an_exception_nobody_collects_goes_to_the_hook) {
  for (std::uint64_t world = 0; world < 20; ++world) {
    std::atomic<int> reports{0};
    std::string seen;
    std::size_t counted_reports = 0;
    {
      auto options = world == 0 ? threads(2) : simulated(world);
      options.on_unhandled_exception = [&](const unhandled_exception& e) {
        try {
          std::rethrow_exception(e.error);
        } catch (const std::exception& caught) {
          seen = std::string(e.name) + ": " + caught.what();
        }
        EXPECT_NE(std::string(e.file).find("runtime_test"), std::string::npos);
        EXPECT_GT(e.line, 0u);
        ++reports;
      };
      runtime r(options);
      r.spawn(fails_with("first"), "the first").detach();  // dropped before its end, or after
      auto handle = r.spawn(fails_with("collected"), "collected");
      EXPECT_THROW(handle.wait(), std::runtime_error);
      r.spawn(for_ever(), "cancelled by the runtime").detach();
      while (r.task_count() > 1) r.block_on(number(0));
      while (reports == 0) r.block_on(number(0));
      counted_reports = r.unhandled_exception_count();
    }
    EXPECT_EQ(reports, 1);
    EXPECT_EQ(counted_reports, 1u);
    EXPECT_EQ(seen, "the first: first");
  }
}

TEST(runtime, an_exception_in_a_handle_dropped_after_the_end_goes_to_the_hook) {
  std::atomic<int> reports{0};
  auto options = threads(1);
  options.on_unhandled_exception = [&](const unhandled_exception&) { ++reports; };
  runtime r(options);
  {
    auto handle = r.spawn(fails_with("late"));
    while (!handle.done()) std::this_thread::yield();
    EXPECT_EQ(reports, 0);
  }
  EXPECT_EQ(reports, 1);
}

TEST(runtime, the_default_hook_prints_name_and_site) {
  ::testing::internal::CaptureStderr();
  {
    runtime r(threads(1));
    r.spawn(fails_with("lost and found"), "the loser").detach();
    while (r.unhandled_exception_count() == 0) std::this_thread::yield();
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("the loser"), std::string::npos) << text;
  EXPECT_NE(text.find("runtime_test.cpp:"), std::string::npos) << text;
  EXPECT_NE(text.find("lost and found"), std::string::npos) << text;
}

TEST(runtime, a_callable_is_reported_by_its_type_and_without_a_site) {
  std::string name;
  ::testing::internal::CaptureStderr();
  {
    auto fail = []() -> task<> {
      co_await yield();
      throw 5;
    };
    auto options = simulated(1);
    options.on_unhandled_exception = [&](const unhandled_exception& e) { name = e.name; };
    runtime r(simulated(1));
    r.spawn(fail).detach();
    while (r.unhandled_exception_count() == 0) r.block_on(number(0));
    runtime hooked(options);
    hooked.spawn(fail).detach();
    while (hooked.unhandled_exception_count() == 0) hooked.block_on(number(0));
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(name.find("lambda"), std::string::npos) << name;
  EXPECT_EQ(name.find("callable_text"), std::string::npos) << name;
  EXPECT_EQ(name.find("F = "), std::string::npos) << name;
  EXPECT_EQ(name.find(']'), std::string::npos) << name;
  EXPECT_NE(text.find("the task '" + name + "' ended with"), std::string::npos) << text;
}

TEST(runtime, dump_shows_workers_tasks_waits_and_timers) {
  runtime r(simulated(3));
  auto program = [&]() -> task<> {
    auto handle = spawn(for_ever(), "the sleeper");
    auto joiner = spawn([](join_handle<void>& h) -> task<> { co_await h; }, std::ref(handle));
    for (int i = 0; i < 20; ++i) co_await yield();
    const std::string text = r.dump_text();
    EXPECT_NE(text.find("2 spawned tasks"), std::string::npos) << text;
    EXPECT_NE(text.find("the sleeper (spawned at "), std::string::npos) << text;
    EXPECT_NE(text.find("waits in sleep\n"), std::string::npos) << text;
    EXPECT_NE(text.find("waits in join_handle"), std::string::npos) << text;
    EXPECT_NE(text.find("timer in 3"), std::string::npos) << text;
    EXPECT_NE(text.find(" s\n"), std::string::npos) << text;
    EXPECT_NE(text.find("blocking pool: 0 threads"), std::string::npos) << text;
    EXPECT_NE(text.find("3 workers"), std::string::npos) << text;
    handle.cancel();
    EXPECT_THROW(co_await joiner, cancelled);
  };
  r.block_on(program());
}

TEST(runtime, dump_runs_beside_everything_else) {
  runtime r(threads(2));
  std::atomic<bool> stop{false};
  std::thread dumper([&] {
    while (!stop) EXPECT_FALSE(r.dump_text().empty());
  });
  auto program = []() -> task<> {
    for (int i = 0; i < 3000; ++i) {
      auto first = spawn(number(i));
      spawn(number(i)).detach();
      const int x = co_await first;
      EXPECT_EQ(x, i);
    }
  };
  r.block_on(program());
  stop = true;
  dumper.join();
}

TEST(runtime, several_live_beside_each_other_and_wait_for_each_other) {
  runtime a(threads(1));
  runtime b(threads(1));
  auto program = [&]() -> task<int> {
    int sum = 0;
    for (int i = 0; i < 200; ++i) {
      const int x = co_await b.spawn(number(i));
      sum += x;
    }
    co_return sum;
  };
  EXPECT_EQ(a.block_on(program()), 199 * 200 / 2);
}

TEST(runtime, a_simulation_with_one_seed_runs_the_same_way_twice) {
  auto trace = [](std::uint64_t seed) {
    std::string order;
    auto program = [&]() -> task<> {
      std::vector<join_handle<void>> handles;
      for (char name = 'a'; name < 'f'; ++name) {
        handles.push_back(spawn(
            [&order](char who) -> task<> {
              for (int i = 0; i < 5; ++i) {
                order += who;
                co_await yield();
              }
            },
            name));
      }
      for (auto& handle : handles) co_await handle;
    };
    run(program(), simulated(seed));
    return order;
  };
  EXPECT_EQ(trace(1), trace(1));
  bool differs = false;
  for (std::uint64_t seed = 2; seed < 12; ++seed) differs = differs || trace(seed) != trace(1);
  EXPECT_TRUE(differs);
}

TEST(runtime, a_task_that_block_on_left_at_a_standstill_goes_with_the_runtime) {
  std::atomic<int> live{0};
  event never;
  {
    runtime r(simulated(1));
    auto stuck = [](event& e, counted) -> task<> { co_await e.wait(); };
    EXPECT_THROW(r.block_on(stuck(never, counted(live))), std::logic_error);
    EXPECT_EQ(live, 1);
    EXPECT_EQ(r.task_count(), 1u);
  }
  EXPECT_EQ(live, 0);
}

TEST(runtime, a_task_that_block_on_left_at_a_standstill_may_still_end) {
  event late;
  runtime r(simulated(1));
  auto waits = [](event& e) -> task<> { co_await e.wait(); };
  EXPECT_THROW(r.block_on(waits(late)), std::logic_error);
  late.set();
  EXPECT_EQ(r.block_on(number(1)), 1);
  while (r.task_count() != 0) EXPECT_EQ(r.block_on(number(1)), 1);
}

TEST(runtime, a_simulation_at_a_standstill_says_so_and_lists_the_tasks) {
  event never;
  runtime r(simulated(1));
  auto handle = r.spawn([](event& e) -> task<> { co_await e.wait(); }(never), "the stuck one");
  std::string message;
  try {
    handle.wait();
  } catch (const std::logic_error& e) {
    message = e.what();
  }
  EXPECT_NE(message.find("standstill"), std::string::npos) << message;
  EXPECT_NE(message.find("the stuck one"), std::string::npos) << message;
  EXPECT_NE(message.find("waits in event"), std::string::npos) << message;
  never.set();  // the wait that failed has left the handle as it was
  handle.wait();
}

}  // namespace
}  // namespace sluice
