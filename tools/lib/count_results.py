"""Counts what ctest ran: `PASSED FAILED` on standard output, the names of what failed on standard error.

usage: count_results.py FOLDER

The folder holds ctest.xml (ctest --output-junit) and, for a GoogleTest binary that came to its end,
<binary>.xml with its cases. A program that ends with the line `N passed, N failed` counts as it says; any other
test counts as one.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as xml


def gtest_cases(report):
    """(passed, names of the failed) of one GoogleTest report; skipped cases count as neither."""
    passed, failed = 0, []
    for case in xml.parse(report).iter("testcase"):
        if case.find("failure") is not None:
            failed.append(f"{case.get('classname')}.{case.get('name')}")
        elif case.get("result") == "completed" and case.find("skipped") is None:
            passed += 1
    return passed, failed


def said_cases(output):
    """(passed, names of the failed) as a program says in its last line; (0, []) when it does not."""
    lines = output.strip().splitlines()
    said = re.match(r"(\d+) passed, (\d+) failed\.?$", lines[-1].strip()) if lines else None
    if not said:
        return 0, []
    return int(said.group(1)), [f"one of {said.group(2)}, see its output"] * int(said.group(2))


def main():
    folder = pathlib.Path(sys.argv[1])
    passed, failed = 0, []
    for test in xml.parse(folder / "ctest.xml").iter("testcase"):
        name, good = test.get("name"), test.get("status") == "run"
        report = folder / f"{name}.xml"
        if report.exists():
            cases, broken = gtest_cases(report)
        else:
            cases, broken = said_cases(test.findtext("system-out") or "")
        passed += cases or (1 if good else 0)
        failed += [f"{name}: {case}" for case in broken]
        if not good and not broken:
            failed.append(f"{name} (it crashed, hung or could not start)")
    for name in failed:
        print("failed:", name, file=sys.stderr)
    print(passed, len(failed))


main()
