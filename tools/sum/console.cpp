#include "console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace sum {
namespace {

constexpr std::string_view wipe = "\r\033[K";

}  // namespace

void console::say(std::string_view lines) {
  if (lines.empty()) return;
  const std::lock_guard lock{mutex_};
  std::string text;
  if (!bar_.empty()) text += wipe;
  text += lines;
  text += bar_;
  put(text);
}

void console::draw(std::string bar) {
  const std::lock_guard lock{mutex_};
  bar_ = std::move(bar);
  put(std::string(wipe) + bar_);
}

void console::clear() {
  const std::lock_guard lock{mutex_};
  if (!bar_.empty()) put(wipe);
  bar_.clear();
}

std::size_t console::width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col - 1U : 79U;
}

void console::put(std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(STDERR_FILENO, text.data(), text.size());
    if (wrote > 0) text.remove_prefix(static_cast<std::size_t>(wrote));
    if (wrote <= 0 && errno != EINTR) return;
  }
}

std::string as_line(std::string_view sentence) { return std::string("sluice-sum: ").append(sentence).append("\n"); }

}  // namespace sum
