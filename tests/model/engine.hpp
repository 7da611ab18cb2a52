#pragma once
// The checker: runs a program again and again, each time another interleaving and other stale reads, until all are
// explored or one fails. See README.md for the memory model.
//
// engine.cpp      executions
// scheduling.cpp  which thread goes next
// waiting.cpp     futexes, yields, the clock
// operations.cpp  what each access does to memory
// report.cpp      failures and traces
//
// Scheduling points stand before atomic operations; what a thread does between two of them belongs to the
// first. A thread's next operation is therefore known to the scheduler before it is chosen. An operation on an address
// that only one thread uses is no scheduling point: its order with the others' cannot matter. Which addresses those are
// is learnt: when an execution shows that one more is shared, the search begins anew.

#include <sluice/model/fiber.hpp>
#include <sluice/model/heap.hpp>
#include <sluice/model/memory.hpp>
#include <sluice/model/program.hpp>
#include <sluice/model/search.hpp>
#include <sluice/model/view.hpp>

#include <bitset>
#include <csignal>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace model {

/// How to search.
struct limits {
  int bound = -1;          ///< preemptions; -1: all, with sleep sets
  bool sleep_sets = true;  ///< and early reads; only if unbounded: a bound makes them unsound
  int staleness = 1;
  std::uint64_t max = 0;  ///< executions
  double seconds = 0;     ///< of processor time; 0: any
};

/// Where a search stands between two executions, and all that it needs to go on in another process of the same binary.
struct search_state {
  std::uint64_t executions = 0;
  std::uint64_t redundant = 0;
  std::vector<std::uint32_t> trail;  ///< as search::pack() wrote it
  std::vector<std::uint32_t> shared;
  std::vector<std::uint64_t> outcomes;
};

/// How a search may be interrupted.
struct interruption {
  search_state at;                                   ///< where to begin; comes back with where it stopped
  std::uint64_t budget = 0;                          ///< stops after so many executions; 0: any
  const volatile std::sig_atomic_t* stop = nullptr;  ///< stops when this is set
  std::function<void()> save;                        ///< called every few seconds, when `at` is up to date
};

/// What came out of a search.
struct findings {
  /// paused: `interruption` says where. astray: `interruption::at` belongs to another program.
  enum class end { exhausted, limit, failed, paused, astray };
  end how = end::exhausted;
  std::uint64_t executions = 0;
  std::uint64_t redundant = 0;        ///< of these: cut, because they lead nowhere new
  std::string sentence;               ///< of the failure
  std::string trace;                  ///< of the failing execution
  std::string choices;                ///< what --replay takes
  std::vector<std::string> outcomes;  ///< sorted
};

class engine {
 public:
  engine();
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  findings explore(const program& p, const limits& how, interruption* pauses = nullptr);
  /// Runs one execution as `choices` say and reports it.
  findings replay(const program& p, const limits& how, const std::string& choices);

  /// The engine whose execution is running, or null.
  static engine* running() noexcept { return running_; }
  int current() const noexcept { return current_; }
  /// How many executions have begun so far, of any engine.
  static std::uint64_t begun() noexcept { return begun_; }

  // What the hooks do. All act for the current thread.
  void construct_atomic(void* address, std::size_t size, bits value, site where);
  void construct_plain(const void* address, site where);
  void destroy(const void* address, site where);
  bits load(const void* address, std::size_t size, order o, bool blind, site where);
  void store(void* address, std::size_t size, bits value, order o, site where);
  bits modify(void* address, std::size_t size, modification what, bits operand, order o, site where);
  bool compare_exchange(void* address, std::size_t size, exchange_request& request, site where);
  void fence(order o, site where);
  void read_plain(const void* address, site where);
  void write_plain(const void* address, site where);
  void yield(site where);
  time_point now(site where);
  void wait(const void* word, std::uint32_t expected, site where);
  bool wait_until(const void* word, std::uint32_t expected, time_point deadline, site where);
  void wake(const void* word, int count, site where);

  void* allocate(std::size_t size, std::size_t alignment);
  void release(void* memory);
  bool owns(const void* memory) const noexcept { return heap_.owns(memory); }
  /// Whether `memory` belongs to an execution that is over.
  static bool is_stale(const void* memory) noexcept { return made_ != nullptr && made_->owns(memory); }

  /// Ends the execution as failed.
  [[noreturn]] [[gnu::format(printf, 2, 3)]] void fail(const char* format, ...);
  void outcome(std::initializer_list<int> values);
  void name(const void* address, const char* text);
  void advance(std::chrono::nanoseconds by, site where);
  /// Changes with every operation: who watches for endless loops looks at it.
  std::uint64_t progress() const noexcept { return progress_; }

