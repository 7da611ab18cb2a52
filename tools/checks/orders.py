"""Every order that synchronises names its edge, and every edge has both ends.

An edge is declared in the comment at the top of a file, `// E1  put (release) -> get (acquire): ...`, or, for a
Dekker pair, `// D1  ...`. Where an order stands in code, a comment on its line or on the three above names the
edge and the end: `// E1 publish`, `// E1 observe`, `// D1 store`, `// D1 load`; an operation that is both ends
says `// E1 publish, observe`, and a bare `// E1` is whatever the order itself can be. An edge of another file is
named with it: `// E3 observe in queues/waiter_hub.hpp`. A .cpp file may use the edges of its header. An edge of one
class may be declared above it instead, in the same form: `// E3  this (release) -> that (acquire): ...`.
"""

import re

from . import sources

# An order as an argument: `acquire` in load(acquire), and not in q.acquire(), acquire(n) or "acquire = 1".
ORDER = re.compile(r"(?<![\w.>:])(?:impl::|std::memory_order_|std::memory_order::)?"
                   r"(acquire|release|acq_rel|seq_cst)(?=\s*(?:[,):]|$))")
EDGE = re.compile(r"\b([ED]\d+)\b")
DECLARATION = re.compile(r"^\s*//\s{0,3}([ED]\d+)\b")
LATER_DECLARATION = re.compile(r"^\s*//\s{0,3}([ED]\d+)  \S.*->")  # above one class of a file
OTHER_FILE = re.compile(r"\b(?:in|of|see) ((?:(?:queues|scheduler|runtime)/)?\w+\.[hc]pp)")
ENDS = {"E": ("publish", "observe"), "D": ("store", "load")}
COMMENT_REACH = 3

EXEMPT = {"queues/atomic.hpp", "queues/atomic.cpp"}  # the door defines the orders


def concurrent_sources(tree):
    return [source for source in sources.layer_sources(tree) if source.path not in EXEMPT]


def check_orders(tree):
    findings = []
    for source in concurrent_sources(tree):
        for number, line in enumerate(source.code):
            orders = ORDER.findall(line)
            nearby = " ".join(source.comments[max(0, number - COMMENT_REACH):number + 1])
            named = {edge[0] for edge in EDGE.findall(nearby)}
            if orders and not named:
                findings.append((source.path, number + 1,
                                 f"`{orders[0]}` names no edge: add `// E1 publish`, `// E1 observe` or, in a "
                                 "Dekker pair, `// D1 store`, `// D1 load` on this line or just above."))
            elif "seq_cst" in orders and "D" not in named:
                findings.append((source.path, number + 1,
                                 "`seq_cst` is half of a Dekker pair: name it, `// D1 store` or `// D1 load`."))
    return findings


def declared_edges(source):
    """edge -> line of its declaration."""
    declared = {}
    for number, line in enumerate(source.comments, 1):
        pattern = DECLARATION if number <= source.header_comment_end else LATER_DECLARATION
        match = pattern.match(line)
        if match:
            declared.setdefault(match.group(1), number)
    return declared


def mentions(source):
    """(line, edge, the words about it, the other file named or None) for each edge named beside code."""
    for number, line in enumerate(source.comments, 1):
        if number <= source.header_comment_end or not EDGE.search(line) or LATER_DECLARATION.match(line):
            continue
        # A comment that a line break cut in two is read as one.
        following = source.comments[number] if number < len(source.comments) else ""
        more = following.strip() if not source.code[number - 1].strip() and following.strip() else ""
        text = line + " " + (more if not EDGE.search(more) else "")
        parts = EDGE.split(text)
        for edge, words in zip(parts[1::2], parts[2::2]):
            match = OTHER_FILE.search(words)
            other = match.group(1) if match else None
            if other and "/" not in other:
                other = f"{source.layer}/{other}"
            yield number, edge, words, other


def home_of(source, edge, other, declared):
    """The file that declares the edge which `source` names, or None."""
    candidates = [other] if other else [source.path, source.stem + ".hpp"]
    return next((path for path in candidates if edge in declared.get(path, {})), None)


def ends_by_order(source, number, kind):
    """The ends that the orders beside a mention can be, for a mention that does not say which it is."""
    for line in source.code[number - 1:number + COMMENT_REACH]:
        orders = set(ORDER.findall(line))
        if orders and kind == "D":
            wanted = {"store"} if ".store(" in line else {"load"} if ".load(" in line else {"store", "load"}
            return wanted if "seq_cst" in orders else set()
        if orders:
            both = bool(orders & {"acq_rel", "seq_cst"})
            return {end for end, order in (("publish", "release"), ("observe", "acquire")) if both or order in orders}
    return set()


def check_edges(tree):
    findings = []
    declared = {source.path: declared_edges(source) for source in concurrent_sources(tree)}
    ends, counts = {}, {}
    for source in concurrent_sources(tree):
        for number, edge, words, other in mentions(source):
            home = home_of(source, edge, other, declared)
            if not home:
                findings.append((source.path, number, f"{edge} is not declared in the comment at the top of "
                                 f"{other or source.path}: say there who publishes what to whom."))
                continue
            counts[home, edge] = counts.get((home, edge), 0) + 1
            seen = {end for end in ENDS[edge[0]] if end in words} or ends_by_order(source, number, edge[0])
            ends.setdefault((home, edge), set()).update(seen)
    for path, edges in declared.items():
        for edge, line in edges.items():
            missing = [end for end in ENDS[edge[0]] if end not in ends.get((path, edge), set())]
            if missing:
                findings.append((path, line, f"no code says `{edge} {missing[0]}`: an edge has both its ends in the "
                                 f"code, or is taken out here ({counts.get((path, edge), 0)} mentions)."))
    return findings
