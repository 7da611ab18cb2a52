#include "output.hpp"

#include "messages.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace sum {
namespace {

std::error_code code(int error) { return {error, std::generic_category()}; }

}  // namespace

manifest_output::manifest_output(const std::string& path, std::optional<identity> resumes) : path_(path) {
  struct stat s{};
  if (!path_.empty()) {
    std::string opened = path_;
    mode_t mode = 0666;
    if (resumes && ::stat(path_.c_str(), &s) == 0 && identify(s) == *resumes) {
      target_ = std::filesystem::canonical(path_).string();
      opened = temporary_ = target_ + ".resumed";
      mode = s.st_mode & 0777;
    }
    file_descriptor_ = descriptor{::open(opened.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, mode)};
    if (!file_descriptor_ && errno == EISDIR) {
      throw std::invalid_argument("--output " + shell_quoted(opened) + " is a directory: name a file");
    }
    if (!file_descriptor_) throw std::system_error(code(errno), "--output " + shell_quoted(opened));
    to_ = file_descriptor_.get();
  }
  if (::fstat(to_, &s) != 0) throw std::system_error(code(errno), name());
  if (S_ISREG(s.st_mode)) file_ = identify(s);
}

std::string manifest_output::name() const { return path_.empty() ? "standard output" : shell_quoted(path_); }

std::error_code manifest_output::write(std::string_view lines) {
  if (error_) return error_;
  const std::int64_t start = file_ ? ::lseek(to_, 0, SEEK_CUR) : -1;
  std::size_t done = 0;
  while (done < lines.size()) {
    const ssize_t wrote = ::write(to_, lines.data() + done, lines.size() - done);
    if (wrote >= 0) {
      done += static_cast<std::size_t>(wrote);
    } else if (errno != EINTR) {
      const int error = errno;
      if (start >= 0) drop_torn_line(start, lines.substr(0, done));
      return fail(error);
    }
  }
  return {};
}

void manifest_output::drop_torn_line(std::int64_t start, std::string_view written) {
  const auto last = written.rfind('\n');
  const std::int64_t whole = start + (last == std::string_view::npos ? 0 : static_cast<std::int64_t>(last) + 1);
  // If this fails too there is nothing left to try: --resume and sha256sum -c both survive a torn line.
  if (::ftruncate(to_, whole) == 0) ::lseek(to_, whole, SEEK_SET);
}

std::error_code manifest_output::finish() {
  // Some file systems tell of a full disk only here. stdout stays open: it is not ours.
  const int fd = file_descriptor_.release();
  if (fd >= 0 && ::close(fd) != 0 && !error_) static_cast<void>(fail(errno));
  if (!target_.empty()) {
    if (error_) {
      ::unlink(temporary_.c_str());
    } else if (std::rename(temporary_.c_str(), target_.c_str()) != 0) {
      static_cast<void>(fail(errno));
    }
  }
  return error_;
}

std::error_code manifest_output::fail(int error) { return error_ = code(error); }

}  // namespace sum
