#pragma once
// with_group and task_group: children that do not outlive a scope.
//
// Who the children are, and that all have left, is the roster's to know. The waiters of join() are sequential state behind a
// delegation: a join, its cancellation, and that no child is left are messages.
//
//   caller --with_group--> body (a root in the caller's frame) --spawn--> children (roots of their own, placed in the roster)
//
// The gate's parties: the group (the body and every child), and the link to the caller's cancellation.
//
// I1  The group ends when the body and every child have left the roster; then nobody can send a message any more, except a
//     canceller that holds the link, and for that one the gate waits.
// I2  A child is cancelled only while it is in its place, or by who places it (roster.hpp, I1).
// I3  The end of the group is told, and joiners are let go, after the runner has left the delegation: the body, whose the joiners are,
//     may end at once, and the group with it. The page that was kept counted for the message is counted off even later.
// I4  failure_ is the exception of the first failure, set before that child leaves. From then on every child, old or new, is cancelled.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/awaited_once.hpp>
#include <sluice/runtime/callable.hpp>
#include <sluice/runtime/delegation.hpp>
#include <sluice/runtime/nested.hpp>
#include <sluice/runtime/roster.hpp>
#include <sluice/runtime/runtime.hpp>

#include <exception>

namespace sluice {

class task_group;

namespace impl {

class group_join_awaiter;
class with_group_scope;

struct group_message : message {
  enum class kind : std::uint8_t { join, unjoin, none_left };
  explicit group_message(kind k) noexcept : what(k) {}
  const kind what;
  std::uint8_t parties = 0;  // of the joiner's gate, which leave when this message was handled
};
/// One of its own for each kind, so that who it is about derives from it.
template <group_message::kind Kind>
struct message_of : group_message {
  message_of() noexcept : group_message(Kind) {}
};
using join_message = message_of<group_message::kind::join>;
using unjoin_message = message_of<group_message::kind::unjoin>;
using none_left_message = message_of<group_message::kind::none_left>;

struct [[nodiscard]] group_join_operation {
  task_group* group;
  awaited_once once{};
  group_join_awaiter bind(task_context& context) &&;
};

}  // namespace impl

/// The children of one with_group. Any member may be called by the body and by every child.
class task_group {
 public:
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;

  /// Starts a child. In a group that was cancelled or has failed it starts cancelled: it runs to its first wait.
  /// Throws std::bad_alloc or std::logic_error (a task that was used already) before anything has changed.
  void spawn(task<> t, const char* name = "", const char* file = __builtin_FILE(), unsigned line = __builtin_LINE());
  /// The same for f(args...): keeps copies of f and its arguments alive until the child has ended.
  template <impl::task_callable F, class... Args>
  void spawn(F&& f, Args&&... args) {
    static_assert(std::is_same_v<impl::task_made_by<F, Args...>, task<>>,
                  "a child of a group returns task<>: hand results over through references or a queue");
    spawn(impl::make_task(std::forward<F>(f), std::forward<Args>(args)...), impl::callable_name<std::decay_t<F>>(), "",
          0);
  }

  /// Requests cancellation of every child, present and future, and of the body, unless it is the body that calls. Not
  /// a failure: with_group returns normally. Idempotent; never waits.
  void cancel() noexcept;

  /// Waits until no child is left, at some moment of the call. For the body: a child would wait for itself, and is refused
  /// with std::logic_error. Cancellable.
  impl::group_join_operation join() noexcept { return {this}; }

  /// How many children have not ended: exact when none starts or ends meanwhile. Takes a nanosecond or two for each 56 that are
  /// there at a time.
  std::size_t size() const noexcept { return roster_.size(); }

 private:
  friend impl::group_child;
  friend impl::group_join_awaiter;
  friend impl::roster;
  friend impl::with_group_scope;

  explicit task_group(impl::with_group_scope& scope) noexcept : scope_(scope) {}

  impl::runtime_core& core() const noexcept;
  /// A child or the body ended with `error`.
  void failed(std::exception_ptr error, bool was_cancelled) noexcept;
  void cancel_children(impl::cancellation& walk) noexcept;
  /// The group has ended by what the caller did: for those who cannot go on with the waiting parent themselves.
  void tell_all_left() noexcept;
  /// The roster's: no child is left, and somebody waits for that. Whether the group has ended with it.
  impl::roster_end none_left() noexcept;

  /// Sends a message and runs if nobody does. Whether the group has ended with it: then the caller tells.
  [[nodiscard]] impl::roster_end send(impl::group_message& m) noexcept;
  void post(impl::group_message& m) noexcept;

  // The runner's.
  /// What is left to do when it has left the delegation: I3.
  struct aftermath {
    impl::message* departing = nullptr;  // handled, with joiners to be let go
    bool holds_page = false;             // none_left_ has come
  };
  void handle(impl::group_message& m, aftermath& after) noexcept;
  void join(impl::group_join_awaiter& joiner, aftermath& after) noexcept;
  void unjoin(impl::group_join_awaiter& joiner, aftermath& after) noexcept;
  static void let_go(impl::group_join_awaiter& joiner, impl::group_message& by, bool both, aftermath& after) noexcept;
  void unlist(impl::group_join_awaiter& joiner) noexcept;
  static impl::group_join_awaiter& joiner_of(impl::group_message& m) noexcept;

