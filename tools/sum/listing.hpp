#pragma once
// The names in one directory, in the order of their bytes, held in little memory.
//
// A name costs its length, one null byte and 16 bytes: a directory of a million short names stays near 30 MB.

#include "files.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sum {

class listing {
 public:
  listing() = default;
  /// Lists the directory behind `directory`. error() is the errno of what went wrong, or 0; names read
  /// before that are there.
  explicit listing(descriptor directory);

  std::size_t size() const noexcept { return items_.size(); }
  int error() const noexcept { return error_; }
  const char* name(std::size_t i) const noexcept { return names_.data() + items_[i].name; }
  /// The type as the file system says it: DT_REG, DT_DIR, DT_LNK, ..., or DT_UNKNOWN.
  unsigned char type(std::size_t i) const noexcept { return static_cast<unsigned char>(items_[i].type); }

 private:
  struct item {
    std::uint64_t prefix;  // the first 8 bytes, big-endian: decides most comparisons without a look at the name
    std::uint64_t name : 56;
    std::uint64_t type : 8;
  };
  static std::uint64_t prefix_of(const char* name) noexcept;
  void sort();

  std::string names_;
  std::vector<item> items_;
  int error_ = 0;
};

}  // namespace sum
