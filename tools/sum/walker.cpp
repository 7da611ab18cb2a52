#include "walker.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sum {
namespace {

bool is_full(const batch& b) {
  return b.entries.size() >= walker::batch_files || b.bytes >= walker::batch_bytes ||
         b.names.size() >= walker::batch_names;
}

}  // namespace

walker::walker(walk_settings settings, statistics& counts) : settings_(std::move(settings)), counts_(counts) {
  // sha256sum -c takes the name "-" for its standard input.
  for (std::string& root : settings_.roots) {
    if (root == "-") root = "./-";
  }
}

std::unique_ptr<batch> walker::next(const std::atomic<bool>& stop) {
  auto out = held_ ? std::exchange(held_, nullptr) : std::make_unique<batch>();
  while (!held_ && !is_full(*out) && !stop.load(std::memory_order_relaxed)) {
    if (!step(*out)) break;
  }
  if (out->entries.empty() && held_) out = std::exchange(held_, nullptr);
  if (out->entries.empty()) return nullptr;
  out->sequence = sequence_++;
  out->weight = weigh(*out);
  return out;
}

// Visits one more name. False: there is none.
bool walker::step(batch& out) {
  if (levels_.empty()) {
    if (next_root_ == settings_.roots.size()) return false;
    path_ = settings_.roots[next_root_++];
    visit(out, DT_UNKNOWN, true, true);
    return true;
  }
  level& top = levels_.back();
  if (top.at == top.names.size()) {
    levels_.pop_back();
    return true;
  }
  const std::size_t i = top.at++;
  path_.resize(top.prefix);
  path_ += top.names.name(i);
  visit(out, top.names.type(i), settings_.follow, false);
  return true;
}

void walker::visit(batch& out, unsigned char type, bool follow, bool is_root) {
  if (type == DT_DIR) return enter(out, false);
  if (type == DT_REG && keep(out)) return;
  if (type == DT_LNK && !follow) return counts_.skipped_links.add(1);
  struct stat s{};
  if (!stat_path(path_.c_str(), follow && (is_root || type != DT_REG), s)) {
    const int error = errno;
    if (error == ELOOP) return say(out, outcome::loop, error);
    // A root that does not exist was never there, and a link that leads nowhere did not vanish.
    const bool vanished = error == ENOENT && !is_root && type != DT_LNK;
    return say(out, vanished ? outcome::vanished : outcome::unreadable, error);
  }
  if (S_ISDIR(s.st_mode)) return enter(out, follow);
  if (S_ISLNK(s.st_mode)) return counts_.skipped_links.add(1);
  if (!S_ISREG(s.st_mode)) return say(out, outcome::special, static_cast<int>(s.st_mode & S_IFMT));
  if (type != DT_REG && keep(out)) return;
  visit_file(out, s, follow);
}

void walker::visit_file(batch& out, const struct stat& s, bool follow) {
  const auto& own = settings_.own_files;
  if (std::find(own.begin(), own.end(), identify(s)) != own.end()) return say(out, outcome::skipped, 0);
  const auto size = static_cast<std::uint64_t>(s.st_size);
  batch* to = &out;
  if (!out.entries.empty() && out.bytes + size > batch_bytes) {
    held_ = std::make_unique<batch>();
    to = held_.get();
  }
  entry& file = add_entry(*to, path_);
  file.size = size;
  file.follow = follow;
  to->bytes += size;
  counts_.found_files.add(1);
  counts_.found_bytes.add(size);
}

void walker::enter(batch& out, bool follow) {
  descriptor directory = open_path(path_.c_str(), O_RDONLY | O_DIRECTORY | (follow ? 0 : O_NOFOLLOW));
  struct stat s{};
  if (!directory || ::fstat(directory.get(), &s) != 0) {
    const bool vanished = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
    return say(out, vanished ? outcome::vanished : outcome::unlisted, errno);
  }
  const identity here = identify(s);
  for (const level& above : levels_) {
    if (above.directory == here) return say(out, outcome::loop, 0);
  }
  listing names{std::move(directory)};
  if (names.error() != 0) say(out, outcome::unlisted, names.error());
  if (path_.back() != '/') path_ += '/';
  levels_.push_back({path_.size(), here, std::move(names)});
}

void walker::say(batch& out, outcome what, int error) {
  entry& said = add_entry(out, path_);
  said.what = what;
  said.error = error;
}

// Takes the file from the earlier manifest, if that has it.
bool walker::keep(batch& out) {
  if (settings_.resume == nullptr) return false;
  const auto value = settings_.resume->take(path_);
  if (!value) return false;
  entry& kept = add_entry(out, path_);
  kept.what = outcome::kept;
  kept.value = *value;
  return true;
}

}  // namespace sum
