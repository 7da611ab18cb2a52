// No model reaches it: its lists are thread-local, and the threads of a model share one. Stress and sanitizers do.
// Blocks are cut from 64 KiB slabs that are kept until the end of the process, reachable from `slabs`.
//
// I1  A block is in use, or in one list of one thread, or in one batch of the depot, or not yet cut from a slab.
// I2  A free block's first word is its link; under address sanitizer all the rest of it is poisoned.
// I3  `spare` is empty or holds a batch: batch_size blocks, or what was left of one when a thread ended.
// The edge by which the depot hands blocks over is tagged_stack's.

#include <sluice/scheduler/frame_pool.hpp>

#include <sluice/queues/atomic.hpp>
#include <sluice/scheduler/tagged_stack.hpp>

#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define SLUICE_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLUICE_POISONS 1
#endif
#endif
#if defined(SLUICE_POISONS)
#include <sanitizer/asan_interface.h>
#endif

namespace sluice::impl {
namespace {

constexpr std::size_t slab_bytes = 64 * 1024;
constexpr std::size_t slab_header = 64;
constexpr std::uint32_t batch_size = 64;
constexpr std::size_t fine_limit = 1024;    // in steps of 32 bytes up to here
constexpr std::size_t coarse_limit = 4096;  // in steps of 256 bytes up to here, then straight to operator new
constexpr std::size_t fine_classes = fine_limit / 32;
constexpr std::size_t class_count = fine_classes + (coarse_limit - fine_limit) / 256;

constexpr std::size_t class_of(std::size_t bytes) noexcept {
  return bytes <= fine_limit ? (bytes - 1) / 32 : fine_classes + (bytes - fine_limit - 1) / 256;
}
constexpr std::size_t bytes_of(std::size_t c) noexcept {
  return c < fine_classes ? (c + 1) * 32 : fine_limit + (c - fine_classes + 1) * 256;
}
static_assert(class_of(1) == 0 && class_of(32) == 0 && class_of(33) == 1 && class_of(1024) == fine_classes - 1);
static_assert(class_of(1025) == fine_classes && class_of(coarse_limit) == class_count - 1);
static_assert(bytes_of(class_of(4096)) == 4096 && bytes_of(class_of(1025)) == 1280);

struct free_block {
  free_block* next;
};

struct free_list {
  free_block* first;  // the current list
  free_block* spare;  // I3
  char* uncut;        // what is left of this thread's slab of the class
  char* end;
  std::uint32_t count;  // of the current list
};

// The header of a slab, which begins at a multiple of slab_bytes.
struct slab {
  slab* next;
};

// What threads share. Never destroyed: other threads may still be running when the process ends.
struct shared_part {
  tagged_stack<free_block*> depot[class_count];  // batches
  tagged_stack<char*> uncut[class_count];        // where slabs of threads that have ended are to be cut on
  atomic<slab*> slabs{nullptr};                  // all there are, so that leak checkers find them; only added to
};
union forever {
  constexpr forever() noexcept : it() {}
  ~forever() {}  // NOLINT: on purpose not the member's
  shared_part it;
};
constinit forever shared;

thread_local constinit free_list lists[class_count] = {};

void poison([[maybe_unused]] free_block* block, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(SLUICE_POISONS)
  ASAN_POISON_MEMORY_REGION(block + 1, bytes - sizeof(free_block));
#endif
}
void unpoison([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(SLUICE_POISONS)
  ASAN_UNPOISON_MEMORY_REGION(block, bytes);
#endif
}

// A thread that ends leaves everything to the others.
struct at_thread_exit {
  at_thread_exit() noexcept = default;
  ~at_thread_exit() {
    for (std::size_t c = 0; c < class_count; ++c) {
      free_list& l = lists[c];
      if (l.spare != nullptr && shared.it.depot[c].push(l.spare)) l.spare = nullptr;
      if (l.first != nullptr && shared.it.depot[c].push(l.first)) {
        l.first = nullptr;
        l.count = 0;
      }
      if (l.uncut != l.end && shared.it.uncut[c].push(l.uncut)) l.uncut = l.end;
    }
  }
  void exist() const noexcept {}
};
thread_local at_thread_exit exit_hook;

void cut_on(std::size_t c, free_list& l, char* from) noexcept {
  const std::size_t used = reinterpret_cast<std::uintptr_t>(from) % slab_bytes;
  l.uncut = from;
  l.end = from + (slab_bytes - used) / bytes_of(c) * bytes_of(c);
}

void new_slab(std::size_t c, free_list& l) {
  void* const memory = std::aligned_alloc(slab_bytes, slab_bytes);
  if (memory == nullptr) throw std::bad_alloc();
  slab* const s = ::new (memory) slab{shared.it.slabs.load(relaxed)};             // relaxed: not looked into
  while (!shared.it.slabs.compare_exchange_weak(s->next, s, relaxed, relaxed)) {  // relaxed: nobody reads the list
  }
  cut_on(c, l, static_cast<char*>(memory) + slab_header);
}

[[gnu::noinline]] void* allocate_slowly(std::size_t c) {
  exit_hook.exist();
  free_list& l = lists[c];
  free_block* batch = l.spare;
  l.spare = nullptr;
  if (batch != nullptr || shared.it.depot[c].pop(batch)) {
    l.first = batch->next;
    l.count = batch_size - 1;  // of a thread that has ended it may be fewer: then the next batches are smaller, no more
    unpoison(batch, bytes_of(c));
    return batch;
  }
  if (l.uncut == l.end) {
    char* rest = nullptr;
    shared.it.uncut[c].pop(rest) ? cut_on(c, l, rest) : new_slab(c, l);
  }
  void* const block = l.uncut;
  l.uncut += bytes_of(c);
  return block;
}

[[gnu::noinline]] void hand_over(std::size_t c) noexcept {
  exit_hook.exist();
  free_list& l = lists[c];
  if (l.spare != nullptr && !shared.it.depot[c].push(l.spare)) {
    l.count = 0;  // no memory for the depot: this thread keeps them all, and asks again 64 blocks later
    return;
  }
  l.spare = l.first;
  l.first = nullptr;
  l.count = 0;
}

}  // namespace

void* allocate_frame(std::size_t bytes) {
  if (bytes > coarse_limit) [[unlikely]]
    return ::operator new(bytes);
  const std::size_t c = class_of(bytes | (bytes == 0));
  free_list& l = lists[c];
  free_block* const block = l.first;
  if (block == nullptr) [[unlikely]]
    return allocate_slowly(c);
  l.first = block->next;
  --l.count;
  unpoison(block, bytes_of(c));
  return block;
}

void free_frame(void* frame, std::size_t bytes) noexcept {
  if (bytes > coarse_limit) [[unlikely]] {
    ::operator delete(frame, bytes);
    return;
  }
  const std::size_t c = class_of(bytes | (bytes == 0));
  free_list& l = lists[c];
  auto* const block = ::new (frame) free_block{l.first};
  l.first = block;
  poison(block, bytes_of(c));
  if (++l.count >= batch_size) [[unlikely]]
    hand_over(c);
}

}  // namespace sluice::impl
