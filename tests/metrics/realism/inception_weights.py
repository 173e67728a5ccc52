"""Deterministic weights for FID's Inception by the names of its published file."""

import numpy as np

from tests.golden.recipe import _randn


def tensor_of(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A float32 tensor that keeps the activations alive: He's variance, statistics near (0, 1)."""
    noise = _randn(name, shape, seed=0)
    last = name.rpartition(".")[2]
    if last == "running_var":
        value = np.exp(0.3 * noise)
    elif ".bn." in name:
        value = (last == "weight") + 0.3 * noise
    else:
        value = noise * np.sqrt(2 / max(1, np.prod(shape[1:])))
    return value.astype(np.float32)


def images() -> list[np.ndarray]:
    """Two RGB images of coloured blocks, one smaller than the network's picture, one larger."""
    made = []
    for seed, (high, wide), scale in ((0, (8, 6), 31), (1, (15, 20), 26)):
        blocks = np.random.RandomState(seed).randint(0, 256, (high, wide, 3))
        made.append(blocks.repeat(scale, 0).repeat(scale, 1).astype(np.uint8))
    return made
