"""Trans-VAE's sizes and options; the defaults are the released ones."""

from dataclasses import dataclass
from typing import Literal

Mode = Literal["corrected", "original"]

SMALLEST_IMAGE = 7
"""Pixels of a side of which the convolutions and the pooling leave something."""

LONGEST_WINDOW = 5000
"""Frames; the original has so many positions."""


@dataclass(frozen=True)
class TransVAEConfig:
    """Sizes of one model. Raises ValueError for what cannot be."""

    features: int = 128
    """Width of all that passes between layers; a multiple of 4 and of `heads`."""
    heads: int = 4
    dropout: float = 0.1
    online: bool = False
    """The listener's own past is fed back, window by window; False: one pass over the clip."""
    window: int = 8
    """Frames of an online step. The released model trains with 16 and is evaluated with 8
    (behaviour B4)."""
    mode: Mode = "corrected"
    """What becomes of the end: "original" leaves the frames after the last whole window zero
    (behaviour B3); "corrected" answers them, as if the speaker's last frame stood still until the
    window's end."""
    image_size: int = 224
    """Side of the square that is cut out of pictures whose shorter side is 8/7 of it."""
    audio_rate: int = 44100
    """Hz at which the audio features are computed; those of other rates are other features."""

    remat: bool = True
    """Online: what a window computes inside is not kept for the way back but computed again."""

    def __post_init__(self):
        if self.heads < 1:
            raise ValueError(f"heads {self.heads} is not 1 or more")
        if self.features < 1 or self.features % 4 or self.features % self.heads:
            raise ValueError(
                f"features {self.features} is not a multiple of 4 and of heads {self.heads}"
            )
        if not 1 <= self.window <= LONGEST_WINDOW:
            raise ValueError(f"window {self.window} is not 1 to {LONGEST_WINDOW}")
        if self.mode not in ("corrected", "original"):
            raise ValueError(f"mode {self.mode!r} is not 'corrected' or 'original'")
        if self.image_size < SMALLEST_IMAGE:
            raise ValueError(f"image_size {self.image_size} is not {SMALLEST_IMAGE} or more")
        if self.audio_rate < 1000:
            raise ValueError(f"audio_rate {self.audio_rate} is not 1000 Hz or more")
