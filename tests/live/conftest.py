"""Servers with a page, and what a browser's camera sees."""

import wave
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from jaxreact.errors import UserError
from jaxreact.live.limits import Limits
from jaxreact.live.vision import fetch_vision
from tests.clips import BUNNY, CARPHONE, decode, write_clip
from tests.live.serving import LiveServer
from tests.streaming.systems import framewise


@pytest.fixture(scope="session")
def vision(tmp_path_factory) -> Path:
    """MediaPipe's files for the browser."""
    try:
        return fetch_vision(tmp_path_factory.mktemp("vision") / "vision")
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def live_server(vision) -> Iterator[LiveServer]:
    """A server whose page tracks faces itself."""
    made = LiveServer(framewise(), page=True, vision=vision, sessions=4)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def small_server() -> Iterator[LiveServer]:
    """One without MediaPipe's files, that tracks, for one session of a quarter of a minute."""
    given = {"page": True, "tracks": True, "sessions": 1, "limits": Limits(minutes=0.25)}
    made = LiveServer(framewise(), **given)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="session")
def face_pictures(tmp_path_factory) -> Path:
    """A man who talks, as pictures of a camera, on and back again."""
    pictures, _ = decode(CARPHONE)
    return camera_file(tmp_path_factory.mktemp("camera") / "face.mjpeg", pictures + pictures[::-1])


def camera_file(path: Path, pictures: Iterable[np.ndarray]) -> Path:
    """JPEGs one after another, of which a browser's camera shows 30 a second."""
    with path.open("wb") as file:
        for picture in pictures:
            Image.fromarray(picture).resize((640, 480)).save(file, "JPEG", quality=90)
    return path


@pytest.fixture(scope="session")
def empty_room() -> np.ndarray:
    """A picture without a face."""
    light = np.linspace(40, 200, 176, dtype=np.uint8)
    return np.tile(light[None, :, None], (144, 1, 3))


@pytest.fixture(scope="session")
def somebody_comes(tmp_path_factory, empty_room, talk) -> tuple[Path, Path]:
    """For a camera and a microphone: an empty, silent room for eight seconds, then a man who talks
    for four."""
    folder = tmp_path_factory.mktemp("room")
    pictures = camera_file(folder / "room.mjpeg", [empty_room] * 240 + decode(CARPHONE)[0])
    with wave.open(str(talk)) as heard, wave.open(str(folder / "room.wav"), "wb") as made:
        made.setparams(heard.getparams())
        made.writeframes(bytes(2 * 48000 * 8) + heard.readframes(48000 * 4))
    return pictures, folder / "room.wav"


@pytest.fixture(scope="session")
def talk(tmp_path_factory) -> Path:
    """Sound for a microphone: WAV, 48 kHz."""
    path = tmp_path_factory.mktemp("microphone") / "talk.wav"
    with av.open(str(BUNNY)) as container, av.open(str(path), "w") as made:
        stream = made.add_stream("pcm_s16le", rate=48000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        resampler = av.AudioResampler("s16", "mono", 48000)
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                made.mux(stream.encode(part))
        made.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def film(tmp_path_factory) -> Path:
    """Three seconds of the man who talks, with a tone."""
    pictures, times = decode(CARPHONE)
    tone = (0.3 * np.sin(np.arange(3 * 48000) / 20)).astype(np.float32)
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_clip(path, pictures[:90], times[:90], (tone, 48000))


@pytest.fixture(scope="session")
def empty_film(tmp_path_factory, empty_room) -> Path:
    """Eight seconds of an empty, silent room."""
    silence = np.zeros(8 * 48000, np.float32)
    times = (np.arange(8 * 30) / 30).tolist()
    path = tmp_path_factory.mktemp("film") / "empty.mp4"
    return write_clip(path, [empty_room] * len(times), times, (silence, 48000))
