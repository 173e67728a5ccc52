"""Channels become one without losing what they hold."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from jaxreact.errors import Remark
from jaxreact.media.channels import mixed
from jaxreact.media.sound import read_audio
from jaxreact.media.sound_track import as_float
from tests.media.test_sound import write_container

FILE = Path("a.wav")


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
        np.testing.assert_allclose(read_audio(film)[:16000], tone, atol=1e-4)


@pytest.mark.parametrize("form", ["s16", "s16p", "fltp", "u8"])
def test_more_channels_than_eight(form):
    """Each channel holds its number, in hundredths."""
    frame = av.AudioFrame(form, "hexadecagonal", 8)
    frame.sample_rate = 16000
    kind, scale = {"s": ("i2", 2**15), "f": ("f4", 1), "u": ("u1", 2**7)}[form[0]]
    held = np.repeat(np.arange(16)[:, None] / 100, 8, axis=1) * scale + 128 * (form == "u8")
    stored = np.round(held).astype(kind) if form[0] != "f" else held.astype(kind)
    if frame.format.is_planar:
        for plane, channel in zip(frame.planes[:16], stored, strict=True):
            plane.update(_filled(channel.tobytes(), plane.buffer_size))
    else:
        frame.planes[0].update(_filled(stored.T.tobytes(), frame.planes[0].buffer_size))
    expected = np.repeat(np.arange(16)[:, None] / 100, 8, axis=1)
    np.testing.assert_allclose(as_float(frame), expected, atol=0.5 / scale + 1e-6)


def _filled(content: bytes, size: int) -> bytes:
    return content + bytes(size - len(content))
