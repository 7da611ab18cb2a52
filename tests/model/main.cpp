// The command line of the models: which programs to search, and how far.

#include <sluice/model/mutants.hpp>
#include <sluice/model/runner.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

namespace model {
namespace {

std::vector<const program*>& registry() {
  static std::vector<const program*> programs;
  return programs;
}

struct arguments : request {
  std::string filter;
  std::string replay;
  std::string site;
  bool list = false;
  bool mutants = false;
  bool help = false;
};

constexpr const char* help =
    "usage: sluice_models [NAME] [options]\n"
    "  NAME            only programs whose name or file contains it\n"
    "  --list          name the programs and stop\n"
    "  --quick         the default: every program in seconds; unbounded if that ends soon, else bound 1, then 2\n"
    "  --nightly       many more executions, bound 3, staleness 2; what is done is kept: the next run goes on\n"
    "  --minutes N     with --nightly: stop after N minutes\n"
    "  --budget N      with --nightly: stop each program after N more executions\n"
    "  --state FOLDER  with --nightly: where it is kept (default: build/model-nightly); delete it to begin anew\n"
    "  --bound N       search with at most N preemptions only\n"
    "  --staleness N   let a thread read the same stale value N times in a row\n"
    "  --max N         stop a search after N executions\n"
    "  --jobs N        child processes side by side (default: one per processor)\n"
    "  --mutants       search every mutant of the library's orders and steps; one line each, fields separated by tabs\n"
    "  --site TEXT     with --mutants: only those whose FILE:LINE begins with it\n"
    "  --replay TEXT   run the one execution that a failure printed, with its trace\n";

// "queues/ring_model.cpp" of a file's whole path.
const char* short_path(const program& p) {
  const char* tests = std::strstr(p.file(), "tests/");
  for (const char* next = tests; next != nullptr; next = std::strstr(tests, "tests/")) tests = next + 6;
  return tests != nullptr ? tests : p.file();
}

bool matches(const program& p, const std::string& filter) {
  return filter.empty() || std::strstr(p.name(), filter.c_str()) != nullptr ||
         std::strstr(short_path(p), filter.c_str()) != nullptr;
}

// An exact name selects that program only.
std::vector<const program*> select(const std::string& filter) {
  std::vector<const program*> selected;
  for (const program* p : registry()) {
    if (p->name() == filter) return {p};
    if (matches(*p, filter)) selected.push_back(p);
  }
  return selected;
}

// Takes the options apart; every function of it leaves a sentence in `wrong` where it cannot go on.
class parser {
 public:
  parser(int count, char** values) : count_{count}, values_{values} {}

  std::string operator()(arguments& a) {
    for (next_ = 1; next_ < count_ && wrong_.empty();) {
      const std::string option = values_[next_++];
      if (!flag(option, a) && !number(option, a) && !text(option, a)) operand(option, a);
    }
    const bool only_nightly = a.minutes > 0 || a.budget > 0;
    if (wrong_.empty() && only_nightly && !a.nightly) wrong_ = "--minutes and --budget need --nightly.";
    return wrong_;
  }

 private:
  bool flag(std::string_view option, arguments& a) {
    const std::pair<std::string_view, bool*> flags[] = {
        {"--list", &a.list}, {"--nightly", &a.nightly}, {"--mutants", &a.mutants}, {"--help", &a.help}};
    for (const auto& [name, value] : flags) {
      if (name == option) return *value = true;
    }
    if (option == "--quick") a.nightly = false;
    return option == "--quick";
  }

  bool number(std::string_view option, arguments& a) {
    if (option == "--bound") return take(option, a.bound, 0);
    if (option == "--staleness") return take(option, a.staleness, 0);
    if (option == "--jobs") return take(option, a.jobs, 1);
    if (option == "--max") return take(option, a.max, 1);
    if (option == "--budget") return take(option, a.budget, 1);
    if (option != "--minutes") return false;
    int minutes = 0;
    take(option, minutes, 1);
    a.minutes = minutes;
    return true;
  }

  bool text(std::string_view option, arguments& a) {
    std::string* value = option == "--replay"  ? &a.replay
                         : option == "--state" ? &a.state
                         : option == "--site"  ? &a.site
                                               : nullptr;
    if (value == nullptr) return false;
    *value = next_ < count_ ? values_[next_++] : "";
    if (value->empty()) wrong_ = std::string(option) + " needs a text behind it.";
    return true;
  }

  void operand(const std::string& word, arguments& a) {
    if (word.starts_with("-")) {
      wrong_ = "There is no option '" + word + "'; --help names them.";
    } else if (!a.filter.empty()) {
      wrong_ = "One NAME at a time: '" + a.filter + "' or '" + word + "'; put one with blanks into quotes.";
    } else {
      a.filter = word;
    }
  }

  template <class T>
  bool take(std::string_view option, T& value, std::type_identity_t<T> least) {
    const std::string_view digits = next_ < count_ ? values_[next_++] : "";
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || value < least) {
      wrong_ = std::string(option) + " needs a whole number from " + std::to_string(least) + " upwards.";
    }
    return true;
  }

  int count_;
  char** values_;
  int next_ = 1;
  std::string wrong_;
};

int refuse(const std::string& sentence) {
  std::fprintf(stderr, "model: %s\n", sentence.c_str());
  return 2;
}

}  // namespace

program::program(const char* name, options how, body set_up, const char* file)
    : name_{name}, how_{std::move(how)}, body_{std::move(set_up)}, file_{file} {
  enlist();
}

program::program(const char* name, examination examine, const char* file)
    : name_{name}, examine_{std::move(examine)}, file_{file} {
  enlist();
}

void program::enlist() const {
  auto& all = registry();
  const auto by_file = [](const program* a, const program* b) { return std::strcmp(a->file(), b->file()) < 0; };
  all.insert(std::upper_bound(all.begin(), all.end(), this, by_file), this);
}

std::vector<const program*> program::all() { return registry(); }

int main(int argc, char** argv) {
  arguments a;
  a.jobs = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const std::string wrong = parser{argc, argv}(a);
  if (!wrong.empty()) return refuse(wrong);
  if (a.help) {
    std::fputs(help, stdout);
    return 0;
  }
  const std::vector<const program*> selected = select(a.filter);
  if (selected.empty()) return refuse("No program's name or file contains '" + a.filter + "'; --list names them all.");
  if (a.list) {
    for (const program* p : selected) std::printf("%s\n", p->name());
    return 0;
  }
  if (!a.replay.empty()) {
    if (selected.size() != 1 || selected.front()->examine()) {
      return refuse("--replay needs a NAME that selects one program with threads; this one selects " +
                    std::to_string(selected.size()) + ".");
    }
    return replay(*selected.front(), a, a.replay);
  }
  if (a.mutants) return search_mutants(selected, {a.site, a.max != 0 ? a.max : 200'000, a.jobs, install_handlers});
  return examine_all(selected, a);
}

}  // namespace model

int main(int argc, char** argv) { return model::main(argc, argv); }
