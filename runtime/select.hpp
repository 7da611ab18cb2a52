#pragma once
// select(a, b, ...): of several waits the one that can have its result first has it, and the others took nothing.
//
//   arm 0: context, awaiter --+
//   arm 1: context, awaiter --+--> choice -- once --> the losers are cancelled, and let go --> the task goes on
//   the task's cancellation --+
//
// Each arm waits in a context of its own, whose waker is the select. Who is about to make an arm's result asks choose() before it
// takes anything (task_context::disarm), and gets no for all arms but one: what has been taken is delivered, and nothing else was taken.
//
//   choice:  nobody --> an arm | the select itself: the task was cancelled
//   phase:   begun --> registered --+--> both: who makes it so cancels the arms that lost, and takes the link back
//                  --> decided -----+
//
// I1  choice is written once, by a compare-and-swap, or before any arm waits.
// I2  An arm that waits calls wake() once: with its result, or as cancelled. It counts in the gate until then.
// I3  Who completes `phase` still counts in the gate: so the arms are there while it cancels them.
// I4  Arms are cancelled after the choice only; so the chosen one is never cancelled, and its claim succeeds.
// E1  registered (release) -> who decides (acquire): which arms wait, and whether the task's cancellation is linked.
// E2  decided (release) -> await_suspend (acquire): nothing but that the choice has been made.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/awaited_once.hpp>
#include <sluice/runtime/gate.hpp>
#include <sluice/runtime/task.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace sluice {

struct in_order_t {
  explicit in_order_t() = default;
};
/// select(in_order, ...): of arms that are ready at once the first one is chosen.
inline constexpr in_order_t in_order{};

namespace impl {

/// One wait of a select, without its awaiter.
class arm_context final : public task_context {
 public:
  explicit arm_context(waker& select) noexcept : task_context(select) {}
  bool enabled = true;       // before it begins
  plain<bool> waits{false};  // await_suspend's until it says registered; then whoever cancels the losers (E1)
};

class select_core : public cancel_relay, private waker {
 public:
  select_core(const select_core&) = delete;
  select_core& operator=(const select_core&) = delete;

  void pass_on(cancellation& walk) noexcept final;

 protected:
  explicit select_core(task_context& parent, std::uint32_t arms) noexcept
      : waker(false, true), parent_(parent), gate_(arms + 2) {}
  ~select_core() = default;

  impl::waker& self() noexcept { return *this; }
  /// Of the arms' contexts: as many as were announced. They stay where they are.
  void set_arms(std::span<arm_context* const> arms);
  static void shuffle(std::span<std::size_t> places) noexcept;

  /// Before anything waits: the task is cancelled.
  bool refused() noexcept;
  /// Before anything waits: this arm was ready.
  void take(arm_context& arm) noexcept { choice_.store(&arm, relaxed); }  // relaxed: nobody else knows of it yet

  // await_suspend, in this order. `over`: an arm did not wait after all. end: false: go on, nobody is left inside.
  void begin(std::coroutine_handle<> self) noexcept;
  bool is_open() const noexcept { return choice_.load(relaxed) == nullptr; }  // relaxed: a hint to stop
  void over(arm_context& arm) noexcept { (void)choose(arm); }
  bool end(std::uint32_t waiting) noexcept;

  /// For await_resume: throws cancelled if that was the choice.
  const void* result() const;

 private:
  enum : std::uint32_t { begun = 0, registered = 1, decided = 2 };

  void wake(runnable& of) noexcept final;
  bool choose(task_context& arm) noexcept final;
  bool choose_this(const void* what) noexcept;
  bool decide() noexcept;
  std::uint32_t settle() noexcept;
  void leave(bool settles) noexcept;

  task_context& parent_;
  std::span<arm_context* const> arms_;
  cancellable link_{this};
  plain<bool> linked_{false};            // written before `registered` (E1)
  select_core* next_ = nullptr;          // of the selects that a thread is to settle
  atomic<const void*> choice_{nullptr};  // see above; the gate hands it over, otherwise relaxed
  atomic<std::uint32_t> phase_{begun};   // see above
  gate gate_;                            // each arm, the link, await_suspend
};

/// An arm that may be left out.
template <class Operation>
class [[nodiscard]] optional_arm {
 public:
  optional_arm(bool enabled, Operation&& operation)
      : enabled_(enabled), operation_(std::forward<Operation>(operation)) {}

