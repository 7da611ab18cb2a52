// What a child of fork() may do with the runtimes of its parent, and with its own.
// tests: scheduler/process.hpp
#include "worlds.hpp"

#include <gmock/gmock.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define SLUICE_THREAD_SANITIZER 1
#elif defined(__has_feature)
#define SLUICE_THREAD_SANITIZER __has_feature(thread_sanitizer)
#else
#define SLUICE_THREAD_SANITIZER 0
#endif

namespace sluice {
namespace {

using namespace sluice::testing;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Thread sanitizer ends a child of a process with threads as soon as the child starts one.
constexpr bool child_may_start_threads = !SLUICE_THREAD_SANITIZER;
constexpr const char* why_not = "thread sanitizer does not let such a child start threads";

constexpr const char* sentence =
    "sluice: this runtime was made before fork(), whose child has none of its threads: make runtimes after fork(), or "
    "call exec or _exit in the child";

/// A child, whose standard error is read to its end.
class child_process {
 public:
  child_process() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("no child");
    if (pid_ != 0) {
      ::close(ends_[1]);
      return;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // if the watchdog ends the test, a child that hangs goes with it
    const struct rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  /// Whether this is the child.
  bool here() const { return pid_ == 0; }
  /// The parent waits for its end: "exit 3", "signal 6", and what it has written.
  std::string end() const {
    std::string text;
    std::array<char, 256> piece{};
    for (ssize_t n = 0; (n = ::read(ends_[0], piece.data(), piece.size())) > 0;)
      text.append(piece.data(), static_cast<std::size_t>(n));
    ::close(ends_[0]);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return (WIFEXITED(status) ? "exit " + std::to_string(WEXITSTATUS(status))
                              : "signal " + std::to_string(WTERMSIG(status))) +
           "\n" + text;
  }

 private:
  std::array<int, 2> ends_{};
  pid_t pid_ = -1;
};

/// What becomes of a child that calls `f`: it exits with what f returns.
std::string in_child(const std::function<int()>& f) {
  const child_process child;
  if (!child.here()) return child.end();
  try {
    ::_exit(f());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "it threw: %s\n", error.what());
  }
  ::_exit(99);
}

const std::string aborted = "signal " + std::to_string(SIGABRT) + "\n" + sentence + ".\n";

template <class F>
bool throws_the_sentence(F f) {
  try {
    f();
  } catch (const std::logic_error& error) {
    return error.what() == std::string(sentence);
  }
  return false;
}

task<int> give(int n) {
  co_await yield();
  co_return n;
}
task<> wait_for(event& e) { co_await e.wait(); }

TEST(fork, a_child_that_uses_its_parents_runtime_gets_an_error_and_no_hang) {
  runtime r(threads(2));
  event never;
  auto waiter = r.spawn(wait_for(never));
  EXPECT_EQ(in_child([&] {
              if (!throws_the_sentence([&] { (void)r.block_on(give(1)); })) return 1;
              if (!throws_the_sentence([&] { r.spawn(give(1)).detach(); })) return 2;
              if (!throws_the_sentence([&] { r.spawn([] { return give(1); }).detach(); })) return 3;
              if (!throws_the_sentence([&] { waiter.wait(); })) return 4;
              if (!throws_the_sentence([&] { waiter.wait(); })) return 5;  // as if nothing had happened
              if (!throws_the_sentence([&] { (void)r.dump_text(); })) return 6;
              if (r.worker_count() != 2 || r.task_count() != 1) return 7;
              return 0;
            }),
            "exit 0\n");
  EXPECT_EQ(r.block_on(give(7)), 7);  // the parent has noticed nothing
  never.set();
  waiter.wait();
}

TEST(fork, a_result_that_was_there_before_is_there_in_the_child) {
  runtime r(threads(1));
  auto done = r.spawn(give(5));
  while (!done.done()) std::this_thread::yield();
  EXPECT_EQ(in_child([&] { return done.wait(); }), "exit 5\n");
  EXPECT_EQ(done.wait(), 5);
}

TEST(fork, what_cannot_throw_says_so_and_aborts) {
  std::optional<runtime> r(threads(2));
  event never;
  auto waiter = r->spawn(wait_for(never));
  while (r->dump_text().find("event") == std::string::npos) std::this_thread::yield();
  EXPECT_EQ(in_child([&] { return r.reset(), 0; }), aborted);
  EXPECT_EQ(in_child([&] { return never.set(), 0; }), aborted);
  EXPECT_EQ(in_child([&] { return waiter.cancel(), 0; }), aborted);
  never.set();
  waiter.wait();
}

task<> compute_until(std::atomic<bool>& begun, std::atomic<bool>& over) {
  begun = true;
  while (!over) std::this_thread::yield();
  co_return;
}

TEST(fork, a_destructor_in_the_child_aborts_whatever_its_tasks_were_at) {
  std::atomic<bool> begun{false};
  std::atomic<bool> over{false};
  std::optional<runtime> idle(threads(2));
  std::optional<runtime> busy(threads(1));
  busy->spawn(compute_until, std::ref(begun), std::ref(over)).detach();
  while (!begun) std::this_thread::yield();
  EXPECT_EQ(in_child([&] { return idle.reset(), 0; }), aborted);
  EXPECT_EQ(in_child([&] { return busy.reset(), 0; }), aborted);
  over = true;
}

TEST(fork, a_simulation_goes_on_in_the_child) {
  runtime r(simulated(3));
  event never;
  auto waiter = r.spawn(wait_for(never));
  EXPECT_EQ(in_child([&] {
              never.set();
              waiter.wait();
              return r.block_on(give(4));
            }),
            "exit 4\n");
  never.set();
  waiter.wait();
}

// In the child of a task the next one that its worker would run.
task<> tell_that_it_runs_in(pid_t& parent, std::atomic<bool>& ran) {
  if (::getpid() != parent) std::fputs("another task runs in the child\n", stderr);
  ran = true;
  co_return;
}

TEST(fork, a_task_that_goes_on_in_the_child_aborts_when_it_ends_or_waits_and_no_other_task_runs) {
  for (const bool waits : {false, true}) {
    runtime r(threads(1));
    auto program = [waits]() -> task<> {
      pid_t parent = ::getpid();
      std::atomic<bool> ran{false};
      event e;
      auto next = spawn(tell_that_it_runs_in, std::ref(parent), std::ref(ran));
      const child_process child;
      if (child.here()) {
        if (waits) co_await e.wait();
        co_return;
      }
      EXPECT_EQ(child.end(), aborted);
      co_await next;
      EXPECT_TRUE(ran);
    };
    r.block_on(program());
  }
}

TEST(fork, a_task_may_end_its_child_as_it_likes) {
  runtime r(threads(2));
  auto program = []() -> task<> {
    const child_process child;
    if (child.here()) ::_exit(3);
    EXPECT_EQ(child.end(), "exit 3\n");
    const child_process other;
    if (other.here()) ::execl("/bin/sh", "sh", "-c", "exit 4", nullptr);
    EXPECT_EQ(other.end(), "exit 4\n");
    co_return;
  };
  r.block_on(program());
}

TEST(fork, a_fork_join_whose_thief_stayed_in_the_parent_aborts) {
  runtime r(threads(2));
  auto program = []() -> task<> {
    std::atomic<bool> stolen{false};
    std::atomic<bool> over{false};
    std::optional<child_process> child;
    fork_join(
        [&] {
          while (!stolen) std::this_thread::yield();
          child.emplace();
          if (child->here()) return;  // to wait for the other call
          EXPECT_EQ(child->end(), aborted);
          over = true;
        },
        [&] {
          stolen = true;
          while (!over) std::this_thread::yield();
        });
    co_return;
  };
  r.block_on(program());
}

TEST(fork, a_blocking_call_that_returns_in_the_child_aborts) {
  runtime r(threads(1));
  auto program = []() -> task<> {
    auto call = [] {
      const child_process child;
      if (child.here()) return;
      EXPECT_EQ(child.end(), aborted);
    };
    co_await run_blocking(call);
  };
  r.block_on(program());
}

task<> all_that_a_runtime_does(bool& right) {
  bool called = false;
  co_await sleep_for(1ms);
  co_await run_blocking([&called] { called = true; });
  int sum = 0;
  for (int i = 0; i < 100; ++i) sum += co_await spawn(give(i));
  right = called && sum == 4950;
}

int use_a_new_runtime() {
  bool right = false;
  runtime r(threads(3));
  r.block_on(all_that_a_runtime_does(right));
  return right ? 0 : 1;
}

TEST(fork, a_runtime_that_is_made_in_the_child_works_and_its_own_child_is_told_the_same) {
  if (!child_may_start_threads) GTEST_SKIP() << why_not;
  runtime old(threads(2));
  EXPECT_EQ(use_a_new_runtime(), 0);
  EXPECT_EQ(
      in_child([&] {
        if (use_a_new_runtime() != 0) return 1;
        runtime r(threads(2));
        if (in_child([&] { return throws_the_sentence([&] { (void)r.block_on(give(1)); }) ? 0 : 1; }) != "exit 0\n")
          return 2;
        if (in_child(use_a_new_runtime) != "exit 0\n") return 3;
        return r.block_on(give(0));
      }),
      "exit 0\n");
  EXPECT_EQ(old.block_on(give(6)), 6);
}

task<int> first_of(signals& from) { co_return co_await from.next(); }

TEST(fork, signals_in_the_child_are_an_error_where_the_parent_had_them_and_work_where_it_had_none) {
  if (!child_may_start_threads) GTEST_SKIP() << why_not;
  const auto raise_and_await = [] {
    signals s{SIGUSR1};
    runtime r(threads(1));
    std::raise(SIGUSR1);
    return r.block_on(first_of(s)) == SIGUSR1 ? 0 : 1;
  };
  const std::string without = in_child(raise_and_await);
  std::optional<signals> old(std::in_place, std::initializer_list<int>{SIGUSR2});
  EXPECT_THAT(in_child(raise_and_await), HasSubstr("it threw: sluice::signals: the thread that watches signals was"));
  EXPECT_EQ(in_child([&] { return old.reset(), 0; }), "exit 0\n");
  // Another test of this process may have used signals before.
  EXPECT_THAT(without, ::testing::AnyOf("exit 0\n", HasSubstr("it threw: sluice::signals: the thread that watches")));
}

// A stream whose writer waits: so the one who dumps has the list of runtimes for as long as the test wants.
struct slow_stream {
  std::atomic<bool> writes{false};
  std::atomic<bool> go_on{false};

