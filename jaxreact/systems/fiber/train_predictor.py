"""Stage 2: the predictor, trained on whole conversations with a frozen tokenizer and encoder."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from flax import nnx
from tyro.conf import arg

from jaxreact import runs
from jaxreact.audio_features.batches import encode_waveforms
from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig
from jaxreact.data.modality import Modality
from jaxreact.errors import UserError
from jaxreact.nn.precision import Precision, computed_in
from jaxreact.rendering.pictures.training import draw_faces
from jaxreact.sharding import DeviceMesh
from jaxreact.systems.fiber.config import AUDIO_RATE, SPECIAL_TOKENS, PredictorConfig
from jaxreact.systems.fiber.frozen_parts import FrozenParts, load_frozen_parts
from jaxreact.systems.fiber.generation import generate
from jaxreact.systems.fiber.kinds import PREDICTOR
from jaxreact.systems.fiber.known_codes import KnownCodes
from jaxreact.systems.fiber.losses import past_masks, predictor_loss
from jaxreact.systems.fiber.made_ahead import codes_ahead, features_ahead
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.fiber.tokenizer import FaceTokenizer
from jaxreact.systems.fiber.traits import hidden_at_random
from jaxreact.systems.sampling import Sampling
from jaxreact.training.batches import Data, read_data
from jaxreact.training.config import StageTraining
from jaxreact.training.distributed import failing_at_once
from jaxreact.training.loop import train
from jaxreact.training.run_start import start_run
from jaxreact.training.stage import Faces, Recipe, Stage

UNTRAINED = (("sp_cm_transformer", "wte_sound"), ("sp_cm_transformer", "ln_f"))
"""Parameters that no loss depends on when audio comes as features (behaviour 21)."""

REACTIONS = 3
"""Generated reactions in the pictures of a training."""


@dataclass(frozen=True, kw_only=True)
class PredictorTraining(StageTraining):
    """Stage 2: trains the predictor."""

    MAY_CHANGE: ClassVar = ("codes",)

    tokenizer: Annotated[Path, arg(aliases=("--first",))]
    """Run directory of the tokenizer."""
    wav2vec2: Path | None = None
    """Directory of a converted wav2vec2 encoder (`convert_weights.py wav2vec2`)."""
    new_patch_only: bool = False
    """Count only targets that do not stand among the inputs (behaviour 16)."""
    past_mask_probability: float = 0.5
    """Share of the batches in which the beginning of the past is hidden (behaviour 41)."""
    traits_mask_probability: float = 0.2
    """With --model.traits: share of the listeners whose traits are hidden from the model, so that
    it learns to answer as somebody of whom nothing is known too."""
    codes: Literal["auto", "once", "every-step"] = "auto"
    """When faces become codes. Once: before the training, all that it can crop from the clips, kept
    in the user's cache folder for the next training with this tokenizer. Auto: once where that
    pays and takes a minute at most."""
    audio: Literal["crop", "clip"] = "crop"
    """What the audio encoder hears at once. It normalises what it is given, so that features of a
    short window differ from those of the whole clip that generation hears (behaviour 48). Crop: the
    window alone, as in the original, and `audio_context`. Clip: the whole clip, once, before the
    training; its features, 1.5 MB of 30 s, are kept in the user's cache folder."""
    audio_context: int = 0
    """With --audio crop: frames of sound before the window that the audio encoder hears too; with
    some 10 s in all its features hardly differ from those of the clip."""
    validation_windows: int = 1
    """Windows of each conversation that validation looks at, equally spaced. The original looks at
    the first one: too few to tell the best state by, unless there are a thousand conversations."""
    untrained_encoder: AudioEncoderConfig | None = None
    """Without `wav2vec2`: an encoder of this shape with random weights, fixed by the seed. It tells
    sound from silence and little more; for trying things out where no weights can be had."""
    model: PredictorConfig = field(default_factory=PredictorConfig)


@failing_at_once()
def train_predictor(config: PredictorTraining) -> float:
    """Trains a predictor into `config.out`; returns the best validation loss.

    The run holds all that its system needs: the tokenizer and the audio encoder are written into it
    too, as `tokenizer/` and `audio_encoder/`.
    """
    mesh = start_run(PREDICTOR, config)
    frozen = load_frozen_parts(
        config.tokenizer, _encoder(config), config.untrained_encoder, config.loop.seed
    )
    model_config = _with_codebook(config.model, frozen.tokenizer)
    data = _data(config, model_config, frozen)
    stage = _stage(config, model_config, frozen, data, mesh)
    return train(stage, data, config.loop, config.out, resume=config.resume, profile=config.profile)


