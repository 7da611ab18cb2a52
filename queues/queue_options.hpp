#pragma once
// What every kind of queue is constructed with.

#include <string>

namespace sluice {

struct queue_options {
  std::string name = "queue";  ///< stands in errors
};

struct unbounded_t {
  explicit unbounded_t() = default;
};
/// For a queue that never makes a put wait, and grows instead.
inline constexpr unbounded_t unbounded{};

struct rendezvous_t {
  explicit rendezvous_t() = default;
};
/// For a queue that holds nothing: each put waits for a get.
inline constexpr rendezvous_t rendezvous{};

}  // namespace sluice
