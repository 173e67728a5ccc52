"""Run by test_soak.py in a process of its own: what earlier tests have given back to the system
would be touched again, and look as if something grew.

Ten minutes of several sessions beside one that does not behave; prints JSON."""

import asyncio
import gc
import json
import resource
from pathlib import Path
from typing import Any

import numpy as np

from jaxreact.live.limits import Limits
from jaxreact.live.messages import Kind, pack_end, pack_rows, pack_sound, unpack
from tests.live.serving import LiveServer
from tests.live.test_server import answers, connected, hello
from tests.streaming.systems import framewise, person

SESSIONS, MINUTES = 3, 10
AHEAD = 20
"""How much faster than real time they speak."""
PIECE = 10
"""Frames of a message."""


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    limits = Limits(messages=1e4, megabytes=100)
    server = LiveServer(framewise(), sessions=SESSIONS + 1, steps=(8,), limits=limits)
    server.start()
    frames = 25 * 60 * MINUTES
    memory: list[float] = []
    made = [0] * SESSIONS

    async def speak(seed: int) -> None:
        who = person(PIECE, seed)
        sound = who.sound.astype(np.float32)
        async with connected(server, f"seed={seed}") as socket:
            await hello(socket)
            listening = asyncio.create_task(listen(socket, seed))
            for frame in range(0, frames, PIECE):
                times = (frame + np.arange(PIECE)) / 25
                await socket.send_bytes(pack_sound(times[0], sound))
                await socket.send_bytes(pack_rows(Kind.FACES, times, who.coeffs))
                await asyncio.sleep(PIECE / 25 / AHEAD)
                if seed == 0 and frame % (25 * 60) == 25 * 30:  # in the middle of each minute
                    gc.collect()
                    memory.append(resident_mib())
            await socket.send_bytes(pack_end())
            await listening
            assert socket.close_code == 1000

    async def listen(socket: Any, seed: int) -> None:
        async for incoming in socket:
            message = unpack(incoming.data)
            if message.kind is Kind.REACTIONS and message.rows is not None:
                made[seed] += len(message.rows)

    async def misbehave() -> None:
        while True:
            async with connected(server) as socket:
                await socket.send_bytes(b"nonsense")
                await answers(socket)
            await asyncio.sleep(0.5)

    async def everybody() -> None:
        trouble = asyncio.create_task(misbehave())
        await asyncio.gather(*(speak(seed) for seed in range(SESSIONS)))
        trouble.cancel()

    try:
        asyncio.run(everybody())
    finally:
        server.close()
    print(json.dumps({"frames": [frames] * SESSIONS, "made": made, "mib": memory}))


if __name__ == "__main__":
    main()
