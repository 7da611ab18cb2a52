// not compiled in model builds: moodycamel has its own atomics
#include <sluice/scheduler/injection.hpp>

#include <concurrentqueue/concurrentqueue.h>

#include <optional>
#include <vector>

#if defined(__SANITIZE_THREAD__)
#define SLUICE_SEES_NO_FENCES 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLUICE_SEES_NO_FENCES 1
#endif
#endif

#if defined(SLUICE_SEES_NO_FENCES)
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace sluice::impl {
namespace {

// moodycamel publishes by fences, which thread sanitizer does not see. Where a consumer gets an item other than the one it
// claimed (which is in order), our count gives no edge either; so the sanitizer is told of moodycamel's own.
void handed_in([[maybe_unused]] runnable* item) noexcept {
#if defined(SLUICE_SEES_NO_FENCES)
  __tsan_release(item);
#endif
}
void handed_out([[maybe_unused]] runnable* item) noexcept {
#if defined(SLUICE_SEES_NO_FENCES)
  __tsan_acquire(item);
#endif
}

using queue = moodycamel::ConcurrentQueue<runnable*>;

// A producer that one thread at a time borrows. E1: give back (release) -> borrow (acquire).
struct lent_producer {
  explicit lent_producer(queue& q) : token(q) {}
  bool borrow() noexcept { return taken.load(relaxed) == 0 && taken.exchange(1, acquire) == 0; }  // E1 observe
  void give_back() noexcept { taken.store(0, release); }                                          // E1 publish

  alignas(128) atomic<std::uint32_t> taken{0};  // 0 | 1
  moodycamel::ProducerToken token;
};

constexpr std::size_t lent_count = 8;

std::size_t first_choice() noexcept {
  static thread_local constinit char place = 0;  // its address tells threads apart
  return (reinterpret_cast<std::uintptr_t>(&place) >> 12) * 0x9e3779b97f4a7c15u >> 32;
}

}  // namespace

struct injection_queue::state {
  explicit state(std::size_t workers) {
    own.reserve(workers);
    for (std::size_t i = 0; i < workers; ++i) own.push_back(std::make_unique<moodycamel::ProducerToken>(items));
    for (auto& producer : lent) producer.emplace(items);
  }
  queue items;
  std::vector<std::unique_ptr<moodycamel::ProducerToken>> own;
  std::optional<lent_producer> lent[lent_count];
};

injection_queue::injection_queue(std::size_t workers) : state_(std::make_unique<state>(workers)) {}
injection_queue::~injection_queue() = default;

bool injection_queue::enqueue(std::size_t producer, runnable* const* items, std::size_t n) noexcept {
  for (std::size_t i = 0; i < n; ++i) handed_in(items[i]);
  if (producer != any_thread) return state_->items.enqueue_bulk(*state_->own[producer], items, n);
  const std::size_t first = first_choice();
  for (std::size_t i = 0; i < lent_count; ++i) {
    lent_producer& lent = *state_->lent[(first + i) % lent_count];
    if (!lent.borrow()) continue;
    const bool done = state_->items.enqueue_bulk(lent.token, items, n);
    lent.give_back();
    return done;
  }
  return false;
}

std::size_t injection_queue::dequeue(runnable** out, std::size_t n) noexcept {
  const std::size_t got = state_->items.try_dequeue_bulk(out, n);
  for (std::size_t i = 0; i < got; ++i) handed_out(out[i]);
  return got;
}

}  // namespace sluice::impl
