// The main program of the boards: registers each listed board with Google Benchmark and prints a JSON line for each.

#include "harness.hpp"

#include <benchmark/benchmark.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace bench {
namespace {
/// Context switches so far of every thread of this process but the first.
std::int64_t switches_of_other_threads() {
  std::int64_t sum = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    if (thread.path().filename() == std::to_string(getpid())) continue;
    std::ifstream status(thread.path() / "status");
    std::string line;
    while (std::getline(status, line))
      if (line.find("ctxt_switches:") != std::string::npos) sum += std::stoll(line.substr(line.find(':') + 1));
  }
  return sum;
}

struct board_entry {
  std::string peer, board;
  board_function run;
  bool warm;
};

std::vector<board_entry>& entries() {
  static std::vector<board_entry> list;
  return list;
}

const board_entry* find(std::string_view peer, std::string_view board) {
  for (const board_entry& e : entries())
    if (e.peer == peer && e.board == board) return &e;
  return nullptr;
}

reading measure(const board_entry& entry, effort e) {
  if (entry.warm) entry.run(effort::warm_up);
  return entry.run(e);
}

/// A second thread for the life of the program: with a single one, glibc leaves locks out of its own code and of
/// libstdc++'s, and timings flatter whoever uses them. It sleeps in read() and is never woken.
class companion {
 public:
  companion() {
    if (pipe(ends_) != 0) throw std::runtime_error("The harness could not make a pipe.");
    thread_ = std::thread([fd = ends_[0]] {
      char byte = 0;
      while (read(fd, &byte, 1) > 0) {
      }
    });
  }
  ~companion() {
    close(ends_[1]);
    thread_.join();
    close(ends_[0]);
  }
  companion(const companion&) = delete;
  companion& operator=(const companion&) = delete;

 private:
  int ends_[2];
  std::thread thread_;
};

void print_line(const board_entry& entry, const reading& r) {
  std::printf("{\"board\":\"%s\",\"peer\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"", entry.board.c_str(),
              entry.peer.c_str(), r.value, r.unit.c_str());
  if (r.items > 0) {
    std::printf(",\"items\":%.0f,\"wall_s\":%.6g,\"cpu_s\":%.6g", r.items, r.wall_s, r.cpu_s);
    if (r.wall_s > 0) std::printf(",\"items_per_s\":%.6g", r.items / r.wall_s);
    if (r.cpu_s > 0) std::printf(",\"items_per_cpu_s\":%.6g", r.items / r.cpu_s);
  }
  for (const auto& [name, value] : r.extra) std::printf(",\"%s\":%.6g", name.c_str(), value);
  std::printf(",\"peak_rss_mb\":%.1f,\"workers\":%u}\n", static_cast<double>(peak_resident_bytes()) / 1e6,
              processors());
}

/// A line without figures: `kind` is "error" or "skipped".
void print_sentence(const board_entry& entry, const char* kind, const char* message) {
  std::string quoted;
  for (const char* c = message; *c != 0; ++c) {
    if (*c == '"' || *c == '\\') quoted += '\\';
    quoted += *c == '\n' ? ' ' : *c;
  }
  std::printf("{\"board\":\"%s\",\"peer\":\"%s\",\"%s\":\"%s\"}\n", entry.board.c_str(), entry.peer.c_str(), kind,
              quoted.c_str());
}

bool failed = false;

void run_case(benchmark::State& state, const board_entry* entry, effort e) {
  for (auto _ : state) {
    try {
      const reading r = measure(*entry, e);
      state.SetIterationTime(r.wall_s);
      print_line(*entry, r);
    } catch (const skip& why) {
      print_sentence(*entry, "skipped", why.what());
      state.SkipWithError(why.what());  // SkipWithMessage is newer than Debian 12; `failed` decides the exit status
    } catch (const std::exception& wrong) {
      failed = true;
      print_sentence(*entry, "error", wrong.what());
      state.SkipWithError(wrong.what());
    }
    std::fflush(stdout);
  }
}

/// The lines are printed by run_case; Google Benchmark's own tables would stand between them.
class silent_reporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

void register_cases(effort e) {
  for (const board_entry& entry : entries()) {
    const std::string name = entry.peer + "/" + entry.board;
    benchmark::RegisterBenchmark(name.c_str(), run_case, &entry, e)->Iterations(1)->UseManualTime();
  }
}

int usage(std::FILE* out) {
  std::fputs(
      "usage: sluice-boards [--quick] [--list | --summary | --benchmark_filter=PEER/BOARD]\n"
      "Runs each board once and prints one JSON line for it. tools/bench runs it beside the other "
      "contenders.\n",
      out);
  return out == stdout ? 0 : 2;
}

int run(int argc, char** argv) {
  effort e = effort::full;
  std::vector<char*> rest;
  for (int i = 0; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--quick") {
      e = effort::quick;
    } else if (argument == "--summary") {
      return print_summary();
    } else if (argument == "--list") {
      for (const board_entry& entry : entries()) std::printf("%s/%s\n", entry.peer.c_str(), entry.board.c_str());
      return 0;
    } else if (argument == "--help") {
      return usage(stdout);
    } else {
      rest.push_back(argv[i]);
    }
  }
  register_cases(e);
  int count = static_cast<int>(rest.size());
  benchmark::Initialize(&count, rest.data());
  if (benchmark::ReportUnrecognizedArguments(count, rest.data())) return usage(stderr);
  silent_reporter reporter;
  if (benchmark::RunSpecifiedBenchmarks(&reporter) == 0) return 2;
  return failed ? 1 : 0;
}

std::int64_t resident_field(const char* name) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line))
    if (line.compare(0, std::strlen(name), name) == 0) return std::stoll(line.substr(std::strlen(name))) * 1024;
  return 0;
}

}  // namespace

bool add(const char* peer, const char* board, board_function f, bool warm) {
  entries().push_back({peer, board, f, warm});
  return true;
}

bool listed(const std::string& peer, const std::string& board) { return find(peer, board) != nullptr; }

reading measure(const std::string& peer, const std::string& board, effort e) {
  const board_entry* entry = find(peer, board);
  if (entry == nullptr) throw std::invalid_argument("There is no board " + board + " of " + peer + "; see --list.");
  return measure(*entry, e);
}

void check_equal(const char* what, std::int64_t got, std::int64_t expected) {
  if (got == expected) return;
  throw std::runtime_error("Wrong answer: " + std::string(what) + " is " + std::to_string(got) + " and should be " +
                           std::to_string(expected) + ".");
}

double quantile(std::vector<double>& samples, double q) {
  if (samples.empty()) throw std::runtime_error("Wrong answer: no sample was taken.");
  std::sort(samples.begin(), samples.end());
  return samples[std::min(samples.size() - 1, static_cast<std::size_t>(q * static_cast<double>(samples.size())))];
}

std::int64_t resident_bytes() { return resident_field("VmRSS:"); }
std::int64_t peak_resident_bytes() { return resident_field("VmHWM:"); }

reading idle_wakeups(effort e) {
  const int seconds = e == effort::full ? 10 : 2;
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const std::int64_t before = switches_of_other_threads();
  const stopwatch watch;
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  reading r = watch.ns_per_item(seconds);
  r.value = static_cast<double>(switches_of_other_threads() - before);
  r.unit = "wakeups";
  return r;
}

unsigned processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&set));
}

}  // namespace bench

int main(int argc, char** argv) {
  try {
    const bench::companion second_thread;
    return bench::run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "sluice-boards: %s\n", problem.what());
    return 2;
  }
}
