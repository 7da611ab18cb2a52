#include "progress.hpp"

#include "messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sum {
namespace {

// Which part of the work is done, 0 to 1. Opening a file costs about as much as hashing 16 kB, so that a tree of
// empty files gets on too.
double part_done(const progress_snapshot& s) {
  constexpr double opening = 16384;
  const auto work = [](std::uint64_t files, std::uint64_t bytes) {
    return static_cast<double>(files) * opening + static_cast<double>(bytes);
  };
  const double all = work(s.files_found, s.bytes_found);
  return all == 0 ? 1.0 : std::min(1.0, work(s.files, s.bytes) / all);
}

std::string eta(const progress_snapshot& s) {
  const auto left = time_left(s);
  if (left.count() < 0) return {};
  return "  ETA " + in_clock(std::chrono::seconds{std::llround(std::ceil(left.count()))});
}

std::string facts(const progress_snapshot& s) {
  std::string out =
      fmt::format("{} of {}{} files  {}  {:.0f} MB/s  queues {}/{} > {}/{}", with_commas(s.files),
                  with_commas(s.files_found), s.all_found ? "" : "+", in_bytes(static_cast<double>(s.bytes)),
                  s.bytes_per_second / 1e6, s.jobs, s.jobs_capacity, s.finished, s.finished_capacity);
  if (s.errors != 0) out += fmt::format("  {} error{}", with_commas(s.errors), s.errors == 1 ? "" : "s");
  return out + eta(s);
}

}  // namespace

std::chrono::duration<double> time_left(const progress_snapshot& s) {
  const double part = part_done(s);
  if (!s.all_found || part <= 0) return std::chrono::duration<double>{-1};
  return s.elapsed * ((1 - part) / part);
}

std::string progress_bar(const progress_snapshot& s, std::size_t width) {
  std::string out = facts(s);
  constexpr std::size_t frame = 8;  // "[] 100%  "
  if (s.all_found && width > out.size() + frame + 8) {
    const std::size_t room = std::min<std::size_t>(width - out.size() - frame - 1, 40);
    const double part = part_done(s);
    const auto full = static_cast<std::size_t>(part * static_cast<double>(room));
    out = fmt::format("[{:=<{}}{:<{}}] {:3.0f}%  {}", "", full, full < room ? ">" : "", room - full,
                      std::floor(part * 100), out);
  }
  if (out.size() > width) out.resize(width);
  return out;
}

std::string progress_line(const progress_snapshot& s) {
  const std::string part = s.all_found ? fmt::format("{:.0f}%  ", std::floor(part_done(s) * 100)) : "";
  return fmt::format("{}  {}{}", in_clock(std::chrono::seconds{std::llround(std::floor(s.elapsed.count()))}), part,
                     facts(s));
}

double speedometer::update(std::chrono::duration<double> elapsed, std::uint64_t bytes) {
  const double passed = (elapsed - last_).count();
  if (passed <= 0) return speed_;
  const double now = static_cast<double>(bytes - bytes_) / passed;
  const double weight = bytes_ == 0 && speed_ == 0 ? 1 : 1 - std::exp(-passed / 2);
  speed_ += (now - speed_) * weight;
  last_ = elapsed;
  bytes_ = bytes;
  return speed_;
}

}  // namespace sum
