#pragma once
// Containers for the checker itself: they must not pass through operator new, which belongs to the
// program under test (heap.cpp).

#include <cstdlib>
#include <new>
#include <vector>

namespace model {

template <class T>
struct raw_allocator {
  using value_type = T;
  raw_allocator() = default;
  template <class U>
  raw_allocator(const raw_allocator<U>&) noexcept {}

  T* allocate(std::size_t n) {
    if (void* memory = std::malloc(n * sizeof(T))) return static_cast<T*>(memory);
    throw std::bad_alloc{};
  }
  void deallocate(T* memory, std::size_t) noexcept { std::free(memory); }
  bool operator==(const raw_allocator&) const = default;
};

template <class T>
using raw_vector = std::vector<T, raw_allocator<T>>;

}  // namespace model
