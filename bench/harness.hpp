#pragma once
// What every board shares: the clock, the reading that a board returns, and the list of boards.
//
// A board is a function that does a fixed amount of work, checks its own answer and returns a reading; the harness
// makes a Google Benchmark case of it and prints one JSON line. A wrong answer is thrown and fails the case; a board that
// cannot be measured on this machine throws `skip`, which fails nothing. Rules of measurement: README.md.

#include <chrono>
#include <cstdint>
#include <ctime>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// How much a board is to do. `quick` is about a fifth; a warm-up about a fiftieth.
enum class effort { full, quick, warm_up };

/// `full` items, or the share of them that the effort asks for, as a multiple of `granule` and at least one granule.
inline long scaled(effort e, long full, long granule = 1) {
  const long share = e == effort::full ? full : e == effort::quick ? full / 5 : full / 50;
  return share / granule > 0 ? share / granule * granule : granule;
}

/// What a board found out. `value` is the figure of the board, in `unit`; lower or higher is better as boards.json says.
struct reading {
  double value = 0;
  std::string unit;
  double items = 0;
  double wall_s = 0;
  double cpu_s = 0;  // of the whole process: every worker, every thread
  std::vector<std::pair<std::string, double>> extra = {};
};

/// Wall and process CPU time since construction.
class stopwatch {
 public:
  double wall_s() const { return std::chrono::duration<double>(clock::now() - wall_).count(); }
  double cpu_s() const { return process_cpu() - cpu_; }

  reading ns_per_item(long items) const { return finish(items, "ns", 1e9); }
  reading millions_per_s(long items) const {
    reading r = finish(items, "M/s", 1);
    r.value = 1e-6 / r.value;
    return r;
  }

 private:
  using clock = std::chrono::steady_clock;
  static double process_cpu() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
  }
  reading finish(long items, const char* unit, double factor) const {
    reading r{.unit = unit, .items = static_cast<double>(items), .wall_s = wall_s(), .cpu_s = cpu_s()};
    r.value = r.wall_s / r.items * factor;
    return r;
  }

  clock::time_point wall_ = clock::now();
  double cpu_ = process_cpu();
};

/// What a board throws that cannot be measured here: the sentence says why not.
struct skip : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws std::runtime_error naming `what` unless the two are equal: every board calls it on its answer.
void check_equal(const char* what, std::int64_t got, std::int64_t expected);

/// Sorts `samples` and returns the one below which the share `q` of them lies.
double quantile(std::vector<double>& samples, double q);

/// Resident memory of this process now, and at its highest, in bytes.
std::int64_t resident_bytes();
std::int64_t peak_resident_bytes();

/// How often the threads of a runtime that has just worked, and now has nothing to do, are woken.
reading idle_wakeups(effort e);

/// Processors that this process may use: the number of workers that every contender gets.
unsigned processors();

using board_function = reading (*)(effort);

/// Lists a board: `static const bool listed = bench::add("sluice", "yield", yield);`. `warm` runs the board once at
/// warm-up effort before the reading is taken.
bool add(const char* peer, const char* board, board_function f, bool warm = true);

/// The rest of a board's `main`: runs one listed board and returns its reading, or throws.
reading measure(const std::string& peer, const std::string& board, effort e);
bool listed(const std::string& peer, const std::string& board);

/// `sluice-boards --summary`: about a minute, a table for people.
int print_summary();

}  // namespace bench
