#pragma once
// The manifest of an earlier run: which files need not be hashed again.
//
// Of each line only a hash of its path and its place are held, 16 bytes; the line itself is read again when
// its file is met. So the order of the lines does not matter, and a manifest of sha256sum does as well.

#include "files.hpp"
#include "manifest.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sum {

class resume_index {
 public:
  /// Reads `path`. Throws std::system_error if it cannot be read.
  explicit resume_index(const std::string& path);

  /// The digest that the manifest holds for `path`, the last one if there are several. Marks its lines as used.
  std::optional<digest> take(std::string_view path);

  /// Calls `each` for the lines that were not taken, in the order of the manifest.
  void for_each_left(const std::function<void(const manifest_line&)>& each) const;

  std::size_t lines() const noexcept { return lines_.size(); }
  /// How many lines were no manifest lines. A last line without its newline, torn by a crash, is not counted.
  std::size_t malformed() const noexcept { return malformed_; }
  bool torn() const noexcept { return torn_; }
  identity file() const noexcept { return file_; }

 private:
  struct line {
    std::uint64_t hash;
    std::uint64_t offset : 63;
    std::uint64_t used : 1;
  };
  void read_all();
  void add(std::string_view text, std::uint64_t offset);
  std::optional<manifest_line> read_line(std::uint64_t offset) const;

  descriptor from_;
  identity file_;
  std::vector<line> lines_;  // by hash, then by offset
  std::size_t malformed_ = 0;
  bool torn_ = false;
};

}  // namespace sum
