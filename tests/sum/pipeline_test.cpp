// The stages together, on real threads and in simulations: every schedule gives the same manifest.

#include <sum/pipeline.hpp>

#include "scratch.hpp"

#include <algorithm>

namespace sum {
namespace {

using testing::content_of;
using testing::scratch;

struct run_result {
  std::string manifest;
  std::string failure;
  std::uint64_t hashed = 0;
  std::uint64_t errors = 0;
  bool output_failed = false;
};

options small_options(const scratch& dir) {
  options o;
  o.roots = {dir.at("t")};
  o.output = dir.at("manifest");
  return o;
}

run_result run(const options& o, sluice::runtime_options threads = {}, resume_index* resume = nullptr) {
  console terminal;
  manifest_output output{o.output, resume ? std::optional{resume->file()} : std::nullopt};
  pipeline p{o, resume, output, terminal};
  run_result r;
  try {
    sluice::run(p.run(), std::move(threads));
  } catch (const std::exception& e) {
    r.failure = e.what();
  }
  const auto refused = output.finish();
  EXPECT_EQ(static_cast<bool>(refused), p.output_failed());
  if (output.file()) r.manifest = content_of(o.output);  // /dev/full has no end
  r.hashed = p.counts().hashed_files.get();
  r.errors = p.counts().errors.get();
  r.output_failed = p.output_failed();
  return r;
}

// Some directories, some names that sort in odd ways, some large files between small ones.
void make_tree(const scratch& dir) {
  for (int i = 0; i < 300; ++i) {
    const std::string name = "t/" + std::to_string(i % 7) + "/" + std::to_string(i * 7919 % 1000);
    dir.file(name, std::string(static_cast<std::size_t>(i) * 13, static_cast<char>('a' + i % 26)));
  }
  dir.file("t/3/large", std::string(3 << 20, 'L'));
  dir.file("t/0/.large", std::string((1 << 20) + 1, 'M'));
  dir.file("t/new\nline\\", "escaped");
}

std::string expected_manifest(const scratch& dir) {
  std::vector<std::string> paths;
  for (const auto& found : std::filesystem::recursive_directory_iterator(dir.at("t"))) {
    if (found.is_regular_file()) paths.push_back(found.path().string());
  }
  const auto by_component = [](std::string path) {
    std::replace(path.begin(), path.end(), '/', '\0');
    return path;
  };
  std::sort(paths.begin(), paths.end(),
            [&](const std::string& a, const std::string& b) { return by_component(a) < by_component(b); });
  std::string all;
  for (const std::string& path : paths) {
    const std::string content = content_of(path);
    sha256 sum;
    sum.start();
    sum.add(content.data(), content.size());
    append_line(all, sum.finish(), path);
  }
  return all;
}

TEST(pipeline, the_manifest_is_the_same_for_any_number_of_workers) {
  const scratch dir;
  make_tree(dir);
  const std::string expected = expected_manifest(dir);
  for (const std::size_t workers : {1U, 2U, 3U, 8U}) {
    const run_result r = run(small_options(dir), {.workers = workers});
    EXPECT_EQ(r.failure, "");
    EXPECT_EQ(r.manifest, expected);
    EXPECT_EQ(r.hashed, 303U);
    EXPECT_EQ(r.errors, 0U);
  }
}

TEST(pipeline, the_smallest_queues_windows_and_open_files_are_enough) {
  const scratch dir;
  make_tree(dir);
  const std::string expected = expected_manifest(dir);
  options o = small_options(dir);
  o.queue = 1;
  o.window_mib = 1;
  o.open_files = 1;
  EXPECT_EQ(run(o, {.workers = 1}).manifest, expected);
  EXPECT_EQ(run(o, {.workers = 4}).manifest, expected);
  o.window_mib = 0;  // not a single batch fits: each is let in alone
  EXPECT_EQ(run(o, {.workers = 2}).manifest, expected);
}

TEST(pipeline, every_simulated_schedule_gives_the_same_manifest) {
  const scratch dir;
  make_tree(dir);
  const std::string expected = expected_manifest(dir);
  options o = small_options(dir);
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    o.queue = 1 + seed % 3;
    o.open_files = 1 + seed % 5;
    const run_result r = run(o, {.workers = 1 + seed % 4, .simulation = seed});
    EXPECT_EQ(r.failure, "") << "seed " << seed;
    EXPECT_EQ(r.manifest, expected) << "seed " << seed;
  }
}

TEST(pipeline, an_empty_tree_has_an_empty_manifest) {
  const scratch dir;
  dir.directory("t/a/b");
  const run_result r = run(small_options(dir));
  EXPECT_EQ(r.failure, "");
  EXPECT_EQ(r.manifest, "");
  EXPECT_EQ(r.errors, 0U);
}

TEST(pipeline, errors_are_counted_and_the_rest_is_done) {
  const scratch dir;
  make_tree(dir);
  const std::string expected = expected_manifest(dir);
  ASSERT_EQ(::mkfifo(dir.at("t/2/fifo").c_str(), 0644), 0);
  options o = small_options(dir);
  o.roots.push_back(dir.at("none"));
  const run_result r = run(o);
  EXPECT_EQ(r.manifest, expected);
  EXPECT_EQ(r.errors, 2U);
}

TEST(pipeline, an_output_that_refuses_ends_the_run_and_is_one_error) {
  const scratch dir;
  make_tree(dir);
  options o = small_options(dir);
  o.output = "/dev/full";
  for (const std::size_t workers : {1U, 2U}) {
    const run_result r = run(o, {.workers = workers});
    EXPECT_EQ(r.failure, "");
    EXPECT_TRUE(r.output_failed);
    EXPECT_EQ(r.errors, 1U);
  }
}

TEST(pipeline, a_run_that_is_cut_before_it_begins_hashes_nothing_and_ends) {
  const scratch dir;
  make_tree(dir);
  const options o = small_options(dir);
  console terminal;
  manifest_output output{o.output, std::nullopt};
  pipeline p{o, nullptr, output, terminal};
  p.cut();
  sluice::run(p.run());
  EXPECT_EQ(p.counts().hashed_files.get(), 0U);
  EXPECT_EQ(p.counts().cut_files.get(), 303U);
  EXPECT_EQ(p.counts().ended_files.get(), p.counts().found_files.get());
  EXPECT_EQ(content_of(o.output), "");
}

TEST(pipeline, a_run_resumed_from_any_part_of_its_manifest_gives_the_whole) {
  const scratch dir;
  make_tree(dir);
  const std::string expected = expected_manifest(dir);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < expected.size();) {
    const auto end = expected.find('\n', at) + 1;
    lines.push_back(expected.substr(at, end - at));
    at = end;
  }
  for (std::size_t kept = 0; kept <= lines.size(); kept += 101) {
    std::string part = "not a line\n";
    for (std::size_t i = 0; i < kept; ++i) part += lines[(i * 37 + kept) % lines.size()];
    const options o = small_options(dir);
    dir.file("manifest", part + lines[0].substr(0, 30));
    resume_index resume{o.output};
    const run_result r = run(o, {}, &resume);
    EXPECT_EQ(r.manifest, expected) << kept;
    EXPECT_EQ(r.hashed, lines.size() - kept);
  }
}

