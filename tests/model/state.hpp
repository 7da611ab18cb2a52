#pragma once
// What nightly runs keep of each program, so that the next one goes on where the last one stopped: one small text
// file per program, replaced as a whole, with a checksum.

#include <sluice/model/engine.hpp>

#include <cstdint>
#include <string>

namespace model {

/// What is kept of one program.
struct record {
  std::string program;
  std::uint64_t fingerprint = 0;  ///< of the binary and the settings: of another one only `ever` counts
  std::uint64_t ever = 0;         ///< executions in all runs, those of older binaries included
  bool done = false;
  std::string how;           ///< of a finished one: exhaustive, bound 3, ...
  std::uint64_t phase = 0;   ///< of an open one: which of its searches is under way
  std::uint64_t before = 0;  ///< executions of its finished searches
  search_state at;           ///< and where the one under way stands

  std::uint64_t executions() const noexcept { return before + at.executions; }
  /// Forgets the search, but not what it cost.
  void begin_anew(std::uint64_t new_fingerprint);
};

/// The folder of these files. Every function returns an empty string or a sentence that says what to do.
class record_folder {
 public:
  explicit record_folder(std::string path) : path_{std::move(path)} {}

  /// Creates it if need be and keeps every other run out until this process and its children have ended.
  std::string open();
  /// Reads what is known of `program`: nothing, if it was never searched.
  std::string load(const std::string& program, record& r) const;
  std::string save(const record& r) const;
  /// Executions of all programs that have a file here, also of those that the binary no longer has.
  std::string total(std::uint64_t& executions) const;
  const std::string& path() const noexcept { return path_; }

 private:
  std::string file_of(const std::string& program) const;

  std::string path_;
};

/// Of the running binary and `settings`.
std::uint64_t fingerprint(const std::string& settings);

}  // namespace model
