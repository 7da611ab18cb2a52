#include <sluice/runtime/parallel_for.hpp>

#include <stdexcept>

namespace sluice::impl {

void throw_end_too_far() {
  throw std::invalid_argument(
      "sluice::parallel_for: the end does not fit into the type of the beginning; give both the wider type, as in "
      "std::size_t{0}");
}

}  // namespace sluice::impl
