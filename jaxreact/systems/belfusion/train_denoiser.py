"""Stage 2: the denoiser, trained in the latent space of a VAE that stays as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxreact import runs
from jaxreact.data.modality import Modality
from jaxreact.errors import UserError
from jaxreact.nn.precision import computed_in
from jaxreact.rendering.pictures.training import draw_faces
from jaxreact.systems.belfusion.config import DenoiserConfig, EmotionVAEConfig, Mode
from jaxreact.systems.belfusion.denoiser import Denoiser
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.systems.belfusion.latent_space import decode, encode
from jaxreact.systems.belfusion.losses import denoiser_loss
from jaxreact.systems.belfusion.vae import EmotionVAE
from jaxreact.training.batches import Data, read_data
from jaxreact.training.config import StageTraining
from jaxreact.training.distributed import failing_at_once
from jaxreact.training.frozen import Frozen, FrozenModels
from jaxreact.training.loop import train
from jaxreact.training.run_start import start_run
from jaxreact.training.stage import Faces, Recipe

REACTIONS = 3
"""Generated reactions in the pictures of a training."""


@dataclass(frozen=True, kw_only=True)
class DenoiserTraining(StageTraining):
    """Stage 2 of BeLFusion: trains the denoiser."""

    first: Path
    """Run directory of the VAE, trained or converted."""
    samples: int = 10
    """Noises for each window, of which the best prediction counts: the k of the published rows."""
    mode: Mode = "corrected"
    """Which windows are seen: "corrected", any; "original", those of a batch begin at one frame of
    a clip's first window, so that all but its first four seconds are never seen (B13)."""
    validation_windows: int = 8
    """Windows of each conversation that validation looks at, equally spaced; with the mode
    "original" one, as in its training."""
    model: DenoiserConfig = field(default_factory=DenoiserConfig)


@dataclass(frozen=True)
class FrozenCoder(FrozenModels):
    """The VAE, and what its config.json says besides its sizes."""

    vae: EmotionVAE
    extra: Mapping[str, Any]

    @property
    def parts(self) -> Mapping[str, Frozen]:
        """The one that there is."""
        return {"vae": Frozen(VAE, self.vae, self.extra)}


@failing_at_once()
def train_denoiser(config: DenoiserTraining) -> float:
    """Trains a denoiser into `config.out`; returns the best validation loss.

    The run holds all that its system needs: the VAE is written into it too, as `vae/`. Raises
    UserError where that is none, does not fit, or does not know its mean face.
    """
    mesh = start_run(DENOISER, config)
    if config.samples < 1 or config.validation_windows < 1:
        raise UserError(
            f"--samples {config.samples} and --validation-windows {config.validation_windows} must"
            " be 1 or more"
        )
    vae, content = runs.load_model(config.first, VAE)
    mean = runs.mean_face(content, config.first)
    _check_fit(config, vae.config)
    coder = FrozenCoder(vae, {"mean_face": mean.tolist()} | _kept(content))
    data = _data(config)
    given = Given(nnx.split(vae)[0], config)
    recipe = Recipe(
        kind=DENOISER,
        model=runs.new_model(DENOISER, config.model, config.loop.seed),
        loss=partial(_loss, given),
        show=partial(_show, given),
        draw=partial(draw_faces, mean),
        frozen=coder.variables(),
        config=config,
        parts=coder.fingerprints(),
        write=coder.write,
    )
    stage = config.loop.make_stage(recipe, mesh, data.steps_per_epoch)
    return train(stage, data, config.loop, config.out, resume=config.resume, profile=config.profile)


def _check_fit(config: DenoiserTraining, vae: EmotionVAEConfig) -> None:
    """Raises UserError unless the denoiser's latents and windows are the VAE's."""
    model = config.model
    if (model.emb_length, model.window_size) != (vae.hidden_dim, vae.window_size):
        raise UserError(
            f"{config.first}: its latents are {vae.hidden_dim} wide and its windows"
            f" {vae.window_size} frames; set --model.emb-length {vae.hidden_dim}"
            f" --model.window-size {vae.window_size}"
        )
    if vae.hidden_dim != vae.z_dim:
        raise UserError(
            f"{config.first}: its hidden_dim {vae.hidden_dim} and its z_dim {vae.z_dim} differ; the"
            " diffusion takes the one for the other, train one of which both are the same"
        )


