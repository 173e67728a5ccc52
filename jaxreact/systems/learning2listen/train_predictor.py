"""Stage 2: the predictor of codes, with a VQ-VAE that stays as it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxreact import runs
from jaxreact.audio_features.mel import mel_features
from jaxreact.data.conversations import open_conversations
from jaxreact.data.modality import Modality
from jaxreact.errors import UserError
from jaxreact.face import COEFFS
from jaxreact.nn.quantizers import Statistics
from jaxreact.rendering.pictures.training import draw_faces
from jaxreact.systems.learning2listen import masks
from jaxreact.systems.learning2listen.coder import MotionCoder
from jaxreact.systems.learning2listen.config import (
    CODES,
    FACE_AND_EMOTION,
    SPEAKER_FRAMES,
    WINDOW,
    ListenerPredictorConfig,
    MotionCoderConfig,
    check_fit,
)
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.learning2listen.losses import listener_loss
from jaxreact.systems.learning2listen.normalisation import measured_statistics
from jaxreact.systems.learning2listen.predictor import ListenerPredictor, Visible
from jaxreact.systems.learning2listen.train_vqvae import CLIP, motion_of
from jaxreact.training.batches import Data, read_data
from jaxreact.training.config import StageTraining
from jaxreact.training.distributed import failing_at_once
from jaxreact.training.frozen import Frozen, FrozenModels
from jaxreact.training.loop import train
from jaxreact.training.run_start import start_run
from jaxreact.training.stage import Faces, Recipe
from jaxreact.training.state import join


@dataclass(frozen=True, kw_only=True)
class ListenerTraining(StageTraining):
    """Stage 2 of Learning2Listen: trains the predictor. With --model.mode original one number of
    visible codes is drawn for a whole batch (L9), and channels are measured as the original's are
    (L1)."""

    first: Path
    """Run directory of the VQ-VAE."""
    validation_windows: int = 8
    """Places of each conversation that validation looks at, equally spaced."""
    model: ListenerPredictorConfig = field(default_factory=ListenerPredictorConfig)


@dataclass(frozen=True)
class FrozenCoder(FrozenModels):
    """The VQ-VAE."""

    vqvae: MotionCoder
    extra: Mapping[str, Any]

    @property
    def parts(self) -> Mapping[str, Frozen]:
        """The one that there is."""
        return {"vqvae": Frozen(CODER, self.vqvae, self.extra)}


@failing_at_once()
def train_predictor(config: ListenerTraining) -> float:
    """Trains a predictor into `config.out`; returns the best validation loss.

    The run holds all that its system needs: the VQ-VAE is written into it too, as `vqvae/`. Raises
    UserError where that is none, or is of other codes or channels.
    """
    mesh = start_run(LISTENER, config)
    if config.validation_windows < 1:
        raise UserError(f"--validation-windows {config.validation_windows} is less than 1")
    vqvae, content = runs.load_model(config.first, CODER)
    _check(config, vqvae.config)
    coder = FrozenCoder(vqvae, _kept(content))
    data = _data(config)
    recipe = Recipe(
        kind=LISTENER,
        model=first_model(config),
        loss=partial(_loss, nnx.split(vqvae)[0]),
        show=partial(_show, nnx.split(vqvae)[0]),
        draw=partial(draw_faces, np.zeros(COEFFS, np.float32)),
        frozen=coder.variables(),
        config=config,
        parts=coder.fingerprints(),
        write=coder.write,
    )
    stage = config.loop.make_stage(recipe, mesh, data.steps_per_epoch)
    return train(stage, data, config.loop, config.out, resume=config.resume, profile=config.profile)


def first_model(config: ListenerTraining) -> ListenerPredictor:
    """A new model, which knows what the speakers of the training split are measured by."""
    model = runs.new_model(LISTENER, config.model, config.loop.seed)
    rate = config.model.audio_rate
    measured = {
        "motion": measured_statistics(_faces(config.data), CLIP, config.model.mode),
        "audio": measured_statistics(_sounds(config.data), CLIP * rate, config.model.mode),
    }
    for name, (mean, std) in measured.items():
        known = getattr(model.statistics, name)
        known.mean[...], known.std[...] = jnp.asarray(mean), jnp.asarray(std)
    return model


def _faces(path: Path) -> Iterator[Float[np.ndarray, "time 58"]]:
    conversations = open_conversations(path)
    for dyad in conversations.dyads("train", (Modality("speaker", "coeffs"),)):
        yield conversations.coeffs(dyad.speaker)


def _sounds(path: Path) -> Iterator[Float[np.ndarray, "steps 128"]]:
    conversations = open_conversations(path)
    for dyad in conversations.dyads("train", (Modality("speaker", "waveform"),)):
        yield _heard(conversations.waveform(dyad.speaker, 0, dyad.frames), dyad.frames)


def _heard(waveform: Float[np.ndarray, "samples"], frames: int) -> Float[np.ndarray, "steps 128"]:
    return mel_features(waveform, 4 * frames)


def _check(config: ListenerTraining, coder: MotionCoderConfig) -> None:
    model = config.model
    check_fit(model, coder, config.first)
    if model.motion_dim != COEFFS or coder.in_dim != FACE_AND_EMOTION or model.audio != "mel":
        raise UserError(
            f"{config.first}: is trained on {COEFFS} coefficients, mel bands and a VQ-VAE of"
            f" {FACE_AND_EMOTION} channels; leave --model.motion-dim and --model.audio out, and"
            " train the first stage here"
        )


def _kept(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a VQ-VAE's config.json says of its training, which goes on into the predictor's run."""
    return {name: content[name] for name in ("origin", "preset", "stage") if name in content}


