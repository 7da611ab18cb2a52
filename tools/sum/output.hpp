#pragma once
// Where the manifest goes: a file by its final name, or stdout. What stands there is whole lines at any time.
//
// The manifest is written under its final name, so that an interrupted run, or one that was killed, leaves what it
// had. There is one exception: a run that resumes from the very file that it writes puts its lines into
// NAME.resumed beside it, which takes the name at the end: the earlier lines are never at risk.
//
// A write that fails midway (a full disk) is taken back to the end of its last whole line, where the output is a file.
// Only a process that is killed inside a write can leave a torn last line, which --resume ignores.

#include "files.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace sum {

class manifest_output {
 public:
  /// `path` empty: stdout. `resumes` is the manifest that the run resumes from. Throws std::system_error.
  manifest_output(const std::string& path, std::optional<identity> resumes);

  /// Writes whole lines; blocks. After an error every later call returns it again and writes nothing.
  [[nodiscard]] std::error_code write(std::string_view lines);
  /// Closes, and gives the file its final name.
  [[nodiscard]] std::error_code finish();

  /// The file behind it, if it is a regular one.
  std::optional<identity> file() const noexcept { return file_; }
  const std::string& path() const noexcept { return path_; }
  /// For sentences: the quoted name, or "standard output".
  std::string name() const;

 private:
  std::error_code fail(int error);
  void drop_torn_line(std::int64_t start, std::string_view written);

  std::string path_;    // as the user gave it
  std::string target_;  // not empty: finish() renames temporary_ to it
  std::string temporary_;
  descriptor file_descriptor_;  // empty for stdout
  int to_ = 1;
  std::optional<identity> file_;
  std::error_code error_;
};

}  // namespace sum
