"""Runs an example and compares what it prints with the comment in its source.

usage: run_example.py SOURCE PROGRAM

The source says what the program prints in one of two ways:
    // prints: 1225                one line; several such comments in a row are several lines

    // prints:                     several lines, each indented by two or more spaces;
    //   first                     the indentation of the first is taken off all
    //   second
A line that stands for anything (a time, say) is written as `...`.
"""

import subprocess
import sys


def expected_lines(source):
    """The lines that the comment promises, or None when there is no such comment."""
    with open(source, encoding="utf-8") as file:
        lines = file.read().splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith("// prints:")), None)
    if start is None:
        return None
    first = []
    while start < len(lines) and lines[start].startswith("// prints:"):
        first.append(lines[start][len("// prints:"):].strip())
        start += 1
    block = []
    for line in lines[start:]:
        if not line.startswith("//  "):
            break
        block.append(line[2:])
    indentation = min((len(line) - len(line.lstrip()) for line in block if line.strip()), default=0)
    return [line for line in first if line] + [line[indentation:].rstrip() for line in block]


def main():
    source, program = sys.argv[1:]
    expected = expected_lines(source)
    if expected is None:
        sys.exit(f"{source}: an example says what it prints in a comment that begins with `// prints:`.")
    result = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    printed = [line.rstrip() for line in result.stdout.decode("utf-8", "replace").splitlines()]
    same = len(printed) == len(expected) and all(e in ("...", p) for e, p in zip(expected, printed))
    if result.returncode == 0 and same:
        return
    print(f"{source}: the program ended with status {result.returncode}.")
    print("It should print:", *expected, sep="\n    ")
    print("It printed:", *printed, sep="\n    ")
    sys.exit(1)


main()
