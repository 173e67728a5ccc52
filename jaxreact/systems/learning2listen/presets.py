"""Complete configurations of Learning2Listen's two stages by name, and what trains them.

corrected   the released sizes, codes that stand for time, and rates for days instead of weeks
original    the released sizes and the original's recipe, its mistakes included (L1, L4, L9 to L13)
demo        minutes on two CPU cores
debug       seconds; says nothing about quality
"""

from collections.abc import Mapping
from functools import partial

from jaxreact.systems.learning2listen.config import ListenerPredictorConfig, MotionCoderConfig
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.learning2listen.train_predictor import ListenerTraining, train_predictor
from jaxreact.systems.learning2listen.train_vqvae import CoderTraining, train_vqvae
from jaxreact.training.command import StageCommand
from jaxreact.training.loop import LoopConfig
from jaxreact.training.optimizer import OptimizerConfig

_ADAM = partial(OptimizerConfig, beta1=0.9, beta2=0.98, epsilon=1e-9, decay="all")
_CODER = partial(_ADAM, weight_decay=0.01)
_LISTENER = partial(_ADAM, weight_decay=0.0)

_WARMUP = 100_000
_PEAK = {base: base * width**-0.5 * _WARMUP**-0.5 for base, width in ((2.0, 256), (0.01, 200))}
"""The original's base rate -> the highest rate of its schedule, which is at the warm-up's end."""

_OWN = partial(CoderTraining, rotation_weight=0.3, translation_weight=0.1, emotion_weight=2.0)
"""Of our own faces, whose third group of channels is no jaw, but the head's place: if groups count
alike, codes say where a head is, and next to nothing of what it expresses (L22)."""
_AVERAGES = partial(MotionCoderConfig, codebook="averages")

_LOOP = partial(LoopConfig, batch_size=32, validate_every=10)
_BRIEFLY = partial(LoopConfig, epochs=2, batch_size=2, validate_every=1, log_every=1)

CODER_PRESETS: Mapping[str, partial[CoderTraining]] = {
    "corrected": partial(
        _OWN,
        model=_AVERAGES(),
        loop=_LOOP(
            epochs=2000, optimizer=_CODER(learning_rate=4e-4, warmup_steps=2000, final_share=0.05)
        ),
    ),
    "original": partial(
        CoderTraining,
        mode="original",
        model=MotionCoderConfig(code_layout="groups"),
        loop=_LOOP(
            epochs=5000,
            optimizer=_CODER(learning_rate=_PEAK[2.0], warmup_steps=_WARMUP, after_warmup="root"),
        ),
    ),
    "demo": partial(
        _OWN,
        model=_AVERAGES(
            hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96
        ),
        loop=LoopConfig(
            epochs=150,
            batch_size=16,
            validate_every=10,
            optimizer=_CODER(learning_rate=1e-3, warmup_steps=100, final_share=0.05),
        ),
    ),
    "debug": partial(
        _OWN,
        model=_AVERAGES(
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=8,
            n_embed=12,
        ),
        loop=_BRIEFLY(pictures_every=0, optimizer=_CODER(warmup_steps=2)),
    ),
}

LISTENER_PRESETS: Mapping[str, partial[ListenerTraining]] = {
    "corrected": partial(
        ListenerTraining,
        loop=_LOOP(
            epochs=1000,
            optimizer=_LISTENER(learning_rate=2e-4, warmup_steps=2000, final_share=0.05),
        ),
    ),
    "original": partial(
        ListenerTraining,
        model=ListenerPredictorConfig(mode="original"),
        loop=_LOOP(
            epochs=5000,
            optimizer=_LISTENER(
                learning_rate=_PEAK[0.01], warmup_steps=_WARMUP, after_warmup="root"
            ),
        ),
    ),
    "demo": partial(
        ListenerTraining,
        model=ListenerPredictorConfig(
            hidden_size=60,
            num_hidden_layers=2,
            num_attention_heads=4,
            speaker_heads=4,
            past_heads=4,
        ),
        loop=LoopConfig(
            epochs=150,
            batch_size=16,
            validate_every=10,
            optimizer=_LISTENER(learning_rate=1e-3, warmup_steps=100, final_share=0.05),
        ),
    ),
    "debug": partial(
        ListenerTraining,
        model=ListenerPredictorConfig(
            n_embed=12,
            hidden_size=20,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=8,
            speaker_heads=2,
            speaker_intermediate_size=8,
            past_heads=2,
            past_intermediate_size=8,
        ),
        loop=_BRIEFLY(pictures_every=0, optimizer=_LISTENER(warmup_steps=2)),
    ),
}

STAGES = {
    "vqvae": StageCommand(CODER_PRESETS, train_vqvae, CODER),
    "predictor": StageCommand(LISTENER_PRESETS, train_predictor, LISTENER),
}
"""What `python -m jaxreact.train learning2listen/STAGE` trains."""
