"""Weights and inputs of Learning2Listen's golden arrays, rebuilt from names alone, without torch.

    value = offset + scale * RandomState((crc32(name) + seed) % 2**32).standard_normal(shape)

`name` is the key of the original's state dict without the leading "module."; shapes are torch's.
"""

import re
import zlib

import numpy as np

_BATCH_NORM = re.compile(r"(squasher|expander|post_compressor)\.\d+\.2\.")
_LAYER_NORM = re.compile(r"(\.fn\.norm\.|cross_norm_layer\.)")
_GAINS = (
    (2.0, (".to_qkv.", ".to_kv.", ".to_q.")),
    (0.4, (".to_out.", ".l2.")),
    (2.0, ("linear_embedding", "cross_output_layer")),
    (1.4, (".l1.",)),
)


def normal(name: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Standard normal noise of a name."""
    random = np.random.RandomState((zlib.crc32(name.encode()) + seed) % 2**32)
    return np.asarray(random.standard_normal(size=shape))


def det_param(name: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """A parameter or buffer; float32, the number of batches int64."""
    last = name.split(".")[-1]
    if last == "num_batches_tracked":
        return np.asarray(7, np.int64)
    z = normal(name, shape, seed)
    if last == "running_mean":
        value = 0.4 + 0.2 * z  # near the mean of a leaky ReLU's output
    elif last == "running_var":
        value = np.exp(0.3 * z)
    elif _BATCH_NORM.search(name) or _LAYER_NORM.search(name):
        value = (1.0 if last == "weight" else 0.0) + 0.1 * z
    elif last == "pos_embedding":
        value = 0.3 * z
    elif last == "bias":
        value = 0.05 * z
    elif name == "quantize.embedding.weight":
        value = 1.0 * z
    elif "tok_embedding" in name:
        value = 0.5 * z
    elif len(shape) == 3:  # a convolution; the transposed one has (in, out, width) and a stride
        doubling = name.startswith("decoder.expander.0.")
        fan = shape[0] * shape[2] / 2 if doubling else shape[1] * shape[2]
        value = 1.3 / np.sqrt(fan) * z
    else:
        value = _gain(name) / np.sqrt(shape[1]) * z
    return np.asarray(value, np.float32)


def _gain(name: str) -> float:
    """Of a linear layer."""
    return next((gain for gain, words in _GAINS if any(word in name for word in words)), 1.0)


def smooth(
    name: str, shape: tuple[int, ...], seed: int = 0, k: int = 9, scale: float = 1.0
) -> np.ndarray:
    """Smooth noise (.., time, features) of about unit deviation: sums of `k` along time."""
    longer = (*shape[:-2], shape[-2] + k - 1, shape[-1])
    x = np.cumsum(normal(name, longer, seed), axis=-2)
    x = np.concatenate([np.zeros_like(x[..., :1, :]), x], axis=-2)
    return (scale * (x[..., k:, :] - x[..., :-k, :]) / np.sqrt(k)).astype(np.float32)
