"""Complete configurations of the frame-wise listener's training by name, and what trains it.

full    for data of many hours
demo    minutes on two CPU cores
debug   seconds; says nothing about quality
"""

from collections.abc import Mapping
from functools import partial

from jaxreact.systems.framewise.config import FramewiseConfig
from jaxreact.systems.framewise.kinds import FRAMEWISE
from jaxreact.systems.framewise.training import FramewiseTraining, train_framewise
from jaxreact.training.command import StageCommand
from jaxreact.training.loop import LoopConfig
from jaxreact.training.optimizer import OptimizerConfig

PRESETS: Mapping[str, partial[FramewiseTraining]] = {
    "full": partial(
        FramewiseTraining,
        clip_frames=512,
        model=FramewiseConfig(),
        loop=LoopConfig(
            epochs=60,
            batch_size=32,
            validate_every=2,
            optimizer=OptimizerConfig(learning_rate=1e-3, warmup_steps=500, final_share=0.02),
        ),
    ),
    "demo": partial(
        FramewiseTraining,
        model=FramewiseConfig(features=96, stacks=1),
        loop=LoopConfig(
            epochs=20,
            batch_size=8,
            validate_every=2,
            optimizer=OptimizerConfig(learning_rate=2e-3, warmup_steps=50, final_share=0.01),
        ),
    ),
    "debug": partial(
        FramewiseTraining,
        clip_frames=64,
        validation_windows=1,
        model=FramewiseConfig(features=8, stacks=1, dilations=(1, 2)),
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

STAGES = {"": StageCommand(PRESETS, train_framewise, FRAMEWISE)}
"""What `python -m jaxreact.train framewise` trains: there is one stage."""
