"""Stage 1: the face tokenizer, trained on the listeners' faces."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import numpy as np
from flax import nnx

from jaxreact import runs
from jaxreact.data.conversations import open_conversations
from jaxreact.data.modality import Modality
from jaxreact.errors import UserError
from jaxreact.face import COEFFS, EMOTION_CHANNELS
from jaxreact.nn.quantizers import kmeans
from jaxreact.rendering.pictures.training import draw_faces
from jaxreact.sharding import DeviceMesh
from jaxreact.systems.fiber.kinds import TOKENIZER
from jaxreact.systems.fiber.losses import tokenizer_loss
from jaxreact.systems.fiber.tokenizer import FaceTokenizer, FaceTokenizerConfig
from jaxreact.training.batches import Data, read_data
from jaxreact.training.codebook import code_share
from jaxreact.training.config import StageTraining
from jaxreact.training.distributed import failing_at_once
from jaxreact.training.loop import train
from jaxreact.training.run_start import start_run
from jaxreact.training.stage import Faces, Recipe, Stage

EMOTION_DECODER = ("decoder_to_emotion", "lm_head_emotion")
"""What the second phase still trains."""


@dataclass(frozen=True, kw_only=True)
class TokenizerTraining(StageTraining):
    """Stage 1: trains the face tokenizer."""

    clip_frames: int = 736
    """Frames of a crop (25 a second), cut into blocks; a multiple of the model's block size."""
    emotion_phase: float = 0.8
    """Share of the epochs after which only the emotion decoder is trained (behaviour 37)."""
    quantize_weight: float = 1.0
    emotion_weight: float = 1.0
    """Of the emotion channels' error, beside 13 groups of coefficients that count 1 each."""
    rotation_weight: float = 1.0
    """Of the rotation's error: nods are small in radians beside what expressions change."""
    model: FaceTokenizerConfig = field(default_factory=FaceTokenizerConfig)


def in_emotion_phase(epoch: int, config: TokenizerTraining) -> bool:
    """Whether an epoch (counted from 0) belongs to the second phase: strictly after the share."""
    return epoch / config.loop.epochs > config.emotion_phase


@failing_at_once()
def train_tokenizer(config: TokenizerTraining) -> float:
    """Trains a tokenizer into `config.out`; returns the best validation loss."""
    mesh = start_run(TOKENIZER, config)
    _check(config.model)
    mean = open_conversations(config.data).mean_face()
    data = _data(config, mean)
    stage = _stage(config, mean, data, mesh)
    return train(stage, data, config.loop, config.out, resume=config.resume, profile=config.profile)


def _check(model: FaceTokenizerConfig) -> None:
    """Raises UserError unless faces and emotion are those of the data."""
    given = model.input_dim, model.output_dim, model.emotion_output_dim
    if given != (COEFFS, COEFFS, EMOTION_CHANNELS):
        raise UserError(
            f"--model.input-dim, --model.output-dim and --model.emotion-output-dim are {given}; the"
            f" data has {COEFFS} coefficients and {EMOTION_CHANNELS} channels: leave them out"
        )


def _data(config: TokenizerTraining, mean: np.ndarray) -> Data:
    return read_data(
        config.data,
        mean,
        modalities=(Modality("listener", "coeffs"), Modality("listener", "emotion")),
        frames=config.clip_frames,
        trained_frames=config.clip_frames,
        batch_size=config.loop.batch_size,
        seed=config.loop.seed,
        workers=config.loop.workers,
    )


def blocks(batch: dict[str, jax.Array], block: int) -> tuple[jax.Array, jax.Array]:
    """The listeners' coefficients and emotion of a batch, one block a row (behaviour 36)."""
    parts = (batch["listener_coeffs"], batch["listener_emotion"])
    coeffs, emotion = (x.reshape(-1, block, x.shape[-1]) for x in parts)
    return coeffs, emotion


def _stage(config: TokenizerTraining, mean: np.ndarray, data: Data, mesh: DeviceMesh) -> Stage:
    loop = config.loop
    model = runs.new_model(TOKENIZER, config.model, loop.seed)
    statistics = None
    if config.model.quantize_type == "vq" and not config.resume:
        first = _codebook_start(model, data, mesh, jax.random.key(loop.seed))
        statistics = {"quantize": first}
    recipe = Recipe(
        kind=TOKENIZER,
        model=model,
        loss=partial(_loss, config),
        show=_show,
        draw=partial(draw_faces, mean),
        statistics=statistics,
        phase=lambda epoch: int(in_emotion_phase(epoch, config)),
        trainable=lambda path, phase: phase == 0 or path[0] in EMOTION_DECODER,
        config=config,
        extra={"mean_face": mean.tolist()},
    )
    return loop.make_stage(recipe, mesh, data.steps_per_epoch)


def _loss(
    config: TokenizerTraining,
    model: FaceTokenizer,
    frozen: Any,
    batch: Any,
    key: jax.Array,
    train: bool,
    phase: int,
) -> Any:
    """As `Recipe.loss`; phase 1 trains the emotion decoder alone."""
    value, (metrics, quantized) = tokenizer_loss(
        model,
        *blocks(batch, config.model.block_size),
        train=train,
        emotion_only=phase == 1,
        quantize_weight=config.quantize_weight,
        emotion_weight=config.emotion_weight,
        rotation_weight=config.rotation_weight,
        key=key if train else None,
    )
    metrics["code_share"] = code_share(quantized.codes, config.model.codebook_size)
    return value, (metrics, {"quantize": quantized.statistics} if quantized.statistics else {})


def _show(model: FaceTokenizer, frozen: Any, batch: Any) -> Faces:
    coeffs, emotion = batch["listener_coeffs"][:1], batch["listener_emotion"][:1]
    reconstruction = model.decode(model.encode(coeffs))
    return {"ground truth": (coeffs, emotion), "reconstruction": reconstruction}


def _codebook_start(
    model: FaceTokenizer, data: Data, mesh: DeviceMesh, key: jax.Array
) -> dict[str, jax.Array]:
    """VQ's first codebook: k-means over the latents of the first batch (behaviour 35)."""
    graph, variables = nnx.split(model)

    @partial(jax.jit, out_shardings=mesh.replicated)
    def start(variables: Any, batch: Any) -> dict[str, jax.Array]:
        coeffs, _ = blocks(batch, model.config.block_size)
        latent = nnx.merge(graph, variables).latent(coeffs).reshape(-1, model.config.n_embd)
        return kmeans(latent, model.config.quantize_codebook_size, key)

    variables = mesh.put(variables, mesh.replicated_each(variables))
    return start(variables, mesh.put_local_rows(next(data.training())))
