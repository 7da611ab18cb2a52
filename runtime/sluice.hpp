#pragma once
// Everything that a user of sluice types.

#include <sluice/queues/errors.hpp>
#include <sluice/queues/event.hpp>
#include <sluice/queues/queue.hpp>
#include <sluice/queues/semaphore.hpp>
#include <sluice/runtime/executor.hpp>
#include <sluice/runtime/fork_join.hpp>
#include <sluice/runtime/join_handle.hpp>
#include <sluice/runtime/outcome.hpp>
#include <sluice/runtime/parallel_for.hpp>
#include <sluice/runtime/precise_sleep.hpp>
#include <sluice/runtime/resume_on.hpp>
#include <sluice/runtime/run_blocking.hpp>
#include <sluice/runtime/runtime.hpp>
#include <sluice/runtime/shield.hpp>
#include <sluice/runtime/signals.hpp>
#include <sluice/runtime/sleep.hpp>
#include <sluice/runtime/strand.hpp>
#include <sluice/runtime/task.hpp>
#include <sluice/runtime/task_group.hpp>
#include <sluice/runtime/this_task.hpp>
#include <sluice/runtime/timeout.hpp>
#include <sluice/runtime/unconstrained.hpp>
#include <sluice/runtime/when_all.hpp>
#include <sluice/runtime/when_all_settled.hpp>
#include <sluice/runtime/when_any.hpp>
