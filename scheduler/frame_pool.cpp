// No model reaches it: its lists are thread-local, and the threads of a model share one. Stress and sanitizers do.
// Blocks are cut from 64 KiB slabs, whose addresses are kept until the end of the process, reachable from `slabs`. They are taken
// from regions of 16, because each piece of memory that is aligned so far leaves two pages in use around it. A slab has blocks
// of one class, until a trim finds all of them free: then it is bare, without memory but for the page with its header, and
// whoever needs a slab, of whatever class, takes it before it makes a new one.
//
//   made --> cut --> all of it cut --(a trim has every block, and what is not cut yet)--> bare --> cut ...
//
// A trim takes all that is in the depot, and where to cut on, class by class; counts for each slab how much of it that is; empties
// the slabs of which it is everything; and puts the other blocks back.
//
// I3  `spare` is empty or holds a batch: batch_size blocks; or fewer, what was left of one when a thread ended or slept, or
//     when a trim sorted them; or more, when there was no memory for the depot.
// I4  A trim that has as many blocks of a slab as it has room for has them all, so nobody else can reach it.
// I5  A slab's fields for the trim are touched by the one that trims, and by who makes the slab; `free` is 0 outside of a trim.
// I6  No memory for a node of a stack: what should go there stays with this thread, cut into blocks.
// E1  a trim ends (release) -> the next begins (acquire): the fields for the trim.
// E2  a region is there (release) -> who takes a slab of it (acquire): its counter.
// The edge by which the depot hands blocks over, and by which bare slabs travel, is tagged_stack's.

#include <sluice/scheduler/frame_pool.hpp>

#include <sluice/queues/atomic.hpp>
#include <sluice/scheduler/tagged_stack.hpp>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#if defined(__has_include)
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#endif
#endif

