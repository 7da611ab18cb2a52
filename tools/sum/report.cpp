#include "report.hpp"

#include "messages.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <string_view>

namespace sum {
namespace {

// Percentiles of a shorter run tell of its start and its end alone.
constexpr std::chrono::seconds long_enough_for_waits{1};

std::string plural(std::uint64_t n, std::string_view what) {
  return fmt::format("{} {}{}", with_commas(n), what, n == 1 ? "" : "s");
}

double per(double amount, std::chrono::duration<double> time) { return time.count() > 0 ? amount / time.count() : 0; }

std::string waits(std::string_view queue, const wait_histogram& h) {
  return fmt::format("  {}: {} waited p50 {}, p99 {}, max {}\n", queue,
                     h.count() == 1 ? "1 batch" : with_commas(h.count()) + " batches", in_time(h.percentile(50)),
                     in_time(h.percentile(99)), in_time(h.longest()));
}

}  // namespace

std::chrono::duration<double> cpu_time() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return std::chrono::duration<double>{seconds(used.ru_utime) + seconds(used.ru_stime)};
}

std::string report(const statistics& counts, const run_times& times) {
  const auto bytes = static_cast<double>(counts.hashed_bytes.get());
  const auto held = static_cast<double>(counts.held_back_ns.get()) / 1e9;
  std::string out =
      fmt::format("sluice-sum: {}, {} in {:.2f} s: {:.1f} MB/s; {:.2f} s of CPU, {:.1f} MB per CPU-second\n",
                  plural(counts.hashed_files.get(), "file"), in_bytes(bytes), times.wall.count(),
                  per(bytes / 1e6, times.wall), times.cpu.count(), per(bytes / 1e6, times.cpu));
  if (counts.kept_files.get() != 0) {
    out += fmt::format("  {} kept from the earlier manifest\n", plural(counts.kept_files.get(), "file"));
  }
  if (counts.skipped_links.get() != 0) {
    out += fmt::format("  {} not followed\n", plural(counts.skipped_links.get(), "symbolic link"));
  }
  out += fmt::format("  the walker was held back {:.2f} s, {:.0f} % of the time\n", held, 100 * per(held, times.wall));
  if (times.wall >= long_enough_for_waits) {
    out += waits("walker > hashers", counts.jobs_wait);
    out += waits("hashers > writer", counts.finished_wait);
  }
  if (counts.cut_files.get() != 0) {
    out += fmt::format("  {} found but not hashed\n", plural(counts.cut_files.get(), "file"));
  }
  out += fmt::format("  {}\n", plural(counts.errors.get(), "error"));
  return out;
}

}  // namespace sum
