"""How Trans-VAE is trained: the speaker's film and sound in, the listener's face out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from jaxreact import runs
from jaxreact.data.conversations import open_conversations
from jaxreact.data.modality import Modality
from jaxreact.errors import UserError
from jaxreact.nn.dropout import seed_of
from jaxreact.rendering.pictures.training import draw_faces
from jaxreact.systems.trans_vae.config import TransVAEConfig
from jaxreact.systems.trans_vae.decoder import Face
from jaxreact.systems.trans_vae.kinds import TRANS_VAE
from jaxreact.systems.trans_vae.losses import LossWeights, trans_vae_loss
from jaxreact.systems.trans_vae.model import TransVAE, windows_of
from jaxreact.systems.trans_vae.senses import heard, shorter_side
from jaxreact.training.batches import Data, read_data
from jaxreact.training.config import StageTraining
from jaxreact.training.distributed import failing_at_once
from jaxreact.training.loop import train
from jaxreact.training.run_start import start_run
from jaxreact.training.stage import Faces, Recipe

REACTIONS = 3
"""Generated reactions in the pictures of a training."""
ORIGINAL_WINDOW = 8
"""Frames of the windows that the original validates with, whatever it trains with (B4)."""


@dataclass(frozen=True, kw_only=True)
class TransVAETraining(StageTraining):
    """Trains Trans-VAE. The data needs pictures of the persons (Video_files, or a cache made with
    --pictures).

    With --model.mode original the original's mistakes are made: frames after the last whole window
    are zero and count (B3), and validation takes windows of 8 frames (B4) and random places (B5).
    """

    clip_frames: int = 256
    """Frames of a crop (25 a second)."""
    validation_windows: int = 2
    """Places of each conversation that validation looks at, equally spaced."""
    weights: LossWeights = LossWeights()  # noqa: RUF009 (frozen)
    model: TransVAEConfig = field(default_factory=TransVAEConfig)


@failing_at_once()
def train_trans_vae(config: TransVAETraining) -> float:
    """Trains a model into `config.out`; returns the best validation loss.

    Raises UserError for sizes that do not go together, and for data without pictures, before
    anything is written.
    """
    mesh = start_run(TRANS_VAE, config)
    _check(config)
    mean = open_conversations(config.data).mean_face()
    data = _data(config, mean)
    recipe = Recipe(
        kind=TRANS_VAE,
        model=runs.new_model(TRANS_VAE, config.model, config.loop.seed),
        loss=partial(_loss, config),
        show=partial(_show, config),
        draw=partial(draw_faces, mean),
        trainable=partial(is_trained, config.model),
        config=config,
        extra={"mean_face": mean.tolist()},
    )
    stage = config.loop.make_stage(recipe, mesh, data.steps_per_epoch)
    return train(stage, data, config.loop, config.out, resume=config.resume, profile=config.profile)


def _check(config: TransVAETraining) -> None:
    if config.validation_windows < 1:
        raise UserError(f"--validation-windows {config.validation_windows} must be 1 or more")
    shortest = config.model.window if config.model.online else 1
    if config.clip_frames < shortest:
        raise UserError(
            f"--clip-frames {config.clip_frames} is less than a window of {shortest} frames"
        )


def is_trained(model: TransVAEConfig, path: tuple[str, ...], phase: int) -> bool:
    """As `Recipe.trainable`: offline nothing depends on the fusion with the past (B20)."""
    return model.online or path[0] != "fusion"


def _data(config: TransVAETraining, mean: Float[np.ndarray, "58"]) -> Data:
    model, original = config.model, config.model.mode == "original"
    side = shorter_side(model.image_size)
    hear = partial(
        audio_features,
        frames=config.clip_frames,
        rate=model.audio_rate,
        stretch=model.window if model.online else None,
    )
    return read_data(
        config.data,
        mean,
        modalities=(
            Modality("speaker", "video", size=(side, side)),
            Modality("speaker", "features", function=hear, name="speaker_audio"),
            Modality("listener", "coeffs"),
            Modality("listener", "emotion"),
        ),
        frames=config.clip_frames,
        trained_frames=config.clip_frames,
        batch_size=config.loop.batch_size,
        seed=config.loop.seed,
        workers=config.loop.workers,
        windows=1 if original else config.validation_windows,
        roles="drawn",  # B24
        validation_crop="random" if original else "start",
    )


def audio_features(
    waveform: Float[np.ndarray, "samples"], frames: int, rate: int, stretch: int | None
) -> Float[np.ndarray, "frames 78"]:
    """As `senses.heard`, of one speaker."""
    return heard(waveform[None], frames, rate, stretch)[0]


def middle(
    video: UInt8[Array, "batch time height width 3"], side: int
) -> UInt8[Array, "batch time side side 3"]:
    """The middle of each picture, as `senses.squares` cuts it out."""
    top, left = (round((length - side) / 2) for length in video.shape[2:4])
    return video[:, :, top : top + side, left : left + side]


def target_of(batch: Mapping[str, jax.Array]) -> Face:
    """The recorded listener, as one sample."""
    return Face(batch["listener_coeffs"][:, None], batch["listener_emotion"][:, None])


def _noise(
    key: jax.Array, model: TransVAEConfig, batch: Any, samples: int
) -> Float[Array, "batch samples windows features"]:
    rows, frames = batch["speaker_video"].shape[:2]
    shape = (rows, samples, windows_of(model, frames), model.features)
    return jax.random.normal(key, shape)


def _loss(
    config: TransVAETraining,
    model: TransVAE,
    frozen: Any,
    batch: Any,
    key: jax.Array,
    train: bool,
    phase: int,
) -> Any:
    """As `Recipe.loss`; in validation without the term that compares two samples.

    The two passes of the original, of other latents and dropout, are two samples of one here: what
    the speaker shows is the same in both, and encoded once.
    """
    if not train and config.model.mode == "original":
        model.config = replace(model.config, window=ORIGINAL_WINDOW)
    noise_key, dropout_key = jax.random.split(key)
    video = middle(batch["speaker_video"], model.config.image_size)
    noise = _noise(noise_key, model.config, batch, 2 if train else 1)
    seed = seed_of(dropout_key) if train else None
    both = model(video, batch["speaker_audio"], noise, seed)
    reaction = jax.tree.map(lambda part: part[:, :1], both)
    second = jax.tree.map(lambda part: part[:, -1:], both.face)
    weights = config.weights if train else replace(config.weights, diversity=0.0)
    loss, parts = trans_vae_loss(reaction, second, target_of(batch), weights)
    if not train:  # there is nothing that the one sample could be compared with
        del parts["likeness"]
    return loss, ({"loss": loss, **parts}, {})


def _show(config: TransVAETraining, model: TransVAE, frozen: Any, batch: Any) -> Faces:
    """The reaction at the latents' means stands where other systems have a reconstruction."""
    first = jax.tree.map(lambda rows: rows[:1], batch)
    noise = _noise(jax.random.key(config.loop.seed), model.config, first, REACTIONS)
    noise = jnp.concatenate([jnp.zeros_like(noise[:, :1]), noise], axis=1)
    video = middle(first["speaker_video"], model.config.image_size)
    face = model(video, first["speaker_audio"], noise).face
    return {
        "ground truth": (first["listener_coeffs"], first["listener_emotion"]),
        "reconstruction": (face.coeffs[0, :1], face.emotion[0, :1]),
        "generated": (face.coeffs[0, 1:], face.emotion[0, 1:]),
    }
