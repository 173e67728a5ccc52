"""Every row of the table in docs/inputs.md, written and read; rates; every kind of sound file."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from jaxreact.media.sound import read_audio, read_native_audio
from jaxreact.media.video_reader import read_video

pytestmark = pytest.mark.filterwarnings("error::jaxreact.errors.Remark")  # nothing is repaired

PAGE = Path(__file__).parents[2] / "docs" / "inputs.md"
RATE = 48000
COUNT, FLASH = 60, 36

ROUGH = {"avi": 0.045, "flv": 0.03, "ts": 0.03, "mpg": 0.03, "vob": 0.03, "wmv": 0.045}
"""Seconds by which all of a file may be late: what its encoders put before the sound, in containers
that cannot leave it out. Elsewhere nothing is late."""


def _rows() -> Iterator[tuple[str, str, str]]:
    lines = PAGE.read_text("utf-8").split("| file | pictures | sound |")[1].splitlines()[2:]
    for line in lines:
        if not line.startswith("|"):
            return
        name, pictures, sound = (cell.strip() for cell in line.strip("| ").split("|"))
        yield name, pictures, sound


def _write(path: Path, pictures: str, sound: str, fps: Fraction) -> None:
    """One white picture, and a beep as long as it."""
    with av.open(str(path), "w") as container:
        stream, voice = container.add_stream(pictures, rate=fps), container.add_stream(sound, RATE)
        assert isinstance(stream, av.VideoStream)
        assert isinstance(voice, av.AudioStream)
        stream.width, stream.height = (720, 576) if path.suffix == ".mxf" else (64, 48)
        known = [f.name for f in stream.codec_context.codec.video_formats or []]
        stream.pix_fmt = next(f for f in ("yuvj420p", "yuv420p", *known) if f in known or not known)
        if pictures != "mjpeg" and "yuv420p" in known:
            stream.pix_fmt = "yuv420p"
        if pictures == "libx265":
            stream.options = {"x265-params": "log-level=none"}
        if path.suffix == ".mxf":
            stream.bit_rate = 5_000_000
        voice.layout, voice.bit_rate = "stereo", 128_000
        formats = voice.codec_context.codec.audio_formats or []
        form = av.AudioResampler(format=formats[0].name, layout="stereo", rate=RATE)
        step = round(RATE / fps)
        for number in range(COUNT):
            level = 250 if number == FLASH else 10
            rgb = np.full((stream.height, stream.width, 3), level, np.uint8)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = number, 1 / fps
            container.mux(stream.encode(frame))
            beep = 0.5 * np.sin(np.arange(step, dtype=np.float32) * 0.3) * (number == FLASH)
            part = av.AudioFrame.from_ndarray(np.stack([beep, beep]), "fltp", "stereo")
            part.sample_rate, part.pts = RATE, number * step
            part.time_base = Fraction(1, RATE)
            for converted in form.resample(part):
                container.mux(voice.encode(converted))
        container.mux(stream.encode(None))
        container.mux(voice.encode(None))


def _check(path: Path, fps: Fraction, rough: float) -> None:
    seen = list(read_video(path))
    assert len(seen) == COUNT
    times = np.array([picture.time for picture in seen])
    late = times - np.arange(COUNT) / float(fps)
    assert late.min() > -0.002
    assert late.max() <= rough + 0.002
    assert np.ptp(late) < 0.042
    flash = [picture.time for picture in seen if picture.rgb.mean() > 125]
    waveform, rate = read_native_audio(path)
    beep = np.flatnonzero(np.abs(waveform) > 0.2)[0] / rate
    assert len(flash) == 1
    assert flash[0] == pytest.approx(beep, abs=0.024)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "pictures", "sound"), _rows())
def test_what_the_page_says_is_read(tmp_path, name, pictures, sound):
    path = tmp_path / f"a.{name}"
    _write(path, pictures, sound, Fraction(25))
    _check(path, Fraction(25), ROUGH.get(name, 0.0))


def test_the_page_has_a_table():
    assert len(list(_rows())) > 30


@pytest.mark.parametrize("fps", [12, 15, 24, 30, 50, 60, 120, "24000/1001", "30000/1001"])
def test_any_rate(tmp_path, fps):
    path = tmp_path / "a.mov"
    _write(path, "libx264", "pcm_s16le", Fraction(fps))
    _check(path, Fraction(fps), 0.02)  # the beep of a step is a whole number of samples


def _kinds() -> list[tuple[str, str]]:
    """What libsndfile can write that says of itself what it is."""
    raw = {"RAW", "SVX", "XI", "MPC2K"}  # without a header, or for instruments
    read_only = {("MP3", "MPEG_LAYER_I"), ("MP3", "MPEG_LAYER_II"), ("WAV", "MPEG_LAYER_III")}
    return [
        (form, subtype)
        for form in soundfile.available_formats()
        if form not in raw
        for subtype in soundfile.available_subtypes(form)
        if not subtype.startswith("DWVW")  # soundfile cannot read it back either
        if (form, subtype) not in read_only and soundfile.check_format(form, subtype)
    ]


@pytest.mark.parametrize(("form", "subtype"), _kinds())
def test_every_kind_of_sound_file(tmp_path, form, subtype):
    rate = 48000 if subtype == "OPUS" else 44100
    if subtype.startswith(("NMS", "G72")) or form in ("WVE", "VOC"):
        rate = 8000  # the only one, or one that its header can say
    tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(rate) / rate)
    path = tmp_path / f"tone.{form.lower()}"
    soundfile.write(path, tone, rate, subtype=subtype, format=form)
    heard, expected = read_audio(path), 0.5 * np.sin(2 * np.pi * 200 * np.arange(16000) / 16000)
    assert len(heard) == pytest.approx(16000, abs=1200)
    spectrum = np.abs(np.fft.rfft(heard[2000:14000]))
    assert np.argmax(spectrum) == pytest.approx(150, abs=1)  # 200 Hz in 0.75 s
    assert np.abs(heard[2000:14000]).max() == pytest.approx(np.abs(expected).max(), abs=0.12)
