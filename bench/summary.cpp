// `sluice-boards --summary`: for people, in about a minute, what one core does per second with sluice and with oneTBB.

#include "harness.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>

namespace bench {
namespace {

constexpr int most_rounds = 5;
constexpr double time_limit_s = 35;

struct row {
  const char* board;
  const char* title;
};

constexpr std::array rows = {
    row{"spawn_join", "spawn and join a task"},
    row{"yield", "yield, 1000 tasks (1)"},
    row{"ping_pong", "ping-pong, two queues of 1 (2)"},
    row{"queue.1024.4p4c", "queue of 1024, 4 to 4 tasks (2)"},
    row{"queue.16.4p4c", "queue of 16, 4 to 4 tasks (2)"},
    row{"queue.1024.1p1c", "queue of 1024, 1 to 1 task (2)"},
    row{"pipeline", "queue of 10, 1 to 3, join (2)"},
    row{"fork_join.fib", "fork-join, fib"},
    row{"fork_join.skynet", "fork-join, skynet"},
    row{"oversubscribed.fib", "fib with 64 workers (3)"},
    row{"oversubscribed.queue", "service work with 64 workers (3)"},
};

/// Millions of items per second and core of one contender, a sample for each round.
struct column {
  const char* peer;
  std::array<std::vector<double>, rows.size()> samples{};
  bool failed = false;

  void measure_round() {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!listed(peer, rows[i].board)) continue;
      try {
        const reading r = measure(peer, rows[i].board, effort::full);
        samples[i].push_back(r.items / r.wall_s / processors() * 1e-6);
      } catch (const skip& why) {
        std::printf("%s, %s: skipped: %s\n", peer, rows[i].title, why.what());
      } catch (const std::exception& wrong) {
        failed = true;
        std::printf("%s, %s: %s\n", peer, rows[i].title, wrong.what());
      }
    }
  }
  double median(std::size_t i) { return samples[i].empty() ? 0 : quantile(samples[i], 0.5); }
};

void print_figure(double figure) {
  if (figure > 0) {
    std::printf("%12.3f", figure);
  } else {
    std::printf("%12s", "-");
  }
}

void print_table(column& ours, column& theirs) {
  std::printf("%-34s%12s%12s%12s\n", "million per second and core", ours.peer, theirs.peer, "ratio");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double mine = ours.median(i), other = theirs.median(i);
    std::printf("%-34s", rows[i].title);
    print_figure(mine);
    print_figure(other);
    if (mine > 0 && other > 0) {
      std::printf("%11.2fx\n", mine / other);
    } else {
      std::printf("%12s\n", "-");
    }
  }
  std::printf(
      "(1) oneTBB has no coroutines: a task that submits itself again.  (2) oneTBB: threads that block.\n"
      "(3) What 64 workers do on these processors, per processor.\n"
      "Otherwise both with %u worker threads, no cut-off in fork-join; median of up to %d rounds. All boards: "
      "tools/bench\n",
      processors(), most_rounds);
}

}  // namespace

int print_summary() {
  column ours{.peer = "sluice"}, theirs{.peer = "oneTBB"};
  const stopwatch watch;
  for (int round = 0; round < most_rounds && watch.wall_s() < time_limit_s; ++round) {
    ours.measure_round();
    theirs.measure_round();
  }
  print_table(ours, theirs);
  return ours.failed || theirs.failed ? 1 : 0;
}

}  // namespace bench