 private:
  enum class kind : std::uint8_t { local, load, store, modify, fence, wait, timed_wait, wake, time_out, clock };
  struct operation {
    kind what = kind::local;
    bool seq_cst = false;
    std::uint32_t where = 0;
  };
  static constexpr int max_watched = 16;
  static constexpr int max_steps_alone = 1 << 20;
  struct thread {
    fiber stack;
    view known;       // what happens before its next operation
    view released;    // what its relaxed stores release: known at its last release fence
    view acquirable;  // what an acquire fence would acquire
    operation next;
    site at;  // its newest site
    const char* name = "";
    const std::function<void()>* body = nullptr;
    time_point deadline{};
    unsigned must_run_first = 0;  // of a thread that yielded: these go before it
    unsigned ran_since_yield = ~0u;
    bool others_moved = false;
    bool timed_out = false;
    // A round is what a thread does between two yields.
    bool changed_something = false;  // in this round: the next may differ although nobody else changed anything
    bool forced_round = false;       // it goes round although nothing changed, because nobody else can go
    std::uint8_t read_count = 0;
    std::uint32_t read_in_round[max_watched] = {};  // locations, of which a change makes another round worth while
    std::uint64_t round_signature = 0;              // of what was read
    std::uint64_t last_round_signature = 0;
  };
  struct phrase {  // the engine must not allocate through operator new while a program runs
    char text[160];
    const char* c_str() const noexcept { return text; }
  };
  struct named {
    const void* address;
    const char* text;
  };
  enum class ending : std::uint8_t { complete, redundant, failed };

  // engine.cpp
  void begin_search(const search_state* from);
  void tell(search_state& at, const findings& so_far) const;
  void explain_failure(findings& result);
  void execute();
  bool learn_shared();
  std::size_t shared_slot(std::uintptr_t address) const noexcept;
  void thread_zero();
  static void enter_zero(void* self);
  static void enter_thread(void* self);
  [[noreturn]] void leave(ending how);

  // scheduling.cpp
  void point(operation o, site where);
  bool is_private(const operation& o);
  void change_thread();
  int choose();
  unsigned runnable();
  bool worth_another_round(int who);
  void start_round(int who, bool forced) noexcept;
  static void start_first_round(thread& t) noexcept;
  int pick(unsigned enabled);
  void account(int picked, bool last_could_run);
  static bool dependent(const operation& a, const operation& b) noexcept;
  bool reads_newest_only() const noexcept { return (newest_only_ >> current_ & 1) != 0; }
  void readers_had_their_chance(const location& x) noexcept;
  int choose_value(int count, int tried);
  int choose_value(int count) { return choose_value(count, count); }
  int scripted(int count_or_mask, bool mask);

  // waiting.cpp
  void block(std::uint32_t word, bool timed);
  void wake_one(location& x, int who);

  // operations.cpp
  std::uint32_t find(const void* address, std::size_t size);
  void require_usable(location& x, site where);
  void access_exclusively(location& x, site where, const char* what);
  void access_shared(location& x, site where);
  bool sees(const view& v, int who, tick when, bool seq_cst) const noexcept;
  int oldest_readable(const location& x, bool seq_cst) const noexcept;
  bits read_message(location& x, int index, order o);
  void write_message(location& x, void* address, bits value, order o, const view* carried);
  void note_seq_cst(location& x, int index);
  void note_read(location& x, int index);
  [[noreturn]] void race(const location& x, site where, const char* what, int other, site other_site);

  // report.cpp
  [[noreturn]] void report_deadlock();
  [[gnu::format(printf, 2, 3)]] void log(const char* format, ...);
  void explain_locations();
  phrase label(const location& x);
  static phrase show(site where) noexcept;
  static phrase show(bits value) noexcept;
  const char* thread_name(int index) const;

  static engine* made_;  // one at a time
  static engine* running_;
  static std::uint64_t begun_;

  // Of the search.
  const program* program_ = nullptr;
  limits limits_;
  search search_;
  const std::string* script_ = nullptr;  // replay: what to choose
  std::size_t script_position_ = 0;
  bool logging_ = false;
  raw_vector<char> choices_;  // while logging: the choices made
  raw_vector<char> log_;
  std::bitset<1 << 15> shared_;              // hashes of the addresses that several threads operate on
  raw_vector<std::uintptr_t> found_shared_;  // in this execution, contrary to what was known
  raw_vector<std::uint64_t> outcomes_;
  std::uint64_t progress_ = 0;

  // Of the execution.
  fiber root_;
  thread threads_[max_threads];
  int count_ = 0;  // threads, thread 0 included
  int current_ = -1;
  int last_ = -1;  // the thread of the last scheduling choice
  bool concurrent_ = false;
  ending ending_ = ending::complete;
  unsigned started_or_woken_ = 0;  // runs up to its next operation before anything is chosen
  unsigned ready_ = 0;             // neither blocked nor ended
  unsigned yielded_ = 0;           // of the ready ones: waits for others to move
  unsigned timed_ = 0;             // of the blocked ones: may time out
  unsigned ended_ = 0;
  unsigned sleep_ = 0;
  unsigned enabled_ = 0;      // at the last scheduling choice
  unsigned newest_only_ = 0;  // need read no stale value: see README.md, The search
  int preemptions_ = 0;
  int steps_ = 0;        // operations reached
  int steps_alone_ = 0;  // of them in set-up and finish
  int done_ = 0;         // operations done, for the trace
  int timeouts_left_ = 0;
  int spurious_left_ = 0;
  time_point clock_{};
  locations locations_;
  raw_vector<view> fences_;  // per seq_cst fence: all that happens before it or any earlier one
  heap heap_;
  raw_vector<named> names_;
  char sentence_[1024] = {};
};

}  // namespace model
