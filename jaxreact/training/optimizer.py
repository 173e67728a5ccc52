"""AdamW as the originals set it up: which parameters decay, which train, and the warm-up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import optax

from jaxreact.variables import axes_of_one


@dataclass(frozen=True)
class OptimizerConfig:
    """AdamW (Loshchilov and Hutter 2019) with a linear warm-up and a constant rate after it.

    The original's plateau scheduler never fires and its gradient clipping is never applied
    (behaviour 39); neither exists here.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    decay: Literal["matrices", "all"] = "matrices"
    """What decays: matrices and embeddings, not biases, norms and gates (behaviour 40); or every
    parameter, as torch's AdamW has it where nothing is said."""
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8
    warmup_steps: int = 300
    warmup_start: float = 1e-4
    """Share of the learning rate that the warm-up starts from."""
    final_share: float = 1.0
    """Share of the learning rate that a linear decay over the whole training ends at; 1 keeps it
    constant, as the original's."""
    after_warmup: Literal["constant", "root"] = "constant"
    """What the rate does besides, after a warm-up from nothing: "root" lets it fall as one over the
    root of the step (Vaswani et al. 2017, eq. 3)."""


def learning_rate(
    config: OptimizerConfig, steps_per_epoch: int, epochs: int
) -> Callable[[Any], jax.Array]:
    """Learning rate at each step, counted from 0: warm-up, then constant or a linear decay.

    The original steps its scheduler before every update of the warm-up and once more at the end of
    each epoch, so the warm-up is a little shorter than `warmup_steps` (behaviour 38).
    """
    if config.after_warmup == "root":
        return _root(config)

    @jax.jit
    def rate(step: Any) -> jax.Array:
        ticks = jnp.minimum(step + 1, config.warmup_steps) + step // steps_per_epoch
        share = jnp.minimum(ticks / config.warmup_steps, 1.0) if config.warmup_steps else 1.0
        warm = config.warmup_start + (1 - config.warmup_start) * share
        done = jnp.minimum(step / (steps_per_epoch * epochs), 1.0)
        return config.learning_rate * warm * (1 - (1 - config.final_share) * done)

    return rate


def _root(config: OptimizerConfig) -> Callable[[Any], jax.Array]:
    if config.warmup_steps < 1:
        raise ValueError(f"warmup_steps {config.warmup_steps} is not 1 or more")

    @jax.jit
    def rate(step: Any) -> jax.Array:
        share = (jnp.asarray(step, jnp.float32) + 1) / config.warmup_steps
        return config.learning_rate * jnp.minimum(share**-0.5, share)

    return rate


def make_optimizer(
    config: OptimizerConfig, schedule: Callable[[Any], jax.Array] | float
) -> optax.GradientTransformation:
    """AdamW; the decay of "matrices" spares every parameter of fewer than two axes."""

    def decays(path: tuple[Any, ...], leaf: Any) -> bool:
        return config.decay == "all" or axes_of_one(path, leaf) >= 2

    return optax.adamw(
        schedule,
        b1=config.beta1,
        b2=config.beta2,
        eps=config.epsilon,
        weight_decay=config.weight_decay,
        mask=lambda params: jax.tree_util.tree_map_with_path(decays, params),
    )


Trainable = Callable[[tuple[str, ...]], bool]
"""Says of a parameter, by its path, whether it is trained."""


def trainable_mask(params: Any, trainable: Trainable) -> Any:
    """A tree like `params` of booleans.

    A parameter that is not trained gets no update and no decay: torch leaves one without a
    gradient alone (behaviours 21, 37).
    """
    return jax.tree_util.tree_map_with_path(
        lambda path, _: trainable(tuple(str(getattr(key, "key", key)) for key in path)), params
    )
