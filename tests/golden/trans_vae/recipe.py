"""Weights and inputs of the goldens beside this file, made from names alone.

    value = offset + scale * RandomState(crc32(name)).standard_normal(shape)

NumPy's legacy streams are frozen, so these are the same on every machine. The goldens were computed
from them by the original's own code (`.npz`), or saved by its scripts (`.pth`).
"""

import zlib

import numpy as np


def stream(name):
    return np.random.RandomState(zlib.crc32(name.encode()))


def normal(name, shape):
    """Standard normal noise of the latents."""
    return stream(name).standard_normal(size=shape).astype(np.float32)


def parameter(name, shape):
    """The value of a weight by its torch name; scaled so that every layer keeps its scale."""
    last, owner = name.split(".")[-1], name.split(".")[-2] if "." in name else ""
    offset, scale = 0.0, 0.05
    if len(shape) >= 2:
        gain = np.sqrt(2.0) if len(shape) == 5 else 1.0  # convolutions stand before a ReLU
        scale = gain / np.sqrt(int(np.prod(shape[1:])))
    elif last == "logvar_token":
        offset, scale = -0.5, 0.5
    elif last == "mu_token":
        scale = 1.0
    elif owner.startswith("norm") and last == "weight":
        offset, scale = 1.0, 0.1
    return (offset + scale * stream(name).standard_normal(size=shape)).astype(np.float32)


def smooth(name, shape, width):
    """Moving average along axis -2 of unit normals, rescaled to unit variance."""
    longer = (*shape[:-2], shape[-2] + width - 1, shape[-1])
    x = np.cumsum(stream(name).standard_normal(size=longer), axis=-2)
    x = np.concatenate([np.zeros_like(x[..., :1, :]), x], axis=-2)
    return ((x[..., width:, :] - x[..., :-width, :]) / np.sqrt(width)).astype(np.float32)


def face(name, batch, frames):
    """(batch, frames, 58) mean-subtracted coefficients."""
    return 0.3 * smooth("face." + name, (batch, frames, 58), 9)


def emotion(name, batch, frames):
    """(batch, frames, 25): binary action units, valence and arousal, probabilities."""
    z = smooth("emotion." + name, (batch, frames, 25), 15).astype(np.float64)
    e = np.exp(z[..., 17:])
    parts = [(z[..., :15] > 0).astype(np.float64), np.tanh(z[..., 15:17]), e / e.sum(-1)[..., None]]
    return np.concatenate(parts, -1).astype(np.float32)


def audio(name, batch, frames):
    """(batch, frames, 78) in place of audio features."""
    x = smooth("mfcc." + name, (batch, frames, 78), 5)
    x[..., :26] = 4.0 * x[..., :26] + 2.0
    return x


def pictures(name, frames, size):
    """(frames, size, size, 3) uint8: a blocky pattern that drifts, and fine noise."""
    coarse = smooth("frames.coarse." + name, (8 * 8 * 3, frames, 1), 7)[..., 0].T
    index = (np.arange(size) * 8) // size
    picture = coarse.reshape(frames, 8, 8, 3)[:, index][:, :, index]
    fine = stream("frames.fine." + name).randint(-20, 21, size=(frames, size, size, 3))
    bright = np.rint(128.0 + 45.0 * picture.astype(np.float64)) + fine
    return np.clip(bright, 0, 255).astype(np.uint8)


def video(name, batch, frames, size):
    """(batch, frames, size, size, 3) uint8."""
    return np.stack([pictures(f"{name}.{b}", frames, size) for b in range(batch)])


def sound(name, samples, rate):
    """(samples,) in [-1, 1], of 16-bit steps."""
    t = np.arange(samples) / rate
    s = stream("sound." + name)
    y = 0.05 * s.standard_normal(samples)
    for f in (110, 220, 440, 1300, 3100, 6000):
        tone = np.sin(2 * np.pi * (f * t + s.uniform()))
        y += 0.15 * tone * (0.5 + 0.5 * np.sin(2 * np.pi * s.uniform(0.3, 3) * t))
    return np.rint(np.clip(y, -1, 1) * 32767) / 32768
