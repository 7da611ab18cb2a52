#pragma once
// Who is in a group: where children are placed when they are spawned, so that whoever cancels or looks finds them, and how it is
// known that all have left.
//
// A page has places for some children, which one worker, its user, fills. Only a page is counted in the roster's one word, so
// that a child costs one read-modify-write on its page when it comes and one when it leaves; the children of a page mostly run on
// the same worker, in whose cache the page lies.
//
//   roster.open_ = body + pages that are open          (Ellen, Lev, Luchangco and Moir, "SNZI: scalable nonzero
//        page.state = places taken | sealed | walkers    indicators", PODC 2007, count in a tree in the same spirit)
//
//              place                              the last child has left
//   (unused) ---------> open, children come and go ------------------------> sealed, empty = closed: counted off
//                         |  full: sealed, too                                    |
//                         +--- empty, and the roster drains: sealed ---+          +-- full: any worker may open it again
//                                                                                 +-- else: its user may
//
// I1  A child is in its place from before its bit is set until after it was cleared; a walker (who cancels, or dumps) that has seen
//     the bit and has set its own before the bit was cleared may use the child until it leaves the page: the child is freed by
//     the last walker then.
// I2  A page with a place taken, not sealed, or with a walker in it, is counted in open_: so the roster, and what it belongs to, stays. Who
//     leaves a page touches the page only afterwards, which stays (I4), unless that closed it.
// I3  Only a page's user fills it and opens it again; once it is full, whoever takes it from the closed ones becomes its user.
//     Who looks for a page of its own reads `given` before `user`, and a new user writes them the other way round.
// I4  Pages lie in a stable pool, and stay in their roster until it goes.
// E1  a child is placed (release) -> it leaves, a walker comes (acquire): the child.
// E2  a child leaves, a walker leaves (release) -> the one that closes the page (acquire), and a page is counted off (release) ->
//     the last to be counted off (acquire): what they did.
// E3  who cancels or drains says so, then changes the state of each page, and the head of the list of pages (release) -> who changes them
//     later (acquire): it sees what was said. So a child that the walk has missed is cancelled by who places it.
// E4  a page is opened by a new user (release) -> who looks for a page of its own (acquire): I3.
// E5  a closed page (release) -> its next user (acquire).

#include <sluice/queues/cancellation.hpp>
#include <sluice/runtime/group_child.hpp>
#include <sluice/runtime/roster_page.hpp>
#include <sluice/scheduler/fork_lane.hpp>

#include <cstddef>
#include <cstdint>

namespace sluice::impl {

/// What became of the roster by a step of one of its parties.
enum class roster_end : std::uint8_t { no, all_left };

class roster {
 public:
  explicit roster(task_group& of) noexcept : group_(of) {}
  /// Precondition: all have left.
  ~roster();
  roster(const roster&) = delete;
  roster& operator=(const roster&) = delete;

  /// Where the calling worker places its next child. Throws std::bad_alloc; nothing has changed then that matters.
  roster_page& room() {
    const auto worker = static_cast<std::uint32_t>(fork_lane::current()->index());
    roster_page* const page = latest_[worker % shortcuts].load(relaxed);
    // E4 observe; I3: given, then user
    const bool mine =
        page != nullptr && page->given.load(acquire) < roster_page::places && page->user.load(relaxed) == worker;
    return mine ? *page : find_room(worker);
  }
  /// Places a child there. True: all are cancelled, and the caller cancels this one, too.
  [[nodiscard]] bool place(roster_page& page, group_child& child) noexcept;
  /// The child leaves, and is freed now or later. The roster may be gone afterwards, unless it says that all have left.
  [[nodiscard]] static roster_end leave(group_child& child) noexcept;
  /// The body leaves.
  [[nodiscard]] roster_end leave_body() noexcept;

  /// Cancels all that are there, and makes place() say so of all that come. Only the first call does anything.
  [[nodiscard]] roster_end cancel(cancellation& walk) noexcept;

  /// What is left in the page of a pool that goes, where all have left.
  static void free_leftovers(roster_page& page) noexcept;

  /// How many are there: exact when none comes or leaves meanwhile.
  std::size_t size() const noexcept;
  /// For the body, whether no child is left; no page stays open because more might come.
  [[nodiscard]] bool nobody_left() noexcept;

  // For who waits until no child is left, one at a time.
  /// From now on a message tells (task_group::none_left). True: nobody is left already.
  [[nodiscard]] bool begin_join() noexcept;
  /// When the message has come: whether there is nothing but the body and the empty page that is kept counted for it.
  [[nodiscard]] bool nobody_left_but_one() const noexcept { return counted(open_.load(acquire)) == 2; }  // E2 observe
  /// Afterwards, for that page.
  [[nodiscard]] roster_end count_off() noexcept;
  /// Nobody waits any more.
  void end_join() noexcept { open_.fetch_and(~joining, relaxed); }  // relaxed: the messages' order is what counts

