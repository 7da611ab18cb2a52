#include <sluice/runtime/index_range.hpp>

#include <stdexcept>
#include <string>

namespace sluice::impl {

void throw_end_too_far(const char* function) {
  throw std::invalid_argument(std::string("sluice::") + function +
                              ": the end does not fit into the type of the beginning; give both the wider type, as in "
                              "std::size_t{0}");
}

}  // namespace sluice::impl
