#!/usr/bin/env python3
"""Nightly runs that are interrupted and go on, and what the command line refuses.

usage: nightly_test.py SLUICE_MODELS
"""

import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = ""
SMALL = "litmus: SB"  # several programs of a few executions each
LARGE = "ring: 1 to 1, capacity 2, 4 items"  # more than a test has time for


def models(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=300)


def total(output):
    return int(re.search(r"running total: (\d+)", output).group(1))


class Nightly(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)

    def nightly(self, name, *options, folder="state"):
        return models(name, "--nightly", "--state", str(pathlib.Path(self.scratch.name) / folder), *options)

    def states(self):
        return sorted((pathlib.Path(self.scratch.name) / "state").glob("*.state"))

    def test_interrupted_runs_execute_what_one_whole_run_does(self):
        whole = self.nightly(SMALL, folder="whole")
        self.assertEqual(whole.returncode, 0, whole.stdout)
        for _ in range(200):
            part = self.nightly(SMALL, "--budget", "5")
            self.assertEqual(part.returncode, 0, part.stdout)
            if "\n0 programs left" in part.stdout:
                break
        self.assertEqual(total(part.stdout), total(whole.stdout))
        self.assertEqual(part.stdout.splitlines()[-1], whole.stdout.splitlines()[-1])

    def test_what_is_finished_is_not_searched_again(self):
        first = self.nightly(SMALL)
        second = self.nightly(SMALL)
        self.assertIn("\n0 executions in", "\n" + second.stdout)
        self.assertEqual(total(first.stdout), total(second.stdout))
        self.assertEqual(first.stdout.splitlines()[-1], second.stdout.splitlines()[-1])

    def test_other_settings_begin_anew_and_the_total_goes_on(self):
        first = self.nightly(SMALL)
        second = self.nightly(SMALL, "--staleness", "0")
        self.assertIn("begin anew", second.stdout)
        self.assertGreater(total(second.stdout), total(first.stdout))

    def test_a_signal_ends_it_and_nothing_is_lost(self):
        folder = str(pathlib.Path(self.scratch.name) / "state")
        command = [BINARY, LARGE, "--nightly", "--state", folder]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while not self.states() and running.poll() is None:  # saved for the first time after some seconds
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        output, _ = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 0, output)
        self.assertIn("1 programs left", output)
        after = self.nightly(LARGE, "--budget", "1000")
        self.assertEqual(total(after.stdout), total(output) + 1000)

    def test_a_spoiled_state_is_refused_with_its_file(self):
        self.nightly(SMALL)
        victim = self.states()[0]
        victim.write_text(victim.read_text().replace("ever ", "ever 1"))
        result = self.nightly(SMALL)
        self.assertEqual(result.returncode, 2)
        self.assertIn(f"'{victim}' is spoiled. Delete it", result.stderr)
        victim.unlink()
        self.assertEqual(self.nightly(SMALL).returncode, 0)

    def test_a_folder_that_cannot_be_is_refused(self):
        result = models(SMALL, "--nightly", "--state", "/dev/null/state")
        self.assertEqual(result.returncode, 2)
        self.assertIn("Choose another one with --state FOLDER.", result.stderr)


class CommandLine(unittest.TestCase):
    def refused(self, sentence, *arguments):
        result = models(*arguments)
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertEqual(result.stderr, f"model: {sentence}\n")

    def test_bad_words_are_refused_in_sentences(self):
        self.refused("There is no option '--fast'; --help names them.", "--fast")
        self.refused("No program's name or file contains 'no such program'; --list names them all.", "no such program")
        self.refused("One NAME at a time: 'a' or 'b'; put one with blanks into quotes.", "a", "b")
        self.refused("--jobs needs a whole number from 1 upwards.", "--jobs", "many")
        self.refused("--max needs a whole number from 1 upwards.", "--max")
        self.refused("--minutes and --budget need --nightly.", "--budget", "5")
        self.refused("--state needs a text behind it.", "--nightly", "--state")

    def test_help_is_help(self):
        result = models("--help")
        self.assertEqual(result.returncode, 0)
        self.assertIn("--nightly", result.stdout)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main()
