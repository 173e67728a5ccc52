"""Denoising diffusion: the schedule's tables, noising, and sampling without new noise (DDIM).

Steps are counted from 0, the least noise. The network predicts the start, what was noised.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int

Table = Float64[np.ndarray, "steps"]


@dataclass(frozen=True, eq=False)
class Schedule:
    """The tables of a diffusion, in float64; they become float32 where they are used."""

    betas: Table
    """The share of the variance that each step replaces by noise."""

    @cached_property
    def alphas_cumprod(self) -> Table:
        """The start's share of the variance after each step."""
        return np.cumprod(1 - self.betas)

    @cached_property
    def alphas_cumprod_prev(self) -> Table:
        """The same one step before: 1 before the first."""
        return np.append(1.0, self.alphas_cumprod[:-1])


def cosine_schedule(steps: int) -> Schedule:
    """Nichol and Dhariwal's (2021, arXiv 2102.09672, eq. 17), with their bound of 0.999.

    Raises ValueError for less than one step.
    """
    if steps < 1:
        raise ValueError(f"{steps} steps of diffusion; 1 or more")

    def share(time: np.ndarray) -> np.ndarray:
        return np.cos((time + 0.008) / 1.008 * np.pi / 2) ** 2

    times = np.arange(steps + 1) / steps
    after, before = share(times[1:]), share(times[:-1])
    return Schedule(np.minimum(1 - after / np.maximum(before, 1e-5), 0.999))


def time_features(step: Int[Array, "batch"], width: int) -> Float[Array, "batch width"]:
    """Cosines, then sines of a step at `width // 2` frequencies from 1 down to almost 1/10000.

    An odd width ends in a zero.
    """
    half = width // 2
    frequencies = jnp.exp(-np.log(10000.0) * jnp.arange(half, dtype=jnp.float32) / max(half, 1))
    angles = step.astype(jnp.float32)[:, None] * frequencies
    features = jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], axis=-1)
    return jnp.pad(features, ((0, 0), (0, width % 2)))


def noised(
    start: Float[Array, "batch *latent"],
    step: Int[Array, "batch"],
    noise: Float[Array, "batch *latent"],
    schedule: Schedule,
) -> Float[Array, "batch *latent"]:
    """The start after a step's noise: its share of the variance, the rest noise."""
    share = schedule.alphas_cumprod
    signal, rest = (jnp.asarray(np.sqrt(x), jnp.float32)[step] for x in (share, 1 - share))
    shape = (-1, *(1,) * (start.ndim - 1))
    return signal.reshape(shape) * start + rest.reshape(shape) * noise


def ddim_step(
    x: Float[Array, "*batch"], start: Float[Array, "*batch"], step: Int[Array, ""], of: Schedule
) -> Float[Array, "*batch"]:
    """One step less noise, given the start that was predicted (eta 0: no noise is added)."""
    before = jnp.asarray(of.alphas_cumprod_prev, jnp.float32)[step]
    inverse = 1 / of.alphas_cumprod
    grow, rest = (jnp.asarray(np.sqrt(t), jnp.float32)[step] for t in (inverse, inverse - 1))
    noise = (grow * x - start) / rest
    return jnp.sqrt(before) * start + jnp.sqrt(1 - before) * noise


def ddim(
    predict_start: Callable[[jax.Array, Int[Array, ""]], jax.Array],
    noise: Float[Array, "*batch"],
    schedule: Schedule,
) -> Float[Array, "*batch"]:
    """Samples from noise, over all steps; predicted starts are clipped to [-1, 1].

    The same noise gives the same sample.
    """

    def step(x: jax.Array, number: jax.Array) -> tuple[jax.Array, None]:
        start = jnp.clip(predict_start(x, number).astype(x.dtype), -1, 1)
        return ddim_step(x, start, number, schedule), None

    steps = jnp.arange(len(schedule.betas))[::-1]
    return jax.lax.scan(step, noise, steps)[0]
