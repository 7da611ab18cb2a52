#pragma once
// What when_all, when_any and when_all_settled share: children that run in parallel if somebody is free, in the frame of the
// coroutine that waits for them.
//
// The children run on their parent's line of execution, one after another, as if it called them. What has not begun, the
// `rest`, lies in the worker's fork deque meanwhile. Whoever takes it from there, a thief or this worker once a child
// has suspended, begins the next child on a line of its own, and leaves the rest in its own deque. So a line is begun only where
// execution really forks; when nothing is stolen and nothing waits, a when_all makes no context and no read-modify-write.
//
//   parent's line   |-- child 0 --|-- child 1 --| (the rest was taken)                    ... goes on
//   a thief's line                         |-- child 2 --|-- child 3 --| last of all ------^
//
// (What is stolen is the continuation of the loop over the children, as in Cilk: Frigo, Leiserson and Randall, "The implementation of
// the Cilk-5 multithreaded language", PLDI 1998. That the ends are counted by one atomic number, which who has begun the last
// child corrects by how many lines there are, is libfork's idea: Williams and Elliott, 2024.)
//
// I1  Who holds the rest, in its hands or in its deque, alone touches next_ and splits_. There is one rest.
// I2  Each line ends once: when a child has ended on it and the rest is not to be had, or was all begun. ends_ counts those that
//     ended before the last child had begun to end, less the number of lines then: who brings it to zero is the last.
// I3  The child that decides (the first to fail, or the first to end) cancels its siblings before its line ends, so all
//     of them still exist; those that have not begun will begin cancelled.
// I4  A line hangs in lines_ before its child begins, unless that is closed: then it begins cancelled. Likewise if the scope cannot be
//     linked.
// I5  decided_ is set once; the results stay in the children until the caller takes them.
// E1  the end of a line (release) -> the last end (acquire): every result.
// E2  a line is hung up (release) -> who cancels the scope (acquire): the line as it was made.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/nested.hpp>
#include <sluice/scheduler/fork_lane.hpp>
#include <sluice/scheduler/frame_pool.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace sluice {
namespace impl {

class join_child;

/// Which child decides: cancels the others, and gives the answer.
enum class decides : std::uint8_t { first_failure, first_end, nobody };

struct join_kind {
  const char* name;  // for dumps
  decides who;
};

/// A line of execution beside the parent's. It owns no frame: the children do that.
class join_line final : public root_context {
 public:
  using root_context::root_context;
  std::coroutine_handle<> finished(std::coroutine_handle<>, task_context&) noexcept override;

  join_line* next_line = nullptr;
};

/// The part that knows nothing of types.
class join_scope final : public chore, public cancel_scope {
 public:
  join_scope(task_context& parent, const join_kind& kind) noexcept : chore(&begin), cancel_scope(parent), kind_(kind) {}

  /// Adds a child; the first is added last. Before start().
  void add(join_child& child) noexcept;
  bool refuse() noexcept {
    if (!line().cancelled()) [[likely]]
      return false;
    refused_ = true;
    eventful_.store(true, relaxed);
    return true;
  }
  std::coroutine_handle<> start(std::coroutine_handle<> self) noexcept;
  std::coroutine_handle<> child_ended(join_child& child, task_context& on, bool failed) noexcept;
  /// For await_resume: throws cancelled when nothing was started. False: no child has decided.
  bool check() { return eventful_.load(relaxed) && check_events(); }
  /// The child that decided, or null.
  join_child* decided() const noexcept { return decided_.load(relaxed); }  // all have ended by then

  using cancel_scope::line;

 private:
  void pass_on(cancellation& walk) noexcept override;

  static task_context* begin(chore& self, fork_lane& by) noexcept;
  std::coroutine_handle<> start_apart() noexcept;
  std::coroutine_handle<> begin_next(fork_lane& lane, task_context& on) noexcept;
  join_line& begin_line(fork_lane& lane) noexcept;
  bool hang_up(join_line& l) noexcept;
  void shut_lines(cancellation& walk) noexcept;
  void decide(join_child& child) noexcept;
  std::coroutine_handle<> line_ended(task_context& on, bool was_last_child) noexcept;
  std::coroutine_handle<> finish() noexcept;
  static join_line* closed() noexcept { return reinterpret_cast<join_line*>(std::uintptr_t{1}); }

  bool check_events();

  const join_kind& kind_;
  std::coroutine_handle<> self_;
  join_child* next_ = nullptr;            // I1: the next child to begin
  std::uint32_t splits_ = 0;              // I1: lines that were begun beside the parent's
  atomic<std::uint32_t> ends_{0};         // I2; written by lines that end
  atomic<join_child*> decided_{nullptr};  // null, then the child that decides; written by it, all accesses relaxed
  // those beside the parent's, newest first, or closed(); written by who begins one and who cancels
  atomic<join_line*> lines_{nullptr};
  gate gate_{2};  // the children, and the link if there is one
  // Anything but children that ran one after another and were not asked for more; all accesses relaxed: E1.
  atomic<bool> eventful_{false};
  bool apart_ = false;  // the parent's line takes no part: it is no task of its own, or may not go on here
  bool refused_ = false;
  runtime_core* core_;  // if apart
};

class join_child : public frame_owner {
 public:
  virtual void move_to(task_context& line) noexcept = 0;
  virtual std::exception_ptr take_error() noexcept = 0;
  /// A line of its own for it to begin on.
  join_line& make_line(scheduler& home, runtime_core& core) noexcept {
    return *std::construct_at(reinterpret_cast<join_line*>(line_), home, core);
  }

