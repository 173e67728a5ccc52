"""The command `python -m jaxreact.live`: serves a listener to a page and to other programs."""

import asyncio
import importlib.util
import logging
import os
import signal
import sys
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from aiohttp import web

from jaxreact.commands import user_cache
from jaxreact.errors import ArgumentError, Remark, UserError
from jaxreact.live.access import Access, is_loopback
from jaxreact.live.content import content
from jaxreact.live.limits import Limits
from jaxreact.live.listeners import Listeners
from jaxreact.live.server import Server
from jaxreact.live.vision import fetch_vision
from jaxreact.rendering.options import HeadFiles
from jaxreact.systems.system import OnlineSystem, load

TOKEN = "JAXREACT_TOKEN"
"""Environment variable: the token, which a command line would show to everybody."""


@dataclass(frozen=True)
class Config:
    """Serves a listener that reacts while somebody speaks: a page for a webcam and a microphone,
    and a WebSocket for other programs."""

    system: Path
    """Run directory of an online system."""
    host: str = "127.0.0.1"
    """The interface to listen on. Others than this machine's own need a token."""
    port: int = 8765
    """0 takes a free one."""
    token: str | None = None
    """What clients must know (16 characters or more). Default: the variable JAXREACT_TOKEN."""
    name: tuple[str, ...] = ()
    """Names by which other machines reach the server, if not by --host."""
    sessions: int = 8
    """Listeners at once."""
    steps: tuple[int, ...] = ()
    """Frames that are answered at once, of which a client may choose one; the first if it does not.
    Default: the system's own, and a quarter of that where it can do so."""
    limits: Annotated[Limits, tyro.conf.arg(name="")] = field(default_factory=Limits)
    heads: Annotated[HeadFiles, tyro.conf.arg(name="")] = field(default_factory=HeadFiles)
    vision: bool = True
    """Have the browser track the face, by MediaPipe's package for browsers, which is fetched by npm
    once."""


def run(config: Config) -> None:
    """Serves until it is told to stop."""
    token = config.token or os.environ.get(TOKEN)
    if not is_loopback(config.host):
        remark(
            "a browser gives its camera to https pages only, and to this machine's own: put a proxy"
            " with a certificate in front, or tunnel the port"
        )
    access = Access(config.host, config.name, token)
    system = load(config.system)
    if not isinstance(system, OnlineSystem):
        raise UserError(f"{config.system}: {system.name} does not answer before a clip has ended")
    try:
        steps = config.steps or default_steps(system)
        listeners = Listeners(system, steps, config.sessions)
    except ArgumentError as error:
        raise UserError(f"{config.system}: {error}") from error
    if listeners.capacity < config.sessions:
        remark(f"{system.name} takes one session at a time")
    given = content(config.heads.load(), _vision() if config.vision else None)
    tracks = importlib.util.find_spec("mediapipe") is not None
    server = Server(listeners, given, access, config.limits, tracks)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    asyncio.run(serve(server, listeners, config.host, config.port))


def default_steps(system: OnlineSystem) -> tuple[int, ...]:
    """The system's own step, and a shorter one where it has any."""
    quarter = system.step // 4
    try:
        return (system.step, system.in_steps(quarter).step) if quarter else (system.step,)
    except ArgumentError:
        return (system.step,)


def remark(words: str) -> None:
    """Says something that stops nothing."""
    warnings.warn(Remark(words), stacklevel=2)


def _vision() -> Path | None:
    """MediaPipe's files for the browser, or None, and why."""
    try:
        return fetch_vision(user_cache() / "jaxreact" / "vision")
    except UserError as error:
        remark(f"{error}; the page sends its pictures to this server instead")
        return None


async def serve(server: Server, listeners: Listeners, host: str, port: int) -> None:
    """Serves until SIGINT or SIGTERM; prints the address, and when everything is compiled."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    runner = web.AppRunner(server.application(), shutdown_timeout=5.0)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        reason = error.strerror or error
        raise UserError(f"--port {port}: {reason}; choose another, or 0 for a free one") from None
    shown = f"[{host}]" if ":" in host else host
    print(f"http://{shown}:{runner.addresses[0][1]}/", flush=True)
    warm = threading.Thread(target=_warm_up, args=(server, listeners), daemon=True)
    warm.start()
    await stop.wait()
    print("stopping", file=sys.stderr, flush=True)
    await runner.cleanup()
    await asyncio.to_thread(warm.join)
    if server.ready:
        listeners.stop()


def _warm_up(server: Server, listeners: Listeners) -> None:
    listeners.warm_up()
    listeners.start()
    server.ready = True
    print("ready", file=sys.stderr, flush=True)
