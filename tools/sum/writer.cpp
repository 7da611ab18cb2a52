#include "writer.hpp"

#include "console.hpp"
#include "messages.hpp"

#include <utility>

namespace sum {

void manifest_writer::take(std::unique_ptr<batch> done) {
  const auto at = static_cast<std::size_t>(done->sequence - next_);
  if (at >= early_.size()) early_.resize(at + 1);
  early_[at] = std::move(done);
}

void manifest_writer::close() { std::erase(early_, nullptr); }

std::size_t manifest_writer::emit() {
  const std::unique_ptr<batch> first = std::move(early_.front());
  early_.pop_front();
  ++next_;
  put(*first);
  return first->weight;
}

void manifest_writer::put(const batch& b) {
  for (const entry& e : b.entries) {
    if (e.what == outcome::hashed || e.what == outcome::kept) {
      append_line(lines, e.value, b.path_view(e));
      if (e.what == outcome::kept) counts_.kept_files.add(1);
      continue;
    }
    if (e.what == outcome::cut) counts_.cut_files.add(1);
    if (is_error(e.what)) counts_.errors.add(1);
    const std::string sentence = describe(e, b.path_view(e));
    if (!sentence.empty()) sentences += as_line(sentence);
  }
}

}  // namespace sum
