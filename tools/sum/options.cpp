#include "options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <system_error>

namespace sum {
namespace {

constexpr const char* purpose =
    "Computes the SHA-256 of every regular file under each PATH (default: the current directory), on all processors,\n"
    "and writes a manifest that `sha256sum -c` accepts, in an order that depends on the names alone.";

constexpr const char* footer =
    "Names that begin with a dash stand after \"--\". Symbolic links given as PATH are followed, others only with\n"
    "--follow.\n\n"
    "The first Ctrl-C or SIGTERM stops the intake, finishes what is under way and writes every finished line; a\n"
    "second one stops at once. Then --resume goes on where the run ended, and ends with the same manifest:\n"
    "  sluice-sum --resume M --output M PATH...\n\n"
    "Exit status: 0 all well; 1 something could not be hashed or written, which stderr says, and the rest is done;\n"
    "2 wrong usage; 130 or 143 interrupted by SIGINT or SIGTERM before all was done.\n\n"
    "Examples:\n"
    "  sluice-sum --output photos.sha256 photos        hash a tree\n"
    "  sha256sum --check --quiet photos.sha256         has it changed since?\n"
    "  sluice-sum --progress=always . > all.sha256     a manifest of the current directory";

const std::map<std::string, progress_mode> modes{
    {"auto", progress_mode::automatic}, {"always", progress_mode::always}, {"never", progress_mode::never}};

struct command {
  options chosen;
  double drain_seconds = 5;
  CLI::App app{purpose, "sluice-sum"};
  command();
};

template <typename Number>
bool reads_as(const std::string& text, Number& value) {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stopped == end;
}

// A number from `least` to `most`; `kind` says what it is called: CLI11's own ranges say 1.000000.
template <typename Number>
CLI::Validator between(Number least, Number most, const char* kind) {
  const auto judge = [=](const std::string& given) -> std::string {
    Number value{};
    if (reads_as(given, value) && value >= least && value <= most) return {};
    double any = 0;
    if (!reads_as(given, any))
      return fmt::format("'{}' is not a number: say {} from {} to {}", given, kind, least, most);
    return fmt::format("{} is not {} from {} to {}", given, kind, least, most);
  };
  return {judge, ""};
}

void add_tuning(CLI::App& app, options& o) {
  const auto count = [](std::uint64_t most) { return between<std::uint64_t>(1, most, "a whole number"); };
  app.add_option("--workers", o.workers, "Worker threads (default: what the processor affinity and quota allow)")
      ->type_name("N")
      ->check(count(1024));
  app.add_option("--open-files", o.open_files,
                 "Files and directories open at once, which bounds the reads of a cold disk (default: 16)")
      ->type_name("N")
      ->check(count(10000));
  app.add_option("--queue", o.queue, "Batches, of up to 64 files each, in each queue (default: 32)")
      ->type_name("N")
      ->check(count(1000000));
  app.add_option("--window", o.window_mib, "Memory for files found but not yet written, in MiB (default: 16)")
      ->type_name("MIB")
      ->check(count(1 << 20));
}

command::command() {
  app.add_option("-o,--output", chosen.output,
                 "Write the manifest to FILE, under that name from the start; only whole lines ever stand in it")
      ->type_name("FILE");
  app.add_option("-r,--resume", chosen.resume,
                 "Keep the lines of MANIFEST, of an earlier run or of sha256sum, and hash only the other files; may be "
                 "the file of --output")
      ->type_name("MANIFEST");
  app.add_flag("-L,--follow", chosen.follow, "Follow symbolic links inside the trees too; loops are found and said");
  app.add_option("--drain-within", drain_seconds, "After a first signal, finish within SECONDS (default: 5)")
      ->type_name("SECONDS")
      ->check(between(0.0, 1e6, "a number"));
  const auto is_mode = [](const std::string& given) -> std::string {
    return modes.contains(given) ? "" : fmt::format("'{}' is none of auto, always and never", given);
  };
  app.add_option_function<std::string>(
         "--progress", [this](const std::string& given) { chosen.progress = modes.at(given); },
         "auto (a bar on a terminal, else a line every 5 s), always (the bar), never")
      ->type_name("WHEN")
      ->check(CLI::Validator(is_mode, ""));
  app.add_flag("-q,--quiet", chosen.quiet, "No progress and no report at the end; errors are still said");
  add_tuning(app, chosen);
  app.set_version_flag("--version", "sluice-sum (sluice) " SLUICE_SUM_VERSION);
  app.footer(footer);
  app.allow_extras();
  app.get_formatter()->column_width(28);
}

parsed_command wrong(const std::string& sentence) {
  return {std::nullopt, "sluice-sum: " + sentence + " Try: sluice-sum --help\n", 2};
}

}  // namespace

// The paths never go through CLI11, which splits a value such as "[a,b]" at its comma: what it does not know it hands
// back, and what follows "--" it does not see.
parsed_command parse_command(std::vector<std::string> arguments) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  std::vector<std::string> known(arguments.begin(), dashes);
  std::reverse(known.begin(), known.end());  // as CLI11 wants it
  command c;
  try {
    c.app.parse(known);
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, c.app.help(), 0};
  } catch (const CLI::CallForVersion& version) {
    return {std::nullopt, std::string(version.what()) + "\n", 0};
  } catch (const CLI::ParseError& e) {
    return wrong(std::string(e.what()) + '.');
  }
  for (std::string& extra : known) {
    if (extra.size() > 1 && extra[0] == '-') {
      return wrong("there is no option '" + extra + "'; a path that begins with a dash stands after \"--\".");
    }
  }
  c.chosen.roots.assign(known.rbegin(), known.rend());
  if (dashes != arguments.end()) c.chosen.roots.insert(c.chosen.roots.end(), std::next(dashes), arguments.end());
  if (c.chosen.roots.empty()) c.chosen.roots.emplace_back(".");
  if (c.chosen.output == "-") c.chosen.output.clear();
  c.chosen.drain_within = std::chrono::duration<double>{c.drain_seconds};
  return {std::move(c.chosen), {}, 0};
}

}  // namespace sum
