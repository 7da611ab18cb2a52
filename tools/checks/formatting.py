"""clang-format has nothing to change."""

import concurrent.futures
import re
import shutil
import subprocess

from . import sources

PROGRAM = "clang-format-19"


def cpp_paths(tree):
    return [path for path, source in tree.items() if source.is_cpp]


def run(arguments):
    command = [PROGRAM, *arguments]
    return subprocess.run(command, cwd=sources.ROOT, capture_output=True, text=True, check=False)


def rewrite(tree):
    run(["-i", *cpp_paths(tree)])


def check(tree):
    if not shutil.which(PROGRAM):
        return [("tools/check", 1, f"{PROGRAM} is missing: run tools/setup.")]
    findings = {}
    paths = cpp_paths(tree)
    groups = [paths[start::8] for start in range(8) if paths[start::8]]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        results = pool.map(lambda group: run(["--dry-run", *group]).stderr, groups)
        for report in results:
            for path, line in re.findall(r"^(\S+?):(\d+):\d+: (?:warning|error):", report, re.MULTILINE):
                findings.setdefault(path, int(line))
    return [(path, line, "clang-format would change this file, from here on: tools/check --fix does it.")
            for path, line in findings.items()]
