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

  /// Takes a batch whose entries all have an outcome. Returns the weight of the batches that were turned into text.
  std::size_t take(std::unique_ptr<batch> done);
  /// No more batches come: turns into text what still waits for a batch that never came. Returns their weight.
  std::size_t finish();

  std::string lines;      // for the manifest; the caller empties it
  std::string sentences;  // for stderr, each with its newline; the caller empties it

 private:
  void emit(const batch& b);

  statistics& counts_;
  std::deque<std::unique_ptr<batch>> early_;  // early_[i] is batch next_ + i, or null
  std::uint64_t next_ = 0;
};

}  // namespace sum
