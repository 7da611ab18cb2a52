"""What tools/bench calls ahead, level and behind, and which contenders it lets run on.

Ends with `N passed, N failed`.
"""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from lib import bench_report  # noqa: E402

BOARD = {"board": "box", "unit": "ns", "better": "lower"}


def row(ours, theirs, **more):
    runs = {"sluice": ours, "oneTBB": theirs}
    readings = {("box", peer): [{"value": value} for value in values] for peer, values in runs.items()}
    return bench_report.Row(BOARD | more, list(runs), readings, 1)


class Standing(unittest.TestCase):
    def test_runs_that_lie_among_each_other_are_level_whichever_median_is_lower(self):
        ours = [100 + i for i in range(15)]
        self.assertEqual(row(ours, [value - 1 for value in ours]).standing(), "level")
        self.assertEqual(row(ours, [value + 1 for value in ours]).standing(), "level")

    def test_runs_that_lie_apart_are_not(self):
        slower = [100 + i / 10 for i in range(15)]
        faster = [98 + i / 10 for i in range(15)]
        self.assertEqual(row(slower, faster).standing(), "behind")
        self.assertEqual(row(faster, slower).standing(), "ahead")
        self.assertEqual(row(slower, faster, better="higher").standing(), "ahead")

    def test_few_runs_and_far_figures_are_never_level(self):
        self.assertEqual(row([101, 99, 103], [100, 98, 102]).standing(), "behind")
        self.assertEqual(row([100 + 90 * (i % 2) for i in range(14)], [90 + i for i in range(14)]).standing(), "behind")


class CloseRivals(unittest.TestCase):
    def test_who_is_within_five_per_cent_runs_on(self):
        self.assertEqual(row([100], [104]).close_rivals(), ["oneTBB"])
        self.assertEqual(row([100], [96]).close_rivals(), ["oneTBB"])
        self.assertEqual(row([100], [106]).close_rivals(), [])
        self.assertEqual(row([100], []).close_rivals(), [])

    def test_equal_figures_and_boards_that_compare_nobody_do_not(self):
        self.assertEqual(row([0], [0]).close_rivals(), [])
        self.assertEqual(row([100], [101], relative=True).close_rivals(), [])


def main():
    result = unittest.main(exit=False, verbosity=0).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
