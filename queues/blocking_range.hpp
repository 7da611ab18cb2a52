#pragma once
// The items of a queue in a range-for of a plain thread.

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace sluice {

/// What blocking_items() of a queue gives: an input range that ends once the queue is closed and drained, whatever the cause. Each
/// item is moved out of the queue once, into the range, and lies there until the next turn of the loop:
/// `for (job& j : q.blocking_items()) ...`. A turn that is left by `break` or an exception has taken its item. One loop at a time;
/// other getters may take what comes between.
template <class Source>
class blocking_range {
 public:
  using value_type = typename decltype(std::declval<Source&>().blocking_next())::value_type;

  explicit blocking_range(Source& source) noexcept : source_(&source) {}

  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = typename blocking_range::value_type;
    using difference_type = std::ptrdiff_t;

    explicit iterator(blocking_range& range) noexcept : range_(&range) {}
    value_type& operator*() const noexcept { return *range_->item_; }
    value_type* operator->() const noexcept { return &*range_->item_; }
    iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { range_->advance(); }
    bool operator==(std::default_sentinel_t) const noexcept { return !range_->item_; }

   private:
    blocking_range* range_;
  };

  /// Waits for the first item. Waiting throws what blocking_next() throws.
  iterator begin() {
    advance();
    return iterator(*this);
  }
  std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

 private:
  void advance() {
    item_.reset();  // before the wait: an item does not outlive its turn
    if (std::optional<value_type> next = source_->blocking_next()) item_.emplace(std::move(*next));
  }

  Source* source_;
  std::optional<value_type> item_;
};

}  // namespace sluice
