"""Channels become one without losing what they hold."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from jaxreact.errors import Remark
from jaxreact.media.channels import mixed
from jaxreact.media.sound import read_audio
from jaxreact.media.sound_track import ToFloat
from tests.media.test_sound import write_container

FILE = Path("a.wav")
KINDS = {"u8": ("u1", 2**7), "s16": ("i2", 2**15), "s32": ("i4", 2**31)}
KINDS |= {"flt": ("f4", 1), "dbl": ("f8", 1)}


def _noise(channels: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(channels, 4000)).astype(np.float32) * 0.1


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_the_mean_is_the_rule(channels, recwarn):
    """Also of channels that have nothing in common, and where one of many speaks alone."""
    noise = _noise(channels)
    np.testing.assert_allclose(mixed(FILE, noise), noise.mean(0), atol=1e-7)
    noise[1:] = 0
    np.testing.assert_allclose(mixed(FILE, noise), noise.mean(0), atol=1e-7)
    assert not mixed(FILE, np.zeros((channels, 100), np.float32)).any()
    assert not recwarn.list


@pytest.mark.parametrize("gain", [1.0, 0.9])
def test_what_cancels_is_not_averaged(gain):
    left = _noise(1)[0]
    with pytest.warns(Remark, match=r"a\.wav: its channels cancel each other; channel 2 alone"):
        kept = mixed(FILE, np.stack([-gain * left, 1.01 * left]))
    np.testing.assert_array_equal(kept, 1.01 * left)


def test_a_balanced_cable_in_a_stereo_jack(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 220 * np.arange(16000) / 16000).astype(np.float32)
    stereo = np.stack([tone, -tone], axis=1)
    soundfile.write(tmp_path / "cable.wav", stereo, 16000, subtype="FLOAT")
    with pytest.warns(Remark, match="cancel"):
        np.testing.assert_allclose(read_audio(tmp_path / "cable.wav"), tone, atol=1e-6)
    film = write_container(tmp_path / "cable.mkv", stereo, 16000, "pcm_s16le")
    with pytest.warns(Remark, match="cancel"):
        np.testing.assert_allclose(read_audio(film)[:16000], tone, atol=4e-4)


@pytest.mark.parametrize(
    ("form", "layout", "channels"),
    [
        ("s16", "hexadecagonal", 16),
        ("s16p", "5.1", 6),
        ("fltp", "5.1", 6),
        ("dblp", "stereo", 2),
        ("s32", "mono", 1),
        ("u8", "stereo", 2),
        ("u8p", "mono", 1),
    ],
)
def test_samples_of_any_kind(form, layout, channels):
    """Each channel holds its number, in hundredths."""
    kind, scale = KINDS[form.rstrip("p")]
    expected = np.repeat(np.arange(channels)[:, None] / 100, 8, axis=1)
    stored = expected * scale + 128 * (kind == "u1")
    stored = (stored if kind[0] == "f" else np.round(stored)).astype(kind)
    stored = np.ascontiguousarray(stored if form[-1] == "p" else stored.T.reshape(1, -1))
    frame = av.AudioFrame.from_ndarray(stored, form, layout)
    frame.sample_rate = 16000
    to_float = ToFloat()
    for _ in range(2):
        np.testing.assert_allclose(to_float(frame), expected, atol=0.5 / scale + 1e-6)


@pytest.mark.parametrize("codec", ["pcm_s16le", "wavpack"])
def test_more_channels_than_eight(tmp_path, codec):
    """One in sixteen speaks: a wavpack's channels lie each by themselves, a pcm's take turns."""
    film = tmp_path / "array.mkv"
    with av.open(str(film), "w") as container:
        voice = container.add_stream(codec, rate=16000, layout="hexadecagonal")
        assert isinstance(voice, av.AudioStream)
        form = av.AudioResampler(format=voice.format.name)
        for number in range(8):
            block = np.zeros((1024, 16), np.int16)
            block[:, 5] = 16000
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), "s16", "hexadecagonal")
            frame.sample_rate, frame.pts, frame.time_base = 16000, 1024 * number, Fraction(1, 16000)
            for part in form.resample(frame):
                container.mux(voice.encode(part))
        container.mux(voice.encode(None))
    heard = read_audio(film)
    assert len(heard) == 8192
    np.testing.assert_allclose(heard, 1000 / 2**15, atol=4e-4)
