#pragma once
// The command line.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sum {

enum class progress_mode { automatic, always, never };

struct options {
  std::vector<std::string> roots;  // "." if none was given
  std::string output;              // empty: stdout
  std::string resume;              // empty: no earlier manifest
  bool follow = false;
  std::size_t workers = 0;      // 0: what the machine allows
  std::size_t open_files = 16;  // files and directories open at once: also the number of hashers
  std::size_t queue = 32;       // batches in each of the two queues
  std::size_t window_mib = 16;  // memory of the batches under way
  std::chrono::duration<double> drain_within{5};
  progress_mode progress = progress_mode::automatic;
  bool quiet = false;
};

/// Either what to do, or what to print and the status to exit with.
struct parsed_command {
  std::optional<options> run;
  std::string text;
  int status = 0;  // 0: text goes to stdout (--help, --version). 2: to stderr
};

/// `arguments` without the program's name. Paths are bytes: nothing in them is interpreted.
parsed_command parse_command(std::vector<std::string> arguments);

}  // namespace sum
