#pragma once
// Searches programs side by side in child processes (a crash fails its program only), and says what came out.
//
// examine.cpp  one program: its searches, and whether their answer is right
// runner.cpp   child processes, verdicts, totals

#include <sluice/model/engine.hpp>
#include <sluice/model/state.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace model {

/// What the command line asks for.
struct request {
  bool nightly = false;
  int bound = -1;
  int staleness = -1;
  std::uint64_t max = 0;
  int jobs = 1;
  double minutes = 0;        ///< nightly: stop after so many; 0: never
  std::uint64_t budget = 0;  ///< nightly: stop each program after so many executions; 0: never
  std::string state = "build/model-nightly";
};

/// What one program came to: written by its child process into shared memory.
struct verdict {
  enum class answer { failed, passed, left };
  answer is;  // zero: the child died
  std::uint64_t executions;
  std::uint64_t in_this_run;  // of the executions
  double seconds;             // of processor time, for these
  char how[64];
};

/// What a nightly run keeps of one program.
struct keeping {
  const record_folder* folder;
  record* of;
  const volatile std::sig_atomic_t* stop;
};

limits base_limits(const program& p, const request& a);
/// Searches one program and prints its line. `keep` is null but in a nightly run.
verdict examine(const program& p, const request& a, const keeping* keep);
int examine_all(const std::vector<const program*>& programs, const request& a);
int replay(const program& p, const request& a, const std::string& choices);
/// Makes crashes and endless loops failures of the execution under way.
void install_handlers();

}  // namespace model
