"""Words that do not belong into a repository: paths of one machine, promises to do things later."""

import re

EVERYWHERE = {
    r"(?<![\w.$}~-])/(?:work|home|root|Users|tmp/[\w-]+)/": "a path of one machine; take it from the environment or an argument",
    r"\.\./shared\b": "a path outside of the repository",
    r"\b(?:TODO|FIXME|XXX)\b": "finish it, or write an issue",
}
IN_SOURCES = {
    r"(?i)\b(?:stubs?|stubbed)\b": "build the real thing",
    r"(?i)\bnot (?:yet )?implemented\b": "build it, or leave the name away",
    r"(?i)\bplaceholder\b": "build the real thing",
}
SOURCES = (".hpp", ".cpp", ".go")
EXEMPT = {"tools/checks/words.py", "LICENSE"}


def check(tree):
    findings = []
    for source in tree.values():
        if source.path in EXEMPT:
            continue
        rules = {**EVERYWHERE, **(IN_SOURCES if source.path.endswith(SOURCES) else {})}
        for number, line in enumerate(source.lines, 1):
            for pattern, advice in rules.items():
                match = re.search(pattern, line)
                if match:
                    findings.append((source.path, number, f"`{match.group().strip()}`: {advice}."))
    return findings
