"""The shape of the repository: its top-level folders, `#pragma once`, scripts that parse and can be run."""

import os
import subprocess

from . import sources

FOLDERS = {"runtime", "queues", "scheduler", "bench", "tests", "tools"}


def check(tree):
    findings = []
    for source in tree.values():
        top = source.path.split("/")[0]
        if "/" in source.path and top not in FOLDERS and not top.startswith("."):
            findings.append((source.path, 1, f"{top}/ is a new top-level folder: only {', '.join(sorted(FOLDERS))} are."))
        if source.is_header and "#pragma once" not in source.lines:
            findings.append((source.path, 1, "a header begins with `#pragma once`."))
        findings += wrong_script(source)
    return findings


def wrong_script(source):
    if not source.text.startswith("#!"):
        return []
    path = sources.ROOT / source.path
    findings = []
    if not os.access(path, os.X_OK):
        findings.append((source.path, 1, "a script that begins with #! is executable: chmod +x."))
    if "bash" in source.lines[0]:
        parse = subprocess.run(["bash", "-n", path], capture_output=True, text=True, check=False)
        if parse.returncode:
            findings.append((source.path, 1, f"bash cannot read it: {parse.stderr.strip()}"))
    return findings
