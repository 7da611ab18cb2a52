#include <sluice/scheduler/binding.hpp>

#include <algorithm>
#include <cerrno>
#include <sched.h>

namespace sluice::impl {

int bind_thread(pthread_t thread, const std::vector<unsigned>& processors) noexcept {
  const unsigned room = *std::max_element(processors.begin(), processors.end()) + 1;
  cpu_set_t* const set = CPU_ALLOC(room);
  if (set == nullptr) return ENOMEM;
  const std::size_t bytes = CPU_ALLOC_SIZE(room);
  CPU_ZERO_S(bytes, set);
  for (const unsigned number : processors) CPU_SET_S(number, bytes, set);
  const int error = pthread_setaffinity_np(thread, bytes, set);
  CPU_FREE(set);
  return error;
}

void unbind_this_thread(const std::vector<unsigned>& workers) noexcept {
  if (!workers.empty()) (void)bind_thread(pthread_self(), workers);
}

unsigned current_processor() noexcept {
  const int number = sched_getcpu();
  return number < 0 ? 0 : static_cast<unsigned>(number);
}

}  // namespace sluice::impl
