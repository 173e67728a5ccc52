"""How people depart from the expected reaction: how far, which channels together, and how long.

Measured in a pass over the training split. A departure has two parts: what changes within seconds,
in emotion and face together, and the face's quick motion of fractions of a second, which is the
person's own and the tracker's.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float
from scipy.optimize import root_scalar

from jaxreact.face import COEFFS, EMOTION_CHANNELS
from jaxreact.nn.quantizers import Statistics
from jaxreact.systems.framewise.config import UNITS

CHANNELS = EMOTION_CHANNELS + COEFFS
_AVERAGE = 25
"""Frames over which quick motion is averaged away."""
_LAG = 12
"""Frames after which the memory of what is slow is looked at."""
_FACE = slice(EMOTION_CHANNELS, CHANNELS)


class Residuals(nnx.Module):
    """What `departures` draws by; of a new model, nothing."""

    def __init__(self):
        self.mixing = Statistics(jnp.zeros((CHANNELS, CHANNELS)))
        """Independent unit noises -> what changes slowly, in units of the channels; action units
        in deviations, of one each."""
        self.memory = Statistics(jnp.full((), 0.9))
        """The double pole of the slow noises, a frame."""
        self.quick_mixing = Statistics(jnp.zeros((COEFFS, COEFFS)))
        self.quick_memory = Statistics(jnp.zeros(COEFFS))
        """How much of a coefficient's quick motion is left after a frame."""
        self.low = Statistics(jnp.full(COEFFS, -jnp.inf))
        """What a mean-subtracted coefficient never falls below."""
        self.high = Statistics(jnp.full(COEFFS, jnp.inf))


def moments(residual: Float[Array, "batch time 83"]) -> Float[Array, "1 sums"]:
    """What `summarised` needs of a batch, as one row: sums over clips and frames."""
    slow = _averaged(residual)
    quick = (residual - slow)[..., _FACE]
    sums = {
        "slow": _products(slow, slow),
        "later": jnp.einsum("btc,btc->c", slow[:, :-_LAG], slow[:, _LAG:]),
        "early": jnp.einsum("btc,btc->c", slow[:, :-_LAG], slow[:, :-_LAG]),
        "quick": _products(quick, quick),
        "quick_later": jnp.einsum("btc,btc->c", quick[:, :-1], quick[:, 1:]),
        "frames": jnp.full((1,), float(slow.shape[0] * slow.shape[1])),
    }
    return jnp.concatenate([sums[name].reshape(1, -1) for name in _SIZES], axis=-1)


_SIZES = {
    "slow": (CHANNELS, CHANNELS),
    "later": (CHANNELS,),
    "early": (CHANNELS,),
    "quick": (COEFFS, COEFFS),
    "quick_later": (COEFFS,),
    "frames": (1,),
}


def summarised(rows: Float[np.ndarray, "batches sums"]) -> dict[str, Any]:
    """The statistics of `Residuals` but for its bounds, from the moments of all batches."""
    flat, sums, begin = rows.astype(np.float64).sum(axis=0), {}, 0
    for name, shape in _SIZES.items():
        size = int(np.prod(shape))
        sums[name] = flat[begin : begin + size].reshape(shape)
        begin += size
    mixing = _root(sums["slow"] / sums["frames"])
    size = np.sqrt(np.square(mixing).sum(axis=1, keepdims=True))
    mixing[UNITS] /= np.maximum(size[UNITS], 1e-9)
    kept = sums["quick_later"] / np.maximum(np.diagonal(sums["quick"]), 1e-12)
    made = {
        "mixing": mixing,
        "memory": np.asarray(_double_pole(_share(sums["later"], sums["early"]))),
        "quick_mixing": _root(sums["quick"] / sums["frames"]),
        "quick_memory": np.clip(kept, 0.0, 0.99),
    }
    return {name: value.astype(np.float32) for name, value in made.items()}


def _averaged(residual: jax.Array) -> jax.Array:
    """Centred moving average, the ends continued."""
    half = _AVERAGE // 2
    padded = jnp.pad(residual, ((0, 0), (half + 1, half), (0, 0)), mode="edge")
    sums = jnp.cumsum(padded, axis=1)
    return (sums[:, _AVERAGE:] - sums[:, :-_AVERAGE]) / _AVERAGE


def _products(one: jax.Array, other: jax.Array) -> jax.Array:
    return jnp.einsum("btc,btd->cd", one, other)


def _root(covariance: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """The symmetric square root, of what rounding has left of a covariance."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def _share(later: np.ndarray, early: np.ndarray) -> float:
    """How much of what is slow is left after the lag: the mean over channels, each counted alike,
    of those that move."""
    moving = early > 1e-9
    return float(np.mean(later[moving] / early[moving])) if moving.any() else 0.0


def _double_pole(left: float) -> float:
    """The double pole whose noise has the correlation `left` after the lag."""

    def correlation(pole: float) -> float:
        return (1 + _LAG * (1 - pole**2) / (1 + pole**2)) * pole**_LAG

    low, high = 0.5, 0.99
    if left <= correlation(low):
        return low
    if left >= correlation(high):
        return high
    return root_scalar(lambda pole: correlation(pole) - left, bracket=(low, high)).root