  bool enabled() const noexcept { return enabled_; }
  auto bind_arm(task_context& context) && { return std::forward<Operation>(operation_).bind(context); }

 private:
  bool enabled_;
  Operation operation_;
};

/// An arm as select was given it: an operation, or an optional_arm.
template <class Operation>
struct arm_traits {
  using awaiter = decltype(std::declval<Operation>().bind(std::declval<task_context&>()));
  static bool enabled(const std::remove_reference_t<Operation>&) noexcept { return true; }
  static awaiter bind(Operation&& operation, task_context& context) {
    return std::forward<Operation>(operation).bind(context);
  }
};
template <class Operation>
struct arm_traits<optional_arm<Operation>> {
  using awaiter = typename arm_traits<Operation>::awaiter;
  static bool enabled(const optional_arm<Operation>& arm) noexcept { return arm.enabled(); }
  static awaiter bind(optional_arm<Operation>&& arm, task_context& context) { return std::move(arm).bind_arm(context); }
};

template <class Operation>
using awaiter_of = typename arm_traits<Operation>::awaiter;

/// The awaiter of an arm that is left out is never made: its operation need not be possible.
template <class Operation>
struct select_arm {
  using awaiter_type = awaiter_of<Operation>;

  select_arm(Operation&& operation, waker& select) : context(select) {
    context.enabled = arm_traits<Operation>::enabled(operation);
    if (!context.enabled) return;
    ::new (static_cast<void*>(&place))
        awaiter_type(arm_traits<Operation>::bind(std::forward<Operation>(operation), context));
    made = true;
    if constexpr (requires { awaiter().check_arm(); }) {
      try {
        awaiter().check_arm();
      } catch (...) {
        awaiter().~awaiter_type();
        throw;
      }
    }
  }
  ~select_arm() {
    if (made) awaiter().~awaiter_type();
  }
  select_arm(const select_arm&) = delete;
  select_arm& operator=(const select_arm&) = delete;

  awaiter_type& awaiter() noexcept { return *std::launder(reinterpret_cast<awaiter_type*>(&place)); }

  arm_context context;
  bool made = false;
  alignas(awaiter_type) std::byte place[sizeof(awaiter_type)];
};

template <class Result>
using arm_result = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;

template <class... Operations>
class [[nodiscard]] select_awaiter final : public select_core {
  static constexpr std::size_t size = sizeof...(Operations);
  using all = std::make_index_sequence<size>;

 public:
  using value_type = std::variant<arm_result<decltype(std::declval<awaiter_of<Operations>&>().await_resume())>...>;

  select_awaiter(std::tuple<Operations...>& operations, bool in_order, task_context& parent)
      : select_awaiter(operations, in_order, parent, all{}) {}

  bool await_ready() {
    if (refused()) return true;
    for (const std::size_t i : order_) {
      if (!list_[i]->enabled || !with_arm(i, [](auto& arm) { return arm.awaiter().await_ready(); })) continue;
      take(*list_[i]);
      return true;
    }
    return false;
  }

  bool await_suspend(std::coroutine_handle<> self) {
    begin(self);
    std::uint32_t waiting = 0;
    for (const std::size_t i : order_) {
      if (!is_open()) break;
      if (!list_[i]->enabled) continue;
      const bool waits = with_arm(i, [&](auto& arm) { return arm.awaiter().await_suspend(self); });
      list_[i]->waits.set(waits);
      if (waits) {
        ++waiting;
      } else {
        over(*list_[i]);
      }
    }
    return end(waiting);
  }

  value_type await_resume() { return resume(result(), all{}); }

 private:
  template <std::size_t... I>
  select_awaiter(std::tuple<Operations...>& operations, bool in_order, task_context& parent, std::index_sequence<I...>)
      : select_core(parent, size),
        arms_{arm_source<Operations>{std::get<I>(operations), self()}...},
        list_{&std::get<I>(arms_).context...},
        order_{I...} {
    set_arms(list_);
    if (!in_order) shuffle(order_);
  }

  // What a tuple constructs an arm of, in place.
  template <class Operation>
  struct arm_source {
    std::remove_reference_t<Operation>& operation;
    impl::waker& select;
  };
  template <class Operation>
  struct placed_arm : select_arm<Operation> {
    explicit(false) placed_arm(const arm_source<Operation>& from)
        : select_arm<Operation>(static_cast<Operation&&>(from.operation), from.select) {}
  };

