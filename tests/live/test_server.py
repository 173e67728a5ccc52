"""The server as programs meet it, good ones and others."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import jax
import numpy as np
import pytest

from jaxreact import ReactionStream
from jaxreact.live import messages
from jaxreact.live.client import send
from jaxreact.live.limits import Limits
from jaxreact.live.messages import Kind, pack_end, pack_json, pack_rows, pack_sound
from tests.live.serving import LiveServer
from tests.streaming.systems import Person, framewise, person

FRAMES = 30
WAIT = 30.0
"""Seconds after which a test gives up."""


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    made = LiveServer(framewise(), sessions=3)
    made.start()
    yield made
    made.close()


@asynccontextmanager
async def connected(server: LiveServer, query: str = "", **options: Any):
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"{server.url}/v1/stream?{query}", protocols=[messages.PROTOCOL], **options
        ) as socket,
    ):
        yield socket


async def answers(socket: aiohttp.ClientWebSocketResponse) -> list[messages.Message]:
    """Everything until the connection ends."""
    found = []
    async with asyncio.timeout(WAIT):
        async for incoming in socket:
            if incoming.type is aiohttp.WSMsgType.BINARY:
                found.append(messages.unpack(incoming.data))
    return found


async def hello(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message = messages.unpack(await socket.receive_bytes(timeout=WAIT))
    assert message.kind is Kind.HELLO
    return message.json


async def tell(socket: aiohttp.ClientWebSocketResponse, who: Person, begin: float = 0.0) -> None:
    """All of a speaker at once, in pieces of two frames."""
    for frame in range(0, len(who.coeffs), 2):
        time = begin + frame / 25
        sound = who.sound[frame * 640 : (frame + 2) * 640].astype(np.float32)
        await socket.send_bytes(pack_sound(time, sound))
        rows = who.coeffs[frame : frame + 2]
        times = time + np.arange(len(rows)) / 25
        await socket.send_bytes(pack_rows(Kind.FACES, times, rows))


def frames_of(found: list[messages.Message]) -> tuple[np.ndarray, np.ndarray]:
    """Times and rows of all reactions."""
    made = [m for m in found if m.kind is Kind.REACTIONS and m.rows is not None]
    times = np.concatenate([m.time + np.arange(len(m.rows)) / 25 for m in made])  # pyright: ignore[reportArgumentType]
    return times, np.concatenate([m.rows for m in made])  # pyright: ignore[reportCallIssue, reportArgumentType]


async def conversation(server: LiveServer, who: Person, query: str = "", begin: float = 0.0):
    async with connected(server, query) as socket:
        assert (await hello(socket))["system"] == "framewise"
        await tell(socket, who, begin)
        await socket.send_bytes(pack_end())
        found = await answers(socket)
        assert socket.close_code == 1000
        return frames_of(found)


def streamed(who: Person, seed: int, step: int = 8) -> np.ndarray:
    stream = ReactionStream(framewise().in_steps(step), key=jax.random.key(seed), ahead=True)
    sound = who.sound.astype(np.float32)
    made = stream.feed(audio=sound, coeffs=who.coeffs, time=0.0) + stream.finish()
    return np.stack([np.concatenate([each.coeffs, each.emotion]) for each in made])  # pyright: ignore[reportArgumentType, reportCallIssue]


@pytest.mark.parametrize(("query", "seed", "step"), [("", 0, 8), ("seed=5&step=1", 5, 1)])
def test_the_wire_carries_the_stream(server, query, seed, step):
    who = person(FRAMES)
    times, rows = asyncio.run(conversation(server, who, query, begin=1e5))
    np.testing.assert_allclose(times, 1e5 + np.arange(FRAMES) / 25, atol=1e-6)
    np.testing.assert_allclose(rows, streamed(who, seed, step), atol=1e-5)


def test_sessions_do_not_know_of_each_other(server):
    people = [person(FRAMES, seed) for seed in range(3)]

    async def all_at_once() -> Any:
        work = (conversation(server, who, f"seed={n}") for n, who in enumerate(people))
        return await asyncio.gather(*work)

    for seed, (who, (_, rows)) in enumerate(zip(people, asyncio.run(all_at_once()), strict=True)):
        np.testing.assert_allclose(rows, streamed(who, seed), atol=1e-5)
    assert len(server.listeners) == 0


def test_a_place_too_many_is_refused_and_a_free_one_is_given(server):
    async def crowd() -> tuple[int | None, int]:
        async with connected(server) as a, connected(server) as b, connected(server) as c:
            for socket in (a, b, c):
                await hello(socket)
            async with connected(server) as d:
                await answers(d)
                refused = d.close_code
        times, _ = await conversation(server, person(8))
        return refused, len(times)

    assert asyncio.run(crowd()) == (4013, 8)


BAD = {
    "short": b"jr",
    "other": b"xx" + pack_end()[2:],
    "version": b"jr\x02" + pack_end()[3:],
    "kind": b"jr\x01\x63" + pack_end()[4:],
    "cut": pack_sound(0.0, np.zeros(640, np.float32))[:-1],
    "time": pack_sound(float("nan"), np.zeros(640, np.float32)),
    "no numbers": pack_sound(0.0, np.full(640, np.nan, np.float32)),
    "far ahead": pack_rows(Kind.FACES, np.array([0.0, 1e9]), np.zeros((2, 58))),
    "behind": pack_rows(Kind.TRACKED, np.zeros(1), np.zeros((1, 68))),
    "of the server": pack_json(Kind.STATUS, {}),
    "a picture": messages.pack_picture(0.0, b"not tracked here"),
    "text": "hello",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_what_is_no_message_ends_that_session_alone(server, data):
    async def both() -> tuple[int | None, Any]:
        async with connected(server) as good:
            await hello(good)
            async with connected(server) as bad:
                await hello(bad)
                await (bad.send_str(data) if isinstance(data, str) else bad.send_bytes(data))
                await answers(bad)
            await tell(good, person(16))
            await good.send_bytes(pack_end())
            return bad.close_code, frames_of(await answers(good))

    code, (times, _) = asyncio.run(both())
    assert code == 4000
    assert len(times) == 16


def test_a_message_too_large_is_refused(server):
    async def large() -> int | None:
        async with connected(server) as socket:
            await hello(socket)
            await socket.send_bytes(bytes(messages.LARGEST + 1))
            await answers(socket)
            return socket.close_code

    assert asyncio.run(large()) == 1009


@pytest.mark.parametrize(
    "query", ["step=7", "step=x", "seed=-1", "smoothing=99", "smoothing=-1", "step=1&seed=1e3"]
)
def test_what_cannot_be_chosen_is_said(server, query):
    async def refused() -> tuple[int | None, int]:
        async with connected(server, query) as socket:
            found = await answers(socket)
            return socket.close_code, len(found)

    assert asyncio.run(refused()) == (4000, 0)


def test_late_repeated_and_missing_pieces_are_bridged(server):
    who = person(FRAMES)

    async def ragged() -> Any:
        async with connected(server) as socket:
            await hello(socket)
            await tell(socket, who)
            row = pack_rows(Kind.FACES, np.array([0.2]), who.coeffs[:1])
            await socket.send_bytes(row)  # late
            await socket.send_bytes(pack_sound(0.1, np.zeros(640, np.float32)))  # came already
            late = pack_rows(Kind.FACES, np.array([FRAMES / 25 + 0.2]), who.coeffs[:1])
            await socket.send_bytes(late)  # after a hole
            await asyncio.sleep(1.3)
            await socket.send_bytes(pack_end())
            return await answers(socket)

    found = asyncio.run(ragged())
    status = [m.json for m in found if m.kind is Kind.STATUS][-1]
    assert status["bridged"]["late"] == 1
    assert status["bridged"]["interpolated"] == 5
    assert status["bridged"]["left_out"] == pytest.approx(0.04, abs=1e-3)
    assert status["dropped"] == {"in": 0, "out": 0}
    times, _ = frames_of(found)
    np.testing.assert_allclose(np.diff(times), 0.04, atol=1e-6)


def test_a_client_that_is_killed_frees_its_place(server):
    async def killed() -> int:
        async with connected(server) as socket:
            await hello(socket)
            transport = socket._response.connection.transport  # pyright: ignore[reportOptionalMemberAccess]
            transport.write(b"\x82\xfe\x10\x00half")
            transport.abort()
        async with asyncio.timeout(WAIT):
            while len(server.listeners):
                await asyncio.sleep(0.02)
        times, _ = await conversation(server, person(8))
        return len(times)

    assert asyncio.run(killed()) == 8


async def got(server: LiveServer, path: str, **headers: str) -> tuple[int, str, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(server.url + path, headers=headers) as response,
    ):
        return response.status, await response.text(), response.headers


def test_health_and_metrics(server):
    status, text, _ = asyncio.run(got(server, "/health"))
    assert (status, json.loads(text)) == (200, {"status": "ready", "sessions": 0})
    asyncio.run(conversation(server, person(8)))
    _, text, headers = asyncio.run(got(server, "/metrics"))
    assert headers["Content-Type"].startswith("text/plain")
    assert "jaxreact_places 3.0" in text
    assert 'jaxreact_sessions_ended_total{code="1000"}' in text
    assert 'jaxreact_step_milliseconds{share="0.95"}' in text


def test_a_server_that_warms_up_says_so():
    cold = LiveServer(framewise())
    cold.start(warm=False)

    async def refused() -> int | None:
        async with connected(cold) as socket:
            await answers(socket)
            return socket.close_code

    try:
        status, text, _ = asyncio.run(got(cold, "/health"))
        assert (status, json.loads(text)["status"]) == (503, "warming up")
        assert asyncio.run(refused()) == 1013
    finally:
        cold.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8765"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/v1/info", "/v1/stream", "/metrics"])
def test_pages_of_others_get_nothing(server, headers, path):
    status, _, given = asyncio.run(got(server, path, **headers))
    assert status in (400, 403)
    assert status == 400 or "Content-Security-Policy" in given


def test_own_pages_and_programs_get_in(server):
    own = f"127.0.0.1:{server.port}"
    for headers in ({}, {"Origin": f"http://{own}"}, {"Host": f"localhost:{server.port}"}):
        assert asyncio.run(got(server, "/v1/info", **headers))[0] == 200


@pytest.mark.parametrize("path", ["/static/..%2fserver.py", "/static/command.py", "/vision/x"])
def test_no_other_files_are_given_out(server, path):
    assert asyncio.run(got(server, path))[0] == 404


def test_a_token_is_asked_for():
    secret = "a" * 16
    guarded = LiveServer(framewise(), token=secret, steps=(8,))
    guarded.start()

    def status(query: str = "", **headers: str) -> int:
        return asyncio.run(got(guarded, f"/v1/info{query}", **headers))[0]

    try:
        assert status() == status("?token=b") == status("?token=") == 403
        assert status(Authorization="Bearer é") == 403
        assert status(f"?token={secret}") == status(Authorization=f"Bearer {secret}") == 200
        assert asyncio.run(got(guarded, "/metrics"))[0] == 403
        assert asyncio.run(got(guarded, "/health"))[0] == 200
    finally:
        guarded.close()


def test_a_flood_and_a_long_session_are_ended_with_a_reason():
    limits = Limits(messages=20, burst=1.0, minutes=0.03)
    strict = LiveServer(framewise(), limits=limits, steps=(8,))
    strict.start()

    async def flood() -> int | None:
        async with connected(strict) as socket:
            await hello(socket)
            for _ in range(40):
                await socket.send_bytes(pack_sound(0.0, np.zeros(1, np.float32)))
            await answers(socket)
            return socket.close_code

    async def long() -> int | None:
        async with connected(strict) as socket:
            await hello(socket)
            await answers(socket)
            return socket.close_code

    try:
        assert asyncio.run(flood()) == 4008
        assert asyncio.run(long()) == 4009
    finally:
        strict.close()


def test_a_stop_says_goodbye(server):
    own = LiveServer(framewise(), steps=(8,))
    own.start()

    async def until_stopped() -> int | None:
        async with connected(own) as socket:
            await hello(socket)
            await asyncio.gather(asyncio.to_thread(own.stop), answers(socket))
            return socket.close_code

    try:
        assert asyncio.run(until_stopped()) == 1001
        own.start()
        assert len(asyncio.run(conversation(own, person(8)))[0]) == 8
    finally:
        own.close()


def test_the_clients_own_pace(server):
    """What the example program sends, in real time."""
    who = person(FRAMES)

    async def paced() -> Any:
        async with connected(server) as socket:
            await hello(socket)
            sound = who.sound.astype(np.float32)
            _, found = await asyncio.gather(send(socket, who.coeffs, sound), answers(socket))
            return frames_of(found)

    times, rows = asyncio.run(paced())
    np.testing.assert_allclose(times, np.arange(FRAMES) / 25, atol=1e-6)
    np.testing.assert_allclose(rows, streamed(who, 0), atol=1e-5)
