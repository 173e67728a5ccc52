"""What the two stages minimise. Losses are float32 means over the whole (global) batch."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxreact.systems.learning2listen.coder import MotionCoder, Reconstruction
from jaxreact.systems.learning2listen.config import CODES
from jaxreact.systems.learning2listen.convolutions import Norms
from jaxreact.systems.learning2listen.predictor import ListenerPredictor, Visible

Metrics = dict[str, jax.Array]


def coder_loss(
    model: MotionCoder,
    motion: Float[Array, "windows 32 channels"],
    train: bool,
    key: jax.Array | None = None,
    weights: Sequence[float] = (1, 1, 1, 1),
) -> tuple[Float[Array, ""], tuple[Metrics, Reconstruction]]:
    """Mean absolute error of each group of channels, and the quantiser's loss; motion is
    normalised. Groups of few channels weigh each of them as much more. `key` moves a codebook of
    averages; `weights` are the groups'."""
    made = model(motion, train, key)
    error = jnp.abs(made.motion.astype(jnp.float32) - motion)
    groups = [
        weight * jnp.mean(error[..., group])
        for weight, group in zip(weights, model.config.groups, strict=False)
    ]
    face = sum(groups, jnp.zeros(()))
    loss = face + made.quantized.auxiliary_loss
    metrics = {"loss": loss, "face_loss": face, "quantizer_loss": made.quantized.auxiliary_loss}
    return loss, (metrics, made)


def listener_loss(
    model: ListenerPredictor,
    motion: Float[Array, "batch 40 channels"],
    audio: Float[Array, "batch steps features"],
    past: Int[Array, "batch 4"],
    targets: Int[Array, "batch 4"],
    visible: Visible,
    train: bool,
) -> tuple[Float[Array, ""], tuple[Metrics, Norms]]:
    """Cross-entropy of the next window's four codes.

    Motion and audio are normalised. Metrics of `first`: of the code that generation draws.
    """
    logits, norms = model(motion, audio, past, visible, train)
    log_probabilities = jax.nn.log_softmax(logits[:, :CODES], axis=-1)
    picked = jnp.take_along_axis(log_probabilities, targets[..., None], axis=-1)[..., 0]
    correct = jnp.argmax(logits[:, :CODES], axis=-1) == targets
    loss = -jnp.mean(picked)
    metrics = {
        "loss": loss,
        "accuracy": jnp.mean(correct),
        "first_loss": -jnp.mean(picked[:, 0]),
        "first_accuracy": jnp.mean(correct[:, 0]),
    }
    return loss, (metrics, norms)
