#include <sluice/queues/task_context.hpp>

namespace sluice::impl {

bool cancel_scope::link() noexcept {
  if (linked()) return true;
  cancel_scope* scope = this;
  for (cancel_scope* outer = outer_; outer != nullptr && !outer->linked(); outer = outer->outer_) {
    outer->inner_.store(scope, relaxed);  // others that link write the same
    scope = outer;
  }
  for (;;) {  // from the outermost that is not linked inwards: I3. Others may be at it, too.
    if (!scope->around().leave_once(scope->link_)) return false;
    scope->linked_.store(1, relaxed);
    if (scope == this) return true;
    scope = scope->inner_.load(relaxed);
  }
}

void cancel_scope::shut_scope(cancellation& walk) noexcept {
  std::uint32_t from = line_->cancelled_from_.load(relaxed);  // relaxed: the exchange decides
  while (from > depth_ && !line_->cancelled_from_.compare_exchange_weak(from, depth_, relaxed, relaxed)) {
  }
  slot_.shut(walk);
}

}  // namespace sluice::impl
