#include <sluice/queues/fail.hpp>

#include <cstdio>
#include <cstdlib>

namespace sluice::impl {

void fail(const std::string& sentence) noexcept {
  const bool named = sentence.starts_with("sluice: ");  // a sentence that could not be thrown names us already
  std::fprintf(stderr, "%s%s\n", named ? "" : "sluice: ", sentence.c_str());
  std::abort();
}

}  // namespace sluice::impl
