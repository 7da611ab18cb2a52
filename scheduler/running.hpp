#pragma once
// What this thread is, and on whose behalf it runs. Never to be cached across a suspension.

#include <sluice/queues/task_context.hpp>

namespace sluice::impl {

class scheduler;

/// The task that this thread runs, or null.
using running_task = per_thread<struct running_task_tag, task_context*>;
/// The scheduler whose worker this thread is, or null.
using running_scheduler = per_thread<struct running_scheduler_tag, scheduler*>;

}  // namespace sluice::impl
