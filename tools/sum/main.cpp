// sluice-sum: see README.md in this folder.

#include "console.hpp"
#include "messages.hpp"
#include "options.hpp"
#include "output.hpp"
#include "pipeline.hpp"
#include "report.hpp"
#include "resume.hpp"
#include "supervisor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>

namespace {

using namespace sum;

// Makes sure that no file of ours gets the number of a standard stream that was closed. False: stdout was.
bool open_standard_streams() {
  const bool stdout_is_open = ::fcntl(STDOUT_FILENO, F_GETFD) != -1;
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR);
  if (fd > STDERR_FILENO) ::close(fd);
  return stdout_is_open;
}

// Files that may be open beside those of --open-files: the standard streams, the manifests, the runtime's own.
constexpr rlim_t other_files = 32;

// Raises the limit on open files, or lowers what was asked for to what the limit allows.
void fit_open_files(options& chosen, console& terminal) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= chosen.open_files + other_files) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, chosen.open_files + other_files);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= chosen.open_files + other_files) return;
  chosen.open_files = limit.rlim_cur > 2 * other_files ? limit.rlim_cur - other_files : 1;
  terminal.say(
      as_line(fmt::format("The limit on open files (ulimit -n) leaves {} for --open-files.", chosen.open_files)));
}

void say_what_was_odd(const resume_index& resume, const std::string& name, console& terminal) {
  if (resume.malformed() != 0) {
    terminal.say(as_line(fmt::format("{} of the lines in {} are no manifest lines: what they stand for is hashed anew.",
                                     with_commas(resume.malformed()), shell_quoted(name))));
  }
  if (resume.torn()) {
    terminal.say(
        as_line(fmt::format("The last line of {} is not whole: its file is hashed anew.", shell_quoted(name))));
  }
}

int run(options chosen, console& terminal) {
  const auto begun = std::chrono::steady_clock::now();
  fit_open_files(chosen, terminal);
  std::optional<resume_index> resume;
  if (!chosen.resume.empty()) resume.emplace(chosen.resume);
  manifest_output output{chosen.output, resume ? std::optional{resume->file()} : std::nullopt};
  if (resume && chosen.output.empty() && output.file() == resume->file()) {
    terminal.say(
        as_line("The manifest to resume from is also standard output, which overwrites it or adds to it: say "
                "--output " +
                shell_quoted(chosen.resume) + " instead of redirecting."));
    return 2;
  }
  if (resume) say_what_was_odd(*resume, chosen.resume, terminal);

  pipeline work{chosen, resume ? &*resume : nullptr, output, terminal};
  supervisor over{chosen, work, terminal};
  sluice::run(over.run(), {.workers = chosen.workers, .name = "sluice-sum"});

  if (const auto refused = output.finish(); refused && !work.output_failed()) {
    work.counts().errors.add(1);
    terminal.say(as_line(fmt::format("The manifest cannot be written to {}: {}.", output.name(), refused.message())));
  }
  const int signal = work.left_nothing() ? 0 : over.interrupted_by();  // it may have come too late to matter
  if (!chosen.quiet) {
    terminal.say(report(work.counts(), {std::chrono::steady_clock::now() - begun, cpu_time()}));
  }
  if (signal != 0) terminal.say(as_line(how_to_go_on(chosen.output, chosen.roots, chosen.follow)));
  if (signal != 0) return 128 + signal;
  return work.counts().errors.get() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write, which is said
  const bool stdout_is_open = open_standard_streams();
  console terminal;
  try {
    const parsed_command command = parse_command({argv + (argc > 0 ? 1 : 0), argv + argc});
    if (!command.run) {
      std::fputs(command.text.c_str(), command.status == 0 ? stdout : stderr);
      return std::fflush(stdout) == 0 ? command.status : 1;
    }
    if (!stdout_is_open && command.run->output.empty()) {
      terminal.say(as_line("Standard output is closed: name a file for the manifest with --output."));
      return 1;
    }
    return run(*command.run, terminal);
  } catch (const std::exception& e) {
    terminal.clear();
    terminal.say(as_line(fmt::format("It cannot go on: {}.", e.what())));
    return 1;
  }
}
