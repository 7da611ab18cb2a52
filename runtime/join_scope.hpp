#pragma once
// What when_all, when_any and when_all_settled share: the children, made by the caller, in the frame of the coroutine that waits
// for them. How they come to run is in split_scope.hpp.
//
// I1  Who holds the rest, in its hands or in its deque, alone touches next_.
// I2  The results stay in the children until the caller takes them.

#include <sluice/runtime/split_scope.hpp>
#include <sluice/runtime/task.hpp>
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

/// The part that knows nothing of types.
class join_scope final : public split_scope {
 public:
  join_scope(task_context& parent, const split_kind& kind) noexcept : split_scope(parent, kind, &begin) {}

  /// Adds a child; the first is added last. Before start().
  void add(join_child& child) noexcept;
  std::coroutine_handle<> start(std::coroutine_handle<> self) noexcept;
  std::coroutine_handle<> child_ended(join_child& child, task_context& on, bool failed) noexcept;
  /// The child that decided, or null. All have ended by then.
  join_child* decided() const noexcept;

 private:
  static task_context* begin(chore& self, fork_lane& by) noexcept;
  std::coroutine_handle<> begin_next(fork_lane& lane, task_context& on) noexcept;
  task_context& begin_line(fork_lane& lane) noexcept;
  std::coroutine_handle<> start_apart() noexcept;

  join_child* next_ = nullptr;  // I1: the next child to begin
};

class join_child : public frame_owner {
 public:
  virtual void move_to(task_context& line) noexcept = 0;
  virtual std::exception_ptr take_error() noexcept = 0;
  /// A line of its own for it to begin on.
  split_line& make_line(waker& home, runtime_core& core) noexcept {
    return *std::construct_at(reinterpret_cast<split_line*>(line_), home, core);
  }

  join_scope* scope = nullptr;
  join_child* next_child = nullptr;
  std::coroutine_handle<> frame;  // until it has ended

 protected:
  ~join_child() = default;

 private:
  alignas(
      split_line) std::byte line_[sizeof(split_line)];  // made where one is needed; its destructor has nothing to do
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

inline void join_scope::add(join_child& child) noexcept {
  child.scope = this;
  child.next_child = next_;
  next_ = &child;
}

inline join_child* join_scope::decided() const noexcept { return static_cast<join_child*>(decider()); }

[[gnu::always_inline]] inline std::coroutine_handle<> join_scope::start(std::coroutine_handle<> self) noexcept {
  if (!enter_directly(self)) [[unlikely]]
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
  if (failed || kind().who == decides::first_end) [[unlikely]]
    (void)decide(child);
  if (child.next_child != nullptr) {
    fork_lane& lane = *fork_lane::current();
    if (!lane.take_back(*this)) [[unlikely]]
      return to_resume(line_ended(on, false));
    if (was_moved(on)) [[unlikely]]
      return to_resume(moved_line_ended(lane, on));
    return begin_next(lane, on);
  }
  if (!uneventful()) [[unlikely]]
    return to_resume(line_ended(on, true));
  return leave_uneventful();
}

}  // namespace impl
}  // namespace sluice
