// The command line of the models: which programs to search, how far, side by side in child processes
// (a crash fails its program only).

#include <sluice/model/engine.hpp>
#include <sluice/model/mutants.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace model {
namespace {

std::vector<const program*>& registry() {
  static std::vector<const program*> programs;
  return programs;
}

struct arguments {
  std::string filter;
  std::string replay;
  bool list = false;
  bool nightly = false;
  bool trace = true;
  int bound = -1;
  int staleness = -1;
  std::uint64_t max = 0;
  int jobs = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  bool mutants = false;
  std::string site;
};

// What one program came to: written by its child process.
struct verdict {
  bool passed;
  std::uint64_t executions;
  double seconds;
  char how[64];
};

constexpr double quick_seconds = 20;  // of processor time per search: a quick run of everything stays within minutes

constexpr const char* help =
    "usage: sluice_models [NAME] [options]\n"
    "  NAME            only programs whose name or file contains it\n"
    "  --list          name the programs and stop\n"
    "  --quick         the default: every program in seconds; unbounded if that ends soon, else bound 1, then 2\n"
    "  --nightly       many more executions, preemption bound 3, staleness 2\n"
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

limits base_limits(const program& p, const arguments& a) {
  limits l;
  l.seconds = a.nightly ? 0 : quick_seconds;
  l.staleness = a.staleness >= 0 ? a.staleness : p.how().staleness >= 0 ? p.how().staleness : a.nightly ? 2 : 1;
  return l;
}

// Unbounded if that ends within its share of executions, else bound after bound: the most that can be said for the time.
findings search_program(engine& e, const program& p, const arguments& a, std::string& how) {
  limits l = base_limits(p, a);
  const int bound = a.bound >= 0 ? a.bound : p.how().bound;
  const std::uint64_t asked = a.max != 0 ? a.max : p.how().max;
  findings f;
  std::uint64_t executions = 0;
  if (bound < 0) {
    l.max = asked != 0 ? asked : a.nightly ? 50'000'000 : 400'000;
    f = e.explore(p, l);
    how = "exhaustive";
    if (f.how != findings::end::limit) return f;
    executions = f.executions;
  }
  const int last = bound >= 0 ? bound : a.nightly ? 3 : 2;
  how = "limit";
  for (l.bound = bound >= 0 ? bound : 1; l.bound <= last; ++l.bound) {
    l.max = asked != 0 ? asked : a.nightly ? 200'000'000 : 1'000'000;
    f = e.explore(p, l);
    executions += f.executions;
    if (f.how == findings::end::limit) break;
    how = "bound " + std::to_string(l.bound);
    if (f.how == findings::end::failed) break;
  }
  f.executions = executions;
  return f;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string result;
  for (const auto& t : texts) result += (result.empty() ? "" : " ") + t;
  return "{" + result + "}";
}

// Empty: the program's answer is right. Otherwise a sentence that says what is wrong.
std::string judge(engine& e, const program& p, const arguments& a, const findings& f) {
  const options& o = p.how();
  const bool failed = f.how == findings::end::failed;
  if (o.must_fail != nullptr) {
    if (!failed) return "This canary must fail, but no failure was found.";
    if (f.sentence.find(o.must_fail) == std::string::npos) {
      return "This canary must fail with '" + std::string(o.must_fail) + "', but it failed with: " + f.sentence;
    }
  } else if (failed) {
    return f.sentence;
  }
  if (failed && e.replay(p, base_limits(p, a), f.choices).sentence != f.sentence) {
    return "The choices do not repeat the failure: a fault of the checker.";
  }
  if (!o.outcomes.empty()) {
    auto expected = o.outcomes;
    std::sort(expected.begin(), expected.end());
    if (expected != f.outcomes) {
      return "The outcomes must be " + joined(expected) + ", but are " + joined(f.outcomes) + ".";
    }
  }
  if (o.cross_check) {
    limits l = base_limits(p, a);
    l.sleep_sets = false;
    l.max = 20'000'000;
    const findings plain = e.explore(p, l);
    if (plain.how == findings::end::limit) return "The cross-check without sleep sets did not end.";
    if (plain.how != f.how || (!failed && plain.outcomes != f.outcomes)) {
      return "The search without sleep sets disagrees: outcomes " + joined(plain.outcomes) + " against " +
             joined(f.outcomes) + ". " + plain.sentence;
    }
  }
  return {};
}

void print_failure(const program& p, const limits& l, const findings& f) {
  if (f.how != findings::end::failed) return;
  std::printf("  %s\n%s", f.sentence.c_str(), f.trace.c_str());
  std::printf("  repeat with: tools/model '%s' --staleness %d --replay '%s'\n", p.name(), l.staleness,
              f.choices.c_str());
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

verdict examine(const program& p, const arguments& a) {
  verdict v{};
  engine e;
  std::string how;
  const double start = processor_seconds();
  const findings f = search_program(e, p, a, how);
  const std::string wrong = judge(e, p, a, f);
  v.seconds = processor_seconds() - start;
  v.passed = wrong.empty();
  v.executions = f.executions;
  if (v.passed && p.how().must_fail != nullptr) how = "bug found";
  std::snprintf(v.how, sizeof(v.how), "%s", how.c_str());
  std::printf("%s %-58s %11llu executions  %-16s %7.2f s\n", v.passed ? "ok  " : "FAIL", p.name(),
              static_cast<unsigned long long>(v.executions), v.how, v.seconds);
  if (!v.passed) {
    std::printf("  %s\n", wrong.c_str());
    print_failure(p, base_limits(p, a), f);
  }
  return v;
}

// A crash of the program under test is one more way to fail, with a trace like any other. The handler leaves the
// fiber for good; the search goes on from the root.
void crashed(int signal) {
  engine* e = engine::running();
  if (e == nullptr) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return;
  }
  e->fail("Crashed: %s%s.", ::strsignal(signal), signal == SIGABRT ? " (abort, assert or terminate)" : "");
}

// Fires every few seconds of processor time: without an operation in between there is an endless loop.
void watch(int) {
  static std::uint64_t last = 0;
  engine* e = engine::running();
  if (e == nullptr) return;
  if (std::exchange(last, e->progress()) == last) e->fail("An endless loop without any operation of the door.");
}

void install_handlers() {
  static char stack[64 * 1024];
  stack_t alternate{};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof(stack);
  ::sigaltstack(&alternate, nullptr);
  struct sigaction action{};
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  action.sa_handler = crashed;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::sigaction(signal, &action, nullptr);
  action.sa_handler = watch;
  ::sigaction(SIGVTALRM, &action, nullptr);
  const itimerval every{{5, 0}, {5, 0}};
  ::setitimer(ITIMER_VIRTUAL, &every, nullptr);
}

// A program under examination in a child process, which prints into a file of its own.
struct child {
  pid_t pid = 0;
  int output = -1;
  std::size_t index = 0;
};

child start(const program& p, std::size_t index, const arguments& a, verdict* result) {
  child c;
  c.index = index;
  std::FILE* file = std::tmpfile();
  if (file == nullptr) {
    std::perror("model: no temporary file");
    std::exit(2);
  }
  c.output = ::dup(::fileno(file));
  std::fclose(file);
  std::fflush(stdout);
  c.pid = ::fork();
  if (c.pid < 0) {
    std::perror("model: fork");
    std::exit(2);
  }
  if (c.pid == 0) {
    ::dup2(c.output, STDOUT_FILENO);
    install_handlers();
    *result = examine(p, a);
    std::fflush(stdout);
    std::_Exit(0);
  }
  return c;
}

void finish(const child& c, int status, const program& p, verdict& result) {
  char buffer[4096];
  ::lseek(c.output, 0, SEEK_SET);
  for (ssize_t n = 0; (n = ::read(c.output, buffer, sizeof(buffer))) > 0;) {
    std::fwrite(buffer, 1, static_cast<std::size_t>(n), stdout);
  }
  ::close(c.output);
  if (WIFSIGNALED(status)) {
    result.passed = false;
    std::printf("FAIL %-58s crashed: %s\n", p.name(), ::strsignal(WTERMSIG(status)));
  }
  std::fflush(stdout);
}

int examine_all(const std::vector<const program*>& programs, const arguments& a) {
  const std::size_t count = programs.size();
  auto* verdicts = static_cast<verdict*>(::mmap(nullptr, std::max<std::size_t>(count, 1) * sizeof(verdict),
                                                PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::vector<child> running;
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t next = 0; next < count || !running.empty();) {
    if (next < count && running.size() < static_cast<std::size_t>(a.jobs)) {
      running.push_back(start(*programs[next], next, a, &verdicts[next]));
      ++next;
      continue;
    }
    int status = 0;
    const pid_t pid = ::wait(&status);
    const auto c = std::find_if(running.begin(), running.end(), [pid](const child& r) { return r.pid == pid; });
    if (c == running.end()) continue;
    finish(*c, status, *programs[c->index], verdicts[c->index]);
    running.erase(c);
  }
  std::size_t passed = 0;
  std::uint64_t executions = 0;
  for (std::size_t i = 0; i < count; ++i) {
    passed += verdicts[i].passed ? 1 : 0;
    executions += verdicts[i].executions;
  }
  std::printf("%llu executions in %.1f s\n", static_cast<unsigned long long>(executions),
              std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  std::printf("%zu passed, %zu failed\n", passed, count - passed);
  return passed == count && count != 0 ? 0 : 1;
}

int replay(const std::vector<const program*>& programs, const arguments& a) {
  if (programs.size() != 1) {
    std::fprintf(stderr, "--replay needs a NAME that selects one program; this one selects %zu.\n", programs.size());
    return 2;
  }
  const program& p = *programs.front();
  install_handlers();
  engine e;
  const findings f = e.replay(p, base_limits(p, a), a.replay);
  std::printf("%s\n%s", p.name(), f.trace.c_str());
  std::printf("%s\n", f.how == findings::end::failed ? f.sentence.c_str() : "This execution does not fail.");
  return f.how == findings::end::failed ? 1 : 0;
}

bool parse(int argc, char** argv, arguments& a) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const auto text = [&]() -> const char* { return i + 1 < argc ? argv[++i] : ""; };
    if (option == "--list")
      a.list = true;
    else if (option == "--quick")
      a.nightly = false;
    else if (option == "--nightly")
      a.nightly = true;
    else if (option == "--bound")
      a.bound = std::atoi(text());
    else if (option == "--staleness")
      a.staleness = std::atoi(text());
    else if (option == "--max")
      a.max = std::strtoull(text(), nullptr, 10);
    else if (option == "--jobs")
      a.jobs = std::max(1, std::atoi(text()));
    else if (option == "--mutants")
      a.mutants = true;
    else if (option == "--site")
      a.site = text();
    else if (option == "--replay")
      a.replay = text();
    else if (!option.starts_with("--") && a.filter.empty())
      a.filter = option;
    else
      return false;
  }
  return true;
}

}  // namespace

