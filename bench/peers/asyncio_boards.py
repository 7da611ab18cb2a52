#!/usr/bin/env python3
"""The boards on asyncio: the same shapes and JSON lines as bench/boards, ten to fifty times fewer items.

One thread, the stock event loop. Each board checks its own answer.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import sys
import threading
import time
from collections.abc import Awaitable, Callable

SPAWN_BATCH, YIELD_TASKS = 1000, 1000
FULL, QUICK, WARM_UP = 1, 5, 50

Board = Callable[[int], Awaitable[dict]]
BOARDS: dict[str, tuple[Board, bool]] = {}


def scaled(effort: int, total: int, granule: int = 1) -> int:
    return max(total // effort // granule, 1) * granule


def sum_to(n: int) -> int:
    return n * (n + 1) // 2


def check_equal(what: str, got: int, expected: int) -> None:
    if got != expected:
        raise AssertionError(f"Wrong answer: {what} is {got} and should be {expected}.")


def quantile(samples: list[float], q: float) -> float:
    return sorted(samples)[min(len(samples) - 1, int(q * len(samples)))]


class Stopwatch:
    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def ns_per_item(self, items: int) -> dict:
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        return {"value": wall / items * 1e9, "unit": "ns", "items": items, "wall_s": wall, "cpu_s": cpu}

    def millions_per_s(self, items: int) -> dict:
        reading = self.ns_per_item(items)
        return reading | {"value": 1e3 / reading["value"], "unit": "M/s"}


def board(name: str, warm: bool = True) -> Callable[[Board], Board]:
    def list_it(function: Board) -> Board:
        BOARDS[name] = (function, warm)
        return function

    return list_it


@board("spawn_join")
async def spawn_join(effort: int) -> dict:
    total = scaled(effort, 100_000, SPAWN_BATCH)
    slots = [0] * SPAWN_BATCH

    async def fill(i: int) -> None:
        slots[i] = i + 1

    found = 0
    watch = Stopwatch()
    for _ in range(total // SPAWN_BATCH):
        tasks = [asyncio.create_task(fill(i)) for i in range(SPAWN_BATCH)]
        for task in tasks:
            await task
        found += sum(slots)
        slots[:] = [0] * SPAWN_BATCH
    reading = watch.ns_per_item(total)
    check_equal("the sum over all tasks", found, total // SPAWN_BATCH * sum_to(SPAWN_BATCH))
    return reading


@board("spawn_await")
async def spawn_await(effort: int) -> dict:
    total = scaled(effort, 50_000)

    async def same(i: int) -> int:
        return i

    found = 0
    watch = Stopwatch()
    for i in range(1, total + 1):
        found += await asyncio.create_task(same(i))
    reading = watch.ns_per_item(total)
    check_equal("the sum over all tasks", found, sum_to(total))
    return reading


@board("yield")
async def yield_board(effort: int) -> dict:
    total = scaled(effort, 500_000, YIELD_TASKS)
    finished = 0

    async def take_turns() -> None:
        nonlocal finished
        for _ in range(total // YIELD_TASKS):
            await asyncio.sleep(0)
        finished += 1

    watch = Stopwatch()
    await asyncio.gather(*(take_turns() for _ in range(YIELD_TASKS)))
    reading = watch.ns_per_item(total)
    check_equal("the number of finished tasks", finished, YIELD_TASKS)
    return reading


@board("ping_pong")
async def ping_pong(effort: int) -> dict:
    total = scaled(effort, 50_000)
    there: asyncio.Queue[int] = asyncio.Queue(1)
    back: asyncio.Queue[int] = asyncio.Queue(1)

    async def answer() -> None:
        for _ in range(total):
            await back.put(await there.get() + 1)

    found = 0
    watch = Stopwatch()
    other = asyncio.create_task(answer())
    for i in range(total):
        await there.put(i)
        found += await back.get()
    await other
    reading = watch.ns_per_item(total)
    check_equal("the sum of the answers", found, sum_to(total))
    return reading


@board("switch")
async def switch(effort: int) -> dict:
    reading = await ping_pong(effort)
    return reading | {"value": reading["value"] / 2, "items": 2 * reading["items"]}


def queue_board(capacity: int, producers: int, consumers: int) -> Board:
    async def run(effort: int) -> dict:
        total = scaled(effort, 204_800 if capacity > 1 else 51_200, 64)
        per_producer, per_consumer = total // producers, total // consumers
        items: asyncio.Queue[int] = asyncio.Queue(capacity)

        async def produce(first: int) -> None:
            for i in range(1, per_producer + 1):
                await items.put(first + i)

        async def consume() -> int:
            mine = 0
            for _ in range(per_consumer):
                mine += await items.get()
            return mine

        watch = Stopwatch()
        getters = [asyncio.create_task(consume()) for _ in range(consumers)]
        await asyncio.gather(*(produce(p * per_producer) for p in range(producers)))
        found = sum([await getter for getter in getters])
        reading = watch.millions_per_s(total)
        check_equal("the sum of the items", found, sum_to(total))
        return reading

    return run


for capacity in (1024, 16, 1):
    for producers, consumers in ((1, 1), (4, 1), (4, 4), (64, 64)):
        BOARDS[f"queue.{capacity}.{producers}p{consumers}c"] = (queue_board(capacity, producers, consumers), True)


@board("queue.pair.try")
async def pair_try(effort: int) -> dict:
    total = scaled(effort, 500_000)
    items: asyncio.Queue[int] = asyncio.Queue(1024)
    found = 0
    watch = Stopwatch()
    for i in range(1, total + 1):
        items.put_nowait(i)
        found += items.get_nowait()
    reading = watch.ns_per_item(total)
    check_equal("the sum of the items", found, sum_to(total))
    return reading


@board("queue.pair.await")
async def pair_await(effort: int) -> dict:
    total = scaled(effort, 500_000)
    items: asyncio.Queue[int] = asyncio.Queue(1024)
    found = 0
    watch = Stopwatch()
    for i in range(1, total + 1):
        await items.put(i)
        found += await items.get()
    reading = watch.ns_per_item(total)
    check_equal("the sum of the items", found, sum_to(total))
    return reading


@board("pipeline")
async def pipeline(effort: int) -> dict:
    """A queue of 10, one producer, three consumers; each item is reported done, and the producer joins the queue."""
    total = scaled(effort, 200_000)
    jobs: asyncio.Queue[int] = asyncio.Queue(10)
    found = 0

    async def consume() -> None:
        nonlocal found
        while True:
            found += await jobs.get()
            jobs.task_done()

    watch = Stopwatch()
    consumers = [asyncio.create_task(consume()) for _ in range(3)]
    for i in range(1, total + 1):
        await jobs.put(i)
    await jobs.join()
    for consumer in consumers:
        consumer.cancel()
    await asyncio.gather(*consumers, return_exceptions=True)
    reading = watch.millions_per_s(total)
    check_equal("the sum of the items", found, sum_to(total))
    return reading


def semaphore_board(tasks: int, permits: int, hold: bool, full: int) -> Board:
    async def run(effort: int) -> dict:
        total = scaled(effort, full, tasks)
        free = asyncio.Semaphore(permits)
        inside = most = acquired = 0

        async def work() -> None:
            nonlocal inside, most, acquired
            for _ in range(total // tasks):
                async with free:
                    if hold:
                        inside += 1
                        most = max(most, inside)
                        await asyncio.sleep(0)
                        inside -= 1
            acquired += total // tasks

        watch = Stopwatch()
        await asyncio.gather(*(work() for _ in range(tasks)))
        reading = watch.ns_per_item(total)
        check_equal("the number of acquisitions", acquired, total)
        if most > permits:
            check_equal("the most holders at once", most, permits)
        return reading

    return run


BOARDS["semaphore.await"] = (semaphore_board(1, 1, False, 500_000), True)
BOARDS["semaphore.8t1p"] = (semaphore_board(8, 1, False, 400_000), True)
BOARDS["semaphore.64t4p"] = (semaphore_board(64, 4, True, 64_000), True)


@board("fork_join.fib")
async def fib_board(effort: int) -> dict:
    n, value, calls = (19, 4181, 13529) if effort != WARM_UP else (8, 21, 67)

    async def fib(n: int) -> int:
        if n < 2:
            return n
        other = asyncio.create_task(fib(n - 1))
        return await fib(n - 2) + await other

    watch = Stopwatch()
    found = await fib(n)
    reading = watch.ns_per_item(calls)
    check_equal("fib(n)", found, value)
    return reading


@board("fork_join.skynet")
async def skynet_board(effort: int) -> dict:
    top = 10_000 if effort != WARM_UP else 100

    async def skynet(first: int, width: int) -> int:
        if width == 1:
            return first
        part = width // 10
        return sum(await asyncio.gather(*(skynet(first + i * part, part) for i in range(10))))

    watch = Stopwatch()
    found = await skynet(0, top)
    reading = watch.ns_per_item((top * 10 - 1) // 9)
    check_equal("the sum of the leaves", found, sum_to(top - 1))
    return reading


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


async def park(total: int, gate: asyncio.Event) -> list[asyncio.Task]:
    tasks = [asyncio.create_task(gate.wait()) for _ in range(total)]
    await asyncio.sleep(0)
    return tasks


@board("parked.memory", warm=False)
async def parked_memory(effort: int) -> dict:
    total = scaled(effort, 100_000, 1000)
    gate = asyncio.Event()
    watch = Stopwatch()
    before = resident_bytes()
    tasks = await park(total, gate)
    after = resident_bytes()
    reading = watch.ns_per_item(total)
    gate.set()
    check_equal("the number of woken tasks", sum(await asyncio.gather(*tasks)), total)
    return reading | {"value": (after - before) / total, "unit": "bytes"}


@board("parked.wake", warm=False)
async def parked_wake(effort: int) -> dict:
    total = scaled(effort, 100_000, 1000)
    gate = asyncio.Event()
    tasks = await park(total, gate)
    watch = Stopwatch()
    gate.set()
    woken = 0
    for task in tasks:
        woken += await task
    reading = watch.ns_per_item(total)
    check_equal("the number of woken tasks", woken, total)
    return reading


@board("timers.100k", warm=False)
async def timers(effort: int) -> dict:
    total = 100_000
    chance = random.Random(7)
    delays = [0.001 + chance.random() * 0.999 for _ in range(total)]
    late: list[float] = []

    async def sleeper(delay: float) -> None:
        due = time.monotonic() + delay
        await asyncio.sleep(delay)
        late.append((time.monotonic() - due) * 1e3)

    watch = Stopwatch()
    await asyncio.gather(*(sleeper(delay) for delay in delays))
    reading = watch.ns_per_item(total)
    check_equal("the number of woken tasks", len(late), total)
    return reading | {
        "value": reading["cpu_s"],
        "unit": "CPU s",
        "p50_ms": quantile(late, 0.5),
        "p99_ms": quantile(late, 0.99),
    }


async def wake_reading(watch: Stopwatch, items: asyncio.Queue[int], total: int) -> dict:
    late = []
    for _ in range(total):
        sent = await items.get()
        late.append((time.perf_counter_ns() - sent) * 1e-3)
    p50, p99 = quantile(late, 0.5), quantile(late, 0.99)
    return watch.ns_per_item(total) | {"value": p50, "unit": "us", "p50_us": p50, "p99_us": p99}


@board("wake.timer", warm=False)
async def wake_timer(effort: int) -> dict:
    total = scaled(effort, 2000)
    items: asyncio.Queue[int] = asyncio.Queue(16)

    async def send() -> None:
        for _ in range(total):
            await asyncio.sleep(0.001)
            await items.put(time.perf_counter_ns())

    watch = Stopwatch()
    sender = asyncio.create_task(send())
    reading = await wake_reading(watch, items, total)
    await sender
    return reading


@board("wake.thread", warm=False)
async def wake_thread(effort: int) -> dict:
    total = scaled(effort, 2000)
    items: asyncio.Queue[int] = asyncio.Queue(16)
    loop = asyncio.get_running_loop()

    def send() -> None:
        for _ in range(total):
            time.sleep(0.001)
            loop.call_soon_threadsafe(items.put_nowait, time.perf_counter_ns())

    watch = Stopwatch()
    sender = threading.Thread(target=send)
    sender.start()
    reading = await wake_reading(watch, items, total)
    sender.join()
    return reading


def print_line(name: str, effort: int) -> bool:
    line: dict = {"board": name, "peer": "asyncio"}
    function, warm = BOARDS[name]
    try:
        if warm:
            asyncio.run(function(WARM_UP))
        line |= asyncio.run(function(effort))
        line["items_per_s"] = line["items"] / line["wall_s"]
        line["items_per_cpu_s"] = line["items"] / max(line["cpu_s"], 1e-9)
        line["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024e-6
        line["workers"] = 1
    except AssertionError as wrong:
        line["error"] = str(wrong)
    print(json.dumps(line), flush=True)
    return "error" not in line


def main() -> int:
    parser = argparse.ArgumentParser(description="The boards on asyncio, one JSON line each.")
    parser.add_argument("--quick", action="store_true", help="do about a fifth")
    parser.add_argument("--list", action="store_true", help="print the names of the boards")
    parser.add_argument("--board", choices=BOARDS, help="run this board only")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(f"asyncio/{name}" for name in BOARDS))
        return 0
    names = [arguments.board] if arguments.board else list(BOARDS)
    # A second thread for the life of the program, as in every contender.
    ends = os.pipe()
    threading.Thread(target=os.read, args=(ends[0], 1), daemon=True).start()
    good = [print_line(name, QUICK if arguments.quick else FULL) for name in names]
    os.write(ends[1], b".")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
