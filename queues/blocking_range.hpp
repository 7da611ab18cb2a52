#pragma once
// The items of a queue in a range-for of a plain thread.

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace sluice {

/// What blocking_items() of a queue gives: an input range that ends once the queue is closed and drained, whatever the cause. Each
/// item is moved out of the queue once, into the range, and lies there until the next turn of the loop:
/// `for (job& j : q.blocking_items()) ...`. A turn that is left by `break` or an exception has taken its item; `views::take(n)` takes n. Each
/// look for a next item waits for it, and throws what blocking_next() throws; that the queue was closed for a cause, q.cause() tells
/// afterwards. One loop at a time; other getters may take what comes between.
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
    value_type& operator*() const { return *range_->item(); }
    value_type* operator->() const { return &*range_->item(); }
    iterator& operator++() noexcept {
      range_->leave_item();
      return *this;
    }
    void operator++(int) noexcept { range_->leave_item(); }
    bool operator==(std::default_sentinel_t) const { return !range_->item(); }

   private:
    blocking_range* range_;
  };

  iterator begin() noexcept {
    leave_item();
    return iterator(*this);
  }
  std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

 private:
  // An item does not outlive its turn. The next one is got by who looks for it: a loop that ends here leaves it in the queue.
  void leave_item() noexcept {
    item_.reset();
    is_next_due_ = true;
  }
  std::optional<value_type>& item() {
    if (is_next_due_) {
      if (std::optional<value_type> next = source_->blocking_next()) item_.emplace(std::move(*next));
      is_next_due_ = false;
    }
    return item_;
  }

  Source* source_;
  std::optional<value_type> item_;
  bool is_next_due_ = true;
};

}  // namespace sluice
