#pragma once
// Which processors this process may use, and which of them are near each other: what share a core, a last-level cache, a memory
// node. Read once from /sys; plain values, no threads.

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::impl {

/// More processors than any kernel numbers.
inline constexpr unsigned most_processors = 1u << 20;

struct processor {
  unsigned number;  // the kernel's
  // From 0 without gaps, each in the order in which the processors' numbers show them.
  unsigned core;
  unsigned cache;
  unsigned node;
};

class topology {
 public:
  /// At least one processor, with rising numbers; the rest of each as `processor` says.
  explicit topology(std::vector<processor> processors);

  /// By rising number.
  const std::vector<processor>& processors() const noexcept { return processors_; }
  unsigned cores() const noexcept { return cores_; }
  unsigned caches() const noexcept { return caches_; }
  unsigned nodes() const noexcept { return nodes_; }

  /// The processor with this number, in O(1); null if it is not one of these.
  const processor* find(unsigned number) const noexcept;

  static constexpr unsigned far = 3;
  /// Between two processors, by their numbers: 0 on the same core (or the same one), 1 under the same last-level cache, 2 on the
  /// same node, `far` further away, or one of them is not known. O(1).
  unsigned distance(unsigned a, unsigned b) const noexcept;

  /// The numbers of all processors in the order in which workers 0, 1, 2, ... should be bound to them: one cache is filled
  /// before the next, and the caches of one node before those of the next; under a cache each core gets a worker before any core
  /// gets a second.
  std::vector<unsigned> pinning_order() const;

 private:
  std::vector<processor> processors_;
  std::vector<std::uint32_t> places_;  // by number: the place in processors_, and one more; 0 is none
  unsigned cores_ = 0;
  unsigned caches_ = 0;
  unsigned nodes_ = 0;
};

/// From the files under `root` ("" in production, a test's folder otherwise) for the processors with these rising numbers. Throws
/// std::bad_alloc. A processor of whose core nothing can be read has one of its own; those of whose cache nothing can be read count as
/// under one cache, those of no known node as on one node.
topology topology_from(const std::string& root, const std::vector<unsigned>& numbers);

}  // namespace sluice::impl
