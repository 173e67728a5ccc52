"""Stage 2: the predictor, trained on whole conversations with a frozen tokenizer and encoder."""

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxreact import runs
from jaxreact.data.layout import AUDIO, COEFFS
from jaxreact.data.pipeline import training_batches
from jaxreact.data.react2024 import read_split
from jaxreact.errors import UserError
from jaxreact.models.audio_encoder import AudioEncoder, AudioEncoderConfig
from jaxreact.models.predictor import AUDIO_RATE, SPECIAL_TOKENS, PredictorConfig, ReactPredictor
from jaxreact.models.tokenizer import FaceTokenizer
from jaxreact.training.loop import Data, LoopConfig, Stage, check_start, train
from jaxreact.training.objectives import past_masks, predictor_loss
from jaxreact.training.optimizer import learning_rate, make_optimizer
from jaxreact.training.state import create_state, make_evaluation, make_step, split_model

UNTRAINED = (("sp_cm_transformer", "wte_sound"), ("sp_cm_transformer", "ln_f"))
"""Parameters that no loss depends on when audio comes as features (behaviour 21)."""


@dataclass(frozen=True)
class PredictorTraining:
    """Stage 2: trains the predictor."""

    data: Path
    """Root of a data set in the REACT2024 layout."""
    tokenizer: Path
    """Run directory of the tokenizer."""
    out: Path
    """Run directory to write."""
    wav2vec2: Path | None = None
    """Directory of a converted wav2vec2 encoder (`convert_weights.py wav2vec2`)."""
    resume: bool = False
    """Continue the run in `out` from its last checkpoint."""
    new_patch_only: bool = False
    """Count only targets that do not stand among the inputs (behaviour 16)."""
    past_mask_probability: float = 0.5
    """Share of the batches in which the beginning of the past is hidden (behaviour 41)."""
    audio_context: int = 0
    """Frames of sound before the window that the audio encoder hears too. It normalises what it is
    given, so that features of a short window differ from those of the whole clip that generation
    hears (behaviour 48); with some 10 s in all they hardly do."""
    validation_windows: int = 1
    """Windows of each conversation that validation looks at, equally spaced. The original looks at
    the first one: too few to tell the best state by, unless there are a thousand conversations."""
    untrained_encoder: AudioEncoderConfig | None = None
    """Without `wav2vec2`: an encoder of this shape with random weights, fixed by the seed. It tells
    sound from silence and little more; for trying things out where no weights can be had."""
    model: PredictorConfig = field(default_factory=PredictorConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)


def train_predictor(config: PredictorTraining) -> float:
    """Trains a predictor into `config.out`; returns the best validation loss.

    The audio encoder is written into the run too, as `audio_encoder/`.
    """
    check_start("predictor", config.out, config.resume)
    tokenizer, content = runs.load_model(config.tokenizer, "tokenizer")
    mean = runs.mean_face(content, config.tokenizer)
    encoder = _encoder(config)
    model_config = _with_codebook(config.model, tokenizer)
    data = _data(config, model_config, tokenizer, mean)
    stage = _stage(config, model_config, tokenizer, encoder, data)
    return train(stage, data, config.loop, config.out, resume=config.resume)


def _encoder(config: PredictorTraining) -> AudioEncoder:
    if config.resume:
        return runs.load_model(config.out / "audio_encoder", "audio_encoder")[0]
    if config.wav2vec2 is not None:
        return runs.load_model(config.wav2vec2, "audio_encoder")[0]
    if config.untrained_encoder is not None:
        return AudioEncoder(config.untrained_encoder, rngs=nnx.Rngs(config.loop.seed))
    raise UserError(
        "--wav2vec2 DIR is needed; make one with"
        " `python convert_weights.py wav2vec2 facebook/wav2vec2-base-960h DIR`"
    )


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


