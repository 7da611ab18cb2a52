"""What tools/bench prints: the machine, where we lose, the figures, and what they cost in processor time and memory."""

import statistics

EARLIER_RMW_NS = 5.0  # a locked read-modify-write on the machine where the goals and the leaders were measured
CLOSE = 1.05  # two figures that are nearer than this are close: the order of their medians may be chance
COLUMN = 14  # the width of a contender's column
CLOSE_ROUNDS = 15  # so many runs of each settle whether it is


class Cell:
    """The runs of one contender on one board."""

    def __init__(self, readings):
        self.errors = [reading["error"] for reading in readings if "error" in reading]
        self.skipped = [reading["skipped"] for reading in readings if "skipped" in reading]
        self.good = [reading for reading in readings if "error" not in reading and "skipped" not in reading]

    def quiet_runs(self):
        return [reading for reading in self.good if not reading.get("disturbed")]

    def median(self, name):
        values = [reading[name] for reading in self.good if reading.get(name) is not None]
        return statistics.median(values) if values else None

    @property
    def value(self):
        return None if self.errors else self.median("value")


def told_apart(ours, theirs):
    """Whether the runs of two contenders differ by more than chance: the rank test of Mann and Whitney, both sides, 5 %."""
    wins = sum((a > b) + 0.5 * (a == b) for a in ours for b in theirs)
    pairs = len(ours) * len(theirs)
    spread = (pairs * (len(ours) + len(theirs) + 1) / 12) ** 0.5
    return abs(wins - pairs / 2) > 1.96 * spread


class Row:
    """One board: everybody's figure, the goal and the best of the others."""

    def __init__(self, board, peers, readings, scale):
        self.board = board
        self.higher = board["better"] == "higher"
        self.cells = {peer: Cell(readings.get((board["board"], peer), [])) for peer in peers}
        self.leave_out_disturbed()
        self.goal = self.scaled(board.get("goal"), scale)
        rivals = {peer: cell.value for peer, cell in self.cells.items() if peer != "sluice" and cell.value is not None}
        if board.get("relative"):  # each figure is relative to another of the same contender, so it beats nobody else's
            rivals = {}
        self.best = (max if self.higher else min)(rivals, key=rivals.get) if rivals else None
        self.leader = self.estimate_leader(board.get("leader"))

    def leave_out_disturbed(self):
        """Only where every contender of the board has a run that nobody disturbed: otherwise all would not be equal."""
        measured = [cell for cell in self.cells.values() if cell.good]
        if all(cell.quiet_runs() for cell in measured):
            for cell in measured:
                cell.good = cell.quiet_runs()

    def scaled(self, goal, scale):
        if goal is None or not self.board.get("scale"):
            return goal
        return goal / scale if self.higher else goal * scale

    def estimate_leader(self, leader):
        """What the leader of the earlier table would do here: the yardstick's figure of this run, times their ratio."""
        yardstick = self.cells.get(leader["yardstick"]) if leader else None
        if not yardstick or yardstick.value is None:
            return None
        return yardstick.value * leader["ratio"]

    @property
    def ours(self):
        return self.cells["sluice"].value if "sluice" in self.cells else None

    def advantage(self, other):
        """How many times better than `other` we are; below 1 we lose."""
        if self.ours is None or other is None:
            return None
        if self.ours == other:
            return 1.0
        better, worse = (self.ours, other) if self.higher else (other, self.ours)
        return better / worse if worse else float("inf")

    def close_rivals(self):
        """The contenders whose figure is so near to ours that more runs have to tell who is ahead."""
        rivals = [] if self.board.get("relative") else [peer for peer in self.cells if peer != "sluice"]
        ratios = {peer: self.advantage(self.cells[peer].value) for peer in rivals}
        return [peer for peer, ratio in ratios.items() if ratio not in (None, 1) and 1 / CLOSE < ratio < CLOSE]

    def is_level(self):
        """Whether many runs of us and of the best contender do not tell which of the two is ahead."""
        if self.best not in self.close_rivals():
            return False
        ours, theirs = ([run["value"] for run in self.cells[peer].good] for peer in ("sluice", self.best))
        return min(len(ours), len(theirs)) >= CLOSE_ROUNDS * 2 // 3 and not told_apart(ours, theirs)

    def cpu_advantage(self):
        """The same per CPU-second, against whoever is best at that; and who it is."""
        if self.board["unit"] not in ("ns", "M/s"):
            return None, None
        work = {peer: cell.median("items_per_cpu_s") for peer, cell in self.cells.items()}
        rivals = {peer: value for peer, value in work.items() if peer != "sluice" and value}
        if not work.get("sluice") or not rivals:
            return None, None
        best = max(rivals, key=rivals.get)
        return work["sluice"] / rivals[best], best

    def standing(self):
        """One of: wrong, skipped, not measured, behind, level, behind the leader, short of the goal, ahead."""
        if "sluice" in self.cells and self.cells["sluice"].errors:
            return "wrong"
        if self.ours is None:
            return "skipped" if "sluice" in self.cells and self.cells["sluice"].skipped else "not measured"
        best = self.advantage(self.cells[self.best].value) if self.best else None
        if self.is_level():
            return "level"
        if best is not None and best < 1:
            return "behind"
        leader = self.advantage(self.leader)
        if leader is not None and leader < 1:
            return "behind the leader"
        goal = self.advantage(self.goal)
        return "short of the goal" if goal is not None and goal < 1 else "ahead"


