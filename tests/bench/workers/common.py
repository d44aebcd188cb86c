"""What the workers in Python share: arguments, samples, the report.

A worker does what tests/bench/main.go says of workers.
"""

import json
import sys
from array import array
from time import perf_counter_ns as clock

# The value and the payload of every operation, 100 bytes.
TEXT = ("The quick brown fox. " * 5)[:100]

QUEUE = "bench"
BATCH = 100  # commands of an operation "batch"
KEEP = 1 << 20  # latencies that are kept, the last ones


def arguments():
    """Returns address, operation, how many in flight, seconds."""
    if len(sys.argv) != 5:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS OP INFLIGHT SECONDS")
    return sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])


def key(slot):
    return f"bench:{slot}"


class Run:
    """One measurement. Every caller in flight calls it with its slot and loops
    until clock() reaches end, storing latencies in samples[slot]."""

    def __init__(self, in_flight, seconds):
        self.keep = KEEP // in_flight
        self.samples = [array("q", bytes(8 * self.keep)) for _ in range(in_flight)]
        self.counts = [0] * in_flight
        self.start = clock()
        self.end = self.start + int(seconds * 1e9)

    def report(self, per_operation):
        seconds = (clock() - self.start) / 1e9
        latencies = []
        for samples, count in zip(self.samples, self.counts):
            latencies += samples[:count]
        latencies.sort()
        print(
            json.dumps(
                {
                    "ops": sum(self.counts) * per_operation,
                    "seconds": seconds,
                    "p50_us": latencies[(len(latencies) - 1) * 50 // 100] / 1000,
                    "p99_us": latencies[(len(latencies) - 1) * 99 // 100] / 1000,
                }
            )
        )


def expect(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r}, not {wanted!r}")


def measure_threads(do, in_flight, seconds):
    """Calls do(slot) again and again in as many threads as may be in flight."""
    import threading

    run = Run(in_flight, seconds)
    failures = []

    def caller(slot):
        samples, keep, end = run.samples[slot], run.keep, run.end
        count, before = 0, clock()
        try:
            while before < end:
                do(slot)
                now = clock()
                samples[count % keep] = now - before
                count += 1
                before = now
        except Exception as e:
            failures.append(e)
        run.counts[slot] = count

    if in_flight == 1:
        caller(0)
    else:
        threads = [threading.Thread(target=caller, args=(slot,)) for slot in range(in_flight)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return run


async def measure(do, in_flight, seconds):
    """Awaits do(slot) again and again in as many tasks as may be in flight."""
    import asyncio

    run = Run(in_flight, seconds)

    async def caller(slot):
        samples, keep, end = run.samples[slot], run.keep, run.end
        count, before = 0, clock()
        while before < end:
            await do(slot)
            now = clock()
            samples[count % keep] = now - before
            count += 1
            before = now
        run.counts[slot] = count

    await asyncio.gather(*[caller(slot) for slot in range(in_flight)])
    return run
