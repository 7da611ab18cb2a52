#include <sluice/runtime/roster.hpp>

#include <sluice/runtime/task_group.hpp>

#include <bit>

namespace sluice::impl {

roster::~roster() {
  roster_page* page = pages_.load(relaxed);  // relaxed: nobody else is left
  while (page != nullptr) {
    roster_page& gone = *page;
    page = gone.next;
    free_leftovers(gone);
    group_.core().give_back(gone);
  }
}

// ------------------------------------------------------------------------------------------------------------------ placing

roster_page& roster::find_room(std::uint32_t worker) {
  roster_page* page = own_page(worker);
  if (page == nullptr) page = &open_page(worker);
  latest_[worker % shortcuts].store(page, relaxed);
  return *page;
}

// A page that this worker has begun, among the newest few.
roster_page* roster::own_page(std::uint32_t worker) noexcept {
  roster_page* page = pages_.load(acquire);  // E3 observe
  for (int i = 0; page != nullptr && i < 8; ++i, page = page->next) {
    // E4 observe; I3: given, then user
    if (page->given.load(acquire) < roster_page::places && page->user.load(relaxed) == worker) return page;
  }
  return nullptr;
}

roster_page& roster::open_page(std::uint32_t worker) {
  roster_page* page = take_closed();
  const bool fresh = page == nullptr;
  if (fresh) page = &group_.core().new_roster_page();
  free_leftovers(*page);
  page->user.store(worker, relaxed);  // relaxed: I3
  page->given.store(0, release);      // E4 publish
  if (!fresh) return *page;
  page->owner = this;
  page->next = pages_.load(relaxed);                                           // relaxed: the exchange decides
  while (!pages_.compare_exchange_weak(page->next, page, acq_rel, relaxed)) {  // E3 publish, E3 observe
  }
  return *page;
}

// One of the closed pages; the others go back. (To take one alone would need a tag against ABA.)
roster_page* roster::take_closed() noexcept {
  if (closed_.load(relaxed) == nullptr) return nullptr;           // relaxed: a hint
  roster_page* const first = closed_.exchange(nullptr, acquire);  // E5 observe
  if (first == nullptr) return nullptr;
  for (roster_page* rest = first->next_closed; rest != nullptr;) {
    roster_page& back = *rest;
    rest = back.next_closed;
    put_closed(back);
  }
  return first;
}

void roster::put_closed(roster_page& page) noexcept {
  page.next_closed = closed_.load(relaxed);                                            // relaxed: the exchange decides
  while (!closed_.compare_exchange_weak(page.next_closed, &page, release, relaxed)) {  // E5 publish
  }
}

// The page was closed, or will be just now.
void roster::reopen(roster_page& page) noexcept {
  free_leftovers(page);
  open_.fetch_add(1, relaxed);  // relaxed: the caller is counted itself, in a page or as the body
}

// ------------------------------------------------------------------------------------------------------------------ leaving

void roster::leave_to_walkers(roster_page& page, group_child& child) noexcept {
  child.next_leftover = page.leftovers.load(relaxed);  // relaxed: the exchange decides
  while (!page.leftovers.compare_exchange_weak(child.next_leftover, &child, release, relaxed)) {  // E1 publish
  }
}

// Nobody is in the page any more. It stays open for its user, unless it is sealed, or the roster drains.
roster_end roster::emptied(roster_page& page, std::uint64_t left) noexcept {
  if ((left & roster_page::sealed) == 0) {
    if ((left & roster_page::draining) == 0) return roster_end::no;
    // E2 publish, E2 observe. A failure: somebody has come, or sealed it.
    if (!page.state.compare_exchange_strong(left, left | roster_page::sealed, acq_rel, relaxed)) return roster_end::no;
  }
  return page.owner->close(page);  // it is counted still
}

// The page is empty, sealed, and without walkers, by what the caller did last.
roster_end roster::close(roster_page& page) noexcept {
  if (page.given.load(relaxed) == roster_page::places) put_closed(page);  // relaxed: E2
  return count_off();
}

// Whoever waits for nobody to be left learns of it by a message while the page is still counted: so the roster is still there.
roster_end roster::count_off() noexcept {
  std::uint32_t word = open_.load(relaxed);  // relaxed: the exchange decides
  do {
    if (word == (joining | 2)) return group_.none_left();
  } while (!open_.compare_exchange_weak(word, word - 1, acq_rel, relaxed));  // E2 publish, E2 observe
  return counted(word) == 1 ? roster_end::all_left : roster_end::no;
}

roster_end roster::leave_body() noexcept {
  drain();
  return counted(open_.fetch_sub(1, acq_rel)) == 1 ? roster_end::all_left : roster_end::no;  // E2 publish, E2 observe
}

// No page stays open because more might come: from now on who leaves one empty closes it. For the body, or in its behalf.
void roster::drain() noexcept {
  draining_.store(1, relaxed);  // relaxed: E3
  for (roster_page* page = all_pages(); page != nullptr; page = page->next) {
    std::uint64_t state = page->state.load(relaxed);  // relaxed: the exchange observes
    std::uint64_t after = 0;
    do {
      after = state | roster_page::draining | ((state & roster_page::taken) == 0 ? roster_page::sealed : 0);
      // E3 publish, E2 observe
    } while (!page->state.compare_exchange_weak(state, after, acq_rel, relaxed));
    // Not the last: the body is counted.
    if (roster_page::is_closed(after) && !roster_page::is_closed(state)) (void)close(*page);
  }
}

// All pages, and who adds one later sees what this thread has said before.
roster_page* roster::all_pages() noexcept {
  roster_page* newest = pages_.load(relaxed);                                // relaxed: the exchange observes
  while (!pages_.compare_exchange_weak(newest, newest, acq_rel, relaxed)) {  // E3 publish, E3 observe
  }
  return newest;
}

bool roster::nobody_left() noexcept {
  drain();
  return counted(open_.load(acquire)) == 1;  // E2 observe
}

bool roster::begin_join() noexcept {
  drain();
  return counted(open_.fetch_or(joining, acq_rel)) == 1;  // E2 observe, E2 publish
}

std::size_t roster::size() const noexcept {
  std::size_t count = 0;
  for (const roster_page* page = pages_.load(acquire); page != nullptr; page = page->next) {           // E3 observe
    count += static_cast<std::size_t>(std::popcount(page->state.load(acquire) & roster_page::taken));  // E2 observe
  }
  return count;
}

// ------------------------------------------------------------------------------------------------------------------ walking

roster_end roster::cancel(cancellation& walk) noexcept {
  if (cancelling_.exchange(1, relaxed) != 0) return roster_end::no;  // relaxed: E3
  roster_end end = roster_end::no;
  for (roster_page* page = all_pages(); page != nullptr;) {
    roster_page& here = *page;
    page = here.next;
    const std::uint64_t there = enter(here, roster_page::canceller);
    if (there == 0) continue;
    for_each(here, there, [&walk](group_child& child) { child.cancel(walk); });
    if (leave_walk(here, roster_page::canceller) == roster_end::all_left) end = roster_end::all_left;
  }
  return end;
}

// Who is in the page; 0: nobody, and it was not entered. One canceller comes to a page, and few lookers at a time.
std::uint64_t roster::enter(roster_page& page, std::uint64_t as) noexcept {
  std::uint64_t state = page.state.load(relaxed);  // relaxed: the exchange observes
  std::uint64_t after = 0;
  do {
    while (as == roster_page::looker && (state & roster_page::most_lookers) == roster_page::most_lookers) {
      yield_thread();
      state = page.state.load(relaxed);  // relaxed: as above
    }
    after = (state & roster_page::taken) != 0 ? state + as : state;
    // E1 observe, E3 publish
  } while (!page.state.compare_exchange_weak(state, after, acq_rel, relaxed));
  return state & roster_page::taken;
}

// Those that have left are freed by the last walker: what it takes while it is in the page nobody else holds when it alone has been in it
// until it leaves. (One that left later, and saw it still, stays until the page is used again.)
roster_end roster::leave_walk(roster_page& page, std::uint64_t as) noexcept {
  group_child* const gone = page.leftovers.exchange(nullptr, acquire);  // E1 observe
  const std::uint64_t left = page.state.fetch_sub(as, acq_rel) - as;    // E2 publish, E2 observe
  if ((left & roster_page::walkers) == 0) {
    free_all(gone);
  } else {
    for (group_child* next = gone; next != nullptr;) {
      group_child& back = *next;
      next = back.next_leftover;
      back.next_leftover = page.leftovers.load(relaxed);  // relaxed: the exchange decides
      while (!page.leftovers.compare_exchange_weak(back.next_leftover, &back, release, relaxed)) {  // E1 publish
      }
    }
  }
  return roster_page::nobody(left) ? emptied(page, left) : roster_end::no;
}

// Of a page without walkers that none can enter: what has left it too late for the last one.
void roster::free_leftovers(roster_page& page) noexcept {
  if (page.leftovers.load(relaxed) != nullptr) free_all(page.leftovers.exchange(nullptr, acquire));  // E1 observe
}

void roster::free_all(group_child* first) noexcept {
  while (first != nullptr) {
    group_child& gone = *first;
    first = gone.next_leftover;
    gone.free();
  }
}

void roster::tell_all_left() noexcept { group_.tell_all_left(); }

}  // namespace sluice::impl