def figure(value, width):
    if value is None:
        return " " * (width - 1) + "-"
    digits = 0 if value >= 1000 else 1 if value >= 100 else 2
    return f"{value:{width},.{digits}f}"


def heads(peers):
    return "".join(f"{peer:>{COLUMN}}" for peer in peers)


def figures(values):
    """One for each contender."""
    return "".join(figure(value, COLUMN) for value in values)


def ratio(value, width):
    return " " * (width - 1) + "-" if value is None else f"{value:{width - 1}.2f}x"


def print_machine(machine):
    print(f"{machine['machine']}, {machine['processors']} processors, {machine['memory']}, Linux {machine['kernel']}")
    print(f"{machine['time']}, load {machine['load']:.2f}, commit {machine['commit']}")
    print(f"{machine['compiler']}")
    libraries = [f"{name} {machine[name]}" for name in ("oneTBB", "moodycamel", "Boost.Fiber", "Asio") if name in machine]
    print(", ".join(libraries) + f", {machine['Go']}, Python {machine['python']}")
    if "crates" in machine:
        crates = [f"{name} {version}" for name, version in machine["crates"].items()]
        print(", ".join([f"rustc {machine['rustc']}", *crates]))
    transfer = machine["line_transfer_ns"]
    print(
        f"one locked read-modify-write {machine['locked_rmw_ns']:.2f} ns"
        + (f", one way of a cache line between two cores {transfer:.0f} ns" if transfer else "")
    )


def print_quietness(readings):
    runs = [reading for of_cell in readings.values() for reading in of_cell]
    disturbed = sum(bool(reading.get("disturbed")) for reading in runs)
    print(f"{len(runs)} runs, {disturbed} of them disturbed: something else used the processors meanwhile.")
    if disturbed:
        print("A board leaves disturbed runs out where every contender has others; tools/bench --patience waits longer.")
    if disturbed > len(runs) / 2:
        print("The machine was busy: wall times tell little, look at the items per CPU-second.")
    print()


def print_summary(rows):
    titles = [
        ("wrong", "Failed or gave a wrong answer"),
        ("behind", "Behind a contender of this run"),
        ("level", "Level with a contender of this run, whose runs and ours do not tell who is ahead"),
        ("behind the leader", "Ahead of this run's contenders, behind the leader as estimated (*)"),
        ("short of the goal", "Ahead of everybody, short of the goal"),
        ("ahead", "Ahead, goal met"),
        ("not measured", "Not measured with sluice"),
        ("skipped", "Skipped, for what stands below"),
    ]
    for standing, title in titles:
        names = [name_with_ratio(row, standing) for row in rows if row.standing() == standing]
        if names:
            print(f"{title}: {', '.join(names)}")
        if standing == "behind":
            print_cpu_losses(rows)
    print()


def print_cpu_losses(rows):
    losses = [(row.board["board"], *row.cpu_advantage()) for row in rows]
    names = [f"{name} ({value:.2f}x of {best})" for name, value, best in losses if value is not None and value < 1]
    if names:
        print(f"Behind a contender of this run per CPU-second: {', '.join(names)}")


