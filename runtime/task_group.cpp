// Children that start, end, fail and are cancelled; and the messages of those who wait for them.

#include <sluice/runtime/task_group.hpp>

#include <new>
#include <stdexcept>

namespace sluice {

using impl::cancellation;
using impl::group_child;
using impl::group_join_awaiter;
using impl::group_message;
using impl::relaxed;
using impl::roster_end;

namespace {

bool is_cancelled(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const cancelled&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

impl::runtime_core& task_group::core() const noexcept { return scope_.core(); }

void task_group::spawn(task<> t, const char* name, const char* file, unsigned line) {
  impl::task_access::check(t);
  impl::runtime_core& home = core();
  impl::roster_page& page = roster_.room();
  auto& child = *::new (impl::allocate_frame(sizeof(group_child))) group_child(*this, home, name, file, line);
  impl::attach(impl::task_access::take(t), child, child.outcome);
  home.task_came();
  if (roster_.place(page, child)) child.cancel();
  impl::fork_lane::current()->submit(child);
}

void task_group::cancel() noexcept {
  cancellation walk;
  if (impl::scheduler::current_task() != &scope_) scope_.cancel_body(walk);
  cancel_children(walk);
  walk.finish();
}

void task_group::cancel_children(cancellation& walk) noexcept {
  if (roster_.cancel(walk) == roster_end::all_left) tell_all_left();
}

void task_group::failed(std::exception_ptr error, bool was_cancelled) noexcept {
  if (was_cancelled && is_cancelled(error)) return interrupted_.store(true, relaxed);
  if (failed_.exchange(1, relaxed) == 0) failure_ = std::move(error);
  cancellation walk;
  scope_.cancel_body(walk);
  cancel_children(walk);  // who has failed is here still: this cannot be the end
  walk.finish();
}

void task_group::tell_all_left() noexcept {
  if (scope_.ended()) scope_.parent().context().wake();
}

roster_end task_group::none_left() noexcept { return send(none_left_); }

roster_end task_group::send(group_message& m) noexcept {
  if (!delegation_.push(m)) return roster_end::no;
  aftermath after;
  do {
    for (impl::message* at = delegation_.take(); at != nullptr;) {
      auto& next = static_cast<group_message&>(*at);
      at = at->next;  // handling a message may free it
      handle(next, after);
    }
  } while (!delegation_.leave());
  while (after.departing != nullptr) {
    auto& last = static_cast<group_message&>(*after.departing);
    after.departing = last.next;
    group_join_awaiter& joiner = joiner_of(last);
    joiner.gate_.leave_and_wake(last.parties, joiner.context_);
  }
  return after.holds_page ? roster_.count_off() : roster_end::no;
}

void task_group::post(group_message& m) noexcept {
  if (send(m) == roster_end::all_left) tell_all_left();
}

void task_group::handle(group_message& m, aftermath& after) noexcept {
  switch (m.what) {
    case group_message::kind::join:
      return join(joiner_of(m), after);
    case group_message::kind::unjoin:
      return unjoin(joiner_of(m), after);
    case group_message::kind::none_left:
      after.holds_page = true;
      if (!roster_.nobody_left_but_one()) return;  // somebody has come meanwhile
      while (joiners_.get() != nullptr) {
        group_join_awaiter& joiner = *joiners_.get();
        unlist(joiner);
        let_go(joiner, static_cast<impl::join_message&>(joiner), joiner.context_.disarm(joiner.link_), after);
      }
  }
}

void task_group::join(group_join_awaiter& joiner, aftermath& after) noexcept {
  auto& by = static_cast<impl::join_message&>(joiner);
  // Cancelled before it was heard of: its canceller has left the counting to this side.
  if (joiner.cancelled_) return let_go(joiner, by, true, after);
  const bool nobody = roster_.begin_join();
  joiner.place_ = group_join_awaiter::place::listed;
  joiner.next_ = joiners_.get();
  if (joiner.next_ != nullptr) joiner.next_->previous_ = &joiner;
  joiners_.set(&joiner);
  if (!nobody) return;
  unlist(joiner);
  let_go(joiner, by, joiner.context_.disarm(joiner.link_), after);
}

void task_group::unjoin(group_join_awaiter& joiner, aftermath& after) noexcept {
  using place = group_join_awaiter::place;
  auto& by = static_cast<impl::unjoin_message&>(joiner);
  if (joiner.place_ == place::left) return let_go(joiner, by, false, after);
  joiner.cancelled_ = true;
  if (joiner.place_ == place::nowhere) return;
  unlist(joiner);
  let_go(joiner, by, true, after);
}

void task_group::unlist(group_join_awaiter& joiner) noexcept {
  if (joiner.previous_ != nullptr) {
    joiner.previous_->next_ = joiner.next_;
  } else {
    joiners_.set(joiner.next_);
  }
  if (joiner.next_ != nullptr) joiner.next_->previous_ = joiner.previous_;
  if (joiners_.get() == nullptr) roster_.end_join();
}

// The group lets go of the joiner, or its canceller does, or both. `by` is a message of the joiner's that was handled.
void task_group::let_go(group_join_awaiter& joiner, group_message& by, bool both, aftermath& after) noexcept {
  joiner.place_ = group_join_awaiter::place::left;
  by.parties = both ? 2 : 1;
  by.next = after.departing;
  after.departing = &by;
}

group_join_awaiter& task_group::joiner_of(group_message& m) noexcept {
  return m.what == group_message::kind::join ? static_cast<group_join_awaiter&>(static_cast<impl::join_message&>(m))
                                             : static_cast<group_join_awaiter&>(static_cast<impl::unjoin_message&>(m));
}

namespace impl {

group_child::group_child(task_group& of, runtime_core& core, const char* task_name, const char* task_file,
                         unsigned task_line) noexcept
    : root_context(core.sched(), core), group(of), name(task_name), file(task_file), page(nullptr), line(task_line) {}

std::coroutine_handle<> group_child::finished(std::coroutine_handle<> frame, task_context&) noexcept {
  frame.destroy();
  if (outcome.has_error()) [[unlikely]]
    group.failed(outcome.take_error(), cancelled());
  core().task_left();
  with_group_scope& scope = group.scope_;  // this child is gone once it has left
  const waker& ended_at = current_waker();
  if (roster::leave(*this) == roster_end::no) [[likely]]
    return std::noop_coroutine();
  return scope.ended() ? scope.parent().go_on(ended_at) : std::noop_coroutine();
}

group_join_awaiter::group_join_awaiter(task_group& group, task_context& context) : group_(group), context_(context) {
  const auto* child = dynamic_cast<const group_child*>(&root_context::current());
  if (child != nullptr && &child->group == &group) {
    throw std::logic_error(
        "sluice::task_group::join() was awaited by a child of that group, which would wait for itself for ever; let "
        "the "
        "body of with_group wait");
  }
}

bool group_join_awaiter::await_suspend(std::coroutine_handle<> self) noexcept {
  context_.handle = self;
  context_.note_wait("task_group.join", &group_);
  if (!context_.arm(link_)) {
    cancelled_ = true;
    return false;
  }
  group_.post(static_cast<join_message&>(*this));  // the frame may be gone after this
  return true;
}

void group_join_awaiter::cancel(cancellable&, cancellation&) noexcept {
  group_.post(static_cast<unjoin_message&>(*this));
}

bool with_group_scope::begin(std::coroutine_handle<> self) noexcept {
  parent_.suspend(self, "with_group", &group_);
  refused_ = !parent_.context().arm(link_);
  return !refused_;
}

std::coroutine_handle<> with_group_scope::start(task<> body) {
  const auto frame = task_access::take(body);
  attach(frame, *this, outcome_);
  scheduler::set_current_task(this);
  return frame;
}

std::coroutine_handle<> with_group_scope::not_started(std::exception_ptr error) noexcept {
  outcome_.set_error(std::move(error));
  return body_ended();
}

std::coroutine_handle<> with_group_scope::finished(std::coroutine_handle<> frame, task_context&) noexcept {
  frame.destroy();
  return body_ended();
}

std::coroutine_handle<> with_group_scope::body_ended() noexcept {
  if (outcome_.has_error()) group_.failed(outcome_.take_error(), cancelled());
  if (group_.roster_.leave_body() == roster_end::no) return std::noop_coroutine();
  return ended() ? parent_.go_on(current_waker()) : std::noop_coroutine();
}

void with_group_scope::pass_on(cancellation& walk) noexcept {
  cancel_body(walk);
  group_.cancel_children(walk);
  gate_.leave_and_wake(1, parent_.context());
}

void with_group_scope::check() {
  parent_.context().note_wait(nullptr, nullptr);
  if (refused_) throw sluice::cancelled{};
  if (group_.failure_) std::rethrow_exception(std::move(group_.failure_));
  if (group_.interrupted_.load(relaxed) && parent_.context().cancelled()) throw sluice::cancelled{};
}

}  // namespace impl
}  // namespace sluice
