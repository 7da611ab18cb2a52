#pragma once
// What is shown while the run goes on: one line that is drawn over on a terminal, or plain lines.

#include <chrono>
#include <cstdint>
#include <string>

namespace sum {

struct progress_snapshot {
  std::chrono::duration<double> elapsed{};
  std::uint64_t files = 0;  // done
  std::uint64_t bytes = 0;
  std::uint64_t files_found = 0;  // so far
  std::uint64_t bytes_found = 0;
  bool all_found = false;       // the two above are the totals
  double bytes_per_second = 0;  // of late
  std::size_t jobs = 0;         // batches waiting for a hasher
  std::size_t jobs_capacity = 0;
  std::size_t finished = 0;  // batches waiting for the writer
  std::size_t finished_capacity = 0;
  std::uint64_t errors = 0;
};

/// How much longer it takes at the pace so far; negative while unknown: before everything was found.
std::chrono::duration<double> time_left(const progress_snapshot& s);

/// One line for a terminal, without a newline, at most `width` columns.
std::string progress_bar(const progress_snapshot& s, std::size_t width);

/// One plain line, without a newline.
std::string progress_line(const progress_snapshot& s);

/// The speed of late: an average that forgets within a few seconds.
class speedometer {
 public:
  double update(std::chrono::duration<double> elapsed, std::uint64_t bytes);

 private:
  std::chrono::duration<double> last_{};
  std::uint64_t bytes_ = 0;
  double speed_ = 0;
};

}  // namespace sum
