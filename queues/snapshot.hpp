#pragma once
// A value that is read where it lies, without a copy.

#include <sluice/queues/value_pool.hpp>

#include <cstdint>
#include <utility>

namespace sluice {

namespace impl {
template <class T>
class broadcast_core;
}  // namespace impl

/// One value of a watch or a broadcast, as it was when it was borrowed: it does not change, and stays as long as this
/// lives, though others go on. Nobody waits for it. It must not outlive what it was borrowed from. To be used by one
/// thread at a time.
template <class T>
class [[nodiscard]] snapshot {
 public:
  snapshot(snapshot&& other) noexcept : pool_(other.pool_), node_(std::exchange(other.node_, nullptr)) {}
  snapshot& operator=(snapshot&& other) noexcept {
    if (this != &other) {
      give_back();
      pool_ = other.pool_;
      node_ = std::exchange(other.node_, nullptr);
    }
    return *this;
  }
  ~snapshot() { give_back(); }

  const T& operator*() const noexcept { return *node_->item(); }
  const T* operator->() const noexcept { return node_->item(); }

 private:
  friend impl::broadcast_core<T>;
  snapshot(impl::value_pool<T>& pool, impl::value_node<T>& node) noexcept : pool_(&pool), node_(&node) {}

  std::uint64_t position() const noexcept { return node_->position.get(); }
  void give_back() noexcept {
    if (node_ != nullptr) pool_->give_back(*node_);
  }

  impl::value_pool<T>* pool_;
  impl::value_node<T>* node_;  // null: moved from
};

}  // namespace sluice
