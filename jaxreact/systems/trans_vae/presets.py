"""Complete configurations of Trans-VAE's training by name, and what trains it.

corrected   the released size and the recipe of the original's README, online, its mistakes mended
original    the same with its mistakes (B3, B4, B5)
demo        minutes on two CPU cores, with pictures of 32 pixels
debug       seconds; says nothing about quality
"""

from collections.abc import Mapping
from functools import partial

from jaxreact.systems.trans_vae.config import TransVAEConfig
from jaxreact.systems.trans_vae.kinds import TRANS_VAE
from jaxreact.systems.trans_vae.losses import LossWeights
from jaxreact.systems.trans_vae.training import TransVAETraining, train_trans_vae
from jaxreact.training.command import StageCommand
from jaxreact.training.loop import LoopConfig
from jaxreact.training.optimizer import OptimizerConfig

_TORCH = partial(OptimizerConfig, weight_decay=5e-4, decay="all", beta2=0.999, warmup_steps=0)
"""torch's AdamW as the original has it, at a constant rate."""

_LOOP = LoopConfig(epochs=50, batch_size=4, validate_every=10, optimizer=_TORCH(learning_rate=1e-5))

PRESETS: Mapping[str, partial[TransVAETraining]] = {
    "corrected": partial(
        TransVAETraining, model=TransVAEConfig(online=True, window=16), loop=_LOOP
    ),
    "original": partial(
        TransVAETraining,
        model=TransVAEConfig(online=True, window=16, mode="original"),
        loop=_LOOP,
    ),
    "demo": partial(
        TransVAETraining,
        clip_frames=64,
        weights=LossWeights(diversity=0.1),  # of short clips samples are alike much longer (B26)
        model=TransVAEConfig(features=32, online=True, window=16, image_size=28),
        loop=LoopConfig(
            epochs=20,
            batch_size=8,
            validate_every=4,
            optimizer=_TORCH(learning_rate=1e-3, final_share=0.05),
        ),
    ),
    "debug": partial(
        TransVAETraining,
        clip_frames=32,
        validation_windows=1,
        model=TransVAEConfig(features=8, online=True, window=16, image_size=28),
        loop=LoopConfig(
            epochs=2,
            batch_size=2,
            validate_every=1,
            log_every=1,
            pictures_every=0,
            optimizer=_TORCH(learning_rate=1e-3),
        ),
    ),
}

STAGES = {"": StageCommand(PRESETS, train_trans_vae, TRANS_VAE)}
"""What `python -m jaxreact.train trans-vae` trains: there is one stage."""
