"""What survives, each with its reason: tests/LAYER/survivors.txt; the top of the one for queues says how it is written."""

import sys


class Survivors:
    """The entries; each knows whether it was ever needed."""

    def __init__(self):
        self.entries = []  # [path, code or "*", mutant, reason, used, list:line]

    def reason(self, path, code, mutant):
        """Why `mutant` of the line `code` survives, or None. A line of its own goes before one for the whole file."""
        for whole_file in (False, True):
            for entry in self.entries:
                if entry[0] == path and entry[2] == mutant and entry[1] == ("*" if whole_file else code):
                    entry[4] = True
                    return entry[3]
        return None

    def idle(self):
        """A sentence for each entry that nothing needed."""
        return [f"{where}: `{mutant}` of `{code}` in {path} does not survive any more, or is gone: remove the entry."
                for path, code, mutant, _, used, where in self.entries if not used]


def read_all(root):
    """The lists of all layers."""
    survivors = Survivors()
    for path in sorted(root.glob("tests/*/survivors.txt")):
        read(path, str(path.relative_to(root)), survivors)
    return survivors


def read(path, name, survivors):
    file, code = None, None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.endswith((".hpp:", ".cpp:")) and not line.startswith(" "):
            file, code = text[:-1], None
        elif text.startswith("> "):
            code = " ".join(text[2:].split())
        elif file and code and ": " in text:
            mutants, reason = text.split(": ", 1)
            for mutant in mutants.split(", "):
                survivors.entries.append([file, code, mutant, reason, False, f"{name}:{number}"])
        else:
            print(f"{name}:{number}: this line is neither `folder/file:`, nor `> code`, nor "
                  "`mutant, mutant: reason` below such a pair.", file=sys.stderr)
            sys.exit(2)
