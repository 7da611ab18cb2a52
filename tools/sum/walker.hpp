#pragma once
// Finds the files, in an order that depends on nothing but their names: the paths as they were given, and below
// each directory the names in the order of their bytes, each subdirectory in its place.
//
// All calls block (they list and stat), so the pipeline makes them off its workers, several batches per call. Memory:
// the names of the directories between the root and the place where the walker is.

#include "batch.hpp"
#include "listing.hpp"
#include "resume.hpp"
#include "statistics.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sum {

struct walk_settings {
  std::vector<std::string> roots;   // symbolic links among them are followed
  bool follow = false;              // and those inside the trees too
  std::vector<identity> own_files;  // the manifests that this run reads and writes: not hashed
  resume_index* resume = nullptr;   // files that it holds are kept
};

class walker {
 public:
  // A batch ends when any of these is reached. A file of batch_bytes or more has a batch of its own, so
  // that other hashers need not wait for it.
  static constexpr std::size_t batch_files = 64;
  static constexpr std::uint64_t batch_bytes = 1 << 20;
  static constexpr std::size_t batch_names = 1 << 16;

  walker(walk_settings settings, statistics& counts);

  /// The next batch, never empty; null at the end, or soon after `stop` was set.
  std::unique_ptr<batch> next(const std::atomic<bool>& stop);

 private:
  struct level {
    std::size_t prefix;  // how much of path_ is this directory, its slash included
    identity directory;
    listing names;
    std::size_t at = 0;
  };

  bool step(batch& out);
  void visit(batch& out, unsigned char type, bool follow, bool is_root);
  void visit_file(batch& out, const struct stat& s, bool follow);
  void enter(batch& out, bool follow);
  void say(batch& out, outcome what, int error);
  bool keep(batch& out);

  walk_settings settings_;
  statistics& counts_;
  std::vector<level> levels_;
  std::string path_;  // of what is being visited
  std::size_t next_root_ = 0;
  std::uint64_t sequence_ = 0;
  std::unique_ptr<batch> held_;  // a file that had no room in the batch before it
};

}  // namespace sum