TEST(pipeline, a_stopped_resumption_still_holds_every_line_that_it_began_with) {
  const scratch dir;
  make_tree(dir);
  const std::string expected = expected_manifest(dir);
  options o = small_options(dir);
  dir.file("manifest", expected);
  resume_index resume{o.output};
  console terminal;
  manifest_output output{o.output, resume.file()};
  pipeline p{o, &resume, output, terminal};
  p.stop_intake();
  p.cut();
  sluice::run(p.run());
  ASSERT_FALSE(output.finish());
  EXPECT_EQ(content_of(o.output), expected);
}

TEST(pipeline, a_stop_that_comes_when_all_is_done_leaves_nothing_and_an_earlier_one_does) {
  const scratch dir;
  make_tree(dir);
  const options o = small_options(dir);
  console terminal;
  const auto leaves_nothing = [&](auto before, auto after) {
    manifest_output output{o.output, std::nullopt};
    pipeline p{o, nullptr, output, terminal};
    before(p);
    sluice::run(p.run());
    after(p);
    EXPECT_FALSE(output.finish());
    return p.left_nothing();
  };
  const auto nothing = [](pipeline&) {};
  const auto stop = [](pipeline& p) { p.stop_intake(); };
  EXPECT_TRUE(leaves_nothing(nothing, nothing));
  EXPECT_TRUE(leaves_nothing(nothing, stop));
  EXPECT_FALSE(leaves_nothing(stop, nothing));
  EXPECT_FALSE(leaves_nothing([](pipeline& p) { p.cut(); }, nothing));
}

TEST(pipeline, a_snapshot_after_the_end_says_that_all_is_done) {
  const scratch dir;
  make_tree(dir);
  const options o = small_options(dir);
  console terminal;
  manifest_output output{o.output, std::nullopt};
  pipeline p{o, nullptr, output, terminal};
  sluice::run(p.run());
  const progress_snapshot s = p.snapshot();
  EXPECT_TRUE(s.all_found);
  EXPECT_EQ(s.files, 303U);
  EXPECT_EQ(s.files, s.files_found);
  EXPECT_EQ(s.bytes, s.bytes_found);
  EXPECT_EQ(s.jobs, 0U);
  EXPECT_EQ(s.finished, 0U);
}

}  // namespace
}  // namespace sum
