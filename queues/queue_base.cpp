#include <sluice/queues/queue_base.hpp>

#include <sluice/queues/errors.hpp>
#include <sluice/queues/fail.hpp>

#include <new>
#include <stdexcept>
#include <string>

namespace sluice::impl {

void queue_base::throw_failed(wait_result result, const char* operation) const {
  if (result == wait_result::cancelled) throw cancelled{};
  if (result == wait_result::no_memory) throw std::bad_alloc();
  throw_closed(operation);
}

void queue_base::throw_closed(const char* operation) const {
  throw queue_closed(std::string("sluice: ") + operation + " on queue '" + name_ + "', which is closed");
}

void queue_base::refuse_task_done(std::uint64_t count, std::uint64_t unfinished) const {
  throw std::logic_error("sluice: task_done(" + std::to_string(count) + ") on queue '" + name_ + "', where " +
                         std::to_string(unfinished) +
                         " of the items put are unfinished: call it once for each item that was got");
}

void queue_base::fail_destroyed(std::size_t getters, std::size_t putters, std::size_t joiners) const noexcept {
  fail("queue '" + name_ + "' is destroyed while somebody waits on it (" + std::to_string(getters) + " get, " +
       std::to_string(putters) + " put, " + std::to_string(joiners) +
       " join): close it and let them return first, or declare it before the runtime, which cancels its tasks when "
       "it goes");
}

}  // namespace sluice::impl
