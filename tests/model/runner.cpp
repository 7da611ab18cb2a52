// Child processes, one per program, and what they came to together.

#include <sluice/model/runner.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace model {
namespace {

volatile std::sig_atomic_t stopped = 0;

void stop(int) { stopped = 1; }

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

}  // namespace

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

namespace {

// A program under examination in a child process, which prints into a file of its own.
struct child {
  pid_t pid = 0;
  int output = -1;
  std::size_t index = 0;
};

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(2);
}

// All programs of one run. A nightly one may be interrupted (SIGINT, SIGTERM, its minutes): the children then write
// down where they stand.
class run_of_all {
 public:
  run_of_all(const std::vector<const program*>& programs, const request& a)
      : programs_{programs}, request_{a}, folder_{a.state}, records_(programs.size()) {
    const std::size_t bytes = std::max<std::size_t>(programs.size(), 1) * sizeof(verdict);
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) give_up("model: no memory for the verdicts");
    verdicts_ = static_cast<verdict*>(memory);
  }

  int operator()();

 private:
  std::string load_records();
  void search_all();
  child start(std::size_t index);
  void finish(const child& c, int status);
  void stop_children_once();
  verdict::answer answer(std::size_t index) const;
  std::size_t count(verdict::answer which) const;
  void summarize() const;
  bool summarize_nightly() const;

  const std::vector<const program*>& programs_;
  const request& request_;
  record_folder folder_;
  std::vector<record> records_;  // as earlier runs left them
  verdict* verdicts_ = nullptr;
  std::vector<child> running_;
  std::size_t next_ = 0;
  bool told_to_stop_ = false;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// Empty, or what is wrong with the state of earlier runs.
std::string run_of_all::load_records() {
  std::string wrong = folder_.open();
  const std::string settings =
      std::to_string(request_.bound) + " " + std::to_string(request_.staleness) + " " + std::to_string(request_.max);
  const std::uint64_t own = fingerprint(settings);
  std::size_t anew = 0;
  for (std::size_t i = 0; i < programs_.size() && wrong.empty(); ++i) {
    record& r = records_[i];
    wrong = folder_.load(programs_[i]->name(), r);
    if (r.fingerprint == own) continue;
    anew += r.fingerprint != 0 ? 1 : 0;
    r.begin_anew(own);
  }
  if (anew != 0) std::printf("%zu programs begin anew: the binary or the settings have changed.\n", anew);
  return wrong;
}

int run_of_all::operator()() {
  if (request_.nightly) {
    const std::string wrong = load_records();
    if (!wrong.empty()) {
      std::fprintf(stderr, "model: %s\n", wrong.c_str());
      return 2;
    }
    struct sigaction action{};
    action.sa_handler = stop;
    for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
  }
  search_all();
  summarize();
  const std::size_t passed = count(verdict::answer::passed);
  const std::size_t failed = count(verdict::answer::failed);
  const bool whole = !request_.nightly || summarize_nightly();
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 && whole ? 0 : 1;
}

void run_of_all::search_all() {
  const auto end = begin_ + std::chrono::duration<double>(request_.minutes * 60);
  while ((next_ < programs_.size() && stopped == 0) || !running_.empty()) {
    if (request_.minutes > 0 && std::chrono::steady_clock::now() >= end) stopped = 1;
    if (stopped != 0) stop_children_once();
    if (stopped == 0 && next_ < programs_.size() && running_.size() < static_cast<std::size_t>(request_.jobs)) {
      if (!records_[next_].done) running_.push_back(start(next_));
      ++next_;
      continue;
    }
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    const auto c = std::find_if(running_.begin(), running_.end(), [pid](const child& r) { return r.pid == pid; });
    if (c == running_.end()) {
      ::usleep(2000);  // short, so that neither the clock nor a signal waits for a child
      continue;
    }
    finish(*c, status);
    running_.erase(c);
  }
}

