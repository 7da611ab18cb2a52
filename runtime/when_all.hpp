#pragma once
// when_all: children that run in parallel, each a root in the caller's frame.
//
//   children_  how many have not ended: the last one takes the link back
//   gate       the children together, and the link to the caller's cancellation
//
// The first child runs at once on this worker, the others are forked: they are taken back in order, or stolen.
//
// I1  A child that fails first cancels its siblings before it counts itself off, so all of them still exist.
// I2  failed_ is set once; the exception stays in that child until the caller takes it.
// E1  a child's count-off (release) -> the last child's (acquire): every result.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/nested.hpp>

#include <cstddef>
#include <memory>
#include <tuple>
#include <vector>

namespace sluice {
namespace impl {

class join_child;

/// The part of when_all that knows nothing of types.
class join_scope : public canceller {
 public:
  explicit join_scope(task_context& parent) noexcept : parent_(parent) {}
  join_scope(const join_scope&) = delete;
  join_scope& operator=(const join_scope&) = delete;

  /// Adds a child; the first is added last. Before start().
  void add(join_child& child) noexcept;
  bool refuse() noexcept {
    refused_ = parent_.context().cancelled();
    return refused_;
  }
  std::coroutine_handle<> start(std::coroutine_handle<> self) noexcept;
  std::coroutine_handle<> child_ended(join_child& child, bool failed) noexcept;
  /// For await_resume: throws the first failure, or cancelled when nothing was started.
  void check();

  void cancel(cancellable&) noexcept override;

 private:
  void cancel_children(const join_child* except) noexcept;

  waiting_parent parent_;
  join_child* first_ = nullptr;
  atomic<std::uint32_t> children_{0};    // how many have not ended; written by them
  atomic<join_child*> failed_{nullptr};  // null, then the first child that failed; written by it
  cancellable link_{this};
  gate gate_{2};  // the children, the link
  bool refused_ = false;
};

class join_child : public root_context {
 public:
  join_child() noexcept : root_context(*scheduler::current(), current_core()) {}
  virtual std::exception_ptr take_error() noexcept = 0;

  join_scope* scope = nullptr;
  join_child* next_child = nullptr;

 protected:
  ~join_child() = default;
};

template <class T>
class typed_child final : public join_child {
 public:
  explicit typed_child(task<T>&& t) : frame_(task_access::take(t)) { attach(frame_, *this); }
  ~typed_child() {
    if (frame_) frame_.destroy();
  }

  std::coroutine_handle<> finished(std::coroutine_handle<> frame) noexcept override {
    collect<T>(frame, outcome);
    frame_ = {};
    return scope->child_ended(*this, outcome.has_error());
  }
  std::exception_ptr take_error() noexcept override { return outcome.take_error(); }

  result<T> outcome;

 private:
  task_frame<T> frame_;
};

/// A fixed number of children in one allocation: they cannot be moved.
template <class T>
class child_array {
 public:
  explicit child_array(std::vector<task<T>>& tasks)
      : children_(std::allocator<typed_child<T>>{}.allocate(tasks.size())) {
    capacity_ = tasks.size();
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

 private:
  void clear() noexcept {
    std::destroy_n(children_, size_);
    std::allocator<typed_child<T>>{}.deallocate(children_, capacity_);
  }

  typed_child<T>* children_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

template <class... T>
class [[nodiscard]] when_all_awaiter {
 public:
  when_all_awaiter(std::tuple<task<T>...>&& tasks, task_context& parent)
      : scope_(parent),
        children_(std::apply([](auto&... t) { return std::tuple<task<T>&&...>(std::move(t)...); }, tasks)) {}

  bool await_ready() noexcept { return scope_.refuse() || sizeof...(T) == 0; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept {
    add<sizeof...(T)>();
    return scope_.start(self);
  }
  std::tuple<stored<T>...> await_resume() {
    scope_.check();
    return std::apply([](auto&... child) { return std::tuple<stored<T>...>(std::move(child.outcome.value())...); },
                      children_);
  }

 private:
  template <std::size_t N>
  void add() noexcept {
    if constexpr (N > 0) {
      scope_.add(std::get<N - 1>(children_));
      add<N - 1>();
    }
  }

  join_scope scope_;
  std::tuple<typed_child<T>...> children_;
};

template <class T>
class [[nodiscard]] when_all_vector_awaiter {
 public:
  when_all_vector_awaiter(std::vector<task<T>>& tasks, task_context& parent) : scope_(parent), children_(tasks) {
    if constexpr (!std::is_void_v<T>) values_.reserve(tasks.size());
  }

  bool await_ready() noexcept { return scope_.refuse() || children_.size() == 0; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept {
    for (std::size_t i = children_.size(); i > 0; --i) scope_.add(children_[i - 1]);
    return scope_.start(self);
  }
  auto await_resume() {
    scope_.check();
    if constexpr (!std::is_void_v<T>) {
      for (std::size_t i = 0; i < children_.size(); ++i) values_.push_back(std::move(children_[i].outcome.value()));
      return std::move(values_);
    }
  }

 private:
  join_scope scope_;
  child_array<T> children_;
  std::vector<stored<T>> values_;
};

template <class... T>
class [[nodiscard]] when_all_operation {
 public:
  explicit when_all_operation(task<T>&&... tasks) : tasks_(std::move(tasks)...) {}
  when_all_awaiter<T...> bind(task_context& parent) && { return {std::move(tasks_), parent}; }

 private:
  std::tuple<task<T>...> tasks_;
};

template <class T>
class [[nodiscard]] when_all_vector_operation {
 public:
  explicit when_all_vector_operation(std::vector<task<T>>&& tasks) noexcept : tasks_(std::move(tasks)) {}
  when_all_vector_awaiter<T> bind(task_context& parent) && { return {tasks_, parent}; }

 private:
  std::vector<task<T>> tasks_;
};

}  // namespace impl

/// Runs the tasks in parallel and gives all their results, in order (void as std::monostate). The first failure cancels the
/// others; all have ended before it is rethrown. Cancellation of the caller is passed on to all; entered in an already cancelled
/// task it throws sluice::cancelled and starts nothing. A task that was used already: std::logic_error, nothing starts.
template <class... T>
impl::when_all_operation<T...> when_all(task<T>... tasks) {
  (impl::task_access::check(tasks), ...);
  return impl::when_all_operation<T...>(std::move(tasks)...);
}
/// The same for any number of tasks of one type; none completes at once.
template <class T>
impl::when_all_vector_operation<T> when_all(std::vector<task<T>> tasks) {
  for (auto& t : tasks) impl::task_access::check(t);
  return impl::when_all_vector_operation<T>(std::move(tasks));
}

}  // namespace sluice
