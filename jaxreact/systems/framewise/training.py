"""How the frame-wise listener is trained: the speaker's face and sound in, the listener's out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
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
from jaxreact.nn.dropout import seed_of
from jaxreact.nn.quantizers import Statistics
from jaxreact.rendering.pictures.training import draw_faces
from jaxreact.systems.framewise.config import FramewiseConfig
from jaxreact.systems.framewise.departures import depart, first_mood
from jaxreact.systems.framewise.kinds import FRAMEWISE
from jaxreact.systems.framewise.losses import LossWeights, framewise_loss
from jaxreact.systems.framewise.measures import Measures, measured_faces
from jaxreact.systems.framewise.model import Expected, Framewise
from jaxreact.systems.framewise.residuals import moments, summarised
from jaxreact.systems.framewise.senses import heard
from jaxreact.training.batches import Data, read_data
from jaxreact.training.config import StageTraining
from jaxreact.training.distributed import failing_at_once
from jaxreact.training.loop import train
from jaxreact.training.measured import Measurement
from jaxreact.training.run_start import start_run
from jaxreact.training.stage import Faces, Recipe

REACTIONS = 3
"""Drawn reactions in the pictures of a training."""


@dataclass(frozen=True, kw_only=True)
class FramewiseTraining(StageTraining):
    """Trains the frame-wise listener."""

    clip_frames: int = 384
    """Frames of a crop (25 a second)."""
    validation_windows: int = 2
    """Places of each conversation that validation looks at, equally spaced."""
    weights: LossWeights = LossWeights()  # noqa: RUF009 (frozen)
    model: FramewiseConfig = field(default_factory=FramewiseConfig)


@failing_at_once()
def train_framewise(config: FramewiseTraining) -> float:
    """Trains a model into `config.out`; returns the best validation loss.

    The run also holds the mean face, and how people depart from what is expected of them. Raises
    UserError for sizes that do not go together, before anything is written.
    """
    mesh = start_run(FRAMEWISE, config)
    _check(config)
    mean = open_conversations(config.data).mean_face()
    data = _data(config, mean)
    known = measured_faces(config.data, mean)
    recipe = Recipe(
        kind=FRAMEWISE,
        model=first_model(config, known),
        loss=partial(_loss, config.weights),
        show=partial(_show, config.loop.seed),
        draw=partial(draw_faces, mean),
        measurement=Measurement(_moments, partial(_statistics, known)),
        config=config,
        extra={"mean_face": mean.tolist()},
    )
    stage = config.loop.make_stage(recipe, mesh, data.steps_per_epoch)
    return train(stage, data, config.loop, config.out, resume=config.resume, profile=config.profile)


def first_model(config: FramewiseTraining, known: Measures) -> Framewise:
    """A new model, which knows how faces move."""
    model = runs.new_model(FRAMEWISE, config.model, config.loop.seed)
    face, residuals = model.statistics.face, model.statistics.residuals
    face.mean[...], face.std[...] = jnp.asarray(known.mean), jnp.asarray(known.std)
    residuals.low[...], residuals.high[...] = jnp.asarray(known.low), jnp.asarray(known.high)
    return model


def _check(config: FramewiseTraining) -> None:
    if config.validation_windows < 1:
        raise UserError(f"--validation-windows {config.validation_windows} must be 1 or more")
    if config.clip_frames < 32:
        raise UserError(
            f"--clip-frames {config.clip_frames} is too little to see a reaction in"
            " (1.28 s); give 32 or more"
        )


def _data(config: FramewiseTraining, mean: Float[np.ndarray, "58"]) -> Data:
    return read_data(
        config.data,
        mean,
        modalities=(
            Modality("speaker", "coeffs"),
            Modality(
                "speaker",
                "features",
                function=heard,
                per_frame=1,
                name="speaker_sound",
            ),
            Modality("listener", "coeffs"),
            Modality("listener", "emotion"),
        ),
        frames=config.clip_frames,
        trained_frames=config.clip_frames,
        batch_size=config.loop.batch_size,
        seed=config.loop.seed,
        workers=config.loop.workers,
        windows=config.validation_windows,
    )


def _expected(model: Framewise, batch: Mapping[str, jax.Array], key: Any = None) -> Expected:
    seed = None if key is None else seed_of(key)
    return model(batch["speaker_coeffs"], batch["speaker_sound"], seed=seed)


def _loss(
    weights: LossWeights,
    model: Framewise,
    frozen: Any,
    batch: Any,
    key: jax.Array,
    train: bool,
    phase: int,
) -> Any:
    """As `Recipe.loss`."""
    expected = _expected(model, batch, key if train else None)
    recorded = batch["listener_emotion"], batch["listener_coeffs"]
    loss, metrics = framewise_loss(expected, *recorded, model.statistics.face.std[...], weights)
    return loss, (metrics, nnx.to_pure_dict(nnx.state(model, Statistics)))


def _moments(model: Framewise, batch: Any) -> Float[Array, "1 sums"]:
    """Of the listeners' departures from what is expected of them."""
    expected = _expected(model, batch)
    made = jnp.concatenate([expected.emotion, expected.coeffs], axis=-1)
    shown = jnp.concatenate([batch["listener_emotion"], batch["listener_coeffs"]], axis=-1)
    departure = (shown.astype(jnp.float32) - made) / expected.spread
    return moments(departure, expected.unrest)


def _statistics(known: Measures, rows: np.ndarray) -> dict[str, Any]:
    """All statistics of a model from the rows of moments, and what was known before."""
    return {
        "statistics": {
            "face": {"mean": known.mean, "std": known.std},
            "residuals": {"low": known.low, "high": known.high, **summarised(rows)},
        }
    }


def _show(seed: int, model: Framewise, frozen: Any, batch: Any) -> Faces:
    """The expected reaction stands where other systems have a reconstruction."""
    first = jax.tree.map(lambda rows: rows[:1], batch)
    expected = _expected(model, first)
    keys = jax.random.split(jax.random.key(seed), REACTIONS)[None]
    config, residuals = model.config, model.statistics.residuals
    _, coeffs, emotion = depart(
        config,
        residuals,
        first_mood(residuals, keys),
        expected,
        keys,
        jnp.zeros(1, jnp.int32),
        jnp.asarray([config.temperature]),
        jnp.asarray([config.micro_motion]),
    )
    return {
        "ground truth": (first["listener_coeffs"], first["listener_emotion"]),
        "reconstruction": (expected.coeffs, expected.emotion),
        "generated": (coeffs[0], emotion[0]),
    }
