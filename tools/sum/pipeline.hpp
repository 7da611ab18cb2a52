#pragma once
// The three stages: walker -> jobs -> hashers -> finished -> writer.
//
//   walk()   one task; the walker lists and stats on the blocking pool, several batches per call
//   hash()   a task for each file that may be open, more than workers, so that a cold disk has reads to choose from; each hashes one batch at a time on its worker, off it only where the page cache has nothing
//   write()  one task; puts the batches in order; the manifest and stderr are written on the blocking pool
//
// I1  A batch enters `jobs` only when the window has its weight to spare, and gives it back when it has become text. So the memory
//     of all batches under way, early ones included, is at most the window: options::window_mib.
// I2  Window and sequence are handed out by the walker alone, in the same order. So the batch that the writer waits for is
//     always under way, and an early batch never keeps it out.
// I3  Every stage ends because the one before it has closed its queue, after an interruption as well: then the walker
//     finds nothing more, and the hashers cut instead of hashing. Nothing is cancelled, and no finished line is lost.

#include "console.hpp"
#include "hasher.hpp"
#include "options.hpp"
#include "output.hpp"
#include "progress.hpp"
#include "resume.hpp"
#include "statistics.hpp"
#include "walker.hpp"
#include "writer.hpp"

#include <sluice/sluice.hpp>

#include <atomic>
#include <memory>

namespace sum {

class pipeline {
 public:
  /// What is handed in must outlive the pipeline; `resume` may be null.
  pipeline(const options& chosen, resume_index* resume, manifest_output& output, console& terminal);

  /// Does all of it, once. Errors of files and of the output are said and counted; what it throws is out of memory.
  sluice::task<> run();

  // From any task, at any time:
  void stop_intake() noexcept { stop_.store(true, std::memory_order_relaxed); }  // find nothing more
  void cut() noexcept { cut_.store(true, std::memory_order_relaxed); }           // and hash nothing more
  void abandon() noexcept {                                                      // and do not wait for stuck hashers
    abandoned_.store(true, std::memory_order_relaxed);
    finished_.close();
  }

  statistics& counts() noexcept { return counts_; }
  /// Whether the output refused a write: then there is a reason to end with an error, and it was said.
  bool output_failed() const noexcept { return output_failed_.load(std::memory_order_relaxed); }
  /// After the run: whether an interruption came too late to leave anything undone.
  bool left_nothing() const noexcept;
  progress_snapshot snapshot() const;

 private:
  using work = std::unique_ptr<batch>;

  sluice::task<> walk();
  sluice::task<> admit(work found);
  sluice::task<> hash_all();
  sluice::task<> hash();
  sluice::task<> hash_batch(batch_hasher& hasher, batch& b);
  sluice::task<> write();
  sluice::task<> emit();
  sluice::task<std::optional<work>> next_finished();
  sluice::task<> flush();
  sluice::task<> keep_what_was_not_met();
  void output_refuses(const std::error_code& why);
  bool has_text() const { return !writer_.lines.empty() || !writer_.sentences.empty(); }

  const options& options_;
  resume_index* resume_;
  manifest_output& output_;
  console& terminal_;

  std::atomic<bool> stop_{false};  // set by an interruption or a failed output
  std::atomic<bool> cut_{false};   // likewise
  std::atomic<bool> abandoned_{false};
  std::atomic<bool> walked_all_{false};  // set by walk(), when it came to the end before any stop
  std::atomic<bool> output_failed_{false};
  statistics counts_;
  walker walker_;
  manifest_writer writer_;
  std::size_t window_bytes_;
  sluice::semaphore window_;      // bytes of batches under way
  sluice::semaphore open_files_;  // one for each hasher at work, one for the walker while it lists
  sluice::queue<work> jobs_;
  sluice::queue<work> finished_;
};

}  // namespace sum
