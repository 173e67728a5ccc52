"""Stage 1: the face tokenizer, trained on the listeners' faces."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxreact.data.layout import COEFFS, EMOTION
from jaxreact.data.pipeline import training_batches
from jaxreact.data.react2024 import mean_face, read_split
from jaxreact.models.quantizers import kmeans
from jaxreact.models.tokenizer import FaceTokenizer, FaceTokenizerConfig
from jaxreact.training.loop import Data, LoopConfig, Stage, check_start, train
from jaxreact.training.objectives import codebook_use, tokenizer_loss
from jaxreact.training.optimizer import learning_rate, make_optimizer
from jaxreact.training.state import create_state, make_evaluation, make_step, split_model

EMOTION_DECODER = ("decoder_to_emotion", "lm_head_emotion")
"""What the second phase still trains."""


@dataclass(frozen=True)
class TokenizerTraining:
    """Stage 1: trains the face tokenizer."""

    data: Path
    """Root of a data set in the REACT2024 layout."""
    out: Path
    """Run directory to write."""
    resume: bool = False
    """Continue the run in `out` from its last checkpoint."""
    clip_frames: int = 736
    """Frames of a crop (25 a second), cut into blocks; a multiple of the model's block size."""
    emotion_phase: float = 0.8
    """Share of the epochs after which only the emotion decoder is trained (behaviour 37)."""
    quantize_weight: float = 1.0
    model: FaceTokenizerConfig = field(default_factory=FaceTokenizerConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)


def in_emotion_phase(epoch: int, config: TokenizerTraining) -> bool:
    """Whether an epoch (counted from 0) belongs to the second phase: strictly after the share."""
    return epoch / config.loop.epochs > config.emotion_phase


def train_tokenizer(config: TokenizerTraining) -> float:
    """Trains a tokenizer into `config.out`; returns the best validation loss."""
    check_start("tokenizer", config.out, config.resume)
    mean = mean_face(config.data)
    data = _data(config, mean)
    return train(_stage(config, mean, data), data, config.loop, config.out, resume=config.resume)


def _data(config: TokenizerTraining, mean: np.ndarray) -> Data:
    loop = config.loop
    kinds = (COEFFS, EMOTION)
    splits = {name: read_split(config.data, name, modalities=kinds) for name in ("train", "val")}
    common: dict[str, Any] = {
        "frames": config.clip_frames,
        "batch_size": loop.batch_size,
        "seed": loop.seed,
        "modalities": kinds,
    }

    def validation() -> Any:
        return training_batches(
            splits["val"],
            mean,
            **common,
            crop="start",
            shuffle=False,
            epochs=1,
            drop_remainder=False,
        )

    def training() -> Any:
        return training_batches(splits["train"], mean, **common, workers=loop.workers)

    return Data(training, len(splits["train"]) // loop.batch_size, validation)


def blocks(batch: dict[str, jax.Array], block: int) -> tuple[jax.Array, jax.Array]:
    """The listeners' coefficients and emotion of a batch, one block a row (behaviour 36)."""
    parts = (batch["listener_coeffs"], batch["listener_emotion"])
    coeffs, emotion = (x.reshape(-1, block, x.shape[-1]) for x in parts)
    return coeffs, emotion


def _stage(config: TokenizerTraining, mean: np.ndarray, data: Data) -> Stage:
    loop, model_config = config.loop, config.model
    key = jax.random.key(loop.seed)
    model = FaceTokenizer(model_config, rngs=nnx.Rngs(loop.seed))
    graph, params, statistics = split_model(model)
    if model_config.quantize_type == "vq" and not config.resume:
        statistics = {"quantize": _codebook_start(model, data, key)}
    schedule = learning_rate(loop.optimizer, data.steps_per_epoch, loop.epochs)
    optimizer = make_optimizer(loop.optimizer, schedule)

    def loss(model: FaceTokenizer, batch: Any, key: Any, train: bool, emotion_only: bool) -> Any:
        value, (metrics, quantized) = tokenizer_loss(
            model,
            *blocks(batch, model_config.block_size),
            train=train,
            emotion_only=emotion_only,
            quantize_weight=config.quantize_weight,
            key=key if train else None,
        )
        metrics |= codebook_use(quantized.codes, model_config.codebook_size)
        changed = {"quantize": quantized.statistics} if quantized.statistics else {}
        return value, (metrics, changed or statistics)

    def step(emotion_only: bool) -> Any:
        def training_loss(model: Any, _: Any, batch: Any, key: Any) -> Any:
            return loss(model, batch, key, True, emotion_only)

        def trainable(path: tuple[str, ...]) -> bool:
            return not emotion_only or path[0] in EMOTION_DECODER

        return make_step(graph, training_loss, optimizer, trainable, key)

    steps = {phase: step(phase) for phase in (False, True)}
    return Stage(
        kind="tokenizer",
        model_config=model_config,
        state=create_state(params, statistics, optimizer),
        frozen={},
        step=lambda epoch: steps[in_emotion_phase(epoch, config)],
        evaluate=make_evaluation(
            graph, lambda model, _, batch, key: loss(model, batch, key, False, False)
        ),
        schedule=schedule,
        extra={
            "mean_face": mean.tolist(),
            "clip_frames": config.clip_frames,
            "emotion_phase": config.emotion_phase,
            "quantize_weight": config.quantize_weight,
        },
    )


def _codebook_start(model: FaceTokenizer, data: Data, key: jax.Array) -> dict[str, jax.Array]:
    """VQ's first codebook: k-means over the latents of one batch (behaviour 35)."""
    batch = jax.tree.map(jnp.asarray, next(data.training()))
    coeffs, _ = blocks(batch, model.config.block_size)
    latent = model.latent(coeffs).reshape(-1, model.config.n_embd)
    return kmeans(latent, model.config.quantize_codebook_size, key)
