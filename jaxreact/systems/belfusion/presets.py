"""Complete configurations of BeLFusion's two stages by name, and what trains them.

corrected   the released sizes and the original's recipe, its mistakes mended
original    the same with its mistakes: faces that are never learnt (B11), latents that the decoder
            does not know (B12), and of every clip only the first seconds (B13)
demo        minutes on two CPU cores
debug       seconds; says nothing about quality
"""

from collections.abc import Mapping
from functools import partial

from jaxreact.systems.belfusion.config import DenoiserConfig, EmotionVAEConfig
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.systems.belfusion.train_denoiser import DenoiserTraining, train_denoiser
from jaxreact.systems.belfusion.train_vae import VAETraining, train_vae
from jaxreact.training.command import StageCommand
from jaxreact.training.loop import LoopConfig
from jaxreact.training.optimizer import OptimizerConfig

_TORCH = partial(OptimizerConfig, weight_decay=5e-4, decay="all", beta2=0.999, warmup_steps=0)
"""torch's AdamW as the original has it, at a constant rate."""

_VAE = LoopConfig(
    epochs=1000, batch_size=32, validate_every=10, optimizer=_TORCH(learning_rate=1e-3)
)
_DENOISER = LoopConfig(
    epochs=100, batch_size=32, validate_every=2, optimizer=_TORCH(learning_rate=1e-4)
)


def _briefly(**changes: object) -> LoopConfig:
    """Two epochs of two conversations each."""
    optimizer = _TORCH(learning_rate=1e-3)
    loop = {"epochs": 2, "batch_size": 2, "validate_every": 1, "log_every": 1, "pictures_every": 0}
    return LoopConfig(**loop, optimizer=optimizer)  # pyright: ignore[reportArgumentType]


VAE_PRESETS: Mapping[str, partial[VAETraining]] = {
    "corrected": partial(VAETraining, model=EmotionVAEConfig(), loop=_VAE),
    "original": partial(VAETraining, mode="original", model=EmotionVAEConfig(), loop=_VAE),
    "demo": partial(
        VAETraining,
        clip_frames=250,
        model=EmotionVAEConfig(),
        loop=LoopConfig(
            epochs=200,
            batch_size=16,
            validate_every=20,
            optimizer=_TORCH(learning_rate=2e-3, final_share=0.05),
        ),
    ),
    "debug": partial(
        VAETraining,
        clip_frames=100,
        model=EmotionVAEConfig(window_size=25, hidden_dim=8, z_dim=8, emb_dims=(8,)),
        loop=_briefly(),
    ),
}

DENOISER_PRESETS: Mapping[str, partial[DenoiserTraining]] = {
    "corrected": partial(DenoiserTraining, model=DenoiserConfig(), loop=_DENOISER),
    "original": partial(DenoiserTraining, mode="original", model=DenoiserConfig(), loop=_DENOISER),
    "demo": partial(
        DenoiserTraining,
        model=DenoiserConfig(num_hid_channels=256, num_layers=6, online=True),
        loop=LoopConfig(
            epochs=200,
            batch_size=16,
            validate_every=20,
            optimizer=_TORCH(learning_rate=5e-4, final_share=0.05),
        ),
    ),
    "debug": partial(
        DenoiserTraining,
        samples=2,
        model=DenoiserConfig(
            emb_length=8, num_hid_channels=16, num_layers=2, window_size=25, online=True
        ),
        loop=_briefly(),
    ),
}

STAGES = {
    "vae": StageCommand(VAE_PRESETS, train_vae, VAE),
    "denoiser": StageCommand(DENOISER_PRESETS, train_denoiser, DENOISER),
}
"""What `python -m jaxreact.train belfusion/STAGE` trains."""
