#include <sum/writer.hpp>

#include <gtest/gtest.h>

#include <cerrno>

namespace sum {
namespace {

std::unique_ptr<batch> made(std::uint64_t sequence, std::string_view path, outcome what = outcome::hashed) {
  auto b = std::make_unique<batch>();
  b->sequence = sequence;
  b->weight = 10 + sequence;
  entry& e = add_entry(*b, path);
  e.what = what;
  e.error = EACCES;
  return b;
}

std::string line(std::string_view path) {
  std::string out;
  append_line(out, digest{}, path);
  return out;
}

std::size_t emit_all(manifest_writer& w) {
  std::size_t freed = 0;
  while (w.ready()) freed += w.emit();
  return freed;
}

TEST(writer, batches_become_text_in_the_order_of_the_walker) {
  statistics counts;
  manifest_writer w{counts};
  EXPECT_FALSE(w.ready());
  w.take(made(2, "c"));
  w.take(made(1, "b"));
  EXPECT_FALSE(w.ready());
  w.take(made(0, "a"));
  EXPECT_EQ(w.emit(), 10U);
  EXPECT_EQ(w.lines, line("a"));
  EXPECT_EQ(emit_all(w), 11U + 12U);
  EXPECT_EQ(w.lines, line("a") + line("b") + line("c"));
  w.take(made(3, "d"));
  EXPECT_EQ(emit_all(w), 13U);
  w.close();
  EXPECT_FALSE(w.ready());
  EXPECT_EQ(w.lines, line("a") + line("b") + line("c") + line("d"));
}

TEST(writer, at_the_end_what_waited_for_a_batch_that_never_came_is_written_too) {
  statistics counts;
  manifest_writer w{counts};
  w.take(made(5, "f"));
  w.take(made(3, "d"));
  EXPECT_FALSE(w.ready());
  w.close();
  EXPECT_EQ(emit_all(w), 15U + 13U);
  EXPECT_EQ(w.lines, line("d") + line("f"));
}

TEST(writer, each_outcome_goes_where_it_belongs_and_is_counted) {
  statistics counts;
  manifest_writer w{counts};
  std::uint64_t n = 0;
  for (const outcome what :
       {outcome::hashed, outcome::kept, outcome::cut, outcome::skipped, outcome::unreadable, outcome::vanished,
        outcome::special, outcome::changing, outcome::unlisted, outcome::loop}) {
    w.take(made(n, "file" + std::to_string(n), what));
    ++n;
  }
  emit_all(w);
  EXPECT_EQ(w.lines, line("file0") + line("file1"));
  EXPECT_EQ(counts.kept_files.get(), 1U);
  EXPECT_EQ(counts.cut_files.get(), 1U);
  EXPECT_EQ(counts.errors.get(), 6U);
  std::size_t at = 0;  // the sentences come in the order of the entries
  for (int i = 3; i < 10; ++i) {
    const std::size_t found = w.sentences.find(std::string("file").append(std::to_string(i)), at);
    ASSERT_NE(found, std::string::npos) << i;
    EXPECT_EQ(w.sentences.rfind("sluice-sum: ", found), at) << i;
    at = w.sentences.find('\n', found) + 1;
  }
  EXPECT_EQ(at, w.sentences.size());
  EXPECT_EQ(w.sentences.find("file2"), std::string::npos);
}

}  // namespace
}  // namespace sum