def _kept(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a VAE's config.json says of its training, which goes on into the denoiser's run."""
    return {name: content[name] for name in ("origin", "preset", "stage") if name in content}


def _data(config: DenoiserTraining) -> Data:
    original = config.mode == "original"
    return read_data(
        config.data,
        None,
        modalities=(
            Modality("speaker", "emotion"),
            Modality("listener", "emotion"),
            Modality("listener", "coeffs"),  # for pictures
        ),
        frames=crop_frames(config.model, config.mode),
        trained_frames=config.model.window_size,
        batch_size=config.loop.batch_size,
        seed=config.loop.seed,
        workers=config.loop.workers,
        windows=1 if original else config.validation_windows,
        roles="either",  # B24
        crop="start" if original else "random",
    )


def crop_frames(model: DenoiserConfig, mode: Mode) -> int:
    """Frames that are read for a window: what it answers too, and where it may begin."""
    answered = model.window_size if model.online else 0
    return answered + model.window_size + (model.window_size - 1 if mode == "original" else 0)


def first_frame(key: jax.Array, model: DenoiserConfig, mode: Mode) -> Int[Array, ""]:
    """Where in the frames that were read the speaker's window begins, in a whole batch."""
    if mode == "corrected":
        return jnp.zeros((), jnp.int32)
    return jax.random.randint(key, (), 0, model.window_size)


def pair_of_windows(
    batch: Mapping[str, jax.Array], begin: Int[Array, ""], model: DenoiserConfig
) -> tuple[Float[Array, "batch frames 25"], Float[Array, "batch frames 25"]]:
    """The speaker's window from frame `begin` on, and the listener's that answers it."""
    size = model.window_size
    cut = partial(jax.lax.dynamic_slice_in_dim, slice_size=size, axis=1)
    answer = begin + size if model.online else begin
    return cut(batch["speaker_emotion"], begin), cut(batch["listener_emotion"], answer)


@dataclass(frozen=True)
class Given:
    """The graph of the frozen VAE, and the options of the training."""

    vae: nnx.GraphDef
    training: DenoiserTraining

    def vae_of(self, frozen: Any) -> EmotionVAE:
        precision = self.training.loop.precision
        return nnx.merge(self.vae, computed_in(frozen["vae"], precision))


def _loss(
    given: Given,
    model: Denoiser,
    frozen: Any,
    batch: Any,
    key: jax.Array,
    train: bool,
    phase: int,
) -> Any:
    """As `Recipe.loss`."""
    config = given.training
    window_key, step_key, noise_key = jax.random.split(key, 3)
    begin = first_frame(window_key, model.config, config.mode)
    speaker, listener = pair_of_windows(batch, begin, model.config)
    rows = len(speaker)
    step = jax.random.randint(step_key, (rows,), 0, model.config.diffusion_steps)
    noise = jax.random.normal(noise_key, (rows, config.samples, model.config.emb_length))
    value, metrics = denoiser_loss(model, given.vae_of(frozen), speaker, listener, step, noise)
    return value, (metrics, {})


def _show(given: Given, model: Denoiser, frozen: Any, batch: Any) -> Faces:
    first = jax.tree.map(lambda rows: rows[:1], batch)
    config, vae = model.config, nnx.merge(given.vae, frozen["vae"])
    scaled, begin = config.emb_preprocessing, jnp.zeros((), jnp.int32)
    speaker, listener = pair_of_windows(first, begin, config)
    condition = jnp.repeat(encode(vae, speaker, scaled), REACTIONS, axis=0)
    key = jax.random.key(given.training.loop.seed)
    latents = model.sample(condition, jax.random.normal(key, condition.shape))
    truth = first["listener_coeffs"][:, config.window_size if config.online else 0 :]
    faces = {
        "reconstruction": decode(vae, encode(vae, listener, scaled), scaled),
        "generated": decode(vae, latents, scaled),
    }
    return {
        "ground truth": (truth[:, : config.window_size], listener),
        **{name: (vae.coeffs_of(emotion), emotion) for name, emotion in faces.items()},
    }
