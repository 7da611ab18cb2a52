"""Files and functions stay small enough to be read."""

import re

FILE_LIMIT = 600
FUNCTION_LIMIT = 60
COUNTED = (".hpp", ".cpp", ".py", ".sh", ".go", ".cmake", "CMakeLists.txt")

NOT_A_FUNCTION = re.compile(r"^\W*(?:(?:export|inline|typedef|constexpr|static|extern)\s+)*"
                            r"(?:class|struct|union|enum|namespace|concept|extern)\b")


def check(tree):
    findings = []
    for source in tree.values():
        if source.path.endswith(COUNTED) and len(source.lines) > FILE_LIMIT:
            findings.append((source.path, FILE_LIMIT + 1, f"the file has {len(source.lines)} lines: cut it in two "
                             f"before it passes {FILE_LIMIT}."))
        if source.is_cpp:
            for name, first, last in functions(source):
                if last - first + 1 > FUNCTION_LIMIT:
                    findings.append((source.path, first, f"{name} has {last - first + 1} lines: give its parts names "
                                     f"before it passes {FUNCTION_LIMIT}."))
    return findings


def strip_brackets(text, opening, closing):
    """The text without the bracketed parts that hide what kind of thing is being defined."""
    previous = None
    while previous != text:
        previous = text
        text = re.sub(rf"{opening}[^{opening}{closing}]*{closing}", " ", text)
    return text


def opens_function(head):
    """Whether the text between the last `;` or brace and a `{` begins the body of a function."""
    head = re.sub(r"\balignas\s*\([^)]*\)|\[\[.*?\]\]", " ", head)
    head = strip_brackets(re.sub(r"->|<=>|<=|>=|<<|>>", " ", head), "<", ">")
    head = re.sub(r"\btemplate\b", " ", head)
    return "(" in head and not NOT_A_FUNCTION.match(head)


def functions(source):
    """(name, first line, last line) of every function body, lambdas inside it included. A heuristic."""
    depth, head, start, body_depth = 0, "", 1, None
    for number, line in enumerate(source.code, 1):
        if line.lstrip().startswith("#"):
            continue
        for character in line + "\n":
            if character in "{};":
                if character == "{":
                    if body_depth is None and opens_function(head):
                        name = re.search(r"([\w:~]+)\s*\(", head)
                        body_depth, opened = depth, (name.group(1) if name else "a function", start)
                    depth += 1
                elif character == "}":
                    depth -= 1
                    if body_depth is not None and depth <= body_depth:
                        body_depth = None
                        yield *opened, number
                head = ""
            else:
                if not head.strip():
                    start = number
                    head = ""
                head += character
