#pragma once
// What stands beside the pipeline: the signals that end it early, and what is shown meanwhile.
//
//   running --signal--> draining --drain_within--> cutting --grace--> abandoning --grace--> process ends
//                          \___________\___________________\__ signal --> process ends at once
//
// Draining finishes what is under way; cutting leaves files that are not finished; abandoning no longer waits for
// hashers that are stuck in a read. In each of them the pipeline usually ends by itself, and so does the supervisor.

#include "console.hpp"
#include "options.hpp"
#include "pipeline.hpp"

#include <sluice/sluice.hpp>

#include <atomic>
#include <chrono>

namespace sum {

class supervisor {
 public:
  supervisor(const options& chosen, pipeline& work, console& terminal)
      : options_(chosen), work_(work), terminal_(terminal) {}

  /// Runs the pipeline to its end, which the signals may bring near.
  sluice::task<> run();

  /// The signal that ended the run early, or 0.
  int interrupted_by() const noexcept { return signal_.load(std::memory_order_relaxed); }

 private:
  sluice::task<> watch(sluice::signals& arrivals);
  sluice::task<> show_progress();
  sluice::task<> say(std::string sentence);
  [[noreturn]] void end_at_once(std::string_view why);

  const options& options_;
  pipeline& work_;
  console& terminal_;
  std::atomic<int> signal_{0};  // written once by watch(), read after the run
};

}  // namespace sum
