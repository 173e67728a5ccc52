"""Stage 1: the VQ-VAE of a listener's face and emotion."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from jaxreact import runs
from jaxreact.data.conversations import open_conversations
from jaxreact.data.modality import Modality
from jaxreact.errors import UserError
from jaxreact.face import COEFFS
from jaxreact.nn.quantizers import Statistics
from jaxreact.rendering.pictures.training import draw_faces
from jaxreact.systems.learning2listen.coder import MotionCoder
from jaxreact.systems.learning2listen.config import (
    FACE_AND_EMOTION,
    WINDOW,
    Mode,
    MotionCoderConfig,
)
from jaxreact.systems.learning2listen.kinds import CODER
from jaxreact.systems.learning2listen.losses import coder_loss
from jaxreact.systems.learning2listen.normalisation import measured_statistics
from jaxreact.training.batches import Data, read_data
from jaxreact.training.codebook import code_share
from jaxreact.training.config import StageTraining
from jaxreact.training.distributed import failing_at_once
from jaxreact.training.loop import train
from jaxreact.training.run_start import start_run
from jaxreact.training.stage import Faces, Recipe
from jaxreact.training.state import join

CLIP = 2 * WINDOW
"""Frames of the original's clips: two windows for this stage, past and future for the next."""


@dataclass(frozen=True, kw_only=True)
class CoderTraining(StageTraining):
    """Stage 1 of Learning2Listen: trains the VQ-VAE of motion."""

    mode: Mode = "corrected"
    """What channels are measured by: "corrected", their deviation; "original", the deviation over
    clips of each clip's own deviation, which is much less (L1)."""
    validation_windows: int = 4
    """Places of each conversation that validation looks at, equally spaced."""
    rotation_weight: float = 1.0
    """Of the error of the head's rotation (3 channels), beside 1 of the expression's (52)."""
    translation_weight: float = 1.0
    """Of the head's place (3 channels), which is about the same all through a conversation."""
    emotion_weight: float = 1.0
    """Of the 25 channels of emotion."""
    model: MotionCoderConfig = field(default_factory=MotionCoderConfig)

    @property
    def weights(self) -> tuple[float, float, float, float]:
        """Of the groups of channels, in their order."""
        return (1.0, self.rotation_weight, self.translation_weight, self.emotion_weight)


@failing_at_once()
def train_vqvae(config: CoderTraining) -> float:
    """Trains a VQ-VAE into `config.out`; returns the best validation loss.

    Raises UserError for a model of other channels than coefficients and emotion.
    """
    mesh = start_run(CODER, config)
    if config.model.in_dim != FACE_AND_EMOTION:
        raise UserError(
            f"--model.in-dim {config.model.in_dim}: is trained on {FACE_AND_EMOTION} channels,"
            " coefficients and emotion; leave it out"
        )
    if config.validation_windows < 1:
        raise UserError(f"--validation-windows {config.validation_windows} is less than 1")
    data = _data(config)
    model = runs.new_model(CODER, config.model, config.loop.seed)
    mean, std = measured_statistics(listeners(config.data), CLIP, config.mode)
    model.statistics.mean[...], model.statistics.std[...] = jnp.asarray(mean), jnp.asarray(std)
    stage = config.loop.make_stage(recipe_of(config, model), mesh, data.steps_per_epoch)
    return train(stage, data, config.loop, config.out, resume=config.resume, profile=config.profile)


def recipe_of(config: CoderTraining, model: MotionCoder) -> Recipe:
    """What is particular to this stage."""
    return Recipe(
        kind=CODER,
        model=model,
        loss=partial(_loss, config),
        show=_show,
        draw=partial(draw_faces, np.zeros(COEFFS, np.float32)),
        config=config,
    )


def listeners(path: Path) -> Iterator[Float[np.ndarray, "time 83"]]:
    """Coefficients and emotion of everybody in the training split, raw: each listens once."""
    conversations = open_conversations(path)
    modalities = (Modality("listener", "coeffs"), Modality("listener", "emotion"))
    for dyad in conversations.dyads("train", modalities):
        coeffs, emotion = (
            read(dyad.listener) for read in (conversations.coeffs, conversations.emotion)
        )
        frames = min(len(coeffs), len(emotion))
        yield np.concatenate([coeffs[:frames], emotion[:frames]], axis=-1)


def motion_of(batch: Mapping[str, jax.Array]) -> Float[Array, "batch time 83"]:
    """The listener's coefficients and emotion side by side."""
    return jnp.concatenate([batch["listener_coeffs"], batch["listener_emotion"]], axis=-1)


def _data(config: CoderTraining) -> Data:
    return read_data(
        config.data,
        None,
        modalities=(Modality("listener", "coeffs"), Modality("listener", "emotion")),
        frames=CLIP,
        trained_frames=CLIP,
        batch_size=config.loop.batch_size,
        seed=config.loop.seed,
        workers=config.loop.workers,
        windows=config.validation_windows,
    )


def _windows(model: MotionCoder, batch: Mapping[str, jax.Array]) -> Float[Array, "windows 32 83"]:
    motion = model.statistics(motion_of(batch))
    return motion.reshape(-1, WINDOW, motion.shape[-1])


def _loss(
    config: CoderTraining,
    model: MotionCoder,
    frozen: Any,
    batch: Any,
    key: jax.Array,
    train: bool,
    phase: int,
) -> Any:
    """As `Recipe.loss`."""
    value, (metrics, made) = coder_loss(
        model, _windows(model, batch), train, key if train else None, config.weights
    )
    metrics["code_share"] = code_share(made.quantized.codes, model.config.n_embed)
    statistics = nnx.to_pure_dict(nnx.state(model, Statistics))
    codebook = made.quantized.statistics
    moved = made.norms | ({"quantize": codebook} if codebook else {})
    return value, (metrics, join(statistics, moved))


def _show(model: MotionCoder, frozen: Any, batch: Any) -> Faces:
    first = jax.tree.map(lambda rows: rows[:1], batch)
    made = model.statistics.inverse(model(_windows(model, first)).motion).reshape(1, CLIP, -1)
    return {
        "ground truth": (first["listener_coeffs"], first["listener_emotion"]),
        "reconstruction": (made[..., :COEFFS], made[..., COEFFS:]),
    }
