#pragma once
// Puts finished batches back into the walker's order and turns them into text: lines for the manifest, sentences for stderr.
//
// I1  Batch n is turned into text after the batches 0 .. n-1. What came too early waits; the window of the pipeline bounds how much
//     that can be.

#include "batch.hpp"
#include "statistics.hpp"

#include <deque>
#include <memory>
#include <string>

namespace sum {

class manifest_writer {
 public:
  explicit manifest_writer(statistics& counts) : counts_(counts) {}

  /// Takes a batch whose entries all have an outcome.
  void take(std::unique_ptr<batch> done);
  /// No more batches come: what waits for one that never came waits no longer.
  void close();

  /// Whether a batch can become text.
  bool ready() const { return !early_.empty() && early_.front(); }
  /// Turns one batch into text and returns its weight. Only when ready().
  std::size_t emit();

  std::string lines;      // for the manifest; the caller empties it
  std::string sentences;  // for stderr, each with its newline; the caller empties it

 private:
  void put(const batch& b);

  statistics& counts_;
  std::deque<std::unique_ptr<batch>>
      early_;  // early_[i] is batch next_ + i, or null; in order, without gaps, once closed
  std::uint64_t next_ = 0;
};

}  // namespace sum
