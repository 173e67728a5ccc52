"""Complete configurations of FIBER's two stages by name, and what trains them.

react2024   the released sizes and the original's recipe
improved    the released sizes and the recipe of `demo`, which departs from the original's
demo        minutes on two CPU cores
debug       seconds; says nothing about quality
"""

from collections.abc import Mapping
from functools import partial

from jaxreact.audio_features.wav2vec2 import AudioEncoderConfig
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from jaxreact.systems.fiber.train_predictor import PredictorTraining, train_predictor
from jaxreact.systems.fiber.train_tokenizer import TokenizerTraining, train_tokenizer
from jaxreact.training.command import StageCommand
from jaxreact.training.loop import LoopConfig
from jaxreact.training.optimizer import OptimizerConfig

TOKENIZER_PRESETS: Mapping[str, partial[TokenizerTraining]] = {
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

PREDICTOR_PRESETS: Mapping[str, partial[PredictorTraining]] = {
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
        audio="clip",
        validation_windows=6,
        model=PredictorConfig(gate_init=1.0, init_std=0.05, temperature=0.5, block_causal=True),
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
        audio="clip",
        validation_windows=6,
        model=PredictorConfig(
            vocab_size=1000,
            vocab_face_size=1000,
            block_size=128,
            n_embd=96,
            n_head=4,
            n_layer=1,
            dropout=0.0,
            gate_init=1.0,
            init_std=0.1,
            temperature=0.5,
            block_causal=True,
        ),
        loop=LoopConfig(
            epochs=80,
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

STAGES = {
    "tokenizer": StageCommand(TOKENIZER_PRESETS, train_tokenizer, TOKENIZER),
    "predictor": StageCommand(PREDICTOR_PRESETS, train_predictor, PREDICTOR),
}
"""What `python -m jaxreact.train fiber/STAGE` trains."""
