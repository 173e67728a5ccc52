"""Stage 1: the VAE of emotion windows, which also learns a face for each emotion."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float

from jaxreact import runs
from jaxreact.data.conversations import open_conversations
from jaxreact.data.modality import Modality
from jaxreact.errors import UserError
from jaxreact.face import COEFFS, EMOTION_CHANNELS
from jaxreact.nn.quantizers import Statistics
from jaxreact.rendering.pictures.training import draw_faces
from jaxreact.systems.belfusion.config import EmotionVAEConfig, Mode
from jaxreact.systems.belfusion.kinds import VAE
from jaxreact.systems.belfusion.losses import vae_loss
from jaxreact.systems.belfusion.vae import EmotionVAE
from jaxreact.training.batches import Data, read_data
from jaxreact.training.config import StageTraining
from jaxreact.training.distributed import failing_at_once
from jaxreact.training.loop import train
from jaxreact.training.measured import Measurement
from jaxreact.training.run_start import start_run
from jaxreact.training.stage import Faces, Recipe


@dataclass(frozen=True, kw_only=True)
class VAETraining(StageTraining):
    """Stage 1 of BeLFusion: trains the VAE of emotion windows."""

    clip_frames: int = 750
    """Frames of a clip (25 a second), whole windows of the model. The weight of the latents'
    divergence grows with it (B15)."""
    mode: Mode = "corrected"
    """Whether the original's mistakes are made. "original": the coefficients' regressor learns
    zeros, so that reactions have the mean face (B11), and the decoder knows the latents' means, not
    the encoder's states in which the diffusion will live (B12). "corrected": it learns the recorded
    coefficients, and the mean is the state itself."""
    model: EmotionVAEConfig = field(default_factory=EmotionVAEConfig)


@failing_at_once()
def train_vae(config: VAETraining) -> float:
    """Trains a VAE into `config.out`; returns the best validation loss.

    The run also holds the mean face and the statistics of the latents of the training split, in
    which the denoiser works. Raises UserError for sizes that do not go together.
    """
    mesh = start_run(VAE, config)
    _check(config)
    mean = open_conversations(config.data).mean_face()
    data = _data(config, mean)
    recipe = Recipe(
        kind=VAE,
        model=first_model(config),
        loss=partial(_loss, config.mode),
        show=_show,
        draw=partial(draw_faces, mean),
        measurement=Measurement(_states, statistics_of),
        trainable=partial(is_trained, config.mode),
        config=config,
        extra={"mean_face": mean.tolist()},
    )
    stage = config.loop.make_stage(recipe, mesh, data.steps_per_epoch)
    return train(stage, data, config.loop, config.out, resume=config.resume, profile=config.profile)


def first_model(config: VAETraining) -> EmotionVAE:
    """A new model; in the mode "corrected" the latent's mean is the encoder's last state."""
    model = runs.new_model(VAE, config.model, config.loop.seed)
    if config.mode == "corrected":
        mean = model.fc_mu_enc
        mean.kernel[...] = jnp.eye(config.model.hidden_dim)
        mean.bias[...] = jnp.zeros(config.model.z_dim)
    return model


def is_trained(mode: Mode, path: tuple[str, ...], phase: int) -> bool:
    """As `Recipe.trainable`: in the mode "corrected" the mean stays the state."""
    return mode == "original" or path[0] != "fc_mu_enc"


def _check(config: VAETraining) -> None:
    model = config.model
    if config.clip_frames < 1 or config.clip_frames % model.window_size:
        raise UserError(
            f"--clip-frames {config.clip_frames} is not a multiple of the model's windows of"
            f" {model.window_size} frames"
        )
    if (model.emotion_dim, model.coeff_3dmm_dim) != (EMOTION_CHANNELS, COEFFS):
        raise UserError(
            f"--model.emotion-dim {model.emotion_dim} and --model.coeff-3dmm-dim"
            f" {model.coeff_3dmm_dim}: the data has {EMOTION_CHANNELS} and {COEFFS}; leave them out"
        )
    if model.hidden_dim != model.z_dim:
        raise UserError(
            f"--model.hidden-dim {model.hidden_dim} and --model.z-dim {model.z_dim} differ; the"
            " diffusion takes the one for the other, give both the same (B12)"
        )


def _data(config: VAETraining, mean: Float[np.ndarray, "58"]) -> Data:
    return read_data(
        config.data,
        mean,
        modalities=(Modality("listener", "emotion"), Modality("listener", "coeffs")),
        frames=config.clip_frames,
        trained_frames=config.clip_frames,
        batch_size=config.loop.batch_size,
        seed=config.loop.seed,
        workers=config.loop.workers,
        roles="either",  # B24
    )


def _loss(
    mode: Mode,
    model: EmotionVAE,
    frozen: Any,
    batch: Any,
    key: jax.Array,
    train: bool,
    phase: int,
) -> Any:
    """As `Recipe.loss`; validation reconstructs from the latents' means."""
    emotion, coeffs = batch["listener_emotion"], batch["listener_coeffs"]
    windows = emotion.shape[0] * emotion.shape[1] // model.config.window_size
    noise = jax.random.normal(key, (windows, model.config.z_dim)) if train else None
    value, metrics = vae_loss(model, emotion, coeffs, noise, mode)
    return value, (metrics, nnx.to_pure_dict(nnx.state(model, Statistics)))


def _states(model: EmotionVAE, batch: Any) -> jax.Array:
    """The encoder's last state of every window of both roles: a split has each clip in either."""
    return model.hidden(model.windows(batch["listener_emotion"])).astype(jnp.float32)


def statistics_of(
    states: Float[np.ndarray, "windows hidden"],
) -> dict[str, dict[str, Float[np.ndarray, "hidden"]]]:
    """What the latent space is scaled by, as the model has it; deviation and variance unbiased."""
    wide = states.astype(np.float64)
    known = {
        "min": wide.min(axis=0),
        "max": wide.max(axis=0),
        "mean": wide.mean(axis=0),
        "std": wide.std(axis=0, ddof=1),
        "var": wide.var(axis=0, ddof=1),
    }
    return {"statistics": {name: value.astype(np.float32) for name, value in known.items()}}


def _show(model: EmotionVAE, frozen: Any, batch: Any) -> Faces:
    emotion, coeffs = batch["listener_emotion"][:1], batch["listener_coeffs"][:1]
    made = model(emotion)
    return {
        "ground truth": (coeffs, emotion),
        "reconstruction": (made.coeffs, made.emotion),
    }
