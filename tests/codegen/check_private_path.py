"""The fork deque's private path has no locked instruction, as the compiler made it.

usage: check_private_path.py OBJDUMP OBJECT

OBJECT is private_path.cpp, compiled. Looked at are the instructions of each function itself: what is marked noinline in
fork_deque.hpp, and what is virtual in fork_lane.hpp, is the way of the few that find the private part empty or full. Only
those may be called. A function `control_*` has a locked instruction on purpose, and not to find it is a failure: so a checker
that sees nothing does not pass. Ends with `N passed, N failed`.
"""

import re
import subprocess
import sys

PATHS = ["path_push", "path_pop", "path_pop_if", "path_fork", "path_take_back", "path_fork_call", "path_take_call_back"]
CONTROLS = ["control_add", "control_exchange", "control_compare", "control_publish"]

# Instructions that read, modify and write, or wait until stores are seen; and aarch64's helpers that do so out of line.
LOCKED = re.compile(
    r"^(?:lock\b|xchg[bwlq]?\s.*[(\[]|[msl]fence\b"
    r"|ldaxr|ldxr|stlxr|stxr|ldaxp|ldxp|stlxp|stxp|cas|swp|ld(?:add|clr|eor|set|[su]max|[su]min)a?l?[bh]?\s|dmb\b|dsb\b)"
    r"|__aarch64_(?:cas|swp|ld)")
CALL = re.compile(r"^(?:call|jmp|b|bl|j\w+|b\.\w+|cbn?z|tbn?z)\b")
MAY_CALL = re.compile(r"7reclaim|9room_left")  # noinline, by their mangled names

# The pattern is tried on both processors' instructions, whichever this is.
KNOWN = [
    ("lock xadd %rax,(%rdi)", True), ("lock cmpxchg %rcx,(%rdi)", True), ("lock orl $0x0,-0x40(%rsp)", True),
    ("xchg   %rax,(%rdi)", True), ("xchg   rax, qword ptr [rdi]", True), ("mfence", True),
    ("xchg   %ax,%ax", False), ("mov    %rsi,(%rdi)", False), ("cmpxchg_like", False),
    ("ldxr x8, [x0]", True), ("stlxr w9, x8, [x0]", True), ("ldaddal x1, x0, [x2]", True), ("ldclrb w1, w0, [x2]", True),
    ("swpal x1, x0, [x2]", True), ("casal x1, x0, [x2]", True), ("dmb ish", True),
    ("bl 0 <__aarch64_ldadd8_relax>", True), ("ldr x8, [x0]", False), ("ldp x8, x9, [x0]", False),
    ("str x8, [x0]", False), ("ldadd_like", False), ("lea    (%rdi,%rax,8),%rcx", False),
]


def functions(listing):
    """name -> its instructions and relocations; the cold part that g++ splits off belongs to its function."""
    found, into = {}, None
    for line in listing.splitlines():
        head = re.match(r"[0-9a-f]+ <([^>]+)>:$", line)
        if head:
            into = found.setdefault(head.group(1).split(".cold")[0], [])
            continue
        relocation = re.match(r"\s*[0-9a-f]+:\s+R_\w+\s+(\S+)", line)
        instruction = re.match(r"\s*[0-9a-f]+:\s+(\S.*)$", line)
        if into is not None and relocation:
            into.append(("to", relocation.group(1)))
        elif into is not None and instruction:
            into.append(("do", instruction.group(1).strip()))
    return found


def locked(code):
    return [text for _, text in code if LOCKED.search(text)]


def foreign_calls(name, code):
    """Named functions that are called or jumped to, other than the slow ones: they are not seen here, so must not be there."""
    calls = []
    for (kind, instruction), (following, target) in zip(code, [*code[1:], ("end", "")]):
        if kind != "do" or not CALL.match(instruction):
            continue
        said = re.search(r"<([^>+]+)", instruction)
        to = target if following == "to" else said.group(1) if said else ""  # neither: through a pointer, so virtual
        here = to.startswith((name, ".text"))  # within the function, from hot to cold and back
        if to and not here and not MAY_CALL.search(to):
            calls.append(f"{instruction} -> {to}")
    return calls


def complaint_of(name, code):
    if not code or not any(kind == "do" for kind, _ in code):
        return "there are no instructions of it in the object"
    if name in CONTROLS:
        return None if locked(code) else "has a locked instruction, which was not found"
    if locked(code):
        return "has a locked instruction: " + "; ".join(locked(code))
    calls = foreign_calls(name, code)
    return "calls what is no slow path: " + "; ".join(calls) if calls else None


def main():
    objdump, target = sys.argv[1:]
    listing = subprocess.run([objdump, "--disassemble", "--reloc", "--no-show-raw-insn", target], capture_output=True,
                             text=True, check=True).stdout
    found = functions(listing)
    passed, failed = 0, 0
    for text, expected in KNOWN:
        if bool(LOCKED.search(text)) == expected:
            passed += 1
        else:
            failed += 1
            print(f"`{text}` was {'not ' if expected else ''}taken for a locked instruction")
    for name in PATHS + CONTROLS:
        complaint = complaint_of(name, found.get(name))
        if complaint is None:
            passed += 1
        else:
            failed += 1
            print(f"{name} {complaint}")
            print("".join(f"    {kind} {text}\n" for kind, text in found.get(name, [])))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