void run_of_all::stop_children_once() {
  if (std::exchange(told_to_stop_, true)) return;
  for (const child& c : running_) ::kill(c.pid, SIGTERM);
}

child run_of_all::start(std::size_t index) {
  child c;
  c.index = index;
  std::FILE* file = std::tmpfile();
  if (file == nullptr) give_up("model: no temporary file");
  c.output = ::dup(::fileno(file));
  std::fclose(file);
  std::fflush(stdout);
  const pid_t parent = ::getpid();
  c.pid = ::fork();
  if (c.pid < 0) give_up("model: fork");
  if (c.pid != 0) return c;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) std::_Exit(0);
  ::dup2(c.output, STDOUT_FILENO);
  install_handlers();
  const keeping keep{&folder_, &records_[index], &stopped};
  verdicts_[index] = examine(*programs_[index], request_, request_.nightly ? &keep : nullptr);
  std::fflush(stdout);
  std::_Exit(0);
}

void run_of_all::finish(const child& c, int status) {
  char buffer[4096];
  ::lseek(c.output, 0, SEEK_SET);
  for (ssize_t n = 0; (n = ::read(c.output, buffer, sizeof(buffer))) > 0;) {
    std::fwrite(buffer, 1, static_cast<std::size_t>(n), stdout);
  }
  ::close(c.output);
  if (WIFSIGNALED(status)) {
    verdicts_[c.index].is = verdict::answer::failed;
    std::printf("FAIL %-58s crashed: %s\n", programs_[c.index]->name(), ::strsignal(WTERMSIG(status)));
  }
  std::fflush(stdout);
}

verdict::answer run_of_all::answer(std::size_t index) const {
  if (records_[index].done) return verdict::answer::passed;
  return index < next_ ? verdicts_[index].is : verdict::answer::left;
}

std::size_t run_of_all::count(verdict::answer which) const {
  std::size_t n = 0;
  for (std::size_t i = 0; i < programs_.size(); ++i) n += answer(i) == which ? 1 : 0;
  return n;
}

void run_of_all::summarize() const {
  std::size_t exhaustive = 0;
  std::size_t bounded = 0;
  std::size_t found = 0;
  verdict sum{};
  for (std::size_t i = 0; i < programs_.size(); ++i) {
    const verdict& v = verdicts_[i];
    const bool passed = answer(i) == verdict::answer::passed;
    const std::string how = records_[i].done ? records_[i].how : v.how;
    exhaustive += passed && how == "exhaustive" ? 1 : 0;
    found += passed && how == "bug found" ? 1 : 0;
    bounded += passed && (how == "limit" || how.starts_with("bound")) ? 1 : 0;
    sum.in_this_run += v.in_this_run;
    sum.seconds += v.seconds;
  }
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  std::printf("%zu programs exhaustive without a bound, %zu bounded, %zu canaries found\n", exhaustive, bounded, found);
  std::printf("%llu executions in %.1f s, %.0f per second of a processor\n",
              static_cast<unsigned long long>(sum.in_this_run), elapsed,
              sum.seconds > 0 ? static_cast<double>(sum.in_this_run) / sum.seconds : 0.0);
}

// Whether the running total is to be had.
bool run_of_all::summarize_nightly() const {
  std::uint64_t total = 0;
  const std::string wrong = folder_.total(total);
  if (!wrong.empty()) {
    std::fprintf(stderr, "model: %s\n", wrong.c_str());
    return false;
  }
  const std::size_t left = count(verdict::answer::left);
  std::printf("running total: %llu executions in all nightly runs (%s)\n", static_cast<unsigned long long>(total),
              folder_.path().c_str());
  std::printf("%zu programs left%s\n", left, left != 0 ? ": the same command goes on with them" : "");
  return true;
}

}  // namespace

int examine_all(const std::vector<const program*>& programs, const request& a) { return run_of_all{programs, a}(); }

}  // namespace model
