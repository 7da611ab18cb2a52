// Executions, one after another, and the life of the threads in each.

#include <sluice/model/engine.hpp>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <exception>

namespace model {

engine* engine::made_ = nullptr;
engine* engine::running_ = nullptr;
std::uint64_t engine::begun_ = 0;

engine::engine() { made_ = this; }
engine::~engine() { made_ = nullptr; }

namespace {

constexpr double seconds_between_saves = 5;
char in_this_module = 0;

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

void engine::begin_search(const search_state* from) {
  search_.reset();
  shared_.reset();
  outcomes_.clear();
  if (from == nullptr) return;
  search_.unpack(from->trail);
  for (const std::uint32_t slot : from->shared) shared_.set(slot % shared_.size());
  outcomes_.assign(from->outcomes.begin(), from->outcomes.end());
}

void engine::tell(search_state& at, const findings& so_far) const {
  at.executions = so_far.executions;
  at.redundant = so_far.redundant;
  search_.pack(at.trail);
  at.shared.clear();
  for (std::size_t slot = 0; slot < shared_.size(); ++slot) {
    if (shared_.test(slot)) at.shared.push_back(static_cast<std::uint32_t>(slot));
  }
  at.outcomes.assign(outcomes_.begin(), outcomes_.end());
}

findings engine::explore(const program& p, const limits& how, interruption* pauses) {
  program_ = &p;
  limits_ = how;
  limits_.sleep_sets = how.sleep_sets && how.bound < 0;
  begin_search(pauses != nullptr ? &pauses->at : nullptr);
  findings result;
  if (pauses != nullptr) {
    result.executions = pauses->at.executions;
    result.redundant = pauses->at.redundant;
  }
  const std::uint64_t begin = result.executions;
  const double end = how.seconds > 0 ? processor_seconds() + how.seconds : 0;
  double save_next = processor_seconds() + seconds_between_saves;
  for (;;) {
    execute();
    ++result.executions;
    if (ending_ == ending::redundant) ++result.redundant;
    if (search_.astray()) {
      result.how = findings::end::astray;
      return result;
    }
    if (ending_ == ending::failed) {
      explain_failure(result);
      break;
    }
    if (learn_shared()) {
      search_.reset();
    } else if (!search_.next()) {
      break;
    }
    const bool look_at_clock = result.executions % 1024 == 0;
    if (result.executions >= limits_.max || (end > 0 && look_at_clock && processor_seconds() >= end)) {
      result.how = findings::end::limit;
      break;
    }
    if (pauses == nullptr) continue;
    const bool spent = pauses->budget != 0 && result.executions - begin >= pauses->budget;
    if (spent || (pauses->stop != nullptr && *pauses->stop != 0)) {
      tell(pauses->at, result);
      result.how = findings::end::paused;
      return result;
    }
    if (look_at_clock && pauses->save && processor_seconds() >= save_next) {
      tell(pauses->at, result);
      pauses->save();
      save_next = processor_seconds() + seconds_between_saves;
    }
  }
  for (const std::uint64_t packed : outcomes_) {
    std::string text;
    for (std::uint64_t rest = packed; rest != 0; rest >>= 8) text += std::to_string(static_cast<int>(rest & 0xFF) - 1);
    result.outcomes.push_back(text);
  }
  std::sort(result.outcomes.begin(), result.outcomes.end());
  return result;
}

// Executes once more, along the same choices, this time with a trace.
void engine::explain_failure(findings& result) {
  logging_ = true;
  execute();
  logging_ = false;
  result.choices.assign(choices_.data(), choices_.size());
  result.how = findings::end::failed;
  result.sentence = sentence_;
  result.trace.assign(log_.data(), log_.size());
}

findings engine::replay(const program& p, const limits& how, const std::string& choices) {
  program_ = &p;
  limits_ = how;
  limits_.bound = -1;
  limits_.sleep_sets = false;
  begin_search(nullptr);
  findings result;
  script_ = &choices;
  script_position_ = 0;
  logging_ = true;
  execute();
  logging_ = false;
  result.choices.assign(choices_.data(), choices_.size());
  script_ = nullptr;
  result.executions = 1;
  result.how = ending_ == ending::failed ? findings::end::failed : findings::end::limit;
  result.sentence = sentence_;
  result.trace.assign(log_.data(), log_.size());
  return result;
}

void engine::execute() {
  search_.begin();
  log_.clear();
  choices_.clear();
  sentence_[0] = '\0';
  heap_.clear();
  locations_.clear();
  fences_.clear();
  names_.clear();
  found_shared_.clear();
  count_ = 1;
  current_ = 0;
  last_ = -1;
  concurrent_ = false;
  ending_ = ending::complete;
  started_or_woken_ = ready_ = yielded_ = timed_ = ended_ = sleep_ = enabled_ = newest_only_ = 0;
  preemptions_ = steps_ = steps_alone_ = done_ = 0;
  timeouts_left_ = program_->how().timeouts;
  spurious_left_ = program_->how().spurious;
  clock_ = time_point{std::chrono::hours{1}};
  threads_[0].known = view{};
  threads_[0].released = view{};
  threads_[0].acquirable = view{};
  threads_[0].at = {};
  threads_[0].name = "set-up";
  threads_[0].stack.prepare(enter_zero, this);
  ++begun_;
  running_ = this;
  fiber::change(root_, threads_[0].stack);
  running_ = nullptr;
  current_ = -1;
  for (std::uint32_t i = 0; i < locations_.size(); ++i) {
    location& x = locations_[i];
    if (x.external && !x.freed) std::memcpy(reinterpret_cast<void*>(x.address), &x.initial, x.size);
  }
}

// After an execution: whether it showed that more is shared than was known. Then the search must begin anew.
bool engine::learn_shared() {
  for (const std::uintptr_t address : found_shared_) shared_.set(shared_slot(address));
  return !found_shared_.empty();
}

// The same for the same object in every process of this binary, wherever the system has put its memory.
std::size_t engine::shared_slot(std::uintptr_t address) const noexcept {
  std::uintptr_t place = address - reinterpret_cast<std::uintptr_t>(&in_this_module);
  if (heap_.owns(reinterpret_cast<void*>(address))) {
    place = heap_.offset(reinterpret_cast<void*>(address));
  } else {
    for (std::uintptr_t i = 0; i < max_threads; ++i) {
      const std::size_t depth = threads_[i].stack.depth(reinterpret_cast<void*>(address));
      if (depth != 0) place = (i + 1) << 48 | depth;
    }
  }
  return locations::hash(place) % shared_.size();
}

void engine::enter_zero(void* self) {
  auto& e = *static_cast<engine*>(self);
  try {
    e.thread_zero();
  } catch (const std::exception& error) {
    e.fail("An exception escaped from set-up or finish: %s", error.what());
  } catch (...) {
    e.fail("An exception escaped from set-up or finish.");
  }
  if (const heap::block* b = e.heap_.left_over()) {
    e.fail("Leak: %zu bytes allocated by %s after %s were never freed.", b->size, e.thread_name(b->thread),
           show(b->after).c_str());
  }
  e.leave(ending::complete);
}

void engine::thread_zero() {
  run r;
  program_->set_up(r);
  count_ = 1 + static_cast<int>(r.threads_.size());
  if (count_ > max_threads) fail("A program may have at most %d threads.", max_threads - 1);
  if (count_ > 1) {
    thread& zero = threads_[0];
    ++zero.known.clock[0];
    for (int i = 1; i < count_; ++i) {
      thread& t = threads_[i];
      t.known = zero.known;
      t.released = t.acquirable = view{};
      t.next = {};
      t.at = {};
      t.name = r.threads_[static_cast<std::size_t>(i - 1)].name;
      t.body = &r.threads_[static_cast<std::size_t>(i - 1)].body;
      start_first_round(t);
      t.stack.prepare(enter_thread, this);
    }
    started_or_woken_ = ready_ = (1u << count_) - 2;
    concurrent_ = true;
    change_thread();  // back when all have ended
    concurrent_ = false;
  }
  threads_[0].name = "finish";
  if (r.finally_) r.finally_();
}

run::~run() {
  while (!owned_.empty()) {
    owned_.back().destroy(owned_.back().object);
    owned_.pop_back();
  }
}

void engine::enter_thread(void* self) {
  auto& e = *static_cast<engine*>(self);
  const int me = e.current_;
  try {
    (*e.threads_[me].body)();
  } catch (const std::exception& error) {
    e.fail("An exception escaped from thread %s: %s", e.thread_name(me), error.what());
  } catch (...) {
    e.fail("An exception escaped from thread %s.", e.thread_name(me));
  }
  e.ready_ &= ~(1u << me);
  e.yielded_ &= ~(1u << me);
  e.ended_ |= 1u << me;
  ++e.threads_[me].known.clock[me];  // covers its last plain accesses
  e.threads_[me].next = {};
  e.threads_[0].known.join(e.threads_[me].known);
  if (e.logging_) e.log("ends");
  e.change_thread();
  std::abort();  // an ended thread is never chosen
}

void engine::leave(ending how) {
  ending_ = how;
  fiber::change(threads_[current_].stack, root_);
  std::abort();  // the root never comes back
}

}  // namespace model
