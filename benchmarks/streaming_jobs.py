"""The measuring half of `benchmarks/streaming.py`: one job in a process of its own.

    python benchmarks/streaming_jobs.py step SYSTEM FRAMES STEPS
    python benchmarks/streaming_jobs.py load SYSTEM FRAMES STREAMS SECONDS

Prints one line of JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from streaming_models import SYSTEMS

from jaxreact import ReactionStream, StreamPool
from jaxreact.commands import keep_memory

RNG = np.random.default_rng(0)
FRAME = 1 / 25
SHARES = {"p50": 50, "p95": 95, "p99": 99, "worst": 100}


def spoken(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Sound and faces."""
    steps = RNG.normal(size=(frames, 58)) / 50
    sound = RNG.normal(size=frames * 640) / 10
    return sound.astype(np.float32), steps.cumsum(axis=0).astype(np.float32)


def milliseconds(seconds: list[float]) -> dict[str, float]:
    found = np.percentile(np.array(seconds) * 1e3, list(SHARES.values()))
    return dict(zip(SHARES, (round(float(x), 1) for x in found), strict=True))


def peak_gib() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def step(name: str, frames: int, steps: int) -> dict[str, Any]:
    """One stream that is fed a whole step at a time: from the last sample to the reactions."""
    system = SYSTEMS[name]().in_steps(frames)
    stream = ReactionStream(system, key=jax.random.key(0), ahead=True)
    taken = []
    begin = time.perf_counter()
    for number in range(steps + 3):
        sound, rows = spoken(frames)
        start = time.perf_counter()
        made = stream.feed(audio=sound, coeffs=rows, time=number * frames * FRAME)
        taken.append(time.perf_counter() - start)
        assert made
    first, rest = taken[0], taken[3:]
    return {
        "milliseconds_a_step": milliseconds(rest),
        "first_seconds": round(time.perf_counter() - begin - sum(taken[1:]), 1),
        "compiling_seconds": round(first, 1),
        "peak_gib": peak_gib(),
    }


def load(name: str, frames: int, streams: int, seconds: float) -> dict[str, Any]:
    """Streams in real time, each fed every 40 ms and all at different moments of their steps: how
    late after the last frame of a step its reactions are there."""
    system = SYSTEMS[name]().in_steps(frames)
    pool = StreamPool(system, streams, ahead=True)
    pool.warm_up()
    listeners = [pool.open(key=jax.random.key(number)) for number in range(streams)]
    sound, rows = spoken(250)
    fed, late, memory, behind = [-(n % frames) for n in range(streams)], [], [], 0.0
    begin, used, tick = time.perf_counter(), time.process_time(), 0
    while (now := time.perf_counter() - begin) < seconds:
        if (wait := tick * FRAME - now) > 0:
            time.sleep(wait)
        behind = max(behind, -wait)
        for number, listener in enumerate(listeners):
            at = fed[number] % 250
            if fed[number] >= 0:
                piece = slice(at * 640, (at + 1) * 640)
                listener.feed(audio=sound[piece], coeffs=rows[at : at + 1])
            fed[number] += 1
        while pool.advance():
            arrived = time.perf_counter() - begin - tick * FRAME
            late += [arrived for listener in listeners if listener.take()]
        tick += 1
        if tick % 250 == 0:
            memory.append(round(resident_mib()))
    return {
        "milliseconds_late": milliseconds(late[len(late) // 10 :]),
        "longest_behind_ms": round(behind * 1e3),
        "processor_share": round((time.process_time() - used) / (time.perf_counter() - begin), 2),
        "resident_mib": {"first": memory[0], "last": memory[-1]} if memory else None,
        "peak_gib": peak_gib(),
    }


def main() -> None:
    keep_memory()  # as every command does
    kind, name, *numbers = sys.argv[1:]
    if kind == "step":
        found = step(name, *map(int, numbers))
    else:
        frames, streams, seconds = numbers
        found = load(name, int(frames), int(streams), float(seconds))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
