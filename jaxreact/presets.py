"""Complete configurations by name, and reading one from a command line.

react2024   the released sizes and the original's recipe
improved    the released sizes and the recipe of `demo`, which departs from the original's
demo        minutes on two CPU cores
debug       seconds; says nothing about quality
"""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TypeVar

import tyro

from jaxreact.errors import UserError
from jaxreact.models.audio_encoder import AudioEncoderConfig
from jaxreact.models.predictor.config import PredictorConfig
from jaxreact.models.tokenizer import FaceTokenizerConfig
from jaxreact.training.loop import LoopConfig
from jaxreact.training.optimizer import OptimizerConfig
from jaxreact.training.predictor import PredictorTraining
from jaxreact.training.tokenizer import TokenizerTraining

Config = TypeVar("Config")

TOKENIZER: Mapping[str, partial[TokenizerTraining]] = {
    "react2024": partial(
        TokenizerTraining, model=FaceTokenizerConfig(dropout=0.1), loop=LoopConfig()
    ),
    "improved": partial(
        TokenizerTraining,
        emotion_weight=6.0,
        rotation_weight=8.0,
        model=FaceTokenizerConfig(dropout=0.1, input_init_std=0.5, relative_pose=True),
        loop=LoopConfig(optimizer=OptimizerConfig(final_share=0.05)),
    ),
    "demo": partial(
        TokenizerTraining,
        clip_frames=128,
        emotion_weight=6.0,
        rotation_weight=8.0,
        model=FaceTokenizerConfig(
            n_embd=96, n_head=4, n_layer=2, input_init_std=0.5, relative_pose=True
        ),
        loop=LoopConfig(
            epochs=40,
            batch_size=8,
            validate_every=5,
            optimizer=OptimizerConfig(learning_rate=1e-3, warmup_steps=100, final_share=0.05),
        ),
    ),
    "debug": partial(
        TokenizerTraining,
        clip_frames=64,
        model=FaceTokenizerConfig(n_embd=16, n_head=2, n_layer=1, quantize_levels=(4, 3, 3)),
        loop=LoopConfig(
            epochs=2,
            batch_size=2,
            validate_every=1,
            log_every=1,
            pictures_every=0,
            optimizer=OptimizerConfig(warmup_steps=2),
        ),
    ),
}

_SMALL_ENCODER = AudioEncoderConfig(conv_dim=(16, 32, 32, 64, 64, 64, 512))
"""Features of the usual rate and width at a small part of wav2vec2's cost."""

PREDICTOR: Mapping[str, partial[PredictorTraining]] = {
    "react2024": partial(
        PredictorTraining,
        model=PredictorConfig(),
        loop=LoopConfig(
            epochs=1000,
            batch_size=16,
            optimizer=OptimizerConfig(warmup_steps=200, warmup_start=1e-6),
        ),
    ),
    "improved": partial(
        PredictorTraining,
        validation_windows=6,
        model=PredictorConfig(gate_init=1.0, init_std=0.05, temperature=0.5, patch_causal=True),
        loop=LoopConfig(
            epochs=1000,
            batch_size=16,
            validate_every=10,
            optimizer=OptimizerConfig(warmup_steps=200, warmup_start=1e-6, final_share=0.05),
        ),
    ),
    "demo": partial(
        PredictorTraining,
        untrained_encoder=_SMALL_ENCODER,
        audio_context=96,
        validation_windows=6,
        model=PredictorConfig(
            vocab_size=1000,
            vocab_face_size=1000,
            block_size=128,
            n_embd=96,
            n_head=4,
            n_layer=1,
            gate_init=1.0,
            init_std=0.1,
            temperature=0.5,
            patch_causal=True,
        ),
        loop=LoopConfig(
            epochs=100,
            batch_size=16,
            validate_every=10,
            optimizer=OptimizerConfig(
                learning_rate=1e-3, warmup_steps=60, warmup_start=1e-6, final_share=0.05
            ),
        ),
    ),
    "debug": partial(
        PredictorTraining,
        untrained_encoder=AudioEncoderConfig(conv_dim=(8, 8, 8, 8, 8, 8, 512)),
        model=PredictorConfig(
            vocab_size=36,
            vocab_face_size=36,
            block_size=64,
            n_embd=16,
            n_head=2,
            n_layer=1,
        ),
        loop=LoopConfig(
            epochs=2,
            batch_size=2,
            validate_every=1,
            log_every=1,
            pictures_every=0,
            optimizer=OptimizerConfig(warmup_steps=2),
        ),
    ),
}


def parse(
    presets: Mapping[str, partial[Config]],
    arguments: Sequence[str] | None = None,
    default: str = "react2024",
) -> Config:
    """The configuration of a command line: `[PRESET] --option value ...`.

    The first argument names a preset unless it is an option; every field of the preset can be
    overridden. Raises UserError for an unknown preset.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    name = default
    if arguments and not arguments[0].startswith("-"):
        name = arguments.pop(0)
    if name not in presets:
        raise UserError(f"no preset {name!r}; choose one of {', '.join(presets)}")
    preset = presets[name]
    description = f"{preset.func.__doc__}\n\nPresets (first argument): {', '.join(presets)}."
    return tyro.cli(preset, args=arguments, description=description)