  /// Calls look(child) for each child of any roster in the pool.
  template <class Look>
  static void look_at_all(roster_pool& pool, Look look) {
    for (std::uint32_t i = 0; i < pool.used(); ++i) {
      roster_page& page = pool.at(i);
      const std::uint64_t there = enter(page, roster_page::looker);
      if (there == 0) continue;
      for_each(page, there, look);
      roster& of = *page.owner;
      if (leave_walk(page, roster_page::looker) == roster_end::all_left) of.tell_all_left();
    }
  }

 private:
  static constexpr std::uint32_t joining = std::uint32_t{1} << 31;
  static constexpr std::uint32_t counted(std::uint32_t word) noexcept { return word & ~joining; }

  roster_page& find_room(std::uint32_t worker);
  roster_page& open_page(std::uint32_t worker);
  void reopen(roster_page& page) noexcept;
  static void leave_to_walkers(roster_page& page, group_child& child) noexcept;
  roster_page* own_page(std::uint32_t worker) noexcept;
  roster_page* take_closed() noexcept;
  void put_closed(roster_page& page) noexcept;
  roster_page* all_pages() noexcept;
  void drain() noexcept;
  void tell_all_left() noexcept;
  [[nodiscard]] static roster_end emptied(roster_page& page, std::uint64_t left) noexcept;
  [[nodiscard]] roster_end close(roster_page& page) noexcept;

  static std::uint64_t enter(roster_page& page, std::uint64_t as) noexcept;
  [[nodiscard]] static roster_end leave_walk(roster_page& page, std::uint64_t as) noexcept;
  static void free_all(group_child* first) noexcept;
  template <class Use>
  static void for_each(roster_page& page, std::uint64_t there, Use use) {
    for (std::uint32_t i = 0; i < roster_page::places; ++i) {
      if ((there >> i & 1) != 0) use(*page.at[i].load(relaxed));
    }
  }

  static constexpr std::size_t shortcuts = model_build ? 1 : 4;

  task_group& group_;
  // 1 for the body, 1 for each open page, and whether somebody joins; written by users, and by those that leave
  atomic<std::uint32_t> open_{1};
  atomic<std::uint32_t> cancelling_{0};       // 0 | 1; all accesses relaxed: E3
  atomic<std::uint32_t> draining_{0};         // 0 | 1; all accesses relaxed: E3
  atomic<roster_page*> pages_{nullptr};       // all there ever were, newest first; only added to
  atomic<roster_page*> closed_{nullptr};      // full ones that were closed; written by who closes one and by new users
  atomic<roster_page*> latest_[shortcuts]{};  // by worker: a guess at its page; all accesses relaxed
};

inline bool roster::place(roster_page& page, group_child& child) noexcept {
  const std::uint32_t i = page.given.load(relaxed);  // relaxed: this worker's own
  const bool fills = i + 1 == roster_page::places;
  page.at[i].store(&child, relaxed);
  child.page = &page;
  child.place = static_cast<std::uint8_t>(i);
  page.given.store(i + 1, release);  // E4 publish: who reads it knows the user, as from the first one
  const std::uint64_t added = std::uint64_t{1} << i | (fills ? roster_page::sealed : 0) |
                              (draining_.load(relaxed) != 0 ? roster_page::draining : 0);  // relaxed: E3
  std::uint64_t state = page.state.load(relaxed);  // relaxed: the exchange observes
  bool reopens = false;
  do {
    // Closed: nobody but this thread can change that. A page that is empty and sealed with a walker in it is still counted.
    if (roster_page::is_closed(state) && !reopens) [[unlikely]] {
      reopens = true;
      reopen(page);
    }
    // E1 publish, E3 observe
  } while (!page.state.compare_exchange_weak(state, (state & ~roster_page::sealed) | added, acq_rel, relaxed));
  return cancelling_.load(relaxed) != 0;  // relaxed: E3
}

inline roster_end roster::leave(group_child& child) noexcept {
  roster_page& page = *child.page;
  const std::uint64_t bit = std::uint64_t{1} << child.place;
  // E1 observe, E2 publish, E2 observe, E3 observe
  const std::uint64_t before = page.state.fetch_sub(bit, acq_rel);  // its bit is set
  const std::uint64_t left = before - bit;
  if ((before & roster_page::walkers) == 0) [[likely]] {
    child.free();
  } else {
    leave_to_walkers(page, child);
  }
  return roster_page::nobody(left) ? emptied(page, left) : roster_end::no;
}

}  // namespace sluice::impl
