"""Random streams named by what they are for, so that no order of work can change a number."""

import hashlib

import numpy as np


def stream(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on `seed` and `names` only, not on which process asks, or when."""
    digest = hashlib.sha256("/".join((str(seed), *names)).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32).tolist())