def _data(config: ListenerTraining) -> Data:
    hear = partial(_heard, frames=SPEAKER_FRAMES)
    return read_data(
        config.data,
        None,
        modalities=(
            Modality("speaker", "coeffs", frames=SPEAKER_FRAMES),
            Modality(
                "speaker", "features", frames=SPEAKER_FRAMES, function=hear, name="speaker_audio"
            ),
            Modality("listener", "coeffs"),
            Modality("listener", "emotion"),
        ),
        frames=CLIP,
        trained_frames=WINDOW,
        batch_size=config.loop.batch_size,
        seed=config.loop.seed,
        workers=config.loop.workers,
        windows=config.validation_windows,
    )


def _codes(
    coder: MotionCoder, batch: Mapping[str, jax.Array]
) -> tuple[Int[Array, "batch 4"], Int[Array, "batch 4"]]:
    """The listener's codes of the past window, and of the next one."""
    motion = coder.statistics(motion_of(batch))
    windows = motion.reshape(-1, WINDOW, motion.shape[-1])
    codes = jax.lax.stop_gradient(coder.encode(windows)).reshape(len(motion), 2, CODES)
    return codes[:, 0], codes[:, 1]


def _visible(model: ListenerPredictor, key: jax.Array, rows: int) -> Visible:
    """How many past codes each clip sees."""
    if model.config.mode == "original":
        return masks.drawn(key, 1)[0]  # L9
    return masks.drawn(key, rows)


def _loss(
    graph: nnx.GraphDef,
    model: ListenerPredictor,
    frozen: Any,
    batch: Any,
    key: jax.Array,
    train: bool,
    phase: int,
) -> Any:
    """As `Recipe.loss`. Codes are decided in float32, whatever the rest computes in."""
    past, targets = _codes(nnx.merge(graph, frozen["vqvae"]), batch)
    known = model.statistics
    value, (metrics, norms) = listener_loss(
        model,
        known.motion(batch["speaker_coeffs"]),
        known.audio(batch["speaker_audio"]),
        past,
        targets,
        _visible(model, key, len(past)),
        train,
    )
    return value, (metrics, join(nnx.to_pure_dict(nnx.state(model, Statistics)), norms))


def _show(graph: nnx.GraphDef, model: ListenerPredictor, frozen: Any, batch: Any) -> Faces:
    """The next window: as it was, as its codes have it, and as the likeliest codes do."""
    coder = nnx.merge(graph, frozen["vqvae"])
    first = jax.tree.map(lambda rows: rows[:1], batch)
    past, targets = _codes(coder, first)
    known = model.statistics
    motion, audio = known.motion(first["speaker_coeffs"]), known.audio(first["speaker_audio"])
    logits = model(motion, audio, past, jnp.asarray(CODES))[0][:, :CODES]

    def face(codes: Int[Array, "1 4"]) -> tuple[jax.Array, jax.Array]:
        made = coder.statistics.inverse(coder.decode(codes))
        return made[..., :COEFFS], made[..., COEFFS:]

    truth = first["listener_coeffs"][:, WINDOW:], first["listener_emotion"][:, WINDOW:]
    return {
        "ground truth": truth,
        "reconstruction": face(targets),
        "generated": face(jnp.argmax(logits, axis=-1)),
    }
