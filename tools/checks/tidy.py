"""clang-tidy, with the few checks of .clang-tidy."""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess

from . import sources

PROGRAM = "clang-tidy-19"


def check(tree):
    if not shutil.which(PROGRAM):
        return [("tools/check", 1, f"{PROGRAM} is missing: apt-get install {PROGRAM}.")]
    builds = [sources.ROOT / "build" / name for name in ("dev", "release")]
    build = next((build for build in builds if (build / "compile_commands.json").exists()), None)
    if not build:
        return [("tools/check", 1, "clang-tidy needs to know how files are compiled: cmake --preset dev.")]
    compiled = {entry["file"] for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))}
    paths = sorted(path for path in compiled if os.path.relpath(path, sources.ROOT) in tree)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        reports = list(pool.map(lambda path: report(build, path), paths))
    return sorted({finding for findings in reports for finding in findings})


def report(build, path):
    """The findings about one source and the headers of ours that it includes."""
    command = [PROGRAM, "--quiet", "-p", build, path]
    output = subprocess.run(command, cwd=sources.ROOT, capture_output=True, text=True, check=False).stdout
    lines = re.findall(r"^(\S+?):(\d+):\d+: (?:warning|error): (.*)$", output, re.MULTILINE)
    return [(os.path.relpath(os.path.realpath(sources.ROOT / name), sources.ROOT), int(line), sentence)
            for name, line, sentence in lines]
