#pragma once
// What travels through the pipeline: a batch of files, in the walker's order, with what became of each.
//
// A batch is found by the walker, filled in by one hasher, and written by the writer. It belongs to exactly one of
// them at a time: the queues hand it over.

#include "manifest.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sum {

/// What became of an entry.
///   waiting     a file that nobody has hashed yet
///   hashed      its digest was computed
///   kept        its digest was taken from the manifest of --resume
///   cut         not hashed, because the run was stopped
///   skipped     a file that this run itself reads or writes (its manifests): said, no error
///   the rest    an error: see describe() in messages.hpp
enum class outcome : unsigned char {
  waiting,
  hashed,
  kept,
  cut,
  skipped,
  unreadable,  // `error` is the errno of opening or reading it
  vanished,    // it was there when its directory was listed
  special,     // a fifo, socket or device: `error` is its file type (st_mode & S_IFMT)
  changing,    // size or time changed while it was read, twice
  unlisted,    // a directory that could not be listed: `error` is the errno
  loop         // a link back to a directory that is being walked
};

struct entry {
  std::uint64_t size = 0;  // as the walker saw it
  std::uint32_t name = 0;  // where its path begins in batch::names
  std::uint32_t length = 0;
  int error = 0;
  outcome what = outcome::waiting;
  bool follow = false;  // opening it may follow a symbolic link
  digest value{};
};

struct batch {
  std::uint64_t sequence = 0;  // 0, 1, 2, ... in the walker's order, no number missing
  std::uint64_t bytes = 0;     // of its waiting entries
  std::string names;           // each path followed by a null byte
  std::vector<entry> entries;
  std::size_t weight = 0;                           // what it holds of the window, in bytes
  std::chrono::steady_clock::time_point offered{};  // when it was last offered to a queue

  const char* path(const entry& e) const { return names.data() + e.name; }
  std::string_view path_view(const entry& e) const { return {names.data() + e.name, e.length}; }
};

/// Appends an entry for `path` and returns it; valid until the next call.
entry& add_entry(batch& to, std::string_view path);

/// The memory that a batch holds while it is under way.
std::size_t weigh(const batch& b);

}  // namespace sum
