"""Times of films that begin before their beginning, late, or slowly."""

import warnings
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from jaxreact.errors import Remark
from jaxreact.media.sound import read_native_audio
from jaxreact.media.video_reader import read_video

pytestmark = pytest.mark.filterwarnings("error::jaxreact.errors.Remark")
RATE = 48000


def _film(path: Path, times, at: int, options=None, heard=lambda time: time) -> Path:
    """Dark pictures at times (s), one of them white; noise, with a beep as the white one comes."""
    seconds = times[-1] + 1
    sound = np.zeros(round(seconds * RATE), np.float32)
    sound[round(times[at] * RATE) :][:1920] = 0.5
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=25, options=options or {})
        picture.width, picture.height = 64, 48
        picture.codec_context.time_base = Fraction(1, 1000)
        voice = container.add_stream("pcm_s16le" if path.suffix == ".mkv" else "aac", rate=RATE)
        assert isinstance(voice, av.AudioStream)
        voice.layout = "mono"
        for number, time in enumerate(times):
            level = 250 if number == at else 10
            frame = av.VideoFrame.from_ndarray(
                np.full((48, 64, 3), level, np.uint8), format="rgb24"
            )
            frame.pts, frame.time_base = round(1000 * time), Fraction(1, 1000)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        for first in range(0, len(sound), 1024):
            block = np.round(sound[None, first : first + 1024] * 32767).astype(np.int16)
            part = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            part.sample_rate, part.time_base = RATE, Fraction(1, RATE)
            part.pts = round(heard(first / RATE) * RATE)
            container.mux(voice.encode(part))
        container.mux(voice.encode(None))
    return path


def _flash_and_beep(path: Path) -> tuple[float, float]:
    flash = next(picture.time for picture in read_video(path) if picture.rgb.mean() > 125)
    waveform, rate = read_native_audio(path)
    return flash, np.flatnonzero(np.abs(waveform) > 0.25)[0] / rate


@pytest.mark.parametrize("cut", [0.4, 2.4])
def test_a_film_that_was_trimmed_without_encoding_it_anew(tmp_path, cut):
    """Its pictures begin at a key picture before the beginning, which an edit list leaves out."""
    whole = _film(tmp_path / "whole.mp4", [k / 25 for k in range(250)], 150, {"g": "250"})
    trimmed = tmp_path / "trimmed.mp4"
    with av.open(str(whole)) as source, av.open(str(trimmed), "w") as container:
        streams = {s.index: container.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            shift = round(cut / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = streams[packet.stream.index]
            container.mux(packet)
    assert next(read_video(trimmed)).time == pytest.approx(0, abs=0.04)
    assert _flash_and_beep(trimmed) == pytest.approx((6 - cut, 6 - cut), abs=0.045)


@pytest.mark.parametrize("name", ["slow.mp4", "slow.mkv"])
@pytest.mark.parametrize(
    "times", [[0, 3, *(3 + k / 25 for k in range(1, 99))], [k / 5 for k in range(60)], range(12)]
)
def test_slow_pictures_with_b_frames(tmp_path, name, times):
    """A pause at the beginning, five pictures a second, one a second."""
    times, at = list(times), len(times) // 2
    film = _film(tmp_path / name, times, at, {"preset": "veryslow"})
    assert [p.time for p in read_video(film)] == pytest.approx(times, abs=1e-3)
    assert _flash_and_beep(film) == pytest.approx((times[at], times[at]), abs=0.03)


def test_a_film_whose_stamps_begin_late(tmp_path):
    times = [5 + k / 25 for k in range(100)]
    film = _film(tmp_path / "late.mkv", times, 50, heard=lambda time: time + 5)
    assert [p.time for p in read_video(film)] == pytest.approx([t - 5 for t in times], abs=1e-3)


@pytest.mark.parametrize(("start", "duration"), [(4.5, 1.0), (5.5, 1.0), (0.0, 6.0), (8.0, 1.0)])
def test_parts_of_sound_with_a_hole(tmp_path, start, duration):
    film = _film(
        tmp_path / "hole.mkv", [k / 25 for k in range(250)], 20, heard=lambda t: t + 3 * (t >= 5)
    )
    with pytest.warns(Remark, match=r"3\.00 s without sound"):
        whole, rate = read_native_audio(film)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Remark)
        part, _ = read_native_audio(film, start, duration)
    assert len(part) == round(duration * rate)
    first = round(start * rate)
    np.testing.assert_allclose(part, whole[first : first + len(part)], atol=1e-4)


def test_the_beginning_of_a_film_whose_sound_comes_later(tmp_path):
    film = _film(tmp_path / "a.mkv", [k / 25 for k in range(100)], 20, heard=lambda t: t + 3)
    part, rate = read_native_audio(film, 0.0, 2.0)
    assert len(part) == 2 * rate
    assert not part.any()


def test_parts_of_sound_whose_stamps_are_late(tmp_path):
    """Samples follow one another whatever the stamps say: some behind the end's count too."""
    film = _film(
        tmp_path / "a.mkv", [k / 25 for k in range(100)], 20, heard=lambda t: t + 0.03 * (t > 0)
    )
    whole, rate = read_native_audio(film)
    for start in (0.5, 1.0, 2.013):
        part, _ = read_native_audio(film, start, 1.0)
        assert len(part) == rate
        first = int(start * rate)
        np.testing.assert_allclose(part, whole[first : first + rate], atol=1e-4)
