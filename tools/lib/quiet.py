"""Whether anybody else used the processors while a measurement ran.

Everything that ran, from /proc/stat, minus what this process and its children used. The kernel counts in hundredths of
a second, so a run of a tenth of a second may be judged wrongly by that much: ALLOWED_S covers it.
"""

import os
import resource
import time

ALLOWED_S = 0.05  # of others' CPU time in one run, or
ALLOWED_SHARE = 0.05  # of its wall time, whichever is more
GLANCE_S = 0.1


def busy_s():
    """CPU time used so far by everything on this machine, stolen time included."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_s():
    """CPU time used so far by this process and by its children that have ended."""
    usages = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class Watch:
    """From construction on: what others used."""

    def __init__(self):
        self.wall, self.busy, self.own = time.monotonic(), busy_s(), own_s()

    def others_s(self):
        return max(0.0, busy_s() - self.busy - (own_s() - self.own))

    def disturbed(self):
        return self.others_s() > max(ALLOWED_S, ALLOWED_SHARE * (time.monotonic() - self.wall))


class Patience:
    """A budget of seconds for waiting until nobody else works, and for repeating runs that were disturbed."""

    def __init__(self, seconds):
        self.left = seconds

    def wait_for_quiet(self):
        while self.left > 0:
            watch = Watch()
            time.sleep(GLANCE_S)
            if watch.others_s() <= 0.2 * GLANCE_S:
                return
            self.left -= GLANCE_S

    def run(self, measure):
        """What `measure` returns, a dictionary, with `others_cpu_s` and `disturbed` added; repeated while the budget lasts."""
        while True:
            self.wait_for_quiet()
            watch = Watch()
            reading = measure()
            reading["others_cpu_s"] = round(watch.others_s(), 3)
            reading["disturbed"] = watch.disturbed()
            if not reading["disturbed"] or self.left <= 0:
                return reading
            self.left -= time.monotonic() - watch.wall
