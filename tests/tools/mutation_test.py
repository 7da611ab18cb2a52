"""tools/mutate finds the steps of a source, makes them switchable without moving a line, and reads its list of survivors.

Ends with `N passed, N failed`.
"""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from checks import sources  # noqa: E402
from mutation import sites, survivors  # noqa: E402

TEXT = """#pragma once
// A box.
struct box {
  box(int size);
  void put() {
    word.store(1, release);  // E1 publish
    wake_one();  // they look again
    if (closed()) return;
    if (full) grow("a, b");
    if (one)
      two();
    else
      three();
    int x = four();
    return five();
    std::move(x);
    (void)leave(7);
    if (last) w->context->wake();
    lists[w.list].remove(w);
    child->base::cancel();
    collect<T>(frame, outcome);
    futex::wake(word, 1);
    six(1,
        2);
  }
};
"""


def copy_of(text):
    return sites.with_switches(sources.Source("queues/box.hpp", text))


class Steps(unittest.TestCase):
    def switched(self):
        return [line.strip() for line in copy_of(TEXT).splitlines() if "kept" in line]

    def test_calls_and_early_exits_on_a_line_of_their_own_are_steps(self):
        self.assertEqual(self.switched(), [
            "if (::model::kept()) { wake_one(); }",
            "if (::model::kept()) { if (closed()) return; }",
            'if (::model::kept()) { if (full) grow("a, b"); }',
            "if (::model::kept()) { three(); }",
            "if (::model::kept()) { (void)leave(7); }",
            "if (::model::kept()) { if (last) w->context->wake(); }",
            "if (::model::kept()) { lists[w.list].remove(w); }",
            "if (::model::kept()) { child->base::cancel(); }",
            "if (::model::kept()) { collect<T>(frame, outcome); }",
        ])

    def test_no_line_moves(self):
        copy = copy_of(TEXT).splitlines()
        self.assertEqual(len(copy), len(TEXT.splitlines()))
        self.assertEqual([line for line in copy if "kept" not in line],
                         [line for line, other in zip(TEXT.splitlines(), copy) if "kept" not in other])

    def test_the_door_itself_has_none(self):
        self.assertEqual(sites.with_switches(sources.Source("queues/atomic.hpp", TEXT)), TEXT)


class Reached(unittest.TestCase):
    def missed(self, reached):
        original = sources.Source("queues/box.hpp", TEXT)
        found = sites.not_reached({"queues/box.hpp": copy_of(TEXT)}, {"queues/box.hpp": original}, reached)
        return [(site.line, site.what) for site in found]

    def test_operations_and_steps_that_no_model_reaches_are_told(self):
        every = [(6, "store"), (7, "step"), (8, "step"), (9, "step"), (13, "step"), (17, "step"), (18, "step"), (19, "step"), (20, "step"),
                 (21, "step"), (22, "wake")]
        self.assertEqual(self.missed([]), every)
        reached = [sites.Site("queues/box.hpp", line, what) for line, what in every[1:]]
        self.assertEqual(self.missed(reached), every[:1])


    def test_a_place_without_operations_is_told_from_one_that_has_some(self):
        copies = {"queues/box.hpp": copy_of(TEXT)}
        originals = {"queues/box.hpp": sources.Source("queues/box.hpp", TEXT)}
        for place, expected in (("", True), ("queues/", True), ("queues/box.hpp:6", True), ("queues/box.hpp:3", False),
                                ("queues/bxo.hpp", False)):
            self.assertEqual(sites.any_at(place, copies, originals), expected, place)


class Listed(unittest.TestCase):
    def read(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(text)
            file.flush()
            listed = survivors.Survivors()
            survivors.read(pathlib.Path(file.name), "list", listed)
            return listed

    def test_a_line_goes_before_its_file_and_what_nobody_asked_for_is_idle(self):
        listed = self.read("# top\nqueues/box.hpp:\n> wake_one();\nstep left out: speed\nrmw dropped, load blind: hints\n"
                           "> *\nunreached: system\n")
        self.assertEqual(listed.reason("queues/box.hpp", "wake_one();", "step left out"), "speed")
        self.assertEqual(listed.reason("queues/box.hpp", "anything();", "unreached"), "system")
        self.assertIsNone(listed.reason("queues/box.hpp", "anything();", "step left out"))
        self.assertIsNone(listed.reason("queues/other.hpp", "wake_one();", "step left out"))
        self.assertEqual(listed.reason("queues/box.hpp", "wake_one();", "load blind"), "hints")
        self.assertEqual(len(listed.idle()), 1)
        self.assertIn("rmw dropped", listed.idle()[0])

    def test_a_line_that_is_no_entry_is_refused(self):
        with self.assertRaises(SystemExit):
            self.read("queues/box.hpp:\nstep left out: without its code\n")


def main():
    result = unittest.main(exit=False, verbosity=0).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
