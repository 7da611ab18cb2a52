#include "pipeline.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace sum {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::size_t batches_per_look = 8;         // one hop to the blocking pool for up to 512 files
constexpr std::uint64_t slice_on_worker = 4 << 20;  // a few ms, then whoever waits for this worker has its turn
constexpr std::uint64_t slice_off_worker = 32 << 20;
constexpr std::size_t flush_at = 64 * 1024;  // of text
constexpr auto flush_after = 50ms;           // with nothing new

std::vector<identity> manifests_of(const manifest_output& output, const resume_index* resume) {
  std::vector<identity> own;
  if (output.file()) own.push_back(*output.file());
  if (resume != nullptr) own.push_back(resume->file());
  return own;
}

}  // namespace

pipeline::pipeline(const options& chosen, resume_index* resume, manifest_output& output, console& terminal)
    : options_(chosen),
      resume_(resume),
      output_(output),
      terminal_(terminal),
      walker_({chosen.roots, chosen.follow, manifests_of(output, resume), resume}, counts_),
      writer_(counts_),
      window_bytes_(chosen.window_mib << 20),
      window_(window_bytes_),
      open_files_(chosen.open_files),
      jobs_(chosen.queue),
      finished_(chosen.queue) {}

sluice::task<> pipeline::run() { co_await sluice::when_all(walk(), hash_all(), write()); }

sluice::task<> pipeline::walk() {
  std::vector<work> found;
  const auto look = [this, &found] {
    while (found.size() < batches_per_look) {
      work b = walker_.next(stop_);
      if (!b) break;
      found.push_back(std::move(b));
    }
  };
  for (;;) {
    found.clear();
    {
      const auto open = co_await open_files_.acquire();
      co_await sluice::run_blocking(look);
    }
    if (found.empty()) break;
    for (work& b : found) co_await admit(std::move(b));
  }
  // Not stopped by now: so the walker saw no stop either, and what it found is all there is.
  walked_all_.store(!stop_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  counts_.all_found.store(true, std::memory_order_relaxed);
  jobs_.close();
}

// Waiting here is the backpressure: for the window, and for room in the queue.
sluice::task<> pipeline::admit(work found) {
  const auto begun = steady::now();
  found->weight = std::min(found->weight, window_bytes_);
  auto room = co_await window_.acquire(found->weight);
  room.forget();  // the writer gives it back
  found->offered = steady::now();
  co_await jobs_.put(std::move(found));
  const std::chrono::nanoseconds waited = steady::now() - begun;
  counts_.held_back_ns.add(static_cast<std::uint64_t>(waited.count()));
}

sluice::task<> pipeline::hash_all() {
  std::vector<sluice::task<>> hashers;
  for (std::size_t i = 0; i < options_.open_files; ++i) hashers.push_back(hash());
  co_await sluice::when_all(std::move(hashers));
  finished_.close();
}

sluice::task<> pipeline::hash() {
  batch_hasher hasher{counts_};
  while (auto job = co_await jobs_.next()) {
    work b = std::move(*job);
    counts_.jobs_wait.record(steady::now() - b->offered);
    co_await hash_batch(hasher, *b);
    b->offered = steady::now();
    try {
      co_await finished_.put(std::move(b));
    } catch (const sluice::queue_closed&) {
      co_return;  // abandoned
    }
  }
}

sluice::task<> pipeline::hash_batch(batch_hasher& hasher, batch& b) {
  using state = batch_hasher::state;
  const auto open = co_await open_files_.acquire();
  hasher.start(b);
  const auto off_worker = [&] { return hasher.step(batch_hasher::reading::may_block, slice_off_worker, cut_); };
  for (;;) {
    state reached = hasher.step(batch_hasher::reading::cached_only, slice_on_worker, cut_);
    if (reached == state::more) co_await sluice::yield();
    if (reached == state::would_block) reached = co_await sluice::run_blocking(off_worker);
    if (reached == state::done) co_return;
  }
}

sluice::task<> pipeline::write() {
  while (auto done = co_await next_finished()) {
    counts_.finished_wait.record(steady::now() - (*done)->offered);
    writer_.take(std::move(*done));
    co_await emit();
  }
  writer_.close();
  co_await emit();
  if (!walked_all_.load(std::memory_order_relaxed)) co_await keep_what_was_not_met();
  while (has_text()) co_await flush();  // twice, where the first finds that the output refuses
}

sluice::task<> pipeline::emit() {
  while (writer_.ready()) {
    window_.release(writer_.emit());
    if (writer_.lines.size() + writer_.sentences.size() >= flush_at) co_await flush();
  }
}

// The next batch; empty at the end. Text that nothing follows for a while is flushed meanwhile.
sluice::task<std::optional<pipeline::work>> pipeline::next_finished() {
  if (auto ready = finished_.try_get()) co_return ready;
  if (has_text()) {
    try {
      co_return co_await sluice::timeout(flush_after, finished_.next());
    } catch (const sluice::timed_out&) {
    }
    co_await flush();
  }
  co_return co_await finished_.next();
}

sluice::task<> pipeline::flush() {
  std::error_code refused;
  const auto put = [this, &refused] {
    if (!writer_.lines.empty()) refused = output_.write(writer_.lines);
    terminal_.say(writer_.sentences);
  };
  co_await sluice::run_blocking(put);
  writer_.lines.clear();
  writer_.sentences.clear();
  if (refused) output_refuses(refused);
}

// Hashing on would be for nothing. The stages run on to their end, and write nothing.
void pipeline::output_refuses(const std::error_code& why) {
  if (output_failed_.exchange(true, std::memory_order_relaxed)) return;
  counts_.errors.add(1);
  writer_.sentences += as_line("The manifest cannot be written to " + output_.name() + ": " + why.message() +
                               ". No more files are read.");
  stop_intake();
  cut();
}

// An interrupted run must not know less than the manifest that it resumed from.
sluice::task<> pipeline::keep_what_was_not_met() {
  if (resume_ == nullptr || output_failed()) co_return;
  const auto keep = [this] {
    resume_->for_each_left([this](const manifest_line& l) {
      append_line(writer_.lines, l.value, l.path);
      if (writer_.lines.size() < flush_at) return;
      if (const auto refused = output_.write(writer_.lines)) output_refuses(refused);
      writer_.lines.clear();
    });
  };
  co_await sluice::run_blocking(keep);
}

bool pipeline::left_nothing() const noexcept {
  return walked_all_.load(std::memory_order_relaxed) && !abandoned_.load(std::memory_order_relaxed) &&
         !output_failed() && counts_.cut_files.get() == 0;
}

progress_snapshot pipeline::snapshot() const {
  progress_snapshot s;
  s.all_found = counts_.all_found.load(std::memory_order_relaxed);
  s.files = counts_.ended_files.get();
  s.bytes = counts_.hashed_bytes.get();
  s.files_found = counts_.found_files.get();
  s.bytes_found = counts_.found_bytes.get();
  s.jobs = jobs_.size();
  s.jobs_capacity = options_.queue;
  s.finished = finished_.size();
  s.finished_capacity = options_.queue;
  s.errors = counts_.errors.get();
  return s;
}

}  // namespace sum
