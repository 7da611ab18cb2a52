// The way from the door, from operator new and from a program's body to the running engine; without one
// the accesses act directly.

#include <sluice/model/engine.hpp>
#include <sluice/model/mutation.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace model {
namespace {

bits peek(const void* address, std::size_t size) noexcept {
  bits value = 0;
  std::memcpy(&value, address, size);
  return value;
}

void* allocate(std::size_t size, std::size_t alignment) {
  if (engine* e = engine::running()) return e->allocate(size, alignment);
  void* memory = alignment <= alignof(std::max_align_t)
                     ? std::malloc(size == 0 ? 1 : size)
                     : std::aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  if (engine* e = engine::running(); e != nullptr && e->owns(memory)) {
    e->release(memory);
    return;
  }
  if (!engine::is_stale(memory)) std::free(memory);
}

}  // namespace

void construct_atomic(void* address, std::size_t size, bits value, site where) noexcept {
  if (engine* e = engine::running()) e->construct_atomic(address, size, value, where);
}
void destroy_atomic(void* address, site where) noexcept {
  if (engine* e = engine::running()) e->destroy(address, where);
}
bits atomic_load(const void* address, std::size_t size, order o, site where) noexcept {
  if (engine* e = engine::running()) {
    const treatment t = mutation::treat(access::load, where, o);
    return e->load(address, size, t.success, t.spoilt, where);
  }
  return peek(address, size);
}
void atomic_store(void* address, std::size_t size, bits value, order o, site where) noexcept {
  if (engine* e = engine::running()) {
    const treatment t = mutation::treat(access::store, where, o);
    if (!t.spoilt) e->store(address, size, value, t.success, where);
    return;
  }
  std::memcpy(address, &value, size);
}
bits atomic_modify(void* address, std::size_t size, modification what, bits operand, order o, site where) noexcept {
  if (engine* e = engine::running()) {
    const treatment t = mutation::treat(access::modify, where, o);
    if (t.spoilt) return e->modify(address, size, modification::bit_or, 0, t.success, where);
    return e->modify(address, size, what, operand, t.success, where);
  }
  const bits old = peek(address, size);
  const bits value = apply(what, old, operand);
  std::memcpy(address, &value, size);
  return old;
}
bool atomic_compare_exchange(void* address, std::size_t size, exchange_request& request, site where) noexcept {
  if (engine* e = engine::running()) {
    const treatment t = mutation::treat(access::exchange_if, where, request.success, request.failure);
    request.success = t.success;
    request.failure = t.failure;
    if (t.spoilt) request.desired = request.expected;
    return e->compare_exchange(address, size, request, where);
  }
  const bits old = peek(address, size);
  if (old == request.expected) {
    std::memcpy(address, &request.desired, size);
    return true;
  }
  request.expected = old;
  return false;
}
void atomic_fence(order o, site where) noexcept {
  if (engine* e = engine::running()) e->fence(o, where);
}

void construct_plain(const void* address, site where) noexcept {
  if (engine* e = engine::running()) e->construct_plain(address, where);
}
void destroy_plain(const void* address, site where) noexcept {
  if (engine* e = engine::running()) e->destroy(address, where);
}
void read_plain(const void* address, site where) noexcept {
  if (engine* e = engine::running()) e->read_plain(address, where);
}
void write_plain(const void* address, site where) noexcept {
  if (engine* e = engine::running()) e->write_plain(address, where);
}

void yield(site where) noexcept {
  if (engine* e = engine::running()) e->yield(where);
}
time_point clock_now(site where) noexcept {
  if (engine* e = engine::running()) return e->now(where);
  return std::chrono::steady_clock::now();
}
void futex_wait(const void* word, std::uint32_t expected, site where) noexcept {
  if (engine* e = engine::running()) e->wait(word, expected, where);
}
bool futex_wait_until(const void* word, std::uint32_t expected, time_point deadline, site where) noexcept {
  engine* e = engine::running();
  return e == nullptr || e->wait_until(word, expected, deadline, where);
}
void futex_wake(const void* word, int count, site where) noexcept {
  if (engine* e = engine::running()) {
    const treatment t = mutation::treat(access::wake, where, order::relaxed);
    e->wake(word, t.spoilt ? 0 : count, where);
  }
}

bool kept(const char* file, int line, int column) noexcept {
  return engine::running() == nullptr || !mutation::treat(access::step, {file, line, column}, order::relaxed).spoilt;
}

std::uint64_t execution() noexcept { return engine::begun(); }

int thread_index() noexcept {
  engine* e = engine::running();
  return e == nullptr ? -1 : e->current();
}

void check(bool condition, const char* sentence) noexcept {
  if (!condition) fail(sentence);
}
void fail(const char* sentence) noexcept {
  if (engine* e = engine::running()) e->fail("%s", sentence);
  std::fprintf(stderr, "model::check outside an execution: %s\n", sentence);
  std::abort();
}
void outcome(std::initializer_list<int> values) noexcept {
  if (engine* e = engine::running()) e->outcome(values);
}
void name(const void* address, const char* text) noexcept {
  if (engine* e = engine::running()) e->name(address, text);
}
void advance(std::chrono::nanoseconds by, const char* file, int line) noexcept {
  if (engine* e = engine::running()) e->advance(by, {file, line});
}

}  // namespace model

void* operator new(std::size_t size) { return model::allocate(size, 0); }
void* operator new[](std::size_t size) { return model::allocate(size, 0); }
void* operator new(std::size_t size, std::align_val_t a) { return model::allocate(size, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t size, std::align_val_t a) {
  return model::allocate(size, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { model::release(p); }
void operator delete[](void* p) noexcept { model::release(p); }
void operator delete(void* p, std::size_t) noexcept { model::release(p); }
void operator delete[](void* p, std::size_t) noexcept { model::release(p); }
void operator delete(void* p, std::align_val_t) noexcept { model::release(p); }
void operator delete[](void* p, std::align_val_t) noexcept { model::release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { model::release(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { model::release(p); }
