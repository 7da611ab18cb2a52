#include "statistics.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sum {

void wait_histogram::record(std::chrono::nanoseconds wait) noexcept {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(wait.count(), 0));
  buckets_[bucket_of(ns)].add(1);
  count_.add(1);
  auto seen = longest_.load(std::memory_order_relaxed);
  while (seen < ns && !longest_.compare_exchange_weak(seen, ns, std::memory_order_relaxed)) {
  }
}

std::chrono::nanoseconds wait_histogram::longest() const noexcept {
  return std::chrono::nanoseconds{longest_.load(std::memory_order_relaxed)};
}

std::chrono::nanoseconds wait_histogram::percentile(double percent) const noexcept {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(static_cast<double>(count()) * percent / 100));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i].get();
    if (seen != 0 && seen >= wanted) return std::min(std::chrono::nanoseconds{top_of(i)}, longest());
  }
  return longest();
}

// Values below 2^fine have a bucket each; above, the leading one bit chooses the group and the next `fine` bits the bucket.
std::size_t wait_histogram::bucket_of(std::uint64_t ns) noexcept {
  if (ns < (1U << fine)) return ns;
  const unsigned shift = static_cast<unsigned>(std::bit_width(ns)) - 1 - fine;
  return (static_cast<std::size_t>(shift) << fine) + static_cast<std::size_t>(ns >> shift);
}

std::uint64_t wait_histogram::top_of(std::size_t bucket) noexcept {
  if (bucket < (2U << fine)) return bucket;
  const std::size_t shift = (bucket >> fine) - 1;
  const std::uint64_t leading = bucket - (shift << fine);
  return (leading << shift) + ((std::uint64_t{1} << shift) - 1);
}

}  // namespace sum