  template <class Call>
  bool with_arm(std::size_t index, Call call) {
    return with_arm(index, call, all{});
  }
  template <class Call, std::size_t... I>
  bool with_arm(std::size_t index, Call& call, std::index_sequence<I...>) {
    bool said = false;
    (void)((index == I && (said = call(std::get<I>(arms_)), true)) || ...);
    return said;
  }

  template <std::size_t I, std::size_t... Rest>
  value_type resume(const void* chosen, std::index_sequence<I, Rest...>) {
    if constexpr (sizeof...(Rest) != 0) {
      if (chosen != list_[I]) return resume(chosen, std::index_sequence<Rest...>{});
    }
    auto& awaiter = std::get<I>(arms_).awaiter();
    if constexpr (std::is_void_v<decltype(awaiter.await_resume())>) {
      awaiter.await_resume();
      return value_type(std::in_place_index<I>);
    } else {
      return value_type(std::in_place_index<I>, awaiter.await_resume());
    }
  }

  std::tuple<placed_arm<Operations>...> arms_;
  std::array<arm_context*, size> list_;
  std::array<std::size_t, size> order_;  // in which it looks at them
};

[[noreturn]] void throw_no_arms();

template <class... Operations>
class [[nodiscard]] select_operation {
 public:
  select_operation(bool in_order, Operations&&... operations)
      : operations_(std::forward<Operations>(operations)...), in_order_(in_order) {}

  auto bind(task_context& parent) && {
    once_.take();
    return select_awaiter<Operations...>(operations_, in_order_, parent);
  }

 private:
  awaited_once once_;
  std::tuple<Operations...> operations_;  // references for what was passed by name
  bool in_order_;
};

template <class X>
inline constexpr bool is_optional_arm = false;
template <class Operation>
inline constexpr bool is_optional_arm<optional_arm<Operation>> = true;

template <class X>
concept awaited_here = bindable<X> && (!std::is_lvalue_reference_v<X> || awaited_as_lvalue<std::remove_cvref_t<X>>);

template <class X>
concept is_arm_like = awaited_here<X> || is_optional_arm<X>;

template <class Operation>
constexpr void check_arm_type() {
  static_assert(
      requires { std::remove_cvref_t<awaiter_of<Operation>>::is_arm; },
      "select: an arm is a get, next, lease, put, reserve, peek, acquire, event wait, watcher's changed, sleep or "
      "join_handle, alone or in arm_if(). What does more than one of these (a task, timeout, when_all, join, put_many, "
      "get_many) may have had an effect when another arm is chosen: spawn it, and select its handle; for a timeout add "
      "an arm sleep_for(d)");
}

}  // namespace impl

/// An arm that takes part only if `enabled`.
template <class Operation>
  requires impl::awaited_here<Operation>
impl::optional_arm<Operation> arm_if(bool enabled, Operation&& operation) {
  return {enabled, std::forward<Operation>(operation)};
}

/// Waits until one of the operations can have its result, and gives it: a std::variant by position, with std::monostate for void. Exactly
/// one commits: the others took nothing, and are as if they had never been called (a put keeps its value). Of several that are ready
/// each is as likely to be chosen; select(in_order, ...) takes the first of them. A get() of a closed and drained
/// queue is ready, and throws queue_closed; next() and lease() are ready with nullopt each time: leave them out with arm_if(). A handle is
/// passed by name: one that is passed as a temporary and not chosen lets go of its task, which runs on.
///
/// Callers: tasks. Progress: as of the operations. Errors: what the chosen one throws; std::invalid_argument if no arm is enabled;
/// std::logic_error for a put on a rendezvous. Takes effect: with the one that is chosen. Cancellation: nothing was taken.
template <class... Operations>
  requires(sizeof...(Operations) > 0 && (impl::is_arm_like<Operations> && ...))
impl::select_operation<Operations...> select(Operations&&... operations) {
  (impl::check_arm_type<Operations>(), ...);
  return {false, std::forward<Operations>(operations)...};
}
template <class... Operations>
  requires(sizeof...(Operations) > 0 && (impl::is_arm_like<Operations> && ...))
impl::select_operation<Operations...> select(in_order_t, Operations&&... operations) {
  (impl::check_arm_type<Operations>(), ...);
  return {true, std::forward<Operations>(operations)...};
}
/// Without an arm: std::invalid_argument.
[[noreturn]] inline void select() { impl::throw_no_arms(); }

}  // namespace sluice
