"""The operations and steps of the library, in the text of its sources: where they stand, and how a step is made switchable."""

import re

DOOR = re.compile(r"\.(load|store|exchange|compare_exchange_weak|compare_exchange_strong|fetch_\w+)\(|\bfutex::(wake)\(|(::model::kept)\(")
KINDS = {"load": "load", "store": "store", "wake": "wake", "::model::kept": "step",
         "compare_exchange_weak": "cas", "compare_exchange_strong": "cas"}
NO_STATEMENT = re.compile(
    r"\s*(return|using|typedef|static_assert|template|friend|co_\w+|throw|case|default|delete|new|for|while|do|else|struct"
    r"|class|enum|goto|namespace|auto|const|constexpr|static|explicit|virtual|inline|public|private|protected|assert)\b")
CALL = re.compile(r"(?:\(void\))?[A-Za-z_][\w:]*(?:<\w+>)?(?:(?:\.|->)[\w:]+|\((?:[^()]|\([^()]*\))*\)|\[[\w.]*\])*;$")
BEGINS_AFTER = re.compile(r"([;{})\]:]|\belse|\bdo)$")
EXEMPT = ("queues/atomic.hpp", "queues/atomic.cpp")  # the door itself


class Site:
    """An operation or step in the source."""

    def __init__(self, path, line, what, code=""):
        self.path, self.line, self.what, self.code = path, line, what, code

    @classmethod
    def reached(cls, fields):
        path, line, _column, what = fields[:4]
        return cls(path, int(line), what)

    @property
    def place(self):
        return f"{self.path}:{self.line}"


class Mutant:
    """One line of the searches."""

    def __init__(self, fields):
        self.path, line, column, self.what, self.change, fate, *rest = fields
        self.line, self.column = int(line), int(column)
        self.killed = fate == "killed"
        self.said = ": ".join(text for text in rest if text)
        self.code = ""

    @property
    def key(self):
        return (self.path, self.line, self.column, self.what, self.change)

    @property
    def place(self):
        return f"{self.path}:{self.line}"

    @property
    def name(self):
        return f"{self.what} {self.change}"


def code_line(source, line):
    """The code of a line without its comment, in single spaces: what the list of survivors quotes."""
    if line > len(source.code):
        return ""
    return " ".join(source.lines[line - 1][:len(source.code[line - 1].rstrip())].split())


def condition_end(text):
    """Behind the closing parenthesis of `if (...)`, or None."""
    depth = 0
    for at in range(text.index("("), len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return None


def is_step(code, before, after, classes):
    """Whether the line is one whole statement that can be left out: a call whose result nobody uses, or a check that leaves."""
    text = code.strip()
    if not text.endswith(";") or text.count("(") != text.count(")") or after.lstrip().startswith("else"):
        return False
    if before.strip() and not BEGINS_AFTER.search(before.rstrip()):
        return False
    if re.match(r"if (constexpr )?\(", text):
        end = condition_end(text)
        if end is None or text.startswith("if constexpr"):
            return False
        text = re.sub(r"^(\[\[\w+\]\])?\s*", "", text[end:])
        if re.match(r"(return\b.*|break|continue);$", text):
            return True
    if NO_STATEMENT.match(text) or not CALL.match(text):
        return False
    first = re.search(r"[\w:]+", text.removeprefix("(void)")).group()
    last = re.findall(r"(\w+)\(", re.sub(r"\((?:[^()]|\([^()]*\))*\)", "(", text))
    # A task's wake() is a step like any other; only the futex's is the door's.
    door = last and (last[-1] in ("load", "store") or last[-1].startswith(("fetch_", "exchange", "compare_exchange_")))
    return first not in classes and not first.startswith(("std::", "futex::")) and not door


def with_switches(source):
    """The text of `source` in which each step begins with `if (::model::kept())`. No line moves."""
    if source.path in EXEMPT:
        return source.text
    classes = set(re.findall(r"\b(?:class|struct)\s+(?:\[\[\w+\]\]\s+)?(\w+)", "\n".join(source.code)))
    lines = source.text.splitlines()
    code = [line.rstrip() for line in source.code]
    for number, line in enumerate(code):
        before = next((previous for previous in reversed(code[:number]) if previous.strip()), "")
        after = next((following for following in code[number + 1:] if following.strip()), "")
        if is_step(line, before, after, classes):
            indent = len(line) - len(line.lstrip())
            lines[number] = f"{line[:indent]}if (::model::kept()) {{ {lines[number][indent:len(line)]} }}"
    return "\n".join(lines) + "\n"


def in_text(path, text, original):
    """Every operation and step in the text of a copy."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if number <= len(original.code) and not original.code[number - 1].strip():
            continue
        code = line.split("//")[0]
        for match in DOOR.finditer(code):
            name = next(group for group in match.groups() if group)
            found.append(Site(path, number, KINDS.get(name, "rmw"), code_line(original, number)))
    return found


def any_at(place, copies, originals):
    """Whether anything that can be weakened or left out stands at a place; one that is misspelt has nothing to survive."""
    return any(site.place.startswith(place) for path, text in copies.items() if path not in EXEMPT
               for site in in_text(path, text, originals[path]))


def not_reached(copies, originals, reached):
    """The operations and steps that no model's threads came to."""
    left = {}
    for site in reached:
        left[site.place, site.what] = left.get((site.place, site.what), 0) + 1
    missed = []
    for path, text in sorted(copies.items()):
        if path in EXEMPT:
            continue
        for site in in_text(path, text, originals[path]):
            if left.get((site.place, site.what), 0) > 0:
                left[site.place, site.what] -= 1
            else:
                missed.append(site)
    return missed
