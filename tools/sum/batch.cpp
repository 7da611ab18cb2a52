#include "batch.hpp"

namespace sum {

entry& add_entry(batch& to, std::string_view path) {
  entry& added = to.entries.emplace_back();
  added.name = static_cast<std::uint32_t>(to.names.size());
  added.length = static_cast<std::uint32_t>(path.size());
  to.names += path;
  to.names += '\0';
  return added;
}

std::size_t weigh(const batch& b) { return sizeof(batch) + b.names.capacity() + b.entries.capacity() * sizeof(entry); }

}  // namespace sum