  join_scope* scope = nullptr;
  join_child* next_child = nullptr;
  std::coroutine_handle<> frame;  // until it has ended

 protected:
  ~join_child() = default;

 private:
  alignas(join_line) std::byte line_[sizeof(join_line)];  // made where one is needed; its destructor has nothing to do
};

template <class T>
class typed_child final : public join_child {
 public:
  explicit typed_child(task<T>&& t) { frame = task_access::take(t); }
  /// Before it belongs to a scope.
  typed_child(typed_child&& other) noexcept { frame = std::exchange(other.frame, {}); }
  ~typed_child() {
    if (frame) frame.destroy();
  }

  void check() const {
    if (!frame) [[unlikely]]
      throw_task_used();
  }
  void belong_to(join_scope& s) noexcept {
    attach(typed(), s.line(), *this, outcome);
    s.add(*this);
  }
  std::coroutine_handle<> finished(std::coroutine_handle<> of, task_context& on) noexcept override {
    of.destroy();
    frame = {};
    return scope->child_ended(*this, on, outcome.has_error());
  }
  void move_to(task_context& line) noexcept override { typed().promise().context = &line; }
  std::exception_ptr take_error() noexcept override { return outcome.take_error(); }

  result<T> outcome;

 private:
  task_frame<T> typed() const noexcept { return task_frame<T>::from_address(frame.address()); }
};

/// A fixed number of children in one allocation: they cannot be moved.
template <class T>
class child_array {
 public:
  explicit child_array(std::vector<task<T>>& tasks) : capacity_(tasks.size()) {
    children_ = static_cast<typed_child<T>*>(as_frames ? allocate_frame(bytes()) : ::operator new(bytes(), alignment));
    try {
      for (auto& t : tasks) std::construct_at(children_ + size_, std::move(t)), ++size_;
    } catch (...) {
      clear();
      throw;
    }
  }
  ~child_array() { clear(); }
  child_array(const child_array&) = delete;
  child_array& operator=(const child_array&) = delete;

  std::size_t size() const noexcept { return size_; }
  typed_child<T>& operator[](std::size_t i) noexcept { return children_[i]; }
  void belong_to(join_scope& scope) noexcept {
    for (std::size_t i = size_; i > 0; --i) children_[i - 1].belong_to(scope);
  }

 private:
  void clear() noexcept {
    std::destroy_n(children_, size_);
    as_frames ? free_frame(children_, bytes()) : ::operator delete(children_, bytes(), alignment);
  }
  std::size_t bytes() const noexcept { return capacity_ * sizeof(typed_child<T>); }

  static constexpr std::align_val_t alignment{alignof(typed_child<T>)};
  static constexpr bool as_frames = alignof(typed_child<T>) <= 16;  // the pool's alignment; they live as short

  typed_child<T>* children_;
  std::size_t size_ = 0;
  const std::size_t capacity_;
};

/// Children of different types. They lie in the operation, and can be moved with it until they belong to a scope.
template <class... T>
class child_list;

template <>
class child_list<> {
 public:
  void check() const {}
  void belong_to(join_scope&) noexcept {}
  template <class Use, class... Before>
  auto apply(Use&& use, Before&... before) {
    return use(before...);
  }
};

template <class First, class... T>
class child_list<First, T...> {
 public:
  [[gnu::always_inline]] explicit child_list(task<First>&& first, task<T>&&... others)
      : first_(std::move(first)), others_(std::move(others)...) {}

  /// Throws std::logic_error if one was awaited before.
  void check() const {
    first_.check();
    others_.check();
  }
  void belong_to(join_scope& scope) noexcept {
    others_.belong_to(scope);  // the first is added last
    first_.belong_to(scope);
  }
  /// use(first, second, ...)
  template <class Use, class... Before>
  auto apply(Use&& use, Before&... before) {
    return others_.apply(use, before..., first_);
  }

 private:
  typed_child<First> first_;
  [[no_unique_address]] child_list<T...> others_;
};

// ---------------------------------------------------------------------------------------------------------------------------
// What a when_all does when nothing is stolen and nothing waits.

inline void join_scope::add(join_child& child) noexcept {
  child.scope = this;
  child.next_child = next_;
  next_ = &child;
}

[[gnu::always_inline]] inline std::coroutine_handle<> join_scope::start(std::coroutine_handle<> self) noexcept {
  self_ = self;
  enter();
  if (running_task::get() != &line() || !line().current_waker().roams()) [[unlikely]]
    return start_apart();
  return begin_next(*fork_lane::current(), line());
}

// Begins the next child on the line `on`, which runs here.
[[gnu::always_inline]] inline std::coroutine_handle<> join_scope::begin_next(fork_lane& lane,
                                                                             task_context& on) noexcept {
  join_child& child = *next_;
  const std::coroutine_handle<> frame = child.frame;
  if (&on != &line()) [[unlikely]]
    child.move_to(on);
  next_ = child.next_child;
  if (next_ != nullptr) lane.fork(*this);
  return frame;
}

[[gnu::always_inline]] inline std::coroutine_handle<> join_scope::child_ended(join_child& child, task_context& on,
                                                                              bool failed) noexcept {
  if (failed || kind_.who == decides::first_end) [[unlikely]]
    decide(child);
  if (child.next_child != nullptr) {
    fork_lane& lane = *fork_lane::current();
    if (lane.take_back(*this)) [[likely]]
      return begin_next(lane, on);
    return line_ended(on, false);
  }
  if (eventful_.load(relaxed) || linked()) [[unlikely]]
    return line_ended(on, true);
  leave(false);
  return self_;
}

}  // namespace impl
}  // namespace sluice