def _encoder(config: PredictorTraining) -> Path | None:
    """Where the audio encoder lies: a resumed run has its own, if no other is asked for."""
    if config.wav2vec2 is None and config.resume:
        return config.out / "audio_encoder"
    return config.wav2vec2


def _with_codebook(config: PredictorConfig, tokenizer: FaceTokenizer) -> PredictorConfig:
    """The configuration with the tokenizer's number of codes; UserError if they do not fit."""
    size = tokenizer.config.codebook_size
    if size > min(config.vocab_size, config.vocab_face_size):
        raise UserError(
            f"the tokenizer has {size} codes and the predictor names {config.vocab_size}; set"
            " --model.vocab-size and --model.vocab-face-size to at least as many"
        )
    return replace(config, codebook_size=size)


def crop_frames(config: PredictorConfig, block: int) -> int:
    """Frames of a window and the patch after it, rounded up to the tokenizer's block."""
    frames = config.block_size + config.patch_size
    return -(-frames // block) * block


def _data(config: PredictorTraining, model: PredictorConfig, frozen: FrozenParts) -> Data:
    tokenizer = frozen.tokenizer
    if model.block_size % tokenizer.config.block_size:
        raise UserError(
            f"--model.block-size {model.block_size} is not a multiple of the tokenizer's block of"
            f" {tokenizer.config.block_size} frames"
        )
    if config.audio_context < 0 or config.validation_windows < 1:
        raise UserError(
            f"--audio-context {config.audio_context} must be 0 or more frames, and"
            f" --validation-windows {config.validation_windows} 1 or more"
        )
    if config.audio_context and config.audio == "clip":
        raise UserError(
            f"--audio-context {config.audio_context} is for --audio crop: with --audio clip the"
            " encoder hears all there is"
        )
    if not 0 <= config.traits_mask_probability <= 1:
        raise UserError(f"--traits-mask-probability {config.traits_mask_probability} is not 0 to 1")
    frames = crop_frames(model, tokenizer.config.block_size)
    faces = (Modality("speaker", "coeffs"), Modality("listener", "coeffs"))
    sound = Modality("speaker", "waveform", before=config.audio_context, frames=model.block_size)
    traits = (Modality("listener", "traits"),) if model.traits else ()
    asked = (*faces, sound, *traits)
    reach = config.audio_context + frames
    read = partial(
        read_data,
        config.data,
        frozen.mean_face,
        frames=frames,
        trained_frames=model.block_size,
        batch_size=config.loop.batch_size,
        seed=config.loop.seed,
        workers=config.loop.workers,
        windows=config.validation_windows,
    )
    data = read(modalities=asked)
    if config.audio == "crop" and config.codes == "every-step":
        return data
    data.training().close()  # what is wrong with a split shows before anything is computed of it
    data.validation()
    if config.audio == "clip":
        heard = features_ahead(config.data, asked, frozen.audio_encoder, reach)
        sound = Modality("speaker", "features", frames=model.block_size, known=heard)
    seen = (*faces, sound, *traits)
    known = config.codes != "every-step" and codes_ahead(
        config.data,
        asked,
        tokenizer,
        frozen.mean_face,
        reach,
        config.loop.epochs * (model.block_size + frames),
        wanted=config.codes == "once",
    )
    trained = (*_coded(known, model), sound, *traits) if known else seen
    return read(modalities=trained, validated=seen)


def _coded(known: KnownCodes, model: PredictorConfig) -> tuple[Modality, Modality]:
    """Faces of a batch as codes that are known."""
    return (
        Modality("speaker", "codes", frames=model.block_size, known=known),
        Modality("listener", "codes", known=known),
    )


def inputs(
    batch: dict[str, jax.Array],
    tokenizer: FaceTokenizer,
    encoder: AudioEncoder,
    model: PredictorConfig,
    context: int = 0,
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Audio features, speaker tokens, listener tokens and targets of a batch (behaviour 42).

    The sound begins `context` frames before the window. The features of T frames are 2 T - 1; a
    zero is put in front (behaviour 49). Sound is heard and faces are coded here unless the batch
    has its features and their codes.
    """
    length, patch = model.block_size, model.patch_size
    if "speaker_features" in batch:
        features = batch["speaker_features"].astype(jnp.float32)
    else:
        features = encode_waveforms(encoder, batch["speaker_waveform"])
        features = jnp.pad(features, ((0, 0), (1, 0), (0, 0)))[:, AUDIO_RATE * context :]
    if "listener_codes" in batch:
        speaker, listener = batch["speaker_codes"], batch["listener_codes"]
    else:
        faces = (batch["speaker_coeffs"][:, :length], batch["listener_coeffs"])
        both = jnp.concatenate(faces, axis=1)  # whole blocks one by one
        speaker, listener = jnp.split(tokenizer.encode(both), [length], axis=1)
    speaker, listener = speaker + SPECIAL_TOKENS, listener + SPECIAL_TOKENS
    return features, speaker, listener[:, :length], listener[:, patch : length + patch]


def _stage(
    config: PredictorTraining,
    model_config: PredictorConfig,
    frozen: FrozenParts,
    data: Data,
    mesh: DeviceMesh,
) -> Stage:
    def trainable(path: tuple[str, ...], phase: int) -> bool:
        return path[:2] not in UNTRAINED or not model_config.use_wav2vec2_feature

    given = Given(
        nnx.split(frozen.tokenizer)[0], nnx.split(frozen.audio_encoder)[0], model_config, config
    )
    recipe = Recipe(
        kind=PREDICTOR,
        model=runs.new_model(PREDICTOR, model_config, config.loop.seed),
        loss=partial(_loss, given),
        show=partial(_show, given),
        draw=partial(draw_faces, frozen.mean_face),
        frozen=frozen.variables(),
        trainable=trainable,
        config=config,
        parts=frozen.fingerprints(),
        write=frozen.write,
    )
    return config.loop.make_stage(recipe, mesh, data.steps_per_epoch)


@dataclass(frozen=True)
class Given:
    """What turns batches into the predictor's inputs: graphs of the frozen models, and options."""

    tokenizer: nnx.GraphDef
    audio_encoder: nnx.GraphDef
    model: PredictorConfig
    training: PredictorTraining

    def inputs(self, batch: Any, frozen: Any, precision: Precision) -> tuple[jax.Array, ...]:
        """See `inputs`; the tokenizer stays float32, since a code is a rounding decision."""
        encoder = nnx.merge(self.audio_encoder, computed_in(frozen["audio_encoder"], precision))
        context = self.training.audio_context
        return inputs(batch, self.tokenizer_of(frozen), encoder, self.model, context)

    def tokenizer_of(self, frozen: Any) -> FaceTokenizer:
        return nnx.merge(self.tokenizer, frozen["tokenizer"])


def _loss(
    given: Given,
    model: ReactPredictor,
    frozen: Any,
    batch: Any,
    key: jax.Array,
    train: bool,
    phase: int,
) -> Any:
    """As `Recipe.loss`."""
    config = given.training
    audio, speaker, listener, targets = given.inputs(batch, frozen, config.loop.precision)
    mask_key, dropout_key = jax.random.split(key)
    batch_size, frames = speaker.shape
    mask = past_masks(mask_key, batch_size, frames, config.past_mask_probability)
    traits = batch["listener_traits"] if given.model.traits else None
    if train and traits is not None:
        traits_key = jax.random.fold_in(mask_key, 2)  # other than its halves, which are used
        traits = hidden_at_random(traits_key, traits, config.traits_mask_probability)
    value, metrics = predictor_loss(
        model,
        audio,
        speaker,
        listener,
        targets,
        mask,
        dropout_key if train else None,
        config.new_patch_only,
        traits,
    )
    return value, (metrics, {})


def _show(given: Given, model: ReactPredictor, frozen: Any, batch: Any) -> Faces:
    first = jax.tree.map(lambda rows: rows[:1], batch)
    tokenizer = given.tokenizer_of(frozen)
    features, speaker, listener, _ = given.inputs(first, frozen, "float32")
    keys = jax.random.split(jax.random.key(given.training.loop.seed), (1, REACTIONS))
    traits = first["listener_traits"] if given.model.traits else None
    codes = generate(
        model,
        features,
        speaker - SPECIAL_TOKENS,
        Sampling(),
        keys,
        REACTIONS,
        traits=traits,
    )
    truth = first["listener_coeffs"][:, : given.model.block_size]
    return {
        "ground truth": (truth, None),
        "reconstruction": tokenizer.decode(listener - SPECIAL_TOKENS),
        "generated": tokenizer.decode(codes[0]),
    }
