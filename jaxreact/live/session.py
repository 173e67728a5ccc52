"""One client's WebSocket: what it sends to its listener, and what the listener answers."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web

from jaxreact.errors import ArgumentError, UserError
from jaxreact.face import FPS
from jaxreact.live import messages
from jaxreact.live.limits import Meter
from jaxreact.live.listeners import Choices, Listener, Listeners
from jaxreact.live.messages import BadMessage, Kind, Message
from jaxreact.live.pictures import Pictures
from jaxreact.live.tracked import LiveFace
from jaxreact.streaming.outputs import Reaction

KEPT = 10 * FPS
"""Reactions that wait for a slow client at most; more push out the oldest."""
STATUS_EVERY = 1.0
"""Seconds."""
MOST_SMOOTHING = 12
"""Frames before and after."""

BAD_MESSAGE, TOO_FAST, TIME_OVER, NO_PLACE = 4000, 4008, 4009, 4013
"""What a connection is closed with; `Access` refuses others before there is one."""


@dataclass(frozen=True)
class Ending:
    """How a connection is closed."""

    code: int
    reason: str


def choices_of(query: Mapping[str, str], listeners: Listeners) -> Choices:
    """What an address asks for. Raises BadMessage for what cannot be chosen."""
    try:
        step = int(query.get("step", listeners.steps[0]))
        seed = int(query.get("seed", 0))
        smoothing = int(query.get("smoothing", 0))
        temperature = float(query["temperature"]) if "temperature" in query else None
        traits = [float(score) for score in query["traits"].split(",")] if "traits" in query else []
    except ValueError as error:
        raise BadMessage(f"a choice is no number: {error}") from None
    if not 0 <= smoothing <= MOST_SMOOTHING:
        raise BadMessage(f"smoothing {smoothing} is not 0 to {MOST_SMOOTHING}")
    if not 0 <= seed < 2**63:
        raise BadMessage(f"seed {seed} is not 0 to 2^63 - 1")
    options: dict[str, Any] = {}
    if temperature is not None and "temperature" in listeners.system.options:
        if not 0.01 <= temperature <= 10:
            raise BadMessage(f"temperature {temperature:g} is not 0.01 to 10")
        options["temperature"] = temperature
    if traits and "traits" in listeners.system.options:
        options["traits"] = np.array(traits, np.float32)
    return Choices(step, seed, smoothing, options)


class Session:
    """One client, from its first message to its last."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        listeners: Listeners,
        meter: Meter,
        pictures: Pictures | None,
    ) -> None:
        """`pictures`: what tracks faces here, for clients that cannot."""
        self._socket, self._listeners, self._meter = socket, listeners, meter
        self._pictures, self._face = pictures, LiveFace()
        self._loop = asyncio.get_running_loop()
        self._made: deque[Reaction] = deque()
        self._lost = 0  # reactions that a slow client did not get
        self._news = asyncio.Event()

    async def run(self, choices: Choices) -> Ending:
        """Serves the client to the end; how that came."""
        try:
            listener = await asyncio.to_thread(self._listeners.open, choices, self._deliver)
        except ArgumentError as error:
            return Ending(BAD_MESSAGE, str(error))
        try:
            await self._send(messages.pack_json(Kind.HELLO, self._hello(choices)))
            parts = [
                asyncio.create_task(part)
                for part in (
                    self._receive(listener),
                    self._answer(listener),
                    self._report(listener),
                    self._time_out(),
                )
            ]
            done, rest = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in rest:
                part.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
            return next(iter(done)).result()
        except ConnectionError:
            return Ending(1006, "the client is gone")
        finally:
            await asyncio.to_thread(self._listeners.close, listener)

    def _hello(self, choices: Choices) -> dict[str, Any]:
        system = self._listeners.system
        return {
            "version": messages.VERSION,
            "system": system.name,
            "step": choices.step,
            "lead": choices.step if system.lead else 0,
            "fps": FPS,
            "samples": 1,
            "smoothing": choices.smoothing,
            "tracks": self._pictures is not None,
            "session_seconds": round(self._meter.seconds_left),
        }

    async def _receive(self, listener: Listener) -> Ending:
        """What the client sends, until it goes away or must go."""
        async for incoming in self._socket:
            if incoming.type is not WSMsgType.BINARY:
                return Ending(BAD_MESSAGE, "a message that is not binary")
            if self._meter.exceeds(len(incoming.data)):
                return Ending(TOO_FAST, "more messages or bytes a second than a session may send")
            try:
                message = messages.unpack(incoming.data)
                if message.kind is Kind.END:
                    listener.finish()
                else:
                    await self._give(listener, message)
            except ValueError as error:
                return Ending(BAD_MESSAGE, str(error))
        return Ending(self._socket.close_code or 1006, "the client is gone")

    async def _give(self, listener: Listener, message: Message) -> None:
        if message.kind is Kind.SOUND:
            assert message.sound is not None
            listener.give(audio=message.sound, audio_time=message.time)
        elif message.kind is Kind.FACES:
            listener.give(coeffs=message.rows, time=message.times)
        elif message.kind is Kind.TRACKED:
            assert message.rows is not None
            expressions, matrices = np.split(message.rows, [messages.EXPRESSIONS], axis=1)
            # By columns, as MediaPipe has them.
            matrices = matrices.reshape(-1, 4, 4).swapaxes(1, 2)
            listener.give(coeffs=self._face.coeffs(expressions, matrices), time=message.times)
        elif message.kind is Kind.PICTURE:
            if self._pictures is None:
                raise BadMessage("PICTURE: this server tracks no faces; send TRACKED or FACES")
            self._pictures.track(
                message.time, message.data, lambda time, *found: self._saw(listener, time, *found)
            )
        else:
            raise BadMessage(f"{message.kind.name} is for clients")

    def _saw(self, listener: Listener, time: float, expressions: Any, matrix: Any) -> None:
        """A face that was found in a picture."""
        coeffs = self._face.coeffs(expressions[None], matrix[None])
        listener.give(coeffs=coeffs, time=np.array([time]))

    def _deliver(self, reactions: Sequence[Reaction]) -> None:
        """Called in the thread of the listeners."""
        with contextlib.suppress(RuntimeError):  # the server stops
            self._loop.call_soon_threadsafe(self._add, reactions)

    def _add(self, reactions: Sequence[Reaction]) -> None:
        self._made.extend(reactions)
        while len(self._made) > KEPT:
            self._made.popleft()
            self._lost += 1
        self._news.set()

    async def _answer(self, listener: Listener) -> Ending:
        """Sends what was made, until the end."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), 0.1)
            self._news.clear()
            trouble, ended = listener.trouble, listener.ended
            await asyncio.sleep(0)  # what was delivered before that is added now
            while self._made:
                reactions, self._made = list(self._made), deque()
                await self._send(pack(reactions))
            if trouble is not None:
                return Ending(BAD_MESSAGE, trouble)
            if ended:
                return Ending(1000, "everything was answered")

    async def _report(self, listener: Listener) -> Ending:
        while True:
            await asyncio.sleep(STATUS_EVERY)
            taken = self._listeners.step_ms
            status = {
                "sessions": len(self._listeners),
                "step_ms": round(float(np.median(taken)), 1) if len(taken) else None,
                "bridged": listener.bridged,
                "dropped": {"in": listener.lost, "out": self._lost},
            }
            await self._send(messages.pack_json(Kind.STATUS, status))

    async def _time_out(self) -> Ending:
        await asyncio.sleep(max(self._meter.seconds_left, 0))
        return Ending(TIME_OVER, "the session's time is over")

    async def _send(self, data: bytes) -> None:
        await self._socket.send_bytes(data)


def pack(reactions: Sequence[Reaction]) -> bytes:
    """Reactions one after the other."""
    rows = []
    for reaction in reactions:
        coeffs = reaction.coeffs
        if coeffs is None:
            raise UserError("this system gives emotion alone; there is no face to show")
        rows.append(np.concatenate([coeffs, reaction.emotion]))
    return messages.pack_reactions(reactions[0].time, np.stack(rows))
