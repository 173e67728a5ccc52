"""Weights and inputs of BeLFusion's golden arrays, rebuilt from names alone, without torch.

    value = offset + scale * RandomState((crc32(name) + seed) % 2**32).standard_normal(shape)

`name` is the key of the original's state dict; of two keys of one tensor the first.
"""

import zlib

import numpy as np


def stream(name, seed=0):
    return np.random.RandomState((zlib.crc32(name.encode()) + seed) % 2**32)


def normal(name, shape, seed=0):
    """float32 standard normal noise."""
    return stream(name, seed).standard_normal(size=shape).astype(np.float32)


def det_param(name, shape, seed=0):
    """The parameter called `name`, scaled by its fan-in, so that every layer keeps its scale."""
    last = name.split(".")[-1]
    owner = name.split(".")[-2]
    offset, scale = 0.0, 0.05
    if len(shape) >= 2:
        gain = 1.5 if owner == "d_out" else 1.0  # emotions of a useful spread
        scale = gain / np.sqrt(np.prod(shape[1:]))
    elif owner.startswith("norm") and last == "weight":
        offset, scale = 1.0, 0.1
    elif owner == "d_out":
        offset, scale = 0.4, 0.3  # action units straddle the rounding border 0.5
    return (offset + scale * stream(name, seed).standard_normal(size=shape)).astype(np.float32)


def smooth(name, shape, seed=0, k=9):
    """Moving average of width k along axis -2 of unit normals, rescaled to unit variance."""
    longer = [*shape[:-2], shape[-2] + k - 1, shape[-1]]
    x = np.cumsum(stream(name, seed).standard_normal(size=longer), axis=-2)
    x = np.concatenate([np.zeros_like(x[..., :1, :]), x], axis=-2)
    return ((x[..., k:, :] - x[..., :-k, :]) / np.sqrt(k)).astype(np.float32)


def emotion(name, batch, frames, seed=0):
    """(batch, frames, 25): 15 binary action units, valence and arousal, 8 probabilities."""
    z = smooth("emotion." + name, (batch, frames, 25), seed, k=15).astype(np.float64)
    units = (z[..., :15] > 0).astype(np.float64)
    e = np.exp(z[..., 17:])
    parts = [units, np.tanh(z[..., 15:17]), e / e.sum(-1, keepdims=True)]
    return np.concatenate(parts, -1).astype(np.float32)
