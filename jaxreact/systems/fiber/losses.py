"""What FIBER's two stages minimise. Losses are float32 means over the whole (global) batch."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxreact.face import ROTATION, TRANSLATION
from jaxreact.nn.quantizers import Quantized
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.fiber.tokenizer import POSE, FaceTokenizer, relative_to_mean
from jaxreact.training.codebook import Metrics

FACE_GROUPS = {
    "brow": slice(0, 5),
    "cheek": slice(5, 8),
    "eye_blink": slice(8, 10),
    "eye_look": slice(10, 18),
    "eye_squint": slice(18, 20),
    "eye_wide": slice(20, 22),
    "jaw": slice(22, 26),
    "mouth": slice(26, 43),
    "smile": slice(43, 45),
    "mouth_corner": slice(45, 49),
    "nose_tongue": slice(49, 52),
    "rotation": ROTATION,
    "translation": TRANSLATION,
}
"""The 13 groups of coefficients whose mean errors count alike (behaviour 36)."""

POSE_OFFSET_SHARE = 0.03
"""Of the error in pose when codes hold relative poses: enough to keep the head where heads are on
average, and blocks from drifting apart."""


def face_losses(
    predicted: Float[Array, "batch time 58"], target: Float[Array, "batch time 58"]
) -> Metrics:
    """Mean absolute error of each group of coefficients."""
    error = jnp.abs(predicted.astype(jnp.float32) - target.astype(jnp.float32))
    return {name: jnp.mean(error[..., group]) for name, group in FACE_GROUPS.items()}


def relative_pose_losses(
    predicted: Float[Array, "batch time 58"], target: Float[Array, "batch time 58"]
) -> Metrics:
    """`face_losses`, of pose mostly the error after both sequences' means are taken away.

    The remaining `POSE_OFFSET_SHARE` is the error as it stands.
    """

    def centred(x: jax.Array) -> jax.Array:
        return x.at[..., POSE].set(relative_to_mean(x[..., POSE]))

    whole = face_losses(predicted, target)
    moved = face_losses(centred(predicted), centred(target))
    return {
        name: moved[name] + POSE_OFFSET_SHARE * (whole[name] - moved[name]) for name in FACE_GROUPS
    }


def tokenizer_loss(
    model: FaceTokenizer,
    coeffs: Float[Array, "batch time 58"],
    emotion: Float[Array, "batch time 25"],
    *,
    train: bool,
    emotion_only: bool = False,
    quantize_weight: float = 1.0,
    emotion_weight: float = 1.0,
    rotation_weight: float = 1.0,
    key: jax.Array | None = None,
) -> tuple[Float[Array, ""], tuple[Metrics, Quantized]]:
    """Reconstruction of one block a row: 13 group errors, the quantiser's loss, emotion's error.

    The weights are those of the original's sum where they are 1. The pose of a model of relative
    poses is compared as `relative_pose_losses` does.
    `emotion_only` (the second phase) minimises the last alone; the metrics are the same.
    """
    face, felt, quantized = model(coeffs, train=train, key=key)
    compare = relative_pose_losses if model.config.relative_pose else face_losses
    groups = compare(face, coeffs)
    emotion_loss = jnp.mean(jnp.abs(felt.astype(jnp.float32) - emotion.astype(jnp.float32)))
    weights = {"rotation": rotation_weight}
    face_loss = sum((weights.get(name, 1.0) * x for name, x in groups.items()), jnp.zeros(()))
    whole = face_loss + quantize_weight * quantized.auxiliary_loss + emotion_weight * emotion_loss
    metrics = {
        "loss": whole,
        "face_loss": face_loss,
        "emotion_loss": emotion_loss,
        "quantizer_loss": quantized.auxiliary_loss,
        **{f"face/{name}": value for name, value in groups.items()},
    }
    return (emotion_loss if emotion_only else whole), (metrics, quantized)


def past_masks(
    key: jax.Array, batch: int, frames: int, probability: float
) -> Bool[Array, "batch frames"]:
    """True where the past may be seen: hides the beginning of it, in some batches.

    With `probability` the whole batch is masked, and each sample keeps its last k frames, k uniform
    in [0, frames); k = 0 keeps all of them, as the original's `[-0:]` does (behaviour 41).
    """
    batch_key, sample_key = jax.random.split(key)
    kept = jax.random.randint(sample_key, (batch, 1), 0, frames)
    masked = jax.random.bernoulli(batch_key, probability) & (kept > 0)
    return ~masked | (jnp.arange(frames) >= frames - kept)


def predictor_loss(
    model: ReactPredictor,
    audio: jax.Array,
    speaker_tokens: Int[Array, "batch time"],
    listener_tokens: Int[Array, "batch time"],
    targets: Int[Array, "batch time"],
    mask: Bool[Array, "batch time"],
    key: jax.Array | None = None,
    new_patch_only: bool = False,
    traits: Float[Array, "batch 5"] | None = None,
) -> tuple[Float[Array, ""], Metrics]:
    """Cross-entropy of the listener's tokens `patch_size` frames ahead, mean over all positions.

    `new_patch_only` counts the last patch alone: the other targets stand among the inputs, and
    could be copied from there (behaviour 16).

    With `block_causal` no target stands among what its position sees; a patch does not count
    where the mask hides all of it and of what is before.

    One mask hides the speaker's face, the listener's past and, step by step, the sound. A target
    of -1 does not count (behaviour 28). `traits`: as `ReactPredictor.listener` takes them.
    """
    audio_mask = jnp.repeat(mask, model.config.audio_factor, axis=1)
    inputs = (audio, speaker_tokens, listener_tokens, audio_mask, mask, mask)
    logits = model(*inputs, key=key, traits=traits)
    log_probabilities = jax.nn.log_softmax(logits.astype(jnp.float32), axis=-1)
    counted = targets >= 0
    if model.config.block_causal:  # nothing can be said where all that may be seen is hidden
        patch = model.config.patch_size
        seen = jnp.cumsum(mask, axis=1)[:, patch - 1 :: patch] > 0
        counted &= jnp.repeat(seen, patch, axis=1)
    picked = jnp.take_along_axis(log_probabilities, jnp.maximum(targets, 0)[..., None], axis=-1)
    count = jnp.maximum(jnp.sum(counted), 1)
    whole_loss = -jnp.sum(jnp.where(counted, picked[..., 0], 0.0)) / count
    correct = jnp.sum((jnp.argmax(logits, axis=-1) == targets) & counted) / count
    # Only the last patch tells how well the future is predicted.
    new = counted & (jnp.arange(targets.shape[1]) >= targets.shape[1] - model.config.patch_size)
    new_loss = -jnp.sum(jnp.where(new, picked[..., 0], 0.0)) / jnp.maximum(jnp.sum(new), 1)
    loss = new_loss if new_patch_only else whole_loss
    return loss, {"loss": loss, "accuracy": correct, "new_patch_loss": new_loss}
