#pragma once
// Hashes the files of one batch, in steps that the caller may interleave with other work.
//
// A step on a worker reads only what the page cache already holds (RWF_NOWAIT) and so never sleeps; when a
// file's data is not there, it says so, and the caller takes the next step where reading may block. So warm
// trees are hashed without a single hop between threads, and cold disks never hold up a worker.
//
// At most one file is open at a time. A file whose size or modification time differs after reading is read
// once more; if they differ again, it has no digest.

#include "batch.hpp"
#include "files.hpp"
#include "sha256.hpp"
#include "statistics.hpp"

namespace sum {

class batch_hasher {
 public:
  enum class reading { cached_only, may_block };
  enum class state {
    done,        // every entry of the batch has an outcome
    more,        // the budget is spent: call again
    would_block  // cached_only went as far as it could: call again with may_block
  };
  static constexpr std::size_t chunk = 128 * 1024;  // fits the second-level cache beside everything else

  explicit batch_hasher(statistics& counts) : counts_(counts) {}

  /// Takes on `b`, which must live until step() says done.
  void start(batch& b);
  /// Reads about `budget` bytes at most. Once `stop` is set, whatever is not finished is cut.
  state step(reading how, std::uint64_t budget, const std::atomic<bool>& stop);

 private:
  enum class progress { moved, ended, blocked, failed };

  bool open_file(entry& e);
  progress read_some(reading how, int& error);
  std::int64_t read_cached(unsigned char* into, std::size_t wanted);
  void check_unchanged(entry& e);
  void restart(const struct stat& s);
  void end(entry& e, outcome what, int error = 0);

  statistics& counts_;
  sha256 sum_;
  batch* batch_ = nullptr;
  std::size_t at_ = 0;  // the entry that is being hashed
  descriptor file_;
  struct stat before_{};  // as it was when reading began
  std::uint64_t offset_ = 0;
  bool again_ = false;  // this is the second reading

  // The last device whose file system does not know RWF_NOWAIT, and whether it lives in memory anyway.
  std::uint64_t plain_device_ = ~std::uint64_t{0};
  bool plain_in_memory_ = false;
};

}  // namespace sum
