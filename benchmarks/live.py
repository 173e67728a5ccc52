"""How soon the live server answers over its WebSocket, and how many sessions it holds for how long.

    python benchmarks/live.py runs/demo/framewise --out benchmarks/results/live_cpu.json

Starts `python -m jaxreact.live` twice (from an empty and from a filled compilation cache) and times
how long it is until it is ready. Then so many clients speak to it at the same time, each a frame
every 40 ms; a reaction's lateness is the time from when the last frame of its step was sent until
it has come. Beside them one client floods, one sends nonsense and one goes away in the middle of a
message, all the time.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import record
import tyro

from jaxreact.commands import run_command
from jaxreact.errors import UserError
from jaxreact.live import messages
from jaxreact.live.messages import Kind, pack_rows, pack_sound

FRAME = 1 / 25
RNG = np.random.default_rng(0)
SHARES = {"p50": 50, "p95": 95, "p99": 99, "worst": 100}
FLOOD = 2000
"""Messages, more than a session may send at once."""
REST = 3.0
"""Seconds between troublemakers' attempts."""


@dataclass(frozen=True)
class Config:
    """What to measure, and how long."""

    system: tyro.conf.Positional[Path]
    """Run directory of an online system."""
    sessions: int = 20
    seconds: float = 600.0
    out: Path | None = None
    """JSON file for the result."""


@dataclass
class Clients:
    """What all clients found."""

    late: list[float] = field(default_factory=list)
    """Seconds, of each message of reactions."""
    frames: list[int] = field(default_factory=list)
    """Reactions of each client."""
    refused: int = 0
    """Ends of troublemakers."""


def started(config: Config, cache: Path) -> tuple[subprocess.Popen[str], str, float]:
    """A server, its address, and the seconds until it was ready."""
    command = [sys.executable, "-m", "jaxreact.live", "--system", str(config.system)]
    command += ["--port", "0", "--sessions", str(config.sessions + 3), "--no-vision"]
    command += ["--compilation-cache", str(cache)]
    began = time.perf_counter()
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stderr is not None
    address = server.stdout.readline().strip()
    for line in server.stderr:
        if line.strip() == "ready":
            return server, address, round(time.perf_counter() - began, 1)
    raise UserError(f"{config.system}: the server has ended; see above")


def resident_mib(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 2**20)


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def spoken(frames: int) -> tuple[np.ndarray, np.ndarray]:
    sound = RNG.normal(size=(frames, 640)) / 10
    rows = RNG.normal(size=(frames, 58)).cumsum(axis=0) / 50
    return sound.astype(np.float32), rows.astype(np.float32)


async def client(session: aiohttp.ClientSession, address: str, seconds: float, found: Clients):
    """One who speaks in real time."""
    sound, rows = spoken(250)
    sent: dict[int, float] = {}
    count = 0
    async with session.ws_connect(f"{address}v1/stream") as socket:

        async def listen() -> None:
            nonlocal count
            async for incoming in socket:
                message = messages.unpack(incoming.data)
                if message.kind is Kind.REACTIONS and message.rows is not None:
                    last = round(message.time / FRAME) + len(message.rows) - 1
                    if last in sent:
                        found.late.append(time.perf_counter() - sent[last])
                    count += len(message.rows)
                    for number in [number for number in sent if number <= last]:
                        del sent[number]

        listening = asyncio.create_task(listen())
        begin = time.perf_counter()
        for frame in range(int(seconds / FRAME)):
            await asyncio.sleep(begin + frame * FRAME - time.perf_counter())
            now = frame * FRAME
            await socket.send_bytes(pack_sound(now, sound[frame % 250]))
            row = rows[frame % 250 : frame % 250 + 1]
            await socket.send_bytes(pack_rows(Kind.FACES, np.array([now]), row))
            sent[frame] = time.perf_counter()
        await asyncio.sleep(1.0)
        listening.cancel()
    found.frames.append(count)


async def flood(socket: aiohttp.ClientWebSocketResponse) -> None:
    for _ in range(FLOOD):
        await socket.send_bytes(pack_sound(0.0, np.zeros(640, np.float32)))


async def nonsense(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.send_bytes(b"nonsense")


async def vanish(socket: aiohttp.ClientWebSocketResponse) -> None:
    assert socket._response.connection is not None
    assert socket._response.connection.transport is not None
    socket._response.connection.transport.write(b"\x82\xfe\x10\x00half")
    socket._response.connection.transport.abort()


async def trouble(session: aiohttp.ClientSession, address: str, make: Any, found: Clients):
    """One who does not behave, again and again."""
    while True:
        try:
            async with session.ws_connect(f"{address}v1/stream") as socket:
                await make(socket)
                async for _ in socket:
                    pass
        except (aiohttp.ClientError, ConnectionError):
            pass
        found.refused += 1
        await asyncio.sleep(REST)


async def load(config: Config, address: str, server: int) -> dict[str, Any]:
    found = Clients()
    memory: list[int] = []

    async def watch() -> None:
        await asyncio.sleep(min(10.0, config.seconds / 3))
        while True:
            memory.append(resident_mib(server))
            await asyncio.sleep(min(10.0, config.seconds / 10))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        others = [asyncio.create_task(watch())]
        others += [
            asyncio.create_task(trouble(session, address, make, found))
            for make in (flood, nonsense, vanish)
        ]
        used = processor_seconds(server)
        await asyncio.gather(
            *(client(session, address, config.seconds, found) for _ in range(config.sessions))
        )
        used = processor_seconds(server) - used
        for other in others:
            other.cancel()
    late = np.percentile(np.array(found.late) * 1e3, list(SHARES.values()))
    wanted = config.seconds / FRAME
    return {
        "sessions": config.sessions,
        "seconds": config.seconds,
        "milliseconds_late": dict(zip(SHARES, (round(float(x), 1) for x in late), strict=True)),
        "frames_a_second": {
            "fewest": round(25 * min(found.frames) / wanted, 2),
            "most": round(25 * max(found.frames) / wanted, 2),
        },
        "resident_mib": {"first": memory[0], "last": memory[-1], "most": max(memory)},
        "processor_seconds_a_second": round(used / config.seconds, 2),
        "troublemakers_ended": found.refused,
    }


def run(config: Config) -> None:
    """Starts the server twice, and loads it."""
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as cache:
        first, _, cold = started(config, Path(cache))
        first.terminate()
        first.wait(30)
        server, address, warm = started(config, Path(cache))
        try:
            found = asyncio.run(load(config, address, server.pid))
        finally:
            server.terminate()
            code = server.wait(30)
    result = {
        "command": f"python benchmarks/live.py RUN --sessions {config.sessions}"
        f" --seconds {config.seconds:g}",
        "system": json.loads((config.system / "config.json").read_text())["kind"],
        "seconds_to_ready": {"first": cold, "second": warm},
        "under_load": found,
        "ended_with": code,
        **record.machine(before),
    }
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(lambda: run(tyro.cli(Config, prog="python benchmarks/live.py")))
