"""Where in a sequence something stands, as vectors that are not learnt."""

import math
from functools import cache

import numpy as np
from jaxtyping import Float


@cache
def positions(frames: int, features: int) -> Float[np.ndarray, "frames features"]:
    """Sines and cosines of a frame's number (Vaswani et al. 2017), in turn; float32 as torch's."""
    even = np.arange(0, features, 2, dtype=np.float32)
    speed = np.exp(even * np.float32(-math.log(10000.0) / features))
    angle = np.arange(frames, dtype=np.float32)[:, None] * speed
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(frames, features)