def name_with_ratio(row, standing):
    name = row.board["board"]
    if standing in ("behind", "level"):
        return f"{name} ({row.advantage(row.cells[row.best].value):.2f}x of {row.best})"
    if standing == "behind the leader":
        return f"{name} ({row.advantage(row.leader):.2f}x of {row.board['leader']['name']})"
    if standing == "short of the goal":
        return f"{name} ({row.advantage(row.goal):.2f}x)"
    return name


def print_figures(rows, peers):
    head = f"{'board':<20}{'unit':>9}" + heads(peers)
    print(head + f"{'vs best':>10}{'goal':>10}{'vs goal':>10}{'leader*':>10}{'vs it':>8}")
    for row in rows:
        line = f"{row.board['board']:<20}{row.board['unit']:>9}"
        line += figures(row.cells[peer].value for peer in peers)
        line += ratio(row.advantage(row.cells[row.best].value) if row.best else None, 10)
        line += figure(row.goal, 10) + ratio(row.advantage(row.goal), 10)
        print(line + figure(row.leader, 10) + ratio(row.advantage(row.leader), 8))
    print(
        "Ratios: how many times better sluice is; below 1 it loses. (*) The best of an earlier, wider race that cannot be\n"
        "built here: this run's figure of its yardstick, times the ratio of the two in that race (bench/boards.json).\n"
        "Goals are scaled by the locked read-modify-write of this machine where they are times or rates.\n"
    )


def print_tails(rows, peers):
    names = [("p50_us", "us"), ("p99_us", "us"), ("p50_ms", "ms"), ("p99_ms", "ms")]
    lines = []
    for row in rows:
        for name, unit in names:
            if any(cell.median(name) is not None for cell in row.cells.values()):
                label = f"{row.board['board']} {name[:3]}"
                lines.append(f"{label:<22}{unit:>7}" + figures(row.cells[peer].median(name) for peer in peers))
    if lines:
        print("Lateness" + " " * 21 + heads(peers))
        print("\n".join(lines) + "\n")


def print_conditions(rows, peers):
    """What the boards of bad conditions found out beside their figure."""
    names = [
        ("matched_m_s", "M/s, a worker per processor"),
        ("crowd_m_s", "M/s, 64 workers"),
        ("matched_m_cpu_s", "M per CPU-s, a worker per processor"),
        ("crowd_m_cpu_s", "M per CPU-s, 64 workers"),
        ("processors_used", "processors used"),
        ("throttled_percent", "% of the periods cut short"),
    ]
    lines = []
    for row in rows:
        for name, title in names:
            if any(cell.median(name) is not None for cell in row.cells.values()):
                cells = figures(row.cells[peer].median(name) for peer in peers)
                lines.append(f"{row.board['board']:<21}{title:<36}{cells}")
    if lines:
        print(f"{'Under bad conditions':<57}" + heads(peers))
        print("\n".join(lines) + "\n")


def print_costs(rows, peers):
    print("M items per CPU-second" + " " * 7 + heads(peers) + "   vs best   peak memory, MB")
    for row in rows:
        if row.board["unit"] not in ("ns", "M/s"):
            continue
        work = {peer: row.cells[peer].median("items_per_cpu_s") for peer in peers}
        memory = [f"{row.cells[peer].median('peak_rss_mb') or 0:.0f}" for peer in peers]
        line = figures(None if value is None else value * 1e-6 for value in work.values())
        print(f"{row.board['board']:<29}{line}{ratio(row.cpu_advantage()[0], 10)}   {' '.join(memory)}")
    print()


def print_report(machine, boards, peers, readings):
    """Prints everything; returns whether anything failed."""
    rows = [Row(board, peers, readings, machine["locked_rmw_ns"] / EARLIER_RMW_NS) for board in boards]
    print_machine(machine)
    print_quietness(readings)
    print_summary(rows)
    print_figures(rows, peers)
    print_tails(rows, peers)
    print_conditions(rows, peers)
    print_costs(rows, peers)
    failed = False
    for row in rows:
        for peer, cell in row.cells.items():
            for error in cell.errors[:1]:
                failed = True
                print(f"{row.board['board']}, {peer}, {len(cell.errors)} runs: {error}")
            for reason in cell.skipped[:1]:
                print(f"{row.board['board']}, {peer}, skipped: {reason}")
    return failed