def _data(
    config: PredictorTraining, model: PredictorConfig, tokenizer: FaceTokenizer, mean: np.ndarray
) -> Data:
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
    loop, kinds = config.loop, (COEFFS, AUDIO)
    splits = {name: read_split(config.data, name, modalities=kinds) for name in ("train", "val")}
    common: dict[str, Any] = {
        "frames": config.audio_context + crop_frames(model, tokenizer.config.block_size),
        "audio_frames": config.audio_context + model.block_size,
        "batch_size": loop.batch_size,
        "seed": loop.seed,
        "modalities": kinds,
    }

    def training() -> Any:
        return training_batches(splits["train"], mean, **common, workers=loop.workers)

    def validation() -> Any:
        return training_batches(
            splits["val"],
            mean,
            **common,
            crop="start",
            windows=config.validation_windows,
            shuffle=False,
            epochs=1,
            drop_remainder=False,
        )

    return Data(training, len(splits["train"]) // loop.batch_size, validation)


def inputs(
    batch: dict[str, jax.Array],
    tokenizer: FaceTokenizer,
    encoder: AudioEncoder,
    model: PredictorConfig,
    context: int = 0,
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Audio features, speaker tokens, listener tokens and targets of a batch (behaviour 42).

    The window lies behind `context` frames of which only the sound is used. The features of T
    frames are 2 T - 1; a zero is put in front (behaviour 49).
    """
    length, patch = model.block_size, model.patch_size
    features = encoder(batch["speaker_waveform"])
    features = jnp.pad(features, ((0, 0), (1, 0), (0, 0)))[:, AUDIO_RATE * context :]
    speaker, listener = (batch[f"{role}_coeffs"][:, context:] for role in ("speaker", "listener"))
    speaker = tokenizer.encode(speaker[:, :length]) + SPECIAL_TOKENS
    listener = tokenizer.encode(listener) + SPECIAL_TOKENS
    return features, speaker, listener[:, :length], listener[:, patch : length + patch]


def _write_encoder(out: Path, encoder: AudioEncoder) -> None:
    inside = out / "audio_encoder"
    shutil.rmtree(inside, ignore_errors=True)  # of a start that came no further
    runs.save_model(inside, "audio_encoder", encoder.config, _variables(encoder))


def _variables(model: nnx.Module) -> dict[str, Any]:
    return nnx.to_pure_dict(nnx.split(model)[1])


def _stage(
    config: PredictorTraining,
    model_config: PredictorConfig,
    tokenizer: FaceTokenizer,
    encoder: AudioEncoder,
    data: Data,
) -> Stage:
    loop = config.loop
    key = jax.random.key(loop.seed)
    graph, params, statistics = split_model(ReactPredictor(model_config, rngs=nnx.Rngs(loop.seed)))
    tokenizer_graph, encoder_graph = nnx.split(tokenizer)[0], nnx.split(encoder)[0]
    schedule = learning_rate(loop.optimizer, data.steps_per_epoch, loop.epochs)
    optimizer = make_optimizer(loop.optimizer, schedule)

    def loss(model: ReactPredictor, frozen: Any, batch: Any, key: Any, train: bool) -> Any:
        given = inputs(
            batch,
            nnx.merge(tokenizer_graph, frozen["tokenizer"]),
            nnx.merge(encoder_graph, frozen["encoder"]),
            model_config,
            config.audio_context,
        )
        mask_key, dropout_key = jax.random.split(key)
        batch_size, frames = given[1].shape
        mask = past_masks(mask_key, batch_size, frames, config.past_mask_probability)
        value, metrics = predictor_loss(
            model, *given, mask, dropout_key if train else None, config.new_patch_only
        )
        return value, (metrics, {})

    def training_loss(model: Any, frozen: Any, batch: Any, key: Any) -> Any:
        return loss(model, frozen, batch, key, train=True)

    def validation_loss(model: Any, frozen: Any, batch: Any, key: Any) -> Any:
        return loss(model, frozen, batch, key, train=False)

    def trainable(path: tuple[str, ...]) -> bool:
        return path[:2] not in UNTRAINED or not model_config.use_wav2vec2_feature

    step = make_step(graph, training_loss, optimizer, trainable, key)
    return Stage(
        kind="predictor",
        model_config=model_config,
        state=create_state(params, statistics, optimizer),
        frozen={"tokenizer": _variables(tokenizer), "encoder": _variables(encoder)},
        step=lambda epoch: step,
        evaluate=make_evaluation(graph, validation_loss),
        schedule=schedule,
        extra={
            "tokenizer": str(config.tokenizer),
            "past_mask_probability": config.past_mask_probability,
            "new_patch_only": config.new_patch_only,
            "audio_context": config.audio_context,
        },
        prepare=lambda out: _write_encoder(out, encoder),
    )
