"""C++ in a Markdown file is cut from a program that is compiled, never typed.

Before a ```cpp block stands `<!-- from tests/examples/NAME.cpp -->`, and the block is a part of that file, line
for line. Every C++ block of the README must have one.
"""

import re

BLOCK = re.compile(r"^```(?:cpp|c\+\+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"<!--\s*from\s+(\S+)\s*-->\s*\Z")


def check(tree):
    findings = []
    for source in tree.values():
        if not source.path.endswith(".md"):
            continue
        for block in BLOCK.finditer(source.text):
            line = source.text.count("\n", 0, block.start()) + 1
            sentence = wrong_block(tree, source, block)
            if sentence:
                findings.append((source.path, line, sentence))
    return findings


def wrong_block(tree, source, block):
    """The sentence about one block, or None when it may stand."""
    mark = MARK.search(source.text, 0, block.start())
    if not mark:
        if source.path != "README.md":
            return None
        return "a typed snippet rots: cut it from an example and say `<!-- from tests/examples/NAME.cpp -->` above it."
    origin = tree.get(mark.group(1))
    if not origin:
        return f"there is no file {mark.group(1)}."
    if "\n" + block.group(1) not in "\n" + origin.text:
        return f"the snippet is not, line for line, a part of {origin.path}: cut it again."
    return None