  static ssize_t write(void* self, const char*, std::size_t size) {
    auto& s = *static_cast<slow_stream*>(self);
    s.writes = true;
    while (!s.go_on) std::this_thread::yield();
    return static_cast<ssize_t>(size);
  }
};

TEST(fork, a_child_makes_runtimes_though_another_thread_had_the_list_of_them) {
  if (!child_may_start_threads) GTEST_SKIP() << why_not;
  auto options = threads(1);
  options.name = "of the parent";
  runtime old(options);
  slow_stream slow;
  std::thread dumper([&slow] {
    std::FILE* const out =
        ::fopencookie(&slow, "w", {.read = {}, .write = &slow_stream::write, .seek = {}, .close = {}});
    std::setvbuf(out, nullptr, _IONBF, 0);
    impl::runtime_core::dump_all(out);
    std::fclose(out);
  });
  while (!slow.writes) std::this_thread::yield();
  EXPECT_THAT(in_child([] {
                if (use_a_new_runtime() != 0) return 1;
                runtime_options own = threads(1);
                own.name = "of the child";
                runtime r(own);
                impl::runtime_core::dump_all(stderr);
                return 0;
              }),
              AllOf(HasSubstr("exit 0\n"), HasSubstr("of the child"), Not(HasSubstr("of the parent"))));
  slow.go_on = true;
  dumper.join();
}

}  // namespace
}  // namespace sluice
