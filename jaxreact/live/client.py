"""A program that speaks to the server: `python -m jaxreact.live.client VIDEO --url ADDRESS`.

It tracks the face of a video, sends it and its sound as if they happened now, and writes what the
listener answers.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType

from jaxreact.commands import run_command
from jaxreact.errors import UserError
from jaxreact.face import COEFFS, FPS
from jaxreact.files import replacing
from jaxreact.live import messages
from jaxreact.live.messages import Kind
from jaxreact.media.sound import SAMPLES_PER_FRAME, read_audio
from jaxreact.tracking import track_video


@dataclass(frozen=True)
class Config:
    """Lets a server's listener react to a video, in real time."""

    video: tyro.conf.Positional[Path]
    """A video of one talking face, with sound."""
    out: Path
    """The listener's frames: time (s), raw coefficients (58) and emotion (25), as npz."""
    url: str = "http://127.0.0.1:8765"
    """Address of the server."""
    token: str | None = None
    """What the server wants to know."""


async def send(socket: ClientWebSocketResponse, coeffs: np.ndarray, sound: np.ndarray) -> None:
    """A frame every 40 ms, and its sound."""
    start = time.monotonic()
    for number, row in enumerate(coeffs):
        await asyncio.sleep(start + number / FPS - time.monotonic())
        piece = sound[number * SAMPLES_PER_FRAME : (number + 1) * SAMPLES_PER_FRAME]
        await socket.send_bytes(messages.pack_sound(number / FPS, piece))
        times = np.array([number / FPS])
        await socket.send_bytes(messages.pack_rows(Kind.FACES, times, row[None]))
    await socket.send_bytes(messages.pack_end())


async def converse(config: Config, coeffs: np.ndarray, sound: np.ndarray) -> None:
    """The whole conversation. Raises UserError where the server refuses it."""
    headers = {} if config.token is None else {"Authorization": f"Bearer {config.token}"}
    frames, rows = [], []
    async with (
        ClientSession(headers=headers) as session,
        session.ws_connect(f"{config.url}/v1/stream", protocols=[messages.PROTOCOL]) as socket,
    ):
        sending = asyncio.create_task(send(socket, coeffs, sound))
        async for incoming in socket:
            if incoming.type is WSMsgType.BINARY:
                message = messages.unpack(incoming.data)
                if message.kind is Kind.REACTIONS and message.rows is not None:
                    frames.append(message.time + np.arange(len(message.rows)) / FPS)
                    rows.append(message.rows)
        sending.cancel()
        if socket.close_code != 1000 or not rows:
            raise UserError(f"{config.url}: closed with {socket.close_code}")
    reaction = np.concatenate(rows)
    with replacing(config.out) as path, path.open("wb") as file:
        coeffs, emotion = reaction[:, :COEFFS], reaction[:, COEFFS:]
        np.savez(file, time=np.concatenate(frames), coeffs=coeffs, emotion=emotion)


def main() -> None:
    """Reads the options, tracks, and converses."""
    config = tyro.cli(Config, prog="python -m jaxreact.live.client")
    track, sound = track_video(config.video), read_audio(config.video)
    try:
        asyncio.run(converse(config, track.coeffs, sound))
    except ClientError as error:
        raise UserError(f"{config.url}: {error}") from None


if __name__ == "__main__":
    run_command(main)
