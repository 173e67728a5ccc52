"""The server: the page, its files, the stream of reactions, and how the server is."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from aiohttp import WSCloseCode, web

from jaxreact.face import COEFF_NAMES, EMOTIONS, EXPRESSIONS, FPS
from jaxreact.live import messages
from jaxreact.live.access import Access, Refused
from jaxreact.live.gauges import Gauges
from jaxreact.live.limits import Limits, Meter
from jaxreact.live.listeners import Listeners, NoPlace
from jaxreact.live.messages import BadMessage
from jaxreact.live.pictures import Pictures
from jaxreact.live.session import BAD_MESSAGE, NO_PLACE, Ending, Session, choices_of
from jaxreact.media.live_link_format import VALUES

POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:;"
    " style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; media-src 'self' blob: data:;"
    " connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The page talks to nobody but this server. MediaPipe compiles WebAssembly."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(self), microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}
"""What a machine's own table of types may lack."""
REASON = 123
"""Bytes of a WebSocket's reason at most."""
LONGEST_SILENCE = 20.0
"""Seconds between pings, which find clients that are gone."""

log = logging.getLogger("jaxreact.live")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Content:
    """What the server gives out besides reactions."""

    page: str
    """HTML."""
    head: str
    """The head model as JSON."""
    sample: Mapping[str, Any] | None = None
    """A conversation to try: see docs/live.md."""
    vision: Path | None = None
    """A folder with MediaPipe's files for the browser."""
    files: Mapping[str, tuple[bytes, str]] = field(default_factory=dict)
    """Further files by their path, "/NAME", and their types."""


class Server:
    """The application, from which aiohttp serves."""

    def __init__(
        self,
        listeners: Listeners,
        content: Content,
        access: Access,
        limits: Limits,
        tracks: bool = False,
    ) -> None:
        """`tracks`: whether faces in pictures are tracked here for clients that cannot."""
        self._listeners, self._content = listeners, content
        self._access, self._limits, self._tracks = access, limits, tracks
        self._sockets: set[web.WebSocketResponse] = set()
        self._gauges = Gauges(listeners)
        self.ready = False
        """Whether everything is compiled; until then streams are refused."""

    def application(self) -> web.Application:
        """What `aiohttp.web` runs."""
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/head.json", self._head),
                web.get("/sample.json", self._sample),
                web.get("/v1/info", self._info),
                web.get("/v1/stream", self._stream),
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
                web.get("/static/{name}", self._static),
                web.get("/vision/{path:.+}", self._vision),
                *(web.get(path, self._file) for path in self._content.files),
            ]
        )
        app.on_shutdown.append(self._stop)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses what may not be answered; adds what every answer says."""
        try:
            # The page itself and what it is made of hold no secret, and know the token only from
            # their address.
            if request.path.startswith(("/v1/", "/metrics")):
                self._access.check(request.headers, request.query)
            else:
                self._access.check_names(request.headers)
        except Refused as refused:
            raise web.HTTPForbidden(text=f"{refused}\n", headers=HEADERS) from None
        try:
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(HEADERS)
            raise
        if not response.prepared:
            response.headers.update({**HEADERS, **response.headers})
        return response

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(text=self._content.page, content_type="text/html")

    async def _head(self, _: web.Request) -> web.Response:
        return web.Response(text=self._content.head, content_type="application/json")

    async def _sample(self, _: web.Request) -> web.Response:
        if self._content.sample is None:
            raise web.HTTPNotFound(text="there is no sample conversation\n")
        return web.json_response(self._content.sample)

    async def _info(self, _: web.Request) -> web.Response:
        system = self._listeners.system
        return web.json_response(
            {
                "version": messages.VERSION,
                "ready": self.ready,
                "system": system.name,
                "needs": sorted(system.needs),
                "steps": self._listeners.steps,
                "step": self._listeners.steps[0],
                "temperature": "temperature" in system.options,
                "fps": FPS,
                "tracks": self._tracks,
                "vision": self._content.vision is not None,
                "expressions": EXPRESSIONS,
                "coeffs": COEFF_NAMES,
                "emotions": EMOTIONS,
                "live_link": VALUES,
                "sample": None if self._content.sample is None else "/sample.json",
            }
        )

    async def _health(self, _: web.Request) -> web.Response:
        state = "ready" if self.ready else "warming up"
        answer = {"status": state, "sessions": len(self._listeners)}
        return web.json_response(answer, status=200 if self.ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        body, kind = self._gauges.text()
        return web.Response(body=body, headers={"Content-Type": kind})

    async def _static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        places = ("live/page", "rendering/player", "rendering/player/assets")
        for place in places:
            folder = resources.files("jaxreact").joinpath(place)
            files = {file.name: file for file in folder.iterdir() if file.is_file()}
            if name in files and Path(name).suffix in (".js", ".css"):
                kind = TYPES.get(Path(name).suffix, "text/css")
                return web.Response(text=files[name].read_text("utf-8"), content_type=kind)
        raise web.HTTPNotFound(text=f"there is no {name}\n")

    async def _vision(self, request: web.Request) -> web.StreamResponse:
        folder = self._content.vision
        if folder is not None:
            file = (folder / request.match_info["path"]).resolve()
            if file.is_relative_to(folder.resolve()) and file.is_file():
                kind = TYPES.get(file.suffix, "application/octet-stream")
                return web.FileResponse(file, headers={"Content-Type": kind})
        raise web.HTTPNotFound(text="there is no such file\n")

    async def _file(self, request: web.Request) -> web.Response:
        body, kind = self._content.files[request.path]
        return web.Response(body=body, content_type=kind)

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(
            protocols=(messages.PROTOCOL,),
            heartbeat=LONGEST_SILENCE,
            max_msg_size=messages.LARGEST,
            compress=False,
        )
        await socket.prepare(request)
        self._sockets.add(socket)
        pictures = Pictures() if self._tracks else None
        try:
            ending = await self._serve(socket, request.query, pictures)
            log.info("%s: %d %s", request.remote, ending.code, ending.reason)
            self._gauges.ended(ending.code)
            if not socket.closed and ending.code != 1006:
                reason = ending.reason.encode()[:REASON].decode(errors="ignore").encode()
                await socket.close(code=ending.code, message=reason)
        finally:
            self._sockets.discard(socket)
            if pictures is not None:
                pictures.close()
        return socket

    async def _serve(
        self, socket: web.WebSocketResponse, query: Mapping[str, str], pictures: Pictures | None
    ) -> Ending:
        if not self.ready:
            return Ending(WSCloseCode.TRY_AGAIN_LATER, "the server is warming up; try again")
        session = Session(socket, self._listeners, Meter(self._limits), pictures)
        try:
            return await session.run(choices_of(query, self._listeners))
        except NoPlace as error:
            return Ending(NO_PLACE, f"{error}; try again later")
        except BadMessage as error:
            return Ending(BAD_MESSAGE, str(error))

    async def _stop(self, _: web.Application) -> None:
        """Says goodbye to every client."""
        going = [
            socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server stops")
            for socket in self._sockets
        ]
        await asyncio.gather(*going, return_exceptions=True)


def as_json(content: Any) -> str:
    """Compact JSON."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False)