program::program(const char* name, options how, body set_up, const char* file)
    : name_{name}, how_{std::move(how)}, body_{std::move(set_up)}, file_{file} {
  auto& all = registry();
  const auto by_file = [](const program* a, const program* b) { return std::strcmp(a->file(), b->file()) < 0; };
  all.insert(std::upper_bound(all.begin(), all.end(), this, by_file), this);
}

std::vector<const program*> program::all() { return registry(); }

int main(int argc, char** argv) {
  arguments a;
  if (!parse(argc, argv, a)) {
    std::fputs(help, stderr);
    return 2;
  }
  std::vector<const program*> selected;
  for (const program* p : program::all()) {
    if (matches(*p, a.filter)) selected.push_back(p);
  }
  // An exact name selects that program only.
  for (const program* p : selected) {
    if (p->name() == a.filter) {
      selected.assign(1, p);
      break;
    }
  }
  if (a.list) {
    for (const program* p : selected) std::printf("%s\n", p->name());
    return 0;
  }
  if (!a.replay.empty()) return replay(selected, a);
  if (a.mutants) return search_mutants(selected, {a.site, a.max != 0 ? a.max : 200'000, a.jobs, install_handlers});
  return examine_all(selected, a);
}

}  // namespace model

int main(int argc, char** argv) { return model::main(argc, argv); }
