"""The main job, watched: runs sluice-sum over some paths, has its manifest checked, and races it.

usage: main_job.py SCRATCH SLUICE_SUM PATH...

Writes what is to be said at the end into SCRATCH/summary, unless no file was hashed. Exit status: 0 all well; 1
something is wrong (a file could not be read, the manifest is not right); more when the run was stopped.
"""

import os
import pathlib
import re
import resource
import shlex
import signal
import statistics
import subprocess
import sys
import time

ROUNDS = 3
LONG_ROUND_S = 20  # a first run longer than this is raced once only
LEAST_RACE_S = 1.0  # where every contender is faster than this, starting up is most of what they do


def watched(command):
    """Runs it, passes its stderr on as it comes, and gives (exit status, the end of its stderr)."""
    end = b""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while piece := os.read(process.stderr.fileno(), 65536):
            sys.stderr.buffer.write(piece)
            sys.stderr.flush()
            end = (end + piece)[-4096:]
    return process.returncode, end.decode(errors="replace")


def errors_said(report):
    """What the last line of sluice-sum's report says: how many files, directories and the like it had to leave out."""
    found = re.search(r"^  ([\d,]+) errors?$", report, re.MULTILINE)
    return int(found[1].replace(",", "")) if found else 0


def measured(command):
    """(exit status, wall seconds, CPU seconds of it and everything it started)."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    status = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
    end_if_stopped(status)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return status, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def end_if_stopped(status):
    if status in (130, 143, -signal.SIGINT, -signal.SIGTERM):
        print("run: stopped.")
        sys.exit(130)


def pipeline(program, paths, output):
    """The usual way to do this job: find, xargs on every processor, and a program that hashes."""
    cpus = len(os.sched_getaffinity(0))
    quoted = " ".join(shlex.quote(path) for path in paths)
    xargs = f"xargs -0 -r -n 64 -P {cpus} {program}"
    return ["bash", "-c", f"find {quoted} -type f -print0 | {xargs} > {shlex.quote(str(output))}"]


def sorted_lines(path):
    return sorted(path.read_bytes().splitlines())


def verify(scratch, manifest, paths):
    """Has every line checked, and compared with sha256sum's own: a sentence, and whether all is well."""
    check = ["sha256sum", "--check", "--strict", "--quiet", str(manifest)]
    checked = subprocess.run(check, check=False).returncode == 0
    reference = scratch / "sha256sum.manifest"
    # One process at a time, so that no two write into one line.
    quoted = " ".join(shlex.quote(path) for path in paths)
    script = f"find {quoted} -type f -print0 | xargs -0 -r sha256sum > {shlex.quote(str(reference))}"
    subprocess.run(["bash", "-c", script], stderr=subprocess.DEVNULL, check=False)
    ours, theirs = sorted_lines(manifest), sorted_lines(reference)
    said = f"sha256sum -c {'accepts' if checked else 'REJECTS'} all {len(ours)} lines of the manifest"
    if ours == theirs:
        return said + ", which are the same as its own", checked
    strange = len(set(theirs) - set(ours))
    return f"{said}; sha256sum itself writes {len(theirs)} lines, of which {strange} are not ours", False


def race(contenders, rounds):
    """name -> (median wall, median CPU); the contenders take turns, so that all meet the same machine."""
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, command in contenders.items():
            status, wall, cpu = measured(command)
            if status not in (0, 1, 123):  # 1, 123: a file that cannot be read, which all of them report
                sys.exit(f"run: {name} ended with status {status}.")
            times[name].append((wall, cpu))
    return {name: tuple(statistics.median(column) for column in zip(*rows)) for name, rows in times.items()}


def hash_first(program, paths, manifest):
    """The job itself: (whether it was all done, its wall seconds, how many errors it counted)."""
    job = [program, "--output", str(manifest), *paths]
    print(f"run: {shlex.join(job)}", flush=True)
    if sys.stderr.isatty():  # what it writes to is our pipe, and so it has to be told
        job.insert(1, "--progress=always")
    start = time.monotonic()
    status, report = watched(job)
    end_if_stopped(status)
    if status not in (0, 1):
        print(f"run: sluice-sum ended with status {status}.")
        sys.exit(max(status, 2) if status > 0 else 128 - status)
    return status == 0, time.monotonic() - start, errors_said(report)


def main():
    scratch, program, paths = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    signal.signal(signal.SIGINT, lambda *_: None)  # sluice-sum hears it too, and ends in its own way
    manifest = scratch / "manifest"
    whole, first_wall, errors = hash_first(program, paths, manifest)
    if manifest.stat().st_size == 0:
        print("run: 0 files were hashed: there is nothing to check and nothing to race.")
        sys.exit(0 if whole else 1)

    print("run: checking the manifest", flush=True)
    verdict, good = verify(scratch, manifest, paths)
    rounds = 1 if first_wall > LONG_ROUND_S else ROUNDS
    print(f"run: {verdict}\nrun: racing openssl and sha256sum, {rounds} times each", flush=True)
    results = race_quietly(scratch, program, paths, rounds)
    summary = [f"  {verdict}", *report(results)]
    if not whole:
        summary.append(f"  {left_out(errors)}: sluice-sum named each as it met it, above")
    (scratch / "summary").write_text("\n".join(summary) + "\n", encoding="utf-8")
    sys.exit(0 if good and whole else 1)


def left_out(errors):
    things = "1 file or directory" if errors == 1 else f"{errors} files or directories"
    return things + " could not be hashed"


def race_quietly(scratch, program, paths, rounds):
    """The race, with all that the contenders say in SCRATCH/race.log."""
    contenders = {
        "sluice-sum": [program, "--output", str(scratch / "again"), *paths],
        "openssl": pipeline("openssl dgst -sha256 -r", paths, scratch / "openssl.out"),
        "sha256sum": pipeline("sha256sum", paths, scratch / "sha256sum.out"),
    }
    with open(scratch / "race.log", "wb") as log:
        sys.stdout.flush()
        saved = os.dup(1), os.dup(2)
        os.dup2(log.fileno(), 1), os.dup2(log.fileno(), 2)
        try:
            return race(contenders, rounds)
        finally:
            os.dup2(saved[0], 1), os.dup2(saved[1], 2)


def report(results):
    """Prints the table; returns the lines of the summary that compare."""
    wall, cpu = results["sluice-sum"]
    little = max(their_wall for their_wall, _ in results.values()) < LEAST_RACE_S
    print(f"\n{'':12}{'wall s':>10}{'CPU s':>10}{'' if little else '    sluice-sum is at'}")
    said = []
    for name, (their_wall, their_cpu) in results.items():
        ratios = ""
        if name != "sluice-sum" and not little:
            ratios = f"{wall / their_wall:.2f}x wall, {cpu / their_cpu:.2f}x CPU"
            said.append(f"  beside find | xargs {name}: {ratios} (less than 1 is better)")
        print(f"{name:12}{their_wall:10.2f}{their_cpu:10.2f}   {ratios}".rstrip())
    return said or [f"  too little for a comparison: give it more files, for runs of {LEAST_RACE_S:.0f} s and more"]


main()
