"""What a device can do, and how it is kept at work."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import jax

Begun = TypeVar("Begun")


def triton_runs() -> bool:
    """Whether JAX's devices are GPUs of NVIDIA's that Triton compiles for: Ampere or newer."""
    if jax.default_backend() != "gpu":
        return False
    # Of AMD's it is "gfx90a".
    capability = str(getattr(jax.local_devices()[0], "compute_capability", ""))
    major = capability.partition(".")[0]
    return major.isdecimal() and int(major) >= 8


def one_ahead(begun: Iterable[Begun]) -> Iterator[Begun]:
    """The same, each given when the next one has begun: a device works on it meanwhile."""
    waiting: Sequence[Begun] = ()
    for one in begun:
        yield from waiting
        waiting = (one,)
    yield from waiting
