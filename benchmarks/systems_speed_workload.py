"""What both halves of `benchmarks/systems_speed.py` share: jobs, sizes and made-up inputs."""

from dataclasses import dataclass

import numpy as np

WINDOW = 16
"""Frames of Trans-VAE's windows, as it was trained."""
FEATURES = 128
"""Of Trans-VAE's latents, and of BeLFusion's."""
BELFUSION_WINDOW = 50
HELD_OUT = 2 * WINDOW
"""Frames of the small crop of which both sides tell their loss."""


@dataclass(frozen=True)
class Job:
    """Something that both sides do."""

    what: str
    wanted: float
    """How many times as fast as the original ours is to be."""
    system: str
    """Whose weights it needs."""
    checkout: str
    """The original's repository, by the name of its folder."""
    long: bool = False
    """Each side is measured once, the original with one thread."""


JOBS = {
    "trans-vae": Job(
        "Trans-VAE online, windows of 16: ten reactions to 750 frames of 224 x 224 pixels",
        10,
        "trans-vae",
        "baseline_react2024",
        long=True,
    ),
    "trans-vae-step": Job(
        "Trans-VAE online, windows of 16: a training step of 4 clips of 256 frames",
        3,
        "trans-vae",
        "baseline_react2024",
        long=True,
    ),
    "belfusion": Job(
        "BeLFusion: ten reactions to 750 frames", 3, "belfusion", "baseline_react2024"
    ),
    "belfusion-vae-step": Job(
        "BeLFusion's VAE: a training step of 32 clips of 750 frames",
        2,
        "belfusion-vae",
        "baseline_react2024",
    ),
    "belfusion-denoiser-step": Job(
        "BeLFusion's denoiser: a training step of 32 clips, ten noises each",
        2,
        "belfusion",
        "baseline_react2024",
    ),
    "learning2listen": Job(
        "Learning2Listen, DECA's channels: ten reactions to 736 frames",
        5,
        "learning2listen",
        "learning2listen",
    ),
    "learning2listen-corrected": Job(
        "Learning2Listen, DECA's channels: ten reactions to 736 frames, ours as it generates after"
        " our own trainings: steps see the codes as they are, which stand for time, and of each"
        " four neighbouring ones the last 8 frames are shown, of 32 frames more",
        5,
        "learning2listen-corrected",
        "learning2listen",
    ),
}


@dataclass(frozen=True)
class Sizes:
    """How much each job is given."""

    samples: int
    frames: int
    """Of a clip that is answered by Trans-VAE or BeLFusion."""
    listening_frames: int
    """Of a clip that is answered by Learning2Listen."""
    crop: int
    """Frames of a clip that Trans-VAE is trained on."""
    side: int
    """Pixels of a picture's side."""
    clips: int
    """Of a batch that Trans-VAE is trained on."""
    batch: int
    """Clips of a batch that BeLFusion is trained on."""


SIZES = {
    "released": Sizes(10, 750, 736, 256, 224, 4, 32),
    "tiny": Sizes(2, 50, 64, 32, 28, 1, 2),
}


def pictures(clips: int, frames: int, side: int) -> np.ndarray:
    """(clips, frames, side, side, 3) bytes."""
    return np.random.default_rng(0).integers(0, 256, (clips, frames, side, side, 3), np.uint8)


def normal(seed: int, *shape: int) -> np.ndarray:
    """Standard normal numbers: cepstra, faces, emotion, latents' noise."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


CEPSTRA, COEFFS, EMOTION, NOISE, MOTION, SOUND = range(6)
"""Seeds of what each job is given."""


def windows(frames: int, size: int) -> int:
    """Whole ones."""
    return frames // size


def encodings(frames: int) -> int:
    """Of frames, that Trans-VAE makes online of a clip: each window encodes all until its end."""
    number = windows(frames, WINDOW)
    return WINDOW * number * (number + 1) // 2
