"""Which streams of a container are taken, and what is no container."""

import os
import shutil
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import soundfile
from av.stream import Disposition

from jaxreact.errors import UserError
from jaxreact.media.decoding import Decoding
from jaxreact.media.sound import read_audio
from jaxreact.media.video_reader import read_video
from jaxreact.media.video_writer import write_video

RATE = 48000


def _grey(level: int, height: int = 48, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def test_a_still_before_the_film_is_not_taken_for_it(tmp_path):
    film = tmp_path / "cover.mkv"
    with av.open(str(film), "w") as container:
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 640, 480, "yuvj420p"
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 48
        container.mux(cover.encode(av.VideoFrame.from_ndarray(_grey(90, 480, 640), format="rgb24")))
        container.mux(cover.encode(None))
        for number in range(20):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(_grey(10 * number), format="rgb24"))
            )
        container.mux(stream.encode(None))
    seen = list(read_video(film))
    assert len(seen) == 20
    assert seen[0].rgb.shape == (48, 64, 3)


def _without_decoder(path: Path, track: int) -> None:
    """Renames the codec of one of an mp4's sound tracks to one that nobody decodes."""
    data = bytearray(path.read_bytes())
    entries = [i for i in range(len(data)) if data.startswith(b"mp4a", i)]
    entries = [i for i in entries if data.rfind(b"stsd", i - 24, i) != -1]
    at = entries[track]
    data[at : at + 4] = b"apac"
    inner = data.index(b"esds", at)
    data[inner : inner + 4] = b"dapa"
    path.write_bytes(data)


def _two_tracks(path: Path) -> None:
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=25)
        picture.width, picture.height = 64, 48
        voices = [container.add_stream("aac", rate=RATE, layout="mono") for _ in range(2)]
        for _ in range(25):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(_grey(9), format="rgb24")))
        container.mux(picture.encode(None))
        for level, voice in zip((0.1, 0.3), voices, strict=True):
            for first in range(0, RATE, 1024):
                block = np.full((1, 1024), level, np.float32)
                frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
                container.mux(voice.encode(frame))
            container.mux(voice.encode(None))


def test_a_track_without_a_decoder(tmp_path):
    film = tmp_path / "iphone.mp4"
    _two_tracks(film)
    assert read_audio(film)[8000] == pytest.approx(0.1, abs=0.02)
    _without_decoder(film, 0)
    assert read_audio(film)[8000] == pytest.approx(0.3, abs=0.02)
    _without_decoder(film, 0)  # the other one
    with pytest.raises(UserError, match=r"iphone\.mp4: no decoder for its sound \(apac\); convert"):
        read_audio(film)
    assert len(list(read_video(film))) == 25


def test_names_with_colons_are_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("take:1").mkdir()
    write_video("take:1/10:30.mp4", [_grey(9)] * 5, audio=(np.zeros(9600, np.float32), RATE))
    shutil.copy("take:1/10:30.mp4", "file:a.mp4")
    for name in ("take:1/10:30.mp4", "file:a.mp4"):
        assert len(list(read_video(name))) == 5
        assert len(read_audio(name)) > 3000


def test_lists_of_films_are_not_followed(tmp_path):
    write_video(tmp_path / "a.mp4", [_grey(9)] * 5)
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile a.mp4\n")
    with pytest.raises(UserError, match=r"list\.mp4: is a list of films; give one of those"):
        list(read_video(tmp_path / "list.mp4"))


def test_tags_in_any_encoding(tmp_path):
    film = tmp_path / "tagged.mp4"
    with av.open(str(film), "w") as container:
        container.metadata["title"] = "Orleans"
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 48
        container.mux(stream.encode(av.VideoFrame.from_ndarray(_grey(9), format="rgb24")))
        container.mux(stream.encode(None))
    data = film.read_bytes()
    assert b"Orleans" in data
    film.write_bytes(data.replace(b"Orleans", b"Orl\xe9ans"))
    assert len(list(read_video(film))) == 1


@pytest.mark.skipif(os.name != "posix", reason="names are text elsewhere")
def test_names_that_are_not_utf_8(tmp_path):
    name = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    write_video(tmp_path / "a.mp4", [_grey(9)] * 5, audio=(np.zeros(9600, np.float32), RATE))
    os.rename(tmp_path / "a.mp4", name)
    assert len(list(read_video(name))) == 5
    assert len(read_audio(name)) > 3000
    soundfile.write(tmp_path / "b.wav", np.full(160, 0.1), 16000)
    os.rename(tmp_path / "b.wav", tmp_path / os.fsdecode(b"\xe9.wav"))
    assert len(read_audio(tmp_path / os.fsdecode(b"\xe9.wav"))) == 160


def _with_cover(path: Path, film: bool) -> None:
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 640, 480, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        voice = container.add_stream("aac", rate=RATE, layout="mono")
        stream = container.add_stream("libx264", rate=25) if film else None
        if stream is not None:
            stream.width, stream.height = 64, 48
        picture = av.VideoFrame.from_ndarray(_grey(90, 480, 640), format="rgb24")
        container.mux(cover.encode(picture.reformat(format="yuvj420p")))
        container.mux(cover.encode(None))
        if stream is not None:
            for _ in range(2):  # no longer than the cover: FFmpeg would take the larger one
                container.mux(stream.encode(av.VideoFrame.from_ndarray(_grey(9), format="rgb24")))
            container.mux(stream.encode(None))
        for first in range(0, 2 * RATE, 1024):
            block = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
            container.mux(voice.encode(frame))
        container.mux(voice.encode(None))


@pytest.mark.filterwarnings("error::jaxreact.errors.Remark")
@pytest.mark.parametrize(("film", "shape"), [(True, (48, 64, 3)), (False, (480, 640, 3))])
def test_a_cover_is_shown_where_there_is_no_film(tmp_path, film, shape):
    path = tmp_path / "song.mp4"
    _with_cover(path, film)
    seen = list(read_video(path))
    assert {picture.rgb.shape for picture in seen} == {shape}
    assert len(read_audio(path)) / 16000 == pytest.approx(2, abs=0.05)


def test_pyavs_own_error_at_the_end_is_the_end(tmp_path, monkeypatch):
    """It counts the streams anew: one that appears late in an MPEG program stream is too many."""
    write_video(tmp_path / "a.mp4", [_grey(9)] * 5)

    made = Decoding.__init__

    def begin(self, path, container, *more):
        made(self, path, container, *more)
        self._container = SimpleNamespace(
            demux=lambda streams: _failing(container.demux(streams)), duration=container.duration
        )

    monkeypatch.setattr(Decoding, "__init__", begin)
    assert len(list(read_video(tmp_path / "a.mp4"))) == 5


def _failing(packets):
    yield from packets
    raise IndexError("list index out of range")
