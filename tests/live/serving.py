"""A server in this process, on the loopback interface."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from jaxreact.live.access import Access
from jaxreact.live.content import content
from jaxreact.live.limits import Limits
from jaxreact.live.listeners import Listeners
from jaxreact.live.server import Content, Server
from jaxreact.rendering import load_builtin_head
from jaxreact.systems.system import OnlineSystem

HOST = "127.0.0.1"
BARE = Content(page="<!doctype html>", head="{}")
"""For tests that look at no page."""

LIMITS = Limits()

Result = TypeVar("Result")


class LiveServer:
    """Starts and stops a server, always at the same address."""

    def __init__(
        self,
        system: OnlineSystem,
        *,
        sessions: int = 3,
        steps: tuple[int, ...] = (8, 1),
        limits: Limits = LIMITS,
        token: str | None = None,
        page: bool = False,
        vision: Path | None = None,
        tracks: bool = False,
    ) -> None:
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.port = free.getsockname()[1]
        self._given = system, steps, sessions
        self._content = content(load_builtin_head(), vision) if page else BARE
        self._access = Access(HOST, token=token)
        self._limits, self._tracks = limits, tracks
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self, warm: bool = True) -> None:
        """Returns when the server is ready; or when it answers, and warms up for ever."""
        self.listeners = Listeners(*self._given)
        self.server = Server(
            self.listeners, self._content, self._access, self._limits, self._tracks
        )
        if warm:
            self.listeners.warm_up()
            self.listeners.start()
            self.server.ready = True
        self._wait(self._serve())

    def stop(self) -> None:
        if self._runner is not None:
            self._wait(self._runner.cleanup())
            self._runner = None
            if self.server.ready:
                self.listeners.stop()

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self) -> None:
        self._runner = web.AppRunner(self.server.application(), shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port, reuse_address=True).start()

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)
