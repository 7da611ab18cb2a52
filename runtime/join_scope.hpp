#pragma once
// What when_all, when_any and when_all_settled share: children that run in parallel, each a root in the caller's frame.
//
//   children_  how many have not ended: the last one takes the link back
//   gate       the children together, and the link to the caller's cancellation
//
// The first child runs at once on this worker, the others are forked: they are taken back in order, or stolen.
//
// I1  The child that decides (the first to fail, or the first to end) cancels its siblings before it counts itself off, so
//     all of them still exist.
// I2  decided_ is set once; the results stay in the children until the caller takes them.
// E1  a child's count-off (release) -> the last child's (acquire): every result.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/nested.hpp>

#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

namespace sluice {
namespace impl {

class join_child;

/// Which child decides: cancels the others, and gives the answer.
enum class decides : std::uint8_t { first_failure, first_end, nobody };

/// The part that knows nothing of types.
class join_scope final : public canceller, public cancel_relay {
 public:
  join_scope(task_context& parent, const char* name, decides who) noexcept : parent_(parent), name_(name), who_(who) {}
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
  /// For await_resume: throws cancelled when nothing was started.
  void check();
  /// The child that decided, or null.
  join_child* decided() const noexcept { return decided_.load(relaxed); }  // all have ended by then

  void cancel(cancellable&, cancellation& walk) noexcept override { walk.add(*this); }
  void pass_on(cancellation& walk) noexcept override;

 private:
  void cancel_children(const join_child* except, cancellation& walk) noexcept;

  waiting_parent parent_;
  const char* name_;
  decides who_;
  join_child* first_ = nullptr;
  atomic<std::uint32_t> children_{0};     // how many have not ended; written by them
  atomic<join_child*> decided_{nullptr};  // null, then the child that decides; written by it, all accesses relaxed
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

/// Adds the children of a tuple, the last one first.
template <class Tuple, std::size_t N = std::tuple_size_v<Tuple>>
void add_children(join_scope& scope, Tuple& children) noexcept {
  if constexpr (N > 0) {
    scope.add(std::get<N - 1>(children));
    add_children<Tuple, N - 1>(scope, children);
  }
}

/// Every child of a tuple from the task at its place.
template <class... T>
std::tuple<task<T>&&...> as_rvalues(std::tuple<task<T>...>& tasks) noexcept {
  return std::apply([](auto&... t) { return std::tuple<task<T>&&...>(std::move(t)...); }, tasks);
}

}  // namespace impl
}  // namespace sluice
