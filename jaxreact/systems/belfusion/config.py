"""Sizes and options of BeLFusion's two models, by the original's names."""

from dataclasses import dataclass
from typing import Literal

from jaxreact.errors import UserError
from jaxreact.face import COEFFS, EMOTION_CHANNELS

Preprocessing = Literal["normalize", "standardize", "none"]
"""What latents become by their statistics: within [-1, 1], of unit deviation, or as they are."""

PREPROCESSINGS = ("normalize", "standardize", "none")

MOST_STEPS = 100_000
"""Of a diffusion; each has a row in tables that are kept, and a pass of the network in sampling."""

Mode = Literal["original", "corrected"]
"""Whether what the original's training does by mistake is done too."""


def _positive(config: object, *names: str) -> None:
    for name in names:
        if getattr(config, name) < 1:
            raise ValueError(f"{name} {getattr(config, name)} is not 1 or more")


@dataclass(frozen=True)
class EmotionVAEConfig:
    """Sizes of the VAE of emotion windows; the defaults are the released ones."""

    window_size: int = 50
    """Frames of a window (25 a second)."""
    emotion_dim: int = EMOTION_CHANNELS
    coeff_3dmm_dim: int = COEFFS
    hidden_dim: int = 128
    """Width of both recurrent layers. The diffusion lives in the encoder's last state (B12)."""
    z_dim: int = 128
    """Width of what the decoder takes."""
    emb_dims: tuple[int, ...] = (64, 64)
    """Widths of the layers between the decoder's state and the emotion."""

    def __post_init__(self):
        if not isinstance(self.emb_dims, (list, tuple)):
            raise ValueError(f"emb_dims {self.emb_dims!r} is no list of sizes")
        object.__setattr__(self, "emb_dims", tuple(self.emb_dims))
        _positive(self, "window_size", "emotion_dim", "coeff_3dmm_dim", "hidden_dim", "z_dim")
        if not self.emb_dims or not all(type(n) is int and n > 0 for n in self.emb_dims):
            raise ValueError(f"emb_dims {self.emb_dims} are not one or more sizes of 1 or more")


@dataclass(frozen=True)
class DenoiserConfig:
    """Sizes and options of the denoiser and its diffusion; the defaults are the released ones."""

    emb_length: int = 128
    """Width of a latent: the VAE's `hidden_dim` and `z_dim`."""
    num_hid_channels: int = 1024
    num_layers: int = 10
    diffusion_steps: int = 10
    num_time_emb_channels: int = 64
    """Cosines and sines of the step."""
    window_size: int = 50
    """Frames of a window, the VAE's."""
    emb_preprocessing: Preprocessing = "normalize"
    online: bool = False
    """A window answers the speaker's window before it; False: the same window."""

    def __post_init__(self):
        sizes = ("emb_length", "num_hid_channels", "diffusion_steps", "window_size")
        _positive(self, *sizes)
        if self.num_time_emb_channels < 2:
            raise ValueError(f"num_time_emb_channels {self.num_time_emb_channels} is not 2 or more")
        if self.diffusion_steps > MOST_STEPS:
            raise ValueError(f"diffusion_steps {self.diffusion_steps} is more than {MOST_STEPS}")
        if self.num_layers < 2:
            raise ValueError(f"num_layers {self.num_layers} is not 2 or more")
        if self.emb_preprocessing not in PREPROCESSINGS:
            known = ", ".join(PREPROCESSINGS)
            raise ValueError(f"emb_preprocessing {self.emb_preprocessing!r} is not one of {known}")


def check_fit(denoiser: DenoiserConfig, vae: EmotionVAEConfig, source: object) -> None:
    """Raises UserError, naming `source`, where a denoiser cannot work with a VAE's latents."""
    sizes = {vae.hidden_dim, vae.z_dim, denoiser.emb_length}
    if len(sizes) > 1:
        raise UserError(
            f"{source}: its latents are {denoiser.emb_length} wide, the VAE's hidden_dim is"
            f" {vae.hidden_dim} and its z_dim {vae.z_dim}; give the VAE that it was trained with"
        )
    if denoiser.window_size != vae.window_size:
        raise UserError(
            f"{source}: its windows are {denoiser.window_size} frames, the VAE's"
            f" {vae.window_size}; give the VAE that it was trained with"
        )
