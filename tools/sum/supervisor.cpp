#include "supervisor.hpp"

#include "messages.hpp"
#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace sum {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto bar_every = 100ms;
constexpr auto line_every = 5s;
constexpr auto grace = 1s;

// Whether another signal comes within `patience`.
sluice::task<bool> comes_again(sluice::signals& arrivals, std::chrono::duration<double> patience) {
  try {
    co_await sluice::timeout(patience, arrivals.next());
    co_return true;
  } catch (const sluice::timed_out&) {
    co_return false;
  }
}

// A bar on stderr is in the way of a manifest on the same terminal.
bool wants_bar(const options& o) {
  if (o.progress == progress_mode::always) return true;
  const bool mixed = o.output.empty() && ::isatty(STDOUT_FILENO) == 1;
  return ::isatty(STDERR_FILENO) == 1 && !mixed;
}

}  // namespace

sluice::task<> supervisor::run() {
  sluice::signals arrivals{SIGINT, SIGTERM};  // before any work: from here on a signal ends the run in good order
  const auto all = [this, &arrivals](sluice::task_group& beside) -> sluice::task<> {
    beside.spawn(watch(arrivals));
    if (!options_.quiet && options_.progress != progress_mode::never) beside.spawn(show_progress());
    co_await work_.run();
    beside.cancel();
  };
  co_await sluice::with_group(all);
  terminal_.clear();
}

sluice::task<> supervisor::watch(sluice::signals& arrivals) {
  const int first = co_await arrivals.next();
  signal_.store(first, std::memory_order_relaxed);
  work_.stop_intake();
  co_await say(
      fmt::format("Interrupted by {}: no more files are taken, those under way are finished, for {:g} s at most. "
                  "Once more ends it at once.",
                  first == SIGINT ? "SIGINT" : "SIGTERM", options_.drain_within.count()));
  if (co_await comes_again(arrivals, options_.drain_within)) end_at_once("Interrupted again: ended at once.");
  work_.cut();
  if (co_await comes_again(arrivals, grace)) end_at_once("Interrupted again: ended at once.");
  work_.abandon();
  static_cast<void>(co_await comes_again(arrivals, grace));
  end_at_once("A read or a write does not return: ended without waiting for it.");
}

void supervisor::end_at_once(std::string_view why) {
  terminal_.clear();
  terminal_.say(as_line(why));
  terminal_.say(as_line(how_to_go_on(options_.output, options_.roots, options_.follow)));
  std::_Exit(128 + interrupted_by());
}

sluice::task<> supervisor::say(std::string sentence) {
  const auto put = [this, &sentence] { terminal_.say(as_line(sentence)); };
  co_await sluice::run_blocking(put);
}

sluice::task<> supervisor::show_progress() {
  const bool bar = wants_bar(options_);
  const auto begun = steady::now();
  speedometer speed;
  progress_snapshot now;
  const auto draw = [this, bar, &now] {
    if (bar) return terminal_.draw(progress_bar(now, console::width()));
    terminal_.say(as_line(progress_line(now)));
  };
  for (;;) {
    co_await sluice::sleep_for(bar ? std::chrono::milliseconds{bar_every} : std::chrono::milliseconds{line_every});
    now = work_.snapshot();
    now.elapsed = steady::now() - begun;
    now.bytes_per_second = speed.update(now.elapsed, now.bytes);
    co_await sluice::run_blocking(draw);
  }
}

}  // namespace sum