namespace sluice::impl {
namespace {

constexpr std::size_t slab_bytes = 64 * 1024;
constexpr std::size_t slab_header = 64;
constexpr std::uint32_t slabs_in_region = 16;
using sizes = frame_sizes;
using free_block = frame_list::block;
static_assert(sizes::class_of(1) == 0 && sizes::class_of(32) == 0 && sizes::class_of(33) == 1);
static_assert(sizes::class_of(sizes::fine_limit) == sizes::fine_classes - 1);
static_assert(sizes::class_of(sizes::fine_limit + 1) == sizes::fine_classes);
static_assert(sizes::class_of(sizes::coarse_limit) == sizes::classes - 1);
static_assert(sizes::bytes_of(sizes::class_of(4096)) == 4096 && sizes::bytes_of(sizes::class_of(1025)) == 1280);

// The header of a slab, which begins at a multiple of slab_bytes.
struct slab {
  slab* next = nullptr;     // in `slabs`
  slab* counted = nullptr;  // for the trim: the next of those of which it has something
  char* rest = nullptr;     // for the trim: where it is to be cut on, if that is in its hands
  std::size_t free = 0;     // for the trim: so many blocks are in its hands, or not yet cut
  // In the first of a region: how many of it were taken, or more; written by who takes one. relaxed: the number is all that is asked.
  atomic<std::uint32_t> taken{1};
};
static_assert(sizeof(slab) <= slab_header);

// What threads share. Never destroyed: other threads may still be running when the process ends.
struct shared_part {
  tagged_stack<free_block*> depot[sizes::classes];  // batches
  tagged_stack<char*> uncut[sizes::classes];        // where slabs of threads that have ended are to be cut on
  tagged_stack<slab*> bare;                         // slabs without memory
  atomic<slab*> slabs{nullptr};                     // all there are, so that leak checkers find them; only added to
  atomic<slab*> region{nullptr};                    // the first slab of the newest region; written by who makes one
  atomic<std::uint32_t> trimming{0};                // 0 | 1; written by who trims
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
  ~at_thread_exit() { hand_all_frames_over(); }
  void exist() const noexcept {}
};
thread_local at_thread_exit exit_hook;

// How many blocks of class `c` are to be cut from `from` on.
std::size_t blocks_from(std::size_t c, const char* from) noexcept {
  return (slab_bytes - reinterpret_cast<std::uintptr_t>(from) % slab_bytes) / sizes::bytes_of(c);
}

void cut_on(std::size_t c, frame_list& l, char* from) noexcept {
  l.uncut = from;
  l.end = from + blocks_from(c, from) * sizes::bytes_of(c);
}

char* first_block(slab* s) noexcept { return reinterpret_cast<char*>(s) + slab_header; }

// Nobody has business in a bare slab.
void poison_slab([[maybe_unused]] slab* s) noexcept {
#if defined(ASAN_POISON_MEMORY_REGION)
  ASAN_POISON_MEMORY_REGION(first_block(s), slab_bytes - slab_header);
#endif
}
void unpoison_slab([[maybe_unused]] slab* s) noexcept {
#if defined(ASAN_UNPOISON_MEMORY_REGION)
  ASAN_UNPOISON_MEMORY_REGION(first_block(s), slab_bytes - slab_header);
#endif
}

slab* enlist(slab* s) noexcept {
  s->next = shared.it.slabs.load(relaxed);                                        // relaxed: not looked into
  while (!shared.it.slabs.compare_exchange_weak(s->next, s, relaxed, relaxed)) {  // relaxed: nobody reads the list
  }
  return s;
}

slab* make_slab() {
  slab* region = shared.it.region.load(acquire);  // E2 observe
  for (;;) {
    if (region != nullptr) {
      const std::uint32_t i = region->taken.fetch_add(1, relaxed);
      if (i < slabs_in_region) return enlist(::new (reinterpret_cast<char*>(region) + i * slab_bytes) slab{});
    }
    void* const memory = std::aligned_alloc(slab_bytes, slabs_in_region * slab_bytes);
    if (memory == nullptr) throw std::bad_alloc();
    slab* const first = ::new (memory) slab{};
    // E2 publish, E2 observe
    if (shared.it.region.compare_exchange_strong(region, first, release, acquire)) return enlist(first);
    std::free(memory);  // another thread was quicker
  }
}

void new_slab(std::size_t c, frame_list& l) {
  slab* s = nullptr;
  if (shared.it.bare.pop(s)) {
    unpoison_slab(s);
  } else {
    s = make_slab();
  }
  cut_on(c, l, first_block(s));
}

// A trim of one size class.
class trimmer {
 public:
  trimmer(std::size_t c, std::size_t page) noexcept : c_(c), page_(page), own_(frame_lists[c]) {}

  std::size_t trim() noexcept {
    collect();
    put_back();
    std::size_t bytes = 0;
    while (slab* const s = seen_) {
      seen_ = s->counted;
      char* const rest = std::exchange(s->rest, nullptr);
      if (std::exchange(s->free, 0) == whole()) {
        bytes += empty(s, rest);
      } else if (rest != nullptr && !shared.it.uncut[c_].push(rest)) {
        cut_all(rest);
      }
    }
    return bytes;
  }

 private:
  static slab* slab_of(void* p) noexcept {
    return reinterpret_cast<slab*>(reinterpret_cast<std::uintptr_t>(p) / slab_bytes * slab_bytes);
  }
  std::size_t whole() const noexcept { return (slab_bytes - slab_header) / sizes::bytes_of(c_); }

  static void prepend(free_block*& list, free_block* b) noexcept {
    b->depth = list == nullptr ? 1 : list->depth + 1;
    b->next = list;
    list = b;
  }

