"""Who may include what, and that every atomic goes through the door."""

import re

from . import sources

BELOW = {layer: sources.LAYERS[:height + 1] for height, layer in enumerate(sources.LAYERS)}

# The only way out of a layer: in a model build the door belongs to the checker.
ALLOWED_INCLUDES = {("queues/atomic.hpp", "sluice/model/door.hpp")}

# What a public header may include besides the standard library and sluice: the C library and the kernel.
SYSTEM_HEADER = re.compile(
    r"(linux/\w+|sys/\w+|arpa/inet|dlfcn|errno|fcntl|netdb|netinet/\w+|poll|pthread|sched|signal|spawn|time|unistd)\.h$")

# What belongs to the door: pattern -> what to do instead.
BEHIND_THE_DOOR = {
    r"std::atomic\w*": "use sluice::impl::atomic of queues/atomic.hpp, so that the models see it",
    r"std::memory_order\w*": "use the short orders of queues/atomic.hpp",
    r"\batomic_(?:thread|signal)_fence\b": "thread sanitizer cannot see a fence; put the order on an operation",
    r"\bvolatile\b": "volatile orders nothing between threads; use sluice::impl::atomic",
    r"\b__(?:atomic|sync)_\w+": "use sluice::impl::atomic of queues/atomic.hpp",
    r"std::(?:recursive_|timed_|recursive_timed_|shared_|shared_timed_)?mutex\b": "no lock in the library",
    r"std::(?:lock_guard|unique_lock|scoped_lock|shared_lock|call_once|once_flag)\b": "no lock in the library",
    r"std::condition_variable\w*": "it loses wakeups in this glibc; sleep on futex of queues/atomic.hpp",
    r"std::(?:counting_semaphore|binary_semaphore|latch|barrier)\b": "sleep on futex of queues/atomic.hpp",
    r"\bpthread_(?:mutex|cond|rwlock|spin|barrier|once)\w*": "sleep on futex of queues/atomic.hpp",
    r"\bSYS_futex\b": "use futex of queues/atomic.hpp",
}

# The door itself. Anything else that must be here says why.
DOOR = {"queues/atomic.hpp", "queues/atomic.cpp"}


def check_includes(tree):
    findings = []
    for source in sources.layer_sources(tree):
        for line, name, quoted in source.includes():
            if (source.path, name) in ALLOWED_INCLUDES:
                continue
            if quoted:
                sentence = f'"{name}" escapes the layers: write #include <sluice/...>.'
            else:
                sentence = wrong_include(source, name)
            if sentence:
                findings.append((source.path, line, sentence))
    return findings


def wrong_include(source, name):
    """The sentence about an include in angle brackets, or None when it may stand."""
    if name.startswith("sluice/"):
        target = name.split("/")[1]
        if target in BELOW[source.layer]:
            return None
        return f"{source.layer}/ may not include <{name}>: it sees only {', '.join(BELOW[source.layer])}."
    standard = "." not in name and "/" not in name
    if source.is_header and not standard and not SYSTEM_HEADER.match(name):
        return f"<{name}> is a third party's: a public header may not show it. Include it in a .cpp file."
    return None


def check_door(tree):
    findings = []
    for source in sources.layer_sources(tree):
        if source.path in DOOR:
            continue
        for number, line in enumerate(source.code, 1):
            for pattern, advice in BEHIND_THE_DOOR.items():
                match = re.search(pattern, line)
                if match:
                    findings.append((source.path, number, f"`{match.group()}` is behind the door: {advice}."))
    return findings
