"""Tests mirror sources: queues/ring.hpp has tests/queues/ring_test.cpp and, if it uses atomics, ring_model.cpp
(every interleaving, through the checker) and ring_stress.cpp (real threads).

A test that covers more than its own twin says so in a comment of its own line: `// tests: queues/errors.hpp`,
`// models: queues/ring.hpp, queues/queue.hpp`, `// stresses: queues/ring.hpp`.
"""

import re

from . import sources

KINDS = {
    "test": ("tests", "a test"),
    "model": ("models", "a model, because it uses atomics"),
    "stress": ("stresses", "a stress test, because it uses atomics"),
}

DOOR = "queues/atomic"  # a model build puts the checker in its place, and every stress test goes through it

# An atomic that lives here; one that is only passed by reference or pointer is somebody else's.
HAS_AN_ATOMIC = re.compile(r"\batomic<(?:[^<>]|<[^<>]*>)*>(?!\s*[&*])")


def covered(tree, kind):
    """The stems (`queues/ring`) that some test of this kind covers, by its name or by its word."""
    verb = KINDS[kind][0]
    stems = set()
    for source in tree.values():
        if not source.path.startswith("tests/") or not source.is_cpp:
            continue
        twin = re.match(rf"tests/(?:\w+/)*?((?:{'|'.join(sources.LAYERS)})/\w+)_{kind}\.cpp$", source.path)
        if twin:
            stems.add(twin.group(1))
        for line in source.comments:
            said = re.match(rf"\s*//\s*{verb}:(.*)", line)
            if said:
                stems.update(path.rsplit(".", 1)[0] for path in re.findall(r"\w+/\w+\.[hc]pp", said.group(1)))
    return stems


def check(tree):
    units = {}
    for source in sources.layer_sources(tree):
        units.setdefault(source.stem, []).append(source)
    cover = {kind: covered(tree, kind) for kind in KINDS}
    findings = []
    for stem, files in units.items():
        kinds = ["test"]
        if stem != DOOR and any(HAS_AN_ATOMIC.search(line) for source in files for line in source.code):
            kinds += ["model", "stress"]
        for kind in kinds:
            if stem not in cover[kind]:
                verb, what = KINDS[kind]
                path = files[-1].path
                findings.append((path, 1, f"it needs {what}: write tests/{stem}_{kind}.cpp, or say "
                                 f"`// {verb}: {path}` in the one that covers it."))
    return findings
