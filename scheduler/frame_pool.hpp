#pragma once
// Memory for coroutine frames: for each thread a list of free blocks of each size class, so that the usual allocation is a
// load, a load and a store. Full lists travel between threads through a depot, 64 blocks at a time, so that it does not
// matter which thread frees. Works on every thread, workers or not.
//
// I1  A block is in use, or in one list of one thread, or in one batch of the depot, or not yet cut from a slab, or in the
//     hands of a trimmer.
// I2  A free block's first word is its link; under address sanitizer all the rest of it is poisoned.

#include <sluice/queues/atomic.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace sluice::impl {

struct frame_sizes {
  static constexpr std::size_t fine_limit = 1024;    // in steps of 32 bytes up to here
  static constexpr std::size_t coarse_limit = 4096;  // in steps of 256 bytes up to here, then straight to operator new
  static constexpr std::size_t fine_classes = fine_limit / 32;
  static constexpr std::size_t classes = fine_classes + (coarse_limit - fine_limit) / 256;

  static constexpr std::size_t class_of(std::size_t bytes) noexcept {
    return bytes <= fine_limit ? (bytes - 1) / 32 : fine_classes + (bytes - fine_limit - 1) / 256;
  }
  static constexpr std::size_t bytes_of(std::size_t c) noexcept {
    return c < fine_classes ? (c + 1) * 32 : fine_limit + (c - fine_classes + 1) * 256;
  }
};

/// A thread's blocks of one size class.
struct frame_list {
  struct block {
    block* next;
    std::size_t depth;  // how many there are from this one on
  };

  block* first;  // the current list
  block* spare;  // null, or a batch
  char* uncut;   // what is left of this thread's slab of the class
  char* end;     // of it; null: this thread has not cut any, nor freed one

  static constexpr std::uint32_t batch_size = 64;
};

inline thread_local constinit frame_list frame_lists[frame_sizes::classes] = {};

/// When the list of class `c` is empty. Throws std::bad_alloc.
void* allocate_frame_slowly(std::size_t c);
/// When the list of class `c` is full.
void hand_frames_over(std::size_t c) noexcept;
/// When a thread that has cut none frees its first block of class `c`: at its end it will leave them to the others.
void leave_at_thread_exit(std::size_t c) noexcept;

/// Hands over all that this thread keeps, for others to use and for a trim to find: for a thread that is about to sleep.
/// With nothing to hand over it reads the lists, which are 1.4 KiB, and that is all.
void hand_all_frames_over() noexcept;
inline void leave_frames_to_others() noexcept {
  if constexpr (!model_build) hand_all_frames_over();
}

/// Gives the pages of slabs of which no block is in use back to the system, and says how many bytes that were. Any thread;
/// others go on meanwhile, and cut new blocks if what they want is in the hands of the trim. One at a time: 0 while
/// another trims. What other threads keep is not seen until they hand it over, and keeps the slabs that it is in.
std::size_t trim_frames() noexcept;

// Only where address sanitizer looks on.
void poison_frame(void* frame, std::size_t c) noexcept;
void unpoison_frame(void* frame, std::size_t c) noexcept;
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool frames_are_poisoned = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool frames_are_poisoned = true;
#else
inline constexpr bool frames_are_poisoned = false;
#endif
#else
inline constexpr bool frames_are_poisoned = false;
#endif

/// Aligned to 16 bytes (32 up to 4 KiB). Throws std::bad_alloc.
inline void* allocate_frame(std::size_t bytes) {
  if (model_build || bytes > frame_sizes::coarse_limit) [[unlikely]]  // a model's checker looks after each block
    return ::operator new(bytes);
  const std::size_t c = frame_sizes::class_of(bytes | (bytes == 0));
  frame_list& l = frame_lists[c];
  frame_list::block* const block = l.first;
  if (block == nullptr) [[unlikely]]
    return allocate_frame_slowly(c);
  l.first = block->next;
  if constexpr (frames_are_poisoned) unpoison_frame(block, c);
  return block;
}

/// `bytes` as it was allocated with. From any thread.
inline void free_frame(void* frame, std::size_t bytes) noexcept {
  if (model_build || bytes > frame_sizes::coarse_limit) [[unlikely]] {
    ::operator delete(frame, bytes);
    return;
  }
  const std::size_t c = frame_sizes::class_of(bytes | (bytes == 0));
  frame_list& l = frame_lists[c];
  const std::size_t depth = l.first == nullptr ? 1 : l.first->depth + 1;
  l.first = ::new (frame) frame_list::block{l.first, depth};
  if constexpr (frames_are_poisoned) poison_frame(frame, c);
  if (depth >= frame_list::batch_size) [[unlikely]]
    hand_frames_over(c);
  if (l.end == nullptr) [[unlikely]]
    leave_at_thread_exit(c);
}

}  // namespace sluice::impl
