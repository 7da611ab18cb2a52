// No model reaches it: its lists are thread-local, and the threads of a model share one. Stress and sanitizers do.
// Blocks are cut from 64 KiB slabs that are kept until the end of the process, reachable from `slabs`.
//
// I3  `spare` is empty or holds a batch: batch_size blocks, or what was left of one when a thread ended.
// The edge by which the depot hands blocks over is tagged_stack's.

#include <sluice/scheduler/frame_pool.hpp>

#include <sluice/queues/atomic.hpp>
#include <sluice/scheduler/tagged_stack.hpp>

#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__has_include)
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#endif
#endif

namespace sluice::impl {
namespace {

constexpr std::size_t slab_bytes = 64 * 1024;
constexpr std::size_t slab_header = 64;
using sizes = frame_sizes;
using free_block = frame_list::block;
static_assert(sizes::class_of(1) == 0 && sizes::class_of(32) == 0 && sizes::class_of(33) == 1);
static_assert(sizes::class_of(sizes::fine_limit) == sizes::fine_classes - 1);
static_assert(sizes::class_of(sizes::fine_limit + 1) == sizes::fine_classes);
static_assert(sizes::class_of(sizes::coarse_limit) == sizes::classes - 1);
static_assert(sizes::bytes_of(sizes::class_of(4096)) == 4096 && sizes::bytes_of(sizes::class_of(1025)) == 1280);

// The header of a slab, which begins at a multiple of slab_bytes.
struct slab {
  slab* next;
};

// What threads share. Never destroyed: other threads may still be running when the process ends.
struct shared_part {
  tagged_stack<free_block*> depot[sizes::classes];  // batches
  tagged_stack<char*> uncut[sizes::classes];        // where slabs of threads that have ended are to be cut on
  atomic<slab*> slabs{nullptr};                     // all there are, so that leak checkers find them; only added to
};
union forever {
  constexpr forever() noexcept : it() {}
  ~forever() {}  // NOLINT: on purpose not the member's
  shared_part it;
};
constinit forever shared;

// A thread that ends leaves everything to the others.
struct at_thread_exit {
  at_thread_exit() noexcept = default;
  ~at_thread_exit() {
    for (std::size_t c = 0; c < sizes::classes; ++c) {
      frame_list& l = frame_lists[c];
      if (l.spare != nullptr && shared.it.depot[c].push(l.spare)) l.spare = nullptr;
      if (l.first != nullptr && shared.it.depot[c].push(l.first)) {
        l.first = nullptr;
      }
      if (l.uncut != l.end && shared.it.uncut[c].push(l.uncut)) l.uncut = l.end;
    }
  }
  void exist() const noexcept {}
};
thread_local at_thread_exit exit_hook;

void cut_on(std::size_t c, frame_list& l, char* from) noexcept {
  const std::size_t used = reinterpret_cast<std::uintptr_t>(from) % slab_bytes;
  l.uncut = from;
  l.end = from + (slab_bytes - used) / sizes::bytes_of(c) * sizes::bytes_of(c);
}

void new_slab(std::size_t c, frame_list& l) {
  void* const memory = std::aligned_alloc(slab_bytes, slab_bytes);
  if (memory == nullptr) throw std::bad_alloc();
  slab* const s = ::new (memory) slab{shared.it.slabs.load(relaxed)};             // relaxed: not looked into
  while (!shared.it.slabs.compare_exchange_weak(s->next, s, relaxed, relaxed)) {  // relaxed: nobody reads the list
  }
  cut_on(c, l, static_cast<char*>(memory) + slab_header);
}

}  // namespace

void* allocate_frame_slowly(std::size_t c) {
  exit_hook.exist();
  frame_list& l = frame_lists[c];
  free_block* batch = l.spare;
  l.spare = nullptr;
  if (batch != nullptr || shared.it.depot[c].pop(batch)) {
    l.first = batch->next;
    if constexpr (frames_are_poisoned) unpoison_frame(batch, c);
    return batch;
  }
  if (l.uncut == l.end) {
    char* rest = nullptr;
    shared.it.uncut[c].pop(rest) ? cut_on(c, l, rest) : new_slab(c, l);
  }
  void* const block = l.uncut;
  l.uncut += sizes::bytes_of(c);
  return block;
}

void hand_frames_over(std::size_t c) noexcept {
  exit_hook.exist();
  frame_list& l = frame_lists[c];
  // Without memory for the depot this thread keeps them all, and asks again with the next one.
  if (l.spare != nullptr && !shared.it.depot[c].push(l.spare)) return;
  l.spare = l.first;
  l.first = nullptr;
}

void poison_frame([[maybe_unused]] void* frame, [[maybe_unused]] std::size_t c) noexcept {
#if defined(ASAN_POISON_MEMORY_REGION)
  ASAN_POISON_MEMORY_REGION(static_cast<char*>(frame) + sizeof(free_block), sizes::bytes_of(c) - sizeof(free_block));
#endif
}
void unpoison_frame([[maybe_unused]] void* frame, [[maybe_unused]] std::size_t c) noexcept {
#if defined(ASAN_UNPOISON_MEMORY_REGION)
  ASAN_UNPOISON_MEMORY_REGION(frame, sizes::bytes_of(c));
#endif
}

}  // namespace sluice::impl
