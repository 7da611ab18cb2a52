#pragma once
// One runtime for all boards of a process, built when a board first needs it, as the other contenders have one.

#include "../sizes.hpp"

#include <sluice/sluice.hpp>

namespace bench {

inline sluice::runtime& shared_runtime() {
  static sluice::runtime runtime{{.workers = processors()}};
  return runtime;
}

}  // namespace bench