  impl::with_group_scope& scope_;
  impl::roster roster_{*this};
  impl::delegation delegation_;
  impl::none_left_message none_left_;  // in flight while the last page is kept counted for it
  // The runner's.
  impl::plain<impl::group_join_awaiter*> joiners_{nullptr};
  impl::atomic<std::uint32_t> failed_{0};  // 0 | 1; all accesses relaxed: who sets it writes failure_
  impl::atomic<bool> interrupted_{false};  // the body or a child ended by a cancellation; all accesses relaxed
  std::exception_ptr failure_;             // read when all have left
};

namespace impl {

/// A wait for the children of a group. The gate's parties: the group's runner, and the link.
class [[nodiscard]] group_join_awaiter final : public canceller, private join_message, private unjoin_message {
 public:
  group_join_awaiter(task_group& group, task_context& context);
  group_join_awaiter(const group_join_awaiter&) = delete;
  group_join_awaiter& operator=(const group_join_awaiter&) = delete;

  bool await_ready() noexcept {
    cancelled_ = context_.cancelled();
    return cancelled_ || group_.roster_.nobody_left();
  }
  bool await_suspend(std::coroutine_handle<> self) noexcept;
  void await_resume() const {
    context_.note_wait(nullptr, nullptr);
    if (cancelled_) throw sluice::cancelled{};
  }
  void cancel(cancellable&, cancellation&) noexcept override;

 private:
  friend task_group;
  enum class place : std::uint8_t { nowhere, listed, left };

  task_group& group_;
  task_context& context_;
  cancellable link_{this};
  gate gate_{2};
  // The runner's, until it lets go.
  group_join_awaiter* previous_ = nullptr;
  group_join_awaiter* next_ = nullptr;
  place place_ = place::nowhere;
  bool cancelled_ = false;
};

/// The part of with_group that knows nothing of the body's type. As a root it is the body's context.
class with_group_scope final : public root_context, public cancel_relay {
 public:
  explicit with_group_scope(task_context& parent) noexcept : parent_(parent), group_(*this) {}
  with_group_scope(const with_group_scope&) = delete;
  with_group_scope& operator=(const with_group_scope&) = delete;

  task_group& group() noexcept { return group_; }
  bool refuse() noexcept {
    refused_ = parent_.context().cancelled();
    return refused_;
  }
  /// Links the group to the caller's cancellation, before the body can spawn anything. False: the caller is cancelled.
  [[nodiscard]] bool begin(std::coroutine_handle<> self) noexcept;
  /// What runs first. Throws std::logic_error for a task that was used already.
  std::coroutine_handle<> start(task<> body);
  /// Instead of start(): there is no body to run, but what it spawned may run already.
  std::coroutine_handle<> not_started(std::exception_ptr error) noexcept;
  void check();

  std::coroutine_handle<> finished(std::coroutine_handle<> frame, task_context&) noexcept override;
  void pass_on(cancellation& walk) noexcept override;

  /// The group has ended. True: nobody is left inside.
  [[nodiscard]] bool ended() noexcept { return gate_.leave(parent_.context().disarm(link_) ? 2 : 1); }
  const waiting_parent& parent() const noexcept { return parent_; }
  void cancel_body(cancellation& walk) noexcept { root_context::cancel(walk); }

 private:
  std::coroutine_handle<> body_ended() noexcept;

  waiting_parent parent_;
  task_group group_;
  result<void> outcome_;
  cancellable link_{this};
  gate gate_{2};
  bool refused_ = false;
};

template <class F>
class [[nodiscard]] with_group_awaiter {
 public:
  with_group_awaiter(F&& body, task_context& parent) noexcept : scope_(parent), body_(std::forward<F>(body)) {}

  bool await_ready() noexcept { return scope_.refuse(); }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) noexcept { return transfer(start(self)); }
  void await_resume() { scope_.check(); }

 private:
  // The body need not be a coroutine: it may spawn children before it returns its task, or instead of returning one.
  std::coroutine_handle<> start(std::coroutine_handle<> self) noexcept {
    if (!scope_.begin(self)) return scope_.parent().not_suspended();
    try {
      return scope_.start(std::invoke(body_, scope_.group()));
    } catch (...) {
      return scope_.not_started(std::current_exception());
    }
  }

  with_group_scope scope_;
  F body_;  // a reference for a callable that was passed by name
};

template <class F>
class [[nodiscard]] with_group_operation {
 public:
  explicit with_group_operation(F&& body) : body_(std::forward<F>(body)) {}
  with_group_awaiter<F> bind(task_context& parent) && {
    once_.take();
    return {std::forward<F>(body_), parent};
  }

 private:
  awaited_once once_;
  F body_;
};

}  // namespace impl

/// Runs `body(group)` and returns when it and every child that was spawned on the group have ended. The first failure, of the body or a
/// child, cancels all the others and is rethrown. Cancellation of the caller is passed on to all of them, and thrown if it stopped any.
/// Entered in an already cancelled task: throws sluice::cancelled and starts nothing. A `body` passed by name must stay alive
/// until then, which it does where the call stands in a co_await expression.
template <class F>
  requires std::is_same_v<std::invoke_result_t<F&, task_group&>, task<>>
impl::with_group_operation<F> with_group(F&& body) {
  static_assert(impl::callable_survives<F>,
                "g++ 12 destroys a temporary lambda with such captures twice inside co_await: name the lambda first, "
                "then pass it by name");
  return impl::with_group_operation<F>(std::forward<F>(body));
}

inline impl::group_join_awaiter impl::group_join_operation::bind(task_context& context) && {
  once.take();
  return {*group, context};
}

}  // namespace sluice
