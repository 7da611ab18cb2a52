// Failures and traces.

#include <sluice/model/engine.hpp>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace model {

void engine::fail(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(sentence_, sizeof(sentence_), format, arguments);
  va_end(arguments);
  if (logging_) explain_locations();
  leave(ending::failed);
}

void engine::report_deadlock() {
  char text[900] = "";
  std::size_t used = 0;
  for (int i = 1; i < count_; ++i) {
    if ((ended_ >> i & 1) != 0 || used >= sizeof(text)) continue;
    used +=
        static_cast<std::size_t>(std::snprintf(text + used, sizeof(text) - used, "%s%s sleeps at %s",
                                               used == 0 ? "" : ", ", thread_name(i), show(threads_[i].at).c_str()));
  }
  fail("Deadlock or lost wakeup: %s, and nobody is left to wake it.", text);
}

// One line of the trace: step, thread, site, what happened.
void engine::log(const char* format, ...) {
  char line[1400];
  const thread& me = threads_[current_];
  int used = std::snprintf(line, sizeof(line), "  %4d  %-12s %-32s ", done_, thread_name(current_),
                           me.at.file != nullptr ? show(me.at).c_str() : "");
  va_list arguments;
  va_start(arguments, format);
  used += std::vsnprintf(line + used, sizeof(line) - static_cast<std::size_t>(used) - 1, format, arguments);
  va_end(arguments);
  const auto length = std::min(static_cast<std::size_t>(used), sizeof(line) - 2);
  line[length] = '\n';
  log_.insert(log_.end(), line, line + length + 1);
}

// Where the locations of the trace come from, below it.
void engine::explain_locations() {
  log_.insert(log_.end(), {' ', ' ', 'w', 'h', 'e', 'r', 'e', ':', '\n'});
  for (std::uint32_t i = 0; i < locations_.size(); ++i) {
    const location& x = locations_[i];
    char text[600];
    int used = std::snprintf(text, sizeof(text), "    %-8s %s", label(x).c_str(),
                             x.made_site.file != nullptr ? show(x.made_site).c_str() : "not constructed");
    if (const heap::block* b = heap_.around(reinterpret_cast<void*>(x.address))) {
      used += std::snprintf(text + used, sizeof(text) - static_cast<std::size_t>(used),
                            ", byte %zu of the %zu that %s allocated after %s",
                            static_cast<std::size_t>(x.address - reinterpret_cast<std::uintptr_t>(b->memory)), b->size,
                            thread_name(b->thread), show(b->after).c_str());
    }
    log_.insert(log_.end(), text, text + std::min<std::size_t>(static_cast<std::size_t>(used), sizeof(text) - 1));
    log_.push_back('\n');
  }
}

const char* engine::thread_name(int index) const {
  if (threads_[index].name[0] != '\0') return threads_[index].name;
  static constexpr const char* numbers[max_threads] = {"T0", "T1", "T2", "T3", "T4", "T5", "T6", "T7"};
  return numbers[index];
}

engine::phrase engine::label(const location& x) {
  phrase result;
  for (const named& n : names_) {
    if (reinterpret_cast<std::uintptr_t>(n.address) != x.address) continue;
    std::snprintf(result.text, sizeof(result.text), "%s", n.text);
    return result;
  }
  unsigned index = 0;
  while (&locations_[index] != &x) ++index;
  std::snprintf(result.text, sizeof(result.text), "@%u", index);
  return result;
}

// The last two parts of the path are enough to find the line.
engine::phrase engine::show(site where) noexcept {
  phrase result = {"its start"};
  if (where.file == nullptr) return result;
  const char* begin = where.file;
  int slashes = 0;
  for (const char* p = where.file + std::strlen(where.file); p != where.file; --p) {
    if (*p == '/' && ++slashes == 2) {
      begin = p + 1;
      break;
    }
  }
  std::snprintf(result.text, sizeof(result.text), "%s:%d", begin, where.line);
  return result;
}

engine::phrase engine::show(bits value) noexcept {
  phrase result;
  std::snprintf(result.text, sizeof(result.text), value < 1'000'000 ? "%llu" : "0x%llx",
                static_cast<unsigned long long>(value));
  return result;
}

void engine::outcome(std::initializer_list<int> values) {
  std::uint64_t packed = 0;
  int shift = 0;
  for (const int v : values) {
    packed |= static_cast<std::uint64_t>((v & 0x7F) + 1) << shift;
    shift += 8;
  }
  if (std::find(outcomes_.begin(), outcomes_.end(), packed) == outcomes_.end()) outcomes_.push_back(packed);
}

void engine::name(const void* address, const char* text) { names_.push_back({address, text}); }

}  // namespace model
