#include <sluice/queues/fail.hpp>

#include <cstdio>
#include <cstdlib>

namespace sluice::impl {

void fail(const std::string& sentence) noexcept {
  std::fprintf(stderr, "sluice: %s\n", sentence.c_str());
  std::abort();
}

}  // namespace sluice::impl
