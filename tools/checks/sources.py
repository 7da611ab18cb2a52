"""The source tree as the rules see it: every file of ours, and C++ with its comments told from its code."""

import functools
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYERS = ("queues", "scheduler", "runtime")

# Comments, strings and character literals, in the order in which they hide one another.
TOKENS = re.compile(
    r"//[^\n]*"
    r"|/\*.*?\*/"
    r'|R"(?P<raw>[^()\\\s]{0,16})\(.*?\)(?P=raw)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)


def blank(text):
    """The same text with everything but its line ends replaced by spaces."""
    return re.sub(r"[^\n]", " ", text)


class Source:
    """One file. `code` and `comments` have the lines and columns of `text`, each with the other blanked out."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.splitlines()

    @property
    def is_cpp(self):
        return self.path.endswith((".hpp", ".cpp"))

    @property
    def is_header(self):
        return self.path.endswith(".hpp")

    @property
    def layer(self):
        """The layer that the file belongs to, or None."""
        top = self.path.split("/")[0]
        return top if top in LAYERS else None

    @property
    def stem(self):
        """`queues/ring` for queues/ring.hpp and queues/ring.cpp."""
        return self.path.rsplit(".", 1)[0]

    @functools.cached_property
    def split(self):
        code, comments, end = [], [], 0
        for token in TOKENS.finditer(self.text):
            between = self.text[end:token.start()]
            is_comment = token.group().startswith(("//", "/*"))
            code += [between, blank(token.group())]
            comments += [blank(between), token.group() if is_comment else blank(token.group())]
            end = token.end()
        code.append(self.text[end:])
        comments.append(blank(self.text[end:]))
        return "".join(code).splitlines(), "".join(comments).splitlines()

    @property
    def code(self):
        return self.split[0]

    @property
    def comments(self):
        return self.split[1]

    @functools.cached_property
    def header_comment_end(self):
        """The number of lines at the top before the first line of code; includes and pragmas are not code."""
        for number, line in enumerate(self.code):
            if line.strip() and not line.lstrip().startswith("#"):
                return number
        return len(self.code)

    def includes(self):
        """(line number, included name, whether it stands in quotes) of each include."""
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if match:
                yield number, match.group(2), match.group(1) == '"'


def list_files():
    """Every file that belongs to the project: tracked, or new and not ignored; without git, all but build folders."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
        names = [name for name in listing.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
        names = [name for name in names if not re.match(r"(build|\.git|\.cache)(/|$|-)", name)]
    return sorted(name for name in set(names) if (ROOT / name).is_file())


def read_tree():
    """path -> Source of every text file of ours."""
    tree = {}
    for name in list_files():
        data = (ROOT / name).read_bytes()
        if b"\0" not in data:
            tree[name] = Source(name, data.decode("utf-8", "replace"))
    return tree


def layer_sources(tree):
    return [source for source in tree.values() if source.layer and source.is_cpp]
