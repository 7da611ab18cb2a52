#include <sluice/runtime/record_pool.hpp>

#include <bit>
#include <new>

namespace sluice::impl {
namespace {

/// Spreads threads over the free lists: a thread keeps its number for life.
std::size_t thread_number() noexcept {
  static constinit atomic<std::uint32_t> next{0};  // all accesses relaxed: only a number
  thread_local const std::uint32_t mine = next.fetch_add(1, relaxed);
  return mine;
}

}  // namespace

record_pool::~record_pool() {
  for (auto& entry : directory_) {
    ::operator delete(entry.load(relaxed), std::align_val_t{alignof(record_block)});  // relaxed: nobody else is left
  }
}

record_block& record_pool::at(std::uint32_t index) const noexcept {
  const unsigned k = static_cast<unsigned>(std::bit_width((index >> first_slab_bits) + 1)) - 1;
  const std::uint32_t first = ((std::uint32_t{1} << k) - 1) << first_slab_bits;
  // relaxed: whoever knows the index has it from bump_ or from a list, which publish the slab, too
  return directory_[k].load(relaxed)[index - first];
}

record_block& record_pool::take() {
  const std::size_t home = thread_number() % shards;
  for (std::size_t i = 0; i < shards; ++i) {
    if (record_block* block = pop(free_[(home + i) % shards])) return *block;
  }
  return take_new();
}

void record_pool::give(record_block& block) noexcept { push(free_[thread_number() % shards], block); }

record_block* record_pool::pop(free_list& list) noexcept {
  std::uint64_t head = list.head.load(acquire);  // E1 observe
  while (static_cast<std::uint32_t>(head) != 0) {
    record_block& block = at(static_cast<std::uint32_t>(head) - 1);
    const std::uint64_t next = block.next_free.load(relaxed);
    const std::uint64_t after = ((head >> 32) + 1) << 32 | next;
    // relaxed: the head was observed when it was read, and a read-modify-write carries on what the pushes below published
    if (list.head.compare_exchange_weak(head, after, relaxed, acquire)) return &block;  // E1 observe
  }
  return nullptr;
}

void record_pool::push(free_list& list, record_block& block) noexcept {
  std::uint64_t head = list.head.load(relaxed);  // relaxed: the exchange below decides
  for (;;) {
    block.next_free.store(static_cast<std::uint32_t>(head), relaxed);
    const std::uint64_t after = ((head >> 32) + 1) << 32 | (std::uint64_t{block.index} + 1);
    if (list.head.compare_exchange_weak(head, after, release, relaxed)) return;  // E1 publish
  }
}

std::uint32_t record_pool::free_count() const noexcept {
  std::uint32_t count = 0;
  for (const auto& list : free_) {
    auto next = static_cast<std::uint32_t>(list.head.load(acquire));  // E1 observe: of this push and all before it
    for (; next != 0; next = at(next - 1).next_free.load(relaxed)) ++count;
  }
  return count;
}

record_block& record_pool::take_new() {
  std::uint32_t index = bump_.load(relaxed);  // relaxed: the exchange below decides
  for (;;) {
    slab(static_cast<unsigned>(std::bit_width((index >> first_slab_bits) + 1)) - 1);
    if (bump_.compare_exchange_weak(index, index + 1, release, relaxed)) break;  // E2 publish
  }
  record_block& block = at(index);
  block.index = index;
  return block;
}

record_block* record_pool::slab(unsigned k) {
  record_block* present = directory_.at(k).load(acquire);  // E2 observe
  if (present != nullptr) return present;
  const std::size_t count = std::size_t{1} << (first_slab_bits + k);
  auto* fresh =
      static_cast<record_block*>(::operator new(count * sizeof(record_block), std::align_val_t{alignof(record_block)}));
  for (std::size_t i = 0; i < count; ++i) ::new (&fresh[i]) record_block;
  if (directory_[k].compare_exchange_strong(present, fresh, release, acquire)) return fresh;  // E2 publish, E2 observe
  ::operator delete(fresh, std::align_val_t{alignof(record_block)});
  return present;
}

}  // namespace sluice::impl
