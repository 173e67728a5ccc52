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
        """Independent unit noises -> what changes slowly, in units of `Expected.spread`; action
        units have a deviation of one each."""
        self.memory = Statistics(jnp.full((), 0.9))
        """The double pole of the slow noises, a frame."""
        self.quick_mixing = Statistics(jnp.zeros((COEFFS, COEFFS)))
        """Independent unit noises -> quick motion, in units of how restless each coefficient is."""
        self.quick_memory = Statistics(jnp.zeros((2, COEFFS)))
        """Correlation of a coefficient's quick motion with itself one and two frames ago."""
        self.low = Statistics(jnp.full(COEFFS, -jnp.inf))
        """What a mean-subtracted coefficient never falls below."""
        self.high = Statistics(jnp.full(COEFFS, jnp.inf))


def parted(residual: Float[Array, "batch time channels"]) -> tuple[jax.Array, jax.Array]:
    """What is slow of a departure, by a centred moving average over a second whose ends are
    continued, and what is quick."""
    half = _AVERAGE // 2
    padded = jnp.pad(residual, ((0, 0), (half + 1, half), (0, 0)), mode="edge")
    sums = jnp.cumsum(padded, axis=1)
    slow = (sums[:, _AVERAGE:] - sums[:, :-_AVERAGE]) / _AVERAGE
    return slow, residual - slow


def moments(
    residual: Float[Array, "batch time 83"], unrest: Float[Array, "batch time 58"]
) -> Float[Array, "1 sums"]:
    """What `summarised` needs of a batch, as one row: sums over clips and frames. Departures are in
    units of `Expected.spread`, whose coefficients' are their own."""
    slow, quick = parted(residual)
    quick = quick[..., _FACE] / unrest
    sums = {
        "slow": _products(slow, slow),
        "later": _along(slow[:, :-_LAG], slow[:, _LAG:]),
        "early": _along(slow[:, :-_LAG], slow[:, :-_LAG]),
        "quick": _products(quick, quick),
        "next": _along(quick[:, :-1], quick[:, 1:]),
        "second": _along(quick[:, :-2], quick[:, 2:]),
        "steps": jnp.abs(jnp.diff(quick, axis=1)).sum((0, 1)),
        "frames": jnp.full((1,), float(slow.shape[0] * slow.shape[1])),
    }
    return jnp.concatenate([sums[name].reshape(1, -1) for name in _SIZES], axis=-1)


_SIZES = {
    "slow": (CHANNELS, CHANNELS),
    "later": (CHANNELS,),
    "early": (CHANNELS,),
    "quick": (COEFFS, COEFFS),
    "next": (COEFFS,),
    "second": (COEFFS,),
    "steps": (COEFFS,),
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
    quick = sums["quick"] / sums["frames"]
    square = np.maximum(np.diagonal(sums["quick"]), 1e-12)
    memory = _stable(sums["next"] / square, sums["second"] / square)
    made = {
        "mixing": mixing,
        "memory": np.asarray(_double_pole(_share(sums["later"], sums["early"]))),
        "quick_mixing": _root(quick)
        * _calmer(np.diagonal(quick), memory[0], sums["steps"] / sums["frames"])[:, None],
        "quick_memory": memory,
    }
    return {name: value.astype(np.float32) for name, value in made.items()}


def _products(one: jax.Array, other: jax.Array) -> jax.Array:
    return jnp.einsum("btc,btd->cd", one, other)


def _along(one: jax.Array, other: jax.Array) -> jax.Array:
    return jnp.einsum("btc,btc->c", one, other)


def _stable(
    one: Float[np.ndarray, "channels"], two: Float[np.ndarray, "channels"]
) -> Float[np.ndarray, "2 channels"]:
    """Correlations at lags of one and two frames that a process can have which dies away."""
    one = np.clip(one, -0.99, 0.99)
    return np.stack([one, np.clip(two, 2 * one**2 - 1 + 1e-3, 1 - 1e-3)])


def _root(covariance: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """The symmetric square root, of what rounding has left of a covariance."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def _calmer(
    variance: Float[np.ndarray, "channels"],
    kept: Float[np.ndarray, "channels"],
    steps: Float[np.ndarray, "channels"],
) -> Float[np.ndarray, "channels"]:
    """What normal noise is scaled by so that its mean step is the measured one, at most 1.

    People are still most of the time and blink in between: normal noise of their variance would
    tremble all the time.
    """
    of_noise = np.sqrt(4 / np.pi * variance * (1 - kept))
    return np.minimum(steps / np.maximum(of_noise, 1e-12), 1.0)


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
