"""What both halves of `benchmarks/generation.py` share: the clip and the stages."""

import numpy as np

FRAMES = 736
"""Of the original's evaluation clips: 29.44 s."""
TOP_K = 512
STAGES = ("tokenise", "audio features", "generate", "decode")


def speaker() -> tuple[np.ndarray, np.ndarray]:
    """A made-up speaker: coefficients (1, 736, 58) and 16 kHz sound (1, 471040)."""
    random = np.random.default_rng(0)
    coeffs = random.standard_normal((1, FRAMES, 58)).astype(np.float32)
    waveform = 0.1 * random.standard_normal((1, FRAMES * 640)).astype(np.float32)
    return coeffs, waveform
