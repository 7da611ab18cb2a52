// What each access does to memory: which values it may read, what it learns and publishes, and whether
// it races.

#include <sluice/model/engine.hpp>

#include <algorithm>

namespace model {
namespace {

bool acquires(order o) noexcept {
  return o == order::acquire || o == order::acq_rel || o == order::seq_cst || o == order::consume;
}
bool releases(order o) noexcept { return o == order::release || o == order::acq_rel || o == order::seq_cst; }

const char* text(order o) noexcept {
  switch (o) {
    case order::relaxed:
      return "relaxed";
    case order::consume:
      return "consume";
    case order::acquire:
      return "acquire";
    case order::release:
      return "release";
    case order::acq_rel:
      return "acq_rel";
    case order::seq_cst:
      return "seq_cst";
  }
  return "?";
}

// Finalizer of splitmix64: a one-to-one scramble, which maps nothing but 0 to 0.
bits mix(bits value) noexcept {
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
  value = (value ^ value >> 27) * 0x94D049BB133111EBu;
  return value ^ value >> 31;
}

bits truncate(bits value, std::size_t size) noexcept {
  return size >= sizeof(bits) ? value : value & ((bits{1} << (size * 8)) - 1);
}

}  // namespace

// ---- Locations and races -------------------------------------------------------------------------------------------

std::uint32_t engine::find(const void* address, std::size_t size) {
  const std::uint32_t before = locations_.size();
  const std::uint32_t index = locations_.find(address);
  if (index == before) {
    location& x = locations_[index];
    x.size = size;
    x.freed = heap_.freed_around(address) != nullptr;
    x.shared = script_ != nullptr || shared_[shared_slot(x.address)];
  }
  return index;
}

// An atomic access needs a living atomic. One that no constructor announced is taken as it is where it may be a static; on the
// program's heap there is none: that access leads out of what it was meant for.
void engine::require_usable(location& x, site where) {
  if (x.freed) fail("Use after free: %s at %s.", label(x).c_str(), show(where).c_str());
  if (x.holds == location::content::destroyed) {
    fail("Use after destruction: %s at %s.", label(x).c_str(), show(where).c_str());
  }
  if (x.holds == location::content::atomic) return;
  x.external = !heap_.owns(reinterpret_cast<void*>(x.address));
  if (!x.external) fail("No atomic was constructed at %s, used at %s.", label(x).c_str(), show(where).c_str());
  x.holds = location::content::atomic;
  std::memcpy(&x.initial, reinterpret_cast<void*>(x.address), x.size);
  x.history.push_back({x.initial, view{}, 0, 0});
}

void engine::race(const location& x, site where, const char* what, int other, site other_site) {
  fail("Data race on %s: %s by %s at %s is not ordered with the access by %s at %s.", label(x).c_str(), what,
       thread_name(current_), show(where).c_str(), thread_name(other), show(other_site).c_str());
}

void engine::access_exclusively(location& x, site where, const char* what) {
  const view& known = threads_[current_].known;
  if (x.exclusive_thread != current_ && !known.saw(x.exclusive_thread, x.exclusive_when)) {
    race(x, where, what, x.exclusive_thread, x.exclusive_site);
  }
  for (int i = 0; i < count_; ++i) {
    if (i != current_ && !known.saw(i, x.shared_when[i])) race(x, where, what, i, x.shared_site[i]);
    x.shared_when[i] = 0;
  }
  // Plain accesses do not count as operations: they happen just before the thread's next one.
  x.exclusive_when = static_cast<tick>(known.clock[current_] + 1);
  x.exclusive_thread = static_cast<std::uint8_t>(current_);
  x.exclusive_site = where;
}

void engine::access_shared(location& x, site where) {
  const view& known = threads_[current_].known;
  if (x.exclusive_thread != current_ && !known.saw(x.exclusive_thread, x.exclusive_when)) {
    race(x, where, "the access", x.exclusive_thread, x.exclusive_site);
  }
  x.shared_when[current_] = static_cast<tick>(known.clock[current_] + 1);
  x.shared_site[current_] = where;
}

void engine::construct_atomic(void* address, std::size_t size, bits value, site where) {
  location& x = locations_[find(address, size)];
  if (x.freed) fail("Use after free: construction of an atomic at %s.", show(where).c_str());
  if (x.sleepers != 0) fail("An atomic is constructed at %s where threads sleep.", show(where).c_str());
  access_exclusively(x, where, "construction");
  x.size = size;
  x.made_site = where;
  x.holds = location::content::atomic;
  x.forget_values();
  x.history.push_back({value, view{}, 0, 0});
}

void engine::construct_plain(const void* address, site where) {
  location& x = locations_[find(address, 1)];
  if (x.freed) fail("Use after free: construction of plain data at %s.", show(where).c_str());
  access_exclusively(x, where, "construction");
  x.made_site = where;
  x.holds = location::content::plain;
}

void engine::destroy(const void* address, site where) {
  location& x = locations_[find(address, 1)];
  if (x.freed) fail("Use after free: destruction at %s.", show(where).c_str());
  if (x.sleepers != 0)
    fail("A futex word is destroyed while %s sleeps on it.", thread_name(search::lowest(x.sleepers)));
  access_exclusively(x, threads_[current_].at.file != nullptr ? threads_[current_].at : where, "destruction");
  x.holds = location::content::destroyed;
}

void engine::read_plain(const void* address, site where) {
  location& x = locations_[find(address, 1)];
  threads_[current_].at = where;
  if (logging_) log("reads plain %s", label(x).c_str());
  if (x.freed) fail("Use after free: plain read at %s.", show(where).c_str());
  if (x.holds == location::content::destroyed) fail("Use after destruction: plain read at %s.", show(where).c_str());
  access_shared(x, where);
}

void engine::write_plain(const void* address, site where) {
  location& x = locations_[find(address, 1)];
  threads_[current_].at = where;
  if (logging_) log("writes plain %s", label(x).c_str());
  if (x.freed) fail("Use after free: plain write at %s.", show(where).c_str());
  if (x.holds == location::content::destroyed) fail("Use after destruction: plain write at %s.", show(where).c_str());
  access_exclusively(x, where, "the write");
}

// ---- Values --------------------------------------------------------------------------------------------------------

// Whether the event `when` of thread `who` is to be seen through `v`: it happens before, or it happens before a seq_cst
// fence that precedes the newest seq_cst fence in v. A seq_cst reader counts as behind every executed fence.
bool engine::sees(const view& v, int who, tick when, bool seq_cst) const noexcept {
  if (v.saw(who, when)) return true;
  if (fences_.empty()) return false;
  if (seq_cst) return fences_.back().saw(who, when);
  return v.fence != 0 && fences_[v.fence - 1u].saw(who, when);
}

// Coherence and the seq_cst rules forbid all older messages; the staleness bound may, too.
int engine::oldest_readable(const location& x, bool seq_cst) const noexcept {
  const view& known = threads_[current_].known;
  const int newest = x.newest();
  if (limits_.staleness == 0) return newest;
  int low = x.last_read[current_];
  for (int i = newest; i > low; --i) {
    const message& m = x.history[static_cast<std::size_t>(i)];
    if (sees(known, m.thread, m.when, seq_cst)) low = i;
  }
  for (const auto& r : x.reads) {
    if (r.index > low && sees(known, r.thread, r.when, seq_cst)) low = r.index;
  }
  for (const auto& a : x.seq_csts) {
    if (a.index > low && (seq_cst || a.fences < known.fence)) low = a.index;
  }
  const bool tired = low == x.last_read[current_] && x.repeats[current_] >= limits_.staleness;
  return low < newest && tired ? low + 1 : low;
}

void engine::note_read(location& x, int index) {
  const auto i = static_cast<std::uint16_t>(index);
  const bool stale = index < x.newest();
  std::uint16_t& last = x.last_read[current_];
  if (i > last) {
    last = i;
    x.repeats[current_] = 0;
    x.reads.push_back({threads_[current_].known.clock[current_], i, static_cast<std::uint8_t>(current_)});
  }
  if (stale && x.repeats[current_] < 255) ++x.repeats[current_];
  thread& me = threads_[current_];
  const auto where = static_cast<std::uint32_t>(&x - &locations_[0]);
  me.round_signature = mix(mix(me.round_signature + where) + x.history[i].value);
  if (me.read_count == max_watched) {
    me.changed_something = true;  // too many to watch
  } else {
    me.read_in_round[me.read_count++] = where;
  }
}

void engine::note_seq_cst(location& x, int index) {
  const auto fences = static_cast<tick>(fences_.size());
  auto i = static_cast<std::uint16_t>(index);
  if (!x.seq_csts.empty()) {
    auto& back = x.seq_csts.back();
    i = std::max(i, back.index);
    if (back.fences == fences) {
      back.index = i;
      return;
    }
  }
  x.seq_csts.push_back({fences, i});
}

bits engine::read_message(location& x, int index, order o) {
  thread& me = threads_[current_];
  ++me.known.clock[current_];
  note_read(x, index);
  const message& m = x.history[static_cast<std::size_t>(index)];
  me.acquirable.join(m.released);
  if (acquires(o)) me.known.join(m.released);
  if (o == order::seq_cst) note_seq_cst(x, index);
  return m.value;
}

// `carried`: what the message that a read-modify-write replaces released; its release sequence goes on.
void engine::write_message(location& x, void* address, bits value, order o, const view* carried) {
  thread& me = threads_[current_];
  if (value != x.history.back().value) me.changed_something = true;
  ++me.known.clock[current_];
  view released = releases(o) ? me.known : me.released;
  if (carried != nullptr) released.join(*carried);
  x.history.push_back({value, released, me.known.clock[current_], static_cast<std::uint8_t>(current_)});
  x.last_read[current_] = x.newest();
  x.repeats[current_] = 0;
  if (o == order::seq_cst) note_seq_cst(x, x.newest());
  std::memcpy(address, &value, x.size);
  readers_had_their_chance(x);
}

// ---- Operations ----------------------------------------------------------------------------------------------------

// `blind`: reads what the thread knew last, whatever it has learnt since (a mutant).
bits engine::load(const void* address, std::size_t size, order o, bool blind, site where) {
  const std::uint32_t index = find(address, size);
  point({kind::load, o == order::seq_cst, index}, where);
  location& x = locations_[index];
  require_usable(x, where);
  access_shared(x, where);
  const int newest = x.newest();
  const int oldest = newest == 0 ? 0 : oldest_readable(x, o == order::seq_cst);
  const int readable = newest - oldest + 1;
  const int pick = blind ? x.last_read[current_] : newest - choose_value(readable, reads_newest_only() ? 1 : readable);
  const bits value = read_message(x, pick, o);
  if (logging_) {
    log(pick < newest ? "load %s = %s, %s (stale: the newest is %s)" : "load %s = %s, %s", label(x).c_str(),
        show(value).c_str(), text(o), show(x.history.back().value).c_str());
  }
  return value;
}

void engine::store(void* address, std::size_t size, bits value, order o, site where) {
  const std::uint32_t index = find(address, size);
  point({kind::store, o == order::seq_cst, index}, where);
  location& x = locations_[index];
  if (logging_) log("store %s = %s, %s", label(x).c_str(), show(value).c_str(), text(o));
  require_usable(x, where);
  access_shared(x, where);
  write_message(x, address, value, o, nullptr);
}

bits engine::modify(void* address, std::size_t size, modification what, bits operand, order o, site where) {
  const std::uint32_t index = find(address, size);
  point({kind::modify, o == order::seq_cst, index}, where);
  location& x = locations_[index];
  require_usable(x, where);
  access_shared(x, where);
  const view carried = x.history.back().released;
  const bits old = read_message(x, x.newest(), o);
  const bits value = truncate(apply(what, old, operand), size);
  write_message(x, address, value, o, &carried);
  if (logging_) {
    static constexpr const char* names[] = {"exchange", "fetch_add", "fetch_sub", "fetch_or", "fetch_and"};
    log("%s %s: %s -> %s, %s", names[static_cast<int>(what)], label(x).c_str(), show(old).c_str(), show(value).c_str(),
        text(o));
  }
  return old;
}

bool engine::compare_exchange(void* address, std::size_t size, exchange_request& request, site where) {
  const std::uint32_t index = find(address, size);
  point({kind::modify, request.success == order::seq_cst || request.failure == order::seq_cst, index}, where);
  location& x = locations_[index];
  require_usable(x, where);
  access_shared(x, where);
  const int newest = x.newest();
  const bool equal = x.history.back().value == request.expected;
  const bool may_fail_spuriously = equal && request.weak && spurious_left_ > 0;
  const auto differs = [&](int i) { return x.history[static_cast<std::size_t>(i)].value != request.expected; };
  // It may succeed only on the newest value, but fail on any readable one.
  const int oldest = newest == 0 ? 0 : oldest_readable(x, request.failure == order::seq_cst);
  int ways = (equal ? 1 : 0) + (may_fail_spuriously ? 1 : 0);
  for (int i = newest; i >= oldest; --i) ways += differs(i) ? 1 : 0;
  const int new_ways = equal ? (may_fail_spuriously ? 2 : 1) : 1;  // without a stale value
  int way = choose_value(ways, reads_newest_only() ? new_ways : ways);
  if (equal && way-- == 0) {
    const view carried = x.history.back().released;
    read_message(x, newest, request.success);
    write_message(x, address, request.desired, request.success, &carried);
    if (logging_) {
      log("compare_exchange %s: %s -> %s, %s", label(x).c_str(), show(request.expected).c_str(),
          show(request.desired).c_str(), text(request.success));
    }
    return true;
  }
  int pick = newest;
  const bool spurious = may_fail_spuriously && way-- == 0;
  if (spurious) {
    --spurious_left_;
  } else {
    while (!differs(pick) || way-- != 0) --pick;
  }
  const bits value = read_message(x, pick, request.failure);
  if (logging_) {
    log("compare_exchange %s: expected %s, found %s%s, %s", label(x).c_str(), show(request.expected).c_str(),
        show(value).c_str(),
        spurious        ? ", fails for no reason"
        : pick < newest ? " (stale)"
                        : "",
        text(request.failure));
  }
  request.expected = value;
  return false;
}

void engine::fence(order o, site where) {
  point({kind::fence, o == order::seq_cst, 0}, where);
  thread& me = threads_[current_];
  ++me.known.clock[current_];
  if (acquires(o)) me.known.join(me.acquirable);
  if (o == order::seq_cst) {
    view seen = me.known;
    if (!fences_.empty()) seen.join(fences_.back());
    fences_.push_back(seen);
    me.known.fence = static_cast<tick>(fences_.size());
  }
  if (releases(o)) me.released = me.known;
  if (logging_) log("fence, %s", text(o));
}

// ---- Memory --------------------------------------------------------------------------------------------------------

void* engine::allocate(std::size_t size, std::size_t alignment) {
  void* memory = heap_.allocate(size, alignment, current_, threads_[current_].at);
  if (memory == nullptr) fail("One thread has allocated more than the model's heap holds: %zu bytes more.", size);
  return memory;
}

void engine::release(void* memory) {
  heap::block* b = heap_.starting_at(memory);
  const site at = threads_[current_].at;
  if (b == nullptr) fail("Freed a pointer that was never allocated, after %s.", show(at).c_str());
  if (b->freed) fail("Freed twice: %zu bytes, after %s.", b->size, show(at).c_str());
  const auto from = reinterpret_cast<std::uintptr_t>(b->memory);
  for (std::uint32_t i = 0; i < locations_.size(); ++i) {
    location& x = locations_[i];
    if (x.address < from || x.address >= from + b->size) continue;
    if (x.sleepers != 0) fail("A futex word is freed while %s sleeps on it.", thread_name(search::lowest(x.sleepers)));
    access_exclusively(x, at, "freeing");
    x.freed = true;
  }
  heap_.release(*b);
}

}  // namespace model
