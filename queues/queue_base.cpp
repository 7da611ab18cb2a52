#include <sluice/queues/queue_base.hpp>

#include <sluice/queues/errors.hpp>
#include <sluice/queues/fail.hpp>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace sluice::impl {

namespace {

// ": " and what the exception says, if it says something.
std::string told(const std::exception_ptr& cause) {
  if (!cause) return {};
  try {
    std::rethrow_exception(cause);
  } catch (const std::exception& error) {
    return std::string(": ") + error.what();
  } catch (...) {
    return {};
  }
}

}  // namespace

queue_base::~queue_base() { delete cause_.load(relaxed); }  // nobody else is there any more

void queue_base::give_cause(std::exception_ptr cause) {
  if (!cause) return;
  auto given = std::make_unique<std::exception_ptr>(std::move(cause));
  std::exception_ptr* none = nullptr;
  if (cause_.compare_exchange_strong(none, given.get(), release, relaxed)) (void)given.release();  // E1 publish
}

std::exception_ptr queue_base::cause() const noexcept {
  const std::exception_ptr* const given = cause_.load(acquire);  // E1 observe
  return given == nullptr ? std::exception_ptr() : *given;
}

void queue_base::end_task(const char* why) noexcept {
  try {
    task_done(1);
  } catch (const std::logic_error& error) {
    fail(std::string(error.what()) + " (" + why + ")");
  }
}

void queue_base::throw_failed(wait_result result, const char* operation) const {
  if (result == wait_result::cancelled) throw cancelled{};
  if (result == wait_result::no_memory) throw std::bad_alloc();
  if (result == wait_result::full)
    throw queue_full("sluice: " + std::string(operation) + " on queue '" + name_ + "', which is full");
  throw_closed(operation);
}

void queue_base::throw_closed(const char* operation) const {
  const std::exception_ptr why = cause();
  throw queue_closed("sluice: " + std::string(operation) + " on queue '" + name_ + "', which is closed" + told(why),
                     why);
}

void queue_base::refuse_task_done(std::uint64_t count, std::uint64_t unfinished) const {
  throw std::logic_error("sluice: task_done(" + std::to_string(count) + ") on queue '" + name_ + "', where " +
                         std::to_string(unfinished) +
                         " of the items put are unfinished: call it once for each item that was got");
}

void queue_base::fail_destroyed(std::size_t getters, std::size_t putters, std::size_t joiners) const noexcept {
  fail("queue '" + name_ + "' is destroyed while somebody waits on it (" + std::to_string(getters) + " get, " +
       std::to_string(putters) + " put, " + std::to_string(joiners) +
       " join): close it, which ends gets and puts, call task_done for what is unfinished, which ends joins, and let "
       "them return first, or declare it before the runtime, which cancels its tasks when it goes");
}

void queue_base::fail_reserved(std::uint64_t slots) const noexcept {
  fail("queue '" + name_ + "' is destroyed while slots of it are reserved (" + std::to_string(slots) +
       "): a slot must be put into, or go, before its queue does");
}

}  // namespace sluice::impl
