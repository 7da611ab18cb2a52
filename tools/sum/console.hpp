#pragma once
// stderr, shared by sentences and the progress bar: a sentence never lands in the middle of a bar.
//
// Writing may block for as long as the terminal likes (a stopped terminal, a full pipe), so tasks call it through
// run_blocking. Errors of stderr itself are ignored: there is nobody left to tell.

#include <mutex>
#include <string>
#include <string_view>

namespace sum {

class console {
 public:
  /// Writes lines, each with its newline, above the bar.
  void say(std::string_view lines);
  /// Draws the bar over the one that stands there.
  void draw(std::string bar);
  /// Takes the bar away.
  void clear();

  /// The width to draw in: of the terminal behind stderr, or 80.
  static std::size_t width();

 private:
  void put(std::string_view text);

  std::mutex mutex_;
  std::string bar_;  // what stands on the terminal now
};

/// "sluice-sum: SENTENCE\n"
std::string as_line(std::string_view sentence);

}  // namespace sum
