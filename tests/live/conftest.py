"""Servers with a page, and what a browser's camera sees."""

from collections.abc import Iterator
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
    made = LiveServer(framewise(), page=True, vision=vision)
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
    """A man who talks, as pictures of a camera: JPEGs one after another, on and back again."""
    pictures, _ = decode(CARPHONE)
    path = tmp_path_factory.mktemp("camera") / "face.mjpeg"
    with path.open("wb") as file:
        for picture in pictures + pictures[::-1]:
            Image.fromarray(picture).resize((640, 480)).save(file, "JPEG", quality=90)
    return path


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
