// The messages of a group, and what its runner does with them.

#include <sluice/runtime/task_group.hpp>

#include <stdexcept>

namespace sluice {

using impl::acq_rel;
using impl::cancellation;
using impl::group_child;
using impl::group_join_awaiter;
using impl::group_message;
using impl::relaxed;

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

void task_group::spawn(task<> t, const char* name, const char* file, unsigned line) {
  impl::task_access::check(t);
  impl::runtime_core& core = scope_.core();
  auto& child = core.make_record<group_child>(*this, name, file, line);
  impl::attach(impl::task_access::take(t), child, child.outcome);
  size_.fetch_add(1, relaxed);                             // relaxed: only its fall tells anything
  post(static_cast<impl::child_started_message&>(child));  // before it runs, hence before its end is sent
  core.start(child, false);
}

void task_group::cancel() noexcept {
  cancellation walk;
  if (impl::scheduler::current_task() != &scope_) scope_.cancel_body(walk);
  cancel_children(walk);
  walk.finish();
}

void task_group::cancel_children(cancellation& walk) noexcept {
  if (cancel_sent_.exchange(1, relaxed) == 0) post(cancel_message_, walk);
}

bool task_group::send(group_message& m) noexcept {
  cancellation walk;
  const bool ended = send(m, walk);
  walk.finish();  // nothing of this group: what it still has to cancel keeps a child from ending
  return ended;
}

bool task_group::send(group_message& m, cancellation& walk) noexcept {
  if (!delegation_.push(m)) return false;
  bool ended = false;
  do {
    for (impl::message* at = delegation_.take(); at != nullptr;) {
      auto& next = static_cast<group_message&>(*at);
      at = at->next;  // handling a message may free it
      handle(next, walk);
    }
    if (body_over_ && children_ == nullptr && !over_) over_ = ended = true;
  } while (!delegation_.leave());
  return ended;
}

void task_group::post(group_message& m) noexcept {
  cancellation walk;
  post(m, walk);
  walk.finish();
}

void task_group::post(group_message& m, cancellation& walk) noexcept {
  // Once the group has ended this object stays until the scope has heard of it.
  if (send(m, walk) && scope_.ended()) scope_.parent().context().wake();
}

void task_group::handle(group_message& m, cancellation& walk) noexcept {
  switch (m.what) {
    case group_message::kind::child_started:
      return child_started(static_cast<group_child&>(static_cast<impl::child_started_message&>(m)), walk);
    case group_message::kind::child_ended:
      return child_ended(static_cast<group_child&>(static_cast<impl::child_ended_message&>(m)), walk);
    case group_message::kind::cancel:
      return cancel_listed(walk);
    case group_message::kind::join:
      return join(static_cast<group_join_awaiter&>(static_cast<impl::join_message&>(m)));
    case group_message::kind::unjoin:
      return unjoin(static_cast<group_join_awaiter&>(static_cast<impl::unjoin_message&>(m)));
    case group_message::kind::body_ended:
      body_over_ = true;
      return scope_.take_body_error(walk);
  }
}

void task_group::child_started(group_child& child, cancellation& walk) noexcept {
  child.next_child = children_;
  if (children_ != nullptr) children_->previous_child = &child;
  children_ = &child;
  if (cancelling_) child.cancel(walk);
}

void task_group::child_ended(group_child& child, cancellation& walk) noexcept {
  (child.previous_child != nullptr ? child.previous_child->next_child : children_) = child.next_child;
  if (child.next_child != nullptr) child.next_child->previous_child = child.previous_child;
  if (child.outcome.has_error()) failed(child.outcome.take_error(), child.cancelled(), walk);
  size_.fetch_sub(1, impl::release);  // E1 publish
  impl::runtime_core& core = child.core();
  const auto end = child.word().finish(true);
  if (end.what == impl::record_word::finish_result::free) child.free();
  if (end.watched) core.watched_task_left();
  while (children_ == nullptr && joiners_ != nullptr) {
    group_join_awaiter& joiner = *joiners_;
    joiners_ = joiner.next_;
    if (joiners_ != nullptr) joiners_->previous_ = nullptr;
    joiner.place_ = group_join_awaiter::place::left;
    joiner.gate_.leave_and_wake(joiner.context_.disarm(joiner.link_) ? 2 : 1, joiner.context_);
  }
}

void task_group::failed(std::exception_ptr error, bool was_cancelled, cancellation& walk) noexcept {
  if (was_cancelled && is_cancelled(error)) {
    interrupted_ = true;
    return;
  }
  if (!failure_) failure_ = std::move(error);
  scope_.cancel_body(walk);
  cancel_listed(walk);
}

void task_group::cancel_listed(cancellation& walk) noexcept {
  if (cancelling_) return;  // all that were listed then, and all that came since, are cancelled
  cancelling_ = true;
  for (group_child* child = children_; child != nullptr; child = child->next_child) child->cancel(walk);
}

void task_group::join(group_join_awaiter& joiner) noexcept {
  using place = group_join_awaiter::place;
  if (joiner.cancelled_ || children_ == nullptr) {
    // Cancelled before it was heard of: its canceller has left the counting to this side.
    const bool both = joiner.cancelled_ || joiner.context_.disarm(joiner.link_);
    joiner.place_ = place::left;
    joiner.gate_.leave_and_wake(both ? 2 : 1, joiner.context_);
    return;
  }
  joiner.place_ = place::listed;
  joiner.next_ = joiners_;
  if (joiners_ != nullptr) joiners_->previous_ = &joiner;
  joiners_ = &joiner;
}

void task_group::unjoin(group_join_awaiter& joiner) noexcept {
  using place = group_join_awaiter::place;
  if (joiner.place_ == place::nowhere) {
    joiner.cancelled_ = true;
    return;
  }
  if (joiner.place_ == place::left) return joiner.gate_.leave_and_wake(1, joiner.context_);
  (joiner.previous_ != nullptr ? joiner.previous_->next_ : joiners_) = joiner.next_;
  if (joiner.next_ != nullptr) joiner.next_->previous_ = joiner.previous_;
  joiner.cancelled_ = true;
  joiner.place_ = place::left;
  joiner.gate_.leave_and_wake(2, joiner.context_);
}

namespace impl {

std::coroutine_handle<> group_child::finished(std::coroutine_handle<> frame, task_context&) noexcept {
  frame.destroy();
  core().task_left();
  task_group& parent = *group;  // the record may be gone once its end was sent
  if (!parent.send(static_cast<child_ended_message&>(*this))) return std::noop_coroutine();
  with_group_scope& scope = parent.scope_;
  return scope.ended() ? scope.parent().go_on() : std::noop_coroutine();
}

group_join_awaiter::group_join_awaiter(task_group& group, task_context& context) : group_(group), context_(context) {
  const auto* child = dynamic_cast<const group_child*>(&root_context::current());
  if (child != nullptr && child->group == &group) {
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

void group_join_awaiter::cancel(cancellable&, cancellation& walk) noexcept {
  group_.post(static_cast<unjoin_message&>(*this), walk);
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
  if (!group_.send(group_.body_ended_message_)) return std::noop_coroutine();
  return ended() ? parent_.go_on() : std::noop_coroutine();
}

void with_group_scope::take_body_error(cancellation& walk) noexcept {
  if (outcome_.has_error()) group_.failed(outcome_.take_error(), cancelled(), walk);
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
  if (group_.interrupted_ && parent_.context().cancelled()) throw sluice::cancelled{};
}

}  // namespace impl
}  // namespace sluice