  void collect() noexcept {
    take(std::exchange(own_.first, nullptr));
    take(std::exchange(own_.spare, nullptr));
    if (own_.uncut != own_.end) take_rest(own_.uncut);
    own_.uncut = own_.end;
    free_block* batch = nullptr;
    for (std::uint32_t n = shared.it.depot[c_].nodes(); n != 0 && shared.it.depot[c_].pop(batch); --n) take(batch);
    char* rest = nullptr;
    for (std::uint32_t n = shared.it.uncut[c_].nodes(); n != 0 && shared.it.uncut[c_].pop(rest); --n) take_rest(rest);
  }
  void take(free_block* batch) noexcept {
    while (free_block* const b = batch) {
      batch = b->next;
      b->next = taken_;
      taken_ = b;
      count(slab_of(b), 1);
    }
  }
  void take_rest(char* rest) noexcept {
    slab* const s = slab_of(rest);
    count(s, blocks_from(c_, rest));
    s->rest = rest;
  }
  void count(slab* s, std::size_t blocks) noexcept {
    if (s->free == 0) {
      s->counted = seen_;
      seen_ = s;
    }
    s->free += blocks;
  }

  // All blocks but those of slabs that are to be emptied.
  void put_back() noexcept {
    free_block* batch = nullptr;
    while (free_block* const b = taken_) {
      taken_ = b->next;
      if (slab_of(b)->free == whole()) continue;
      prepend(batch, b);
      if (batch->depth == frame_list::batch_size) put_back(std::exchange(batch, nullptr));
    }
    if (batch != nullptr) put_back(batch);
  }
  void put_back(free_block* batch) noexcept {
    if (shared.it.depot[c_].push(batch)) return;
    while (free_block* const b = batch) {  // I6
      batch = b->next;
      prepend(own_.first, b);
    }
  }

  // I4. How many bytes went back to the system: what was never cut had none.
  std::size_t empty(slab* s, const char* rest) noexcept {
    char* const pages = reinterpret_cast<char*>(s) + page_;
    const std::size_t used = rest == nullptr ? slab_bytes : static_cast<std::size_t>(rest - reinterpret_cast<char*>(s));
    const std::size_t bytes = used <= page_ ? 0 : (used + page_ - 1) / page_ * page_ - page_;
    const bool given = bytes == 0 || ::madvise(pages, bytes, MADV_DONTNEED) == 0;  // locked memory is not given back
    poison_slab(s);
    if (shared.it.bare.push(s)) return given ? bytes : 0;
    unpoison_slab(s);
    cut_all(first_block(s));
    return 0;
  }

  // I6
  void cut_all(char* from) noexcept {
    for (std::size_t n = blocks_from(c_, from); n != 0; --n, from += sizes::bytes_of(c_)) {
      prepend(own_.first, ::new (from) free_block{});
      if constexpr (frames_are_poisoned) poison_frame(from, c_);
    }
  }

  const std::size_t c_;
  const std::size_t page_;
  frame_list& own_;              // the calling thread's
  free_block* taken_ = nullptr;  // through `next`
  slab* seen_ = nullptr;         // through `counted`
};

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

void leave_at_thread_exit(std::size_t c) noexcept {
  static char nothing;  // to be cut
  exit_hook.exist();
  frame_lists[c].uncut = frame_lists[c].end = &nothing;
}

void hand_frames_over(std::size_t c) noexcept {
  frame_list& l = frame_lists[c];
  // Without memory for the depot this thread keeps them all, and asks again with the next one.
  if (l.spare != nullptr && !shared.it.depot[c].push(l.spare)) return;
  l.spare = l.first;
  l.first = nullptr;
}

void hand_all_frames_over() noexcept {
  for (std::size_t c = 0; c < sizes::classes; ++c) {
    frame_list& l = frame_lists[c];
    if (l.spare != nullptr && shared.it.depot[c].push(l.spare)) l.spare = nullptr;
    if (l.first != nullptr && shared.it.depot[c].push(l.first)) l.first = nullptr;
    if (l.uncut != l.end && shared.it.uncut[c].push(l.uncut)) l.uncut = l.end;
  }
}

std::size_t trim_frames() noexcept {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (page >= slab_bytes) return 0;
  if (shared.it.trimming.exchange(1, acquire) != 0) return 0;  // E1 observe
  exit_hook.exist();
  std::size_t bytes = 0;
  for (std::size_t c = 0; c < sizes::classes; ++c) bytes += trimmer(c, page).trim();
  shared.it.trimming.store(0, release);  // E1 publish
  return bytes;
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
