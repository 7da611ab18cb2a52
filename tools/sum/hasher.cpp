#include "hasher.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace sum {
namespace {

struct alignas(64) chunk_block {
  std::array<unsigned char, batch_hasher::chunk> bytes;
};

// One buffer for each thread that reads, not for each hasher: it stays in that processor's cache.
unsigned char* chunk_buffer() {
  thread_local const auto block = std::make_unique_for_overwrite<chunk_block>();
  return block->bytes.data();
}

bool lives_in_memory(int fd) {
  struct statfs fs{};
  return ::fstatfs(fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

bool same_content(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

void batch_hasher::start(batch& b) {
  batch_ = &b;
  at_ = 0;
  file_.reset();
}

batch_hasher::state batch_hasher::step(reading how, std::uint64_t budget, const std::atomic<bool>& stop) {
  std::uint64_t spent = 0;
  while (at_ < batch_->entries.size()) {
    entry& e = batch_->entries[at_];
    if (e.what != outcome::waiting) {
      ++at_;
      continue;
    }
    if (stop.load(std::memory_order_relaxed)) {
      end(e, outcome::cut);
      continue;
    }
    if (spent >= budget) return state::more;
    if (!file_ && !open_file(e)) continue;
    const std::uint64_t from = offset_;
    int error = 0;
    const progress made = read_some(how, error);
    if (made == progress::blocked) return state::would_block;
    spent += offset_ - from;
    if (made == progress::ended) check_unchanged(e);
    if (made == progress::failed) end(e, outcome::unreadable, error);
  }
  return state::done;
}

// True: file_ is open, and what before_ says is where reading begins.
bool batch_hasher::open_file(entry& e) {
  // Not blocking: what was a file when the walker saw it may be a fifo by now.
  file_ = open_path(batch_->path(e), O_RDONLY | O_NONBLOCK | (e.follow ? 0 : O_NOFOLLOW));
  struct stat s{};
  if (!file_ || ::fstat(file_.get(), &s) != 0) {
    const bool vanished = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
    end(e, vanished ? outcome::vanished : outcome::unreadable, errno);
    return false;
  }
  if (!S_ISREG(s.st_mode)) {
    const bool directory = S_ISDIR(s.st_mode);
    end(e, directory ? outcome::vanished : outcome::special, static_cast<int>(s.st_mode & S_IFMT));
    return false;
  }
  again_ = false;
  restart(s);
  return true;
}

void batch_hasher::restart(const struct stat& s) {
  before_ = s;
  offset_ = 0;
  sum_.start();
}

batch_hasher::progress batch_hasher::read_some(reading how, int& error) {
  // Never past the size that it had: a file that grows all the time would have no end. Files of /proc say 0.
  const auto size = static_cast<std::uint64_t>(before_.st_size);
  const std::size_t wanted =
      size == 0 ? chunk : static_cast<std::size_t>(std::min<std::uint64_t>(chunk, size - offset_));
  unsigned char* buffer = chunk_buffer();
  std::int64_t got = -1;
  do {
    got = how == reading::may_block ? ::pread(file_.get(), buffer, wanted, static_cast<off_t>(offset_))
                                    : read_cached(buffer, wanted);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    error = errno;
    return how == reading::cached_only && error == EAGAIN ? progress::blocked : progress::failed;
  }
  sum_.add(buffer, static_cast<std::size_t>(got));
  offset_ += static_cast<std::uint64_t>(got);
  counts_.hashed_bytes.add(static_cast<std::uint64_t>(got));
  return got == 0 || offset_ == size ? progress::ended : progress::moved;
}

// Reads what is in memory: the bytes read, or -1 with EAGAIN if reading would sleep.
std::int64_t batch_hasher::read_cached(unsigned char* into, std::size_t wanted) {
  const auto at = static_cast<off_t>(offset_);
  if (before_.st_dev != plain_device_) {
    iovec piece{into, wanted};
    const auto got = ::preadv2(file_.get(), &piece, 1, at, RWF_NOWAIT);
    if (got >= 0 || errno != EOPNOTSUPP) return got;
    plain_device_ = before_.st_dev;
    plain_in_memory_ = lives_in_memory(file_.get());
  }
  if (plain_in_memory_) return ::pread(file_.get(), into, wanted, at);
  errno = EAGAIN;
  return -1;
}

// The file was read to its end: is it still the one whose reading began?
void batch_hasher::check_unchanged(entry& e) {
  struct stat after{};
  if (::fstat(file_.get(), &after) != 0) return end(e, outcome::unreadable, errno);
  if (same_content(before_, after)) {
    e.value = sum_.finish();
    e.size = offset_;
    return end(e, outcome::hashed);
  }
  if (again_) return end(e, outcome::changing);
  again_ = true;
  restart(after);
}

void batch_hasher::end(entry& e, outcome what, int error) {
  e.what = what;
  e.error = error;
  file_.reset();
  counts_.ended_files.add(1);
  if (what == outcome::hashed) counts_.hashed_files.add(1);
}

}  // namespace sum
