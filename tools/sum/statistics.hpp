#pragma once
// What the run counts while it goes on. Every counter is relaxed: each stands for itself, and the totals are
// read after the tasks that wrote them were awaited.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace sum {

/// A number that many tasks add to.
class counter {
 public:
  void add(std::uint64_t n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Durations, by their size: 16 buckets for each power of two, so that a percentile is at most 1/16 too high.
class wait_histogram {
 public:
  void record(std::chrono::nanoseconds wait) noexcept;
  std::uint64_t count() const noexcept { return count_.get(); }
  std::chrono::nanoseconds longest() const noexcept;
  /// The wait that `percent` of all waits did not exceed; 0 if there were none.
  std::chrono::nanoseconds percentile(double percent) const noexcept;

 private:
  static constexpr unsigned fine = 4;
  static std::size_t bucket_of(std::uint64_t nanoseconds) noexcept;
  static std::uint64_t top_of(std::size_t bucket) noexcept;

  std::array<counter, (64 - fine + 1) << fine> buckets_{};
  counter count_;
  std::atomic<std::uint64_t> longest_{0};
};

struct statistics {
  counter found_files;  // to be hashed, as far as the walker has come
  counter found_bytes;
  counter hashed_files;
  counter hashed_bytes;
  counter ended_files;  // hashed, or failed, or cut: found_files once all is done
  counter kept_files;   // taken from the manifest of --resume
  counter cut_files;    // left for --resume
  counter skipped_links;
  counter errors;
  counter held_back_ns;  // the walker waiting for the window and for room in its queue
  std::atomic<bool> all_found{false};
  wait_histogram jobs_wait;      // walker -> hashers: from offered to taken
  wait_histogram finished_wait;  // hashers -> writer
};

}  // namespace sum
