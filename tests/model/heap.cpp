#include <sluice/model/heap.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

namespace model {
namespace {

constexpr std::size_t header = 16;  // holds the index of the block
constexpr unsigned char poison = 0xEF;

}  // namespace

heap::heap() {
  void* memory = ::mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("model: no memory for the heap of the program under test");
    std::abort();
  }
  base_ = static_cast<char*>(memory);
}

heap::~heap() { ::munmap(base_, total); }

void heap::clear() noexcept {
  std::memset(used_, 0, sizeof(used_));
  blocks_.clear();
  freed_ = 0;
}

void* heap::allocate(std::size_t size, std::size_t alignment, int thread, site after) noexcept {
  const std::size_t align = alignment < header ? header : alignment;
  std::size_t& used = used_[thread];
  const std::size_t start = (used + header + align - 1) & ~(align - 1);
  if (size > share || start + size > share) return nullptr;
  used = start + size;
  char* memory = base_ + static_cast<std::size_t>(thread) * share + start;
  const std::size_t index = blocks_.size();
  std::memcpy(memory - header, &index, sizeof(index));
  blocks_.push_back({memory, size, thread, false, after});
  return memory;
}

heap::block* heap::starting_at(const void* p) noexcept {
  std::size_t index = 0;
  std::memcpy(&index, static_cast<const char*>(p) - header, sizeof(index));
  if (index >= blocks_.size() || blocks_[index].memory != p) return nullptr;
  return &blocks_[index];
}

const heap::block* heap::around(const void* p) const noexcept {
  for (const block& b : blocks_) {
    if (p >= b.memory && p < b.memory + b.size) return &b;
  }
  return nullptr;
}

const heap::block* heap::freed_around(const void* p) const noexcept {
  if (freed_ == 0 || !owns(p)) return nullptr;
  const block* b = around(p);
  return b != nullptr && b->freed ? b : nullptr;
}

void heap::release(block& b) noexcept {
  b.freed = true;
  ++freed_;
  std::memset(b.memory, poison, b.size);
}

const heap::block* heap::left_over() const noexcept {
  for (const block& b : blocks_) {
    if (!b.freed) return &b;
  }
  return nullptr;
}

}  // namespace model
