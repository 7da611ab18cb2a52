#pragma once
// What the author of a model writes with. A program is a function that sets up fresh shared state and
// names the threads that run on it; the checker calls it once per explored execution.
//
//   const model::program one_to_one{"ring: one putter, one getter", {}, [](model::run& r) {
//     auto& s = r.make<state>();
//     r.thread("putter", [&s] { ... });
//     r.thread("getter", [&s] { ... });
//     r.finally([&s] { model::check(s.got == 1, "The item arrives."); });
//   }};

#include <sluice/model/hooks.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace model {

/// How a program is searched and what its answer must be.
struct options {
  const char* must_fail = nullptr;         ///< a canary: passes only if a failure is found that contains this text
  std::vector<std::string> outcomes = {};  ///< if not empty: exactly these outcomes must be seen
  int bound = -1;                          ///< at most so many preemptions; -1: unbounded first, then the mode's bound
  int staleness = -1;        ///< how often in a row a thread may re-read the same stale value; -1: the mode's
  int spurious = 0;          ///< spurious failures of weak exchanges and early returns of futex waits per execution
  int timeouts = 1;          ///< time-outs per execution that happen although somebody could still run
  std::uint64_t max = 0;     ///< executions per search; 0: the mode's
  int max_steps = 5000;      ///< operations per execution; more is reported as a livelock
  bool cross_check = false;  ///< search with and without reductions, and compare the outcomes
};

/// One execution: its shared state and its threads.
class run {
 public:
  run() = default;
  run(const run&) = delete;
  run& operator=(const run&) = delete;
  ~run();

  /// Shared state, fresh for this execution. Destroyed, last made first, after all threads and finally().
  template <class T, class... Args>
  T& make(Args&&... args) {
    T* object = new T(std::forward<Args>(args)...);
    owned_.push_back({object, [](void* p) { delete static_cast<T*>(p); }});
    return *object;
  }

  /// Adds a thread. The threads start together, when the set-up function has returned.
  void thread(const char* name, std::function<void()> body) { threads_.push_back({name, std::move(body)}); }
  void thread(std::function<void()> body) { thread("", std::move(body)); }

  /// What is to be checked when all threads have ended.
  void finally(std::function<void()> body) { finally_ = std::move(body); }

 private:
  friend class engine;
  struct owned {
    void* object;
    void (*destroy)(void*);
  };
  struct member {
    const char* name;
    std::function<void()> body;
  };
  std::vector<owned> owned_;
  std::vector<member> threads_;
  std::function<void()> finally_;
};

/// A program registers itself; `name` is what filters and reports show.
class program {
 public:
  using body = std::function<void(run&)>;
  /// Of the checker itself: does its own searches, adds their executions to its argument and returns what is wrong.
  using examination = std::function<std::string(std::uint64_t& executions)>;
  struct unlisted;

  program(const char* name, options how, body set_up, const char* file = __builtin_FILE());
  program(const char* name, examination examine, const char* file = __builtin_FILE());
  program(const program&) = delete;
  program& operator=(const program&) = delete;

  const char* name() const noexcept { return name_; }
  const char* file() const noexcept { return file_; }
  const options& how() const noexcept { return how_; }
  const examination& examine() const noexcept { return examine_; }
  void set_up(run& r) const { body_(r); }

  /// All programs of this binary, by file and then in the order of definition.
  static std::vector<const program*> all();

 private:
  program(options how, body set_up) : name_{""}, how_{std::move(how)}, body_{std::move(set_up)}, file_{""} {}
  void enlist() const;

  const char* name_;
  options how_;
  body body_;
  examination examine_;
  const char* file_;
};

/// A program that registers nowhere: for examinations.
struct program::unlisted : program {
  unlisted(options how, body set_up) : program(std::move(how), std::move(set_up)) {}
};

/// Fails the execution with `sentence` unless `condition` holds.
void check(bool condition, const char* sentence) noexcept;
/// Fails the execution.
[[noreturn]] void fail(const char* sentence) noexcept;

/// Notes how this execution ended, for options::outcomes and the cross-check: the small numbers, written one after another.
void outcome(std::initializer_list<int> values) noexcept;

/// Gives the object at `address` a name in traces of this execution.
void name(const void* address, const char* text) noexcept;

/// Moves the clock of this execution on.
void advance(std::chrono::nanoseconds by, const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept;

/// Runs the programs that the arguments select: see `--help`. Returns the exit status.
int main(int argc, char** argv);

}  // namespace model
