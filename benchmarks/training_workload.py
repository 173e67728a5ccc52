"""What both halves of `benchmarks/training.py` share: the two stages' batches."""

from typing import Literal

import numpy as np

STEPS = {"tokenizer": ("step",), "predictor": ("past seen", "past hidden")}
"""Kinds of steps of each stage. The predictor's batches are of two kinds, each as likely: with the
beginning of the past hidden, and with all of it to be seen (behaviour 41)."""
BATCH = {"tokenizer": 8, "predictor": 16}
"""The original's batch sizes."""
FRAMES = {"tokenizer": 736, "predictor": 288}
WINDOW, CODES = 256, 1000
AUDIO_RATE, AUDIO_FEATURES = 2, 512
SOUND_SAMPLES = WINDOW * 640
DROPOUT = 0.1
"""Of the model that is trained."""


Known = Literal["nothing", "codes", "codes and features"]
"""What a predictor's step need not compute of its batch, since it was computed once before."""


def batch(stage: str, rows: int, known: Known = "nothing") -> dict[str, np.ndarray]:
    """A made-up batch as our stages take it: mean-subtracted coefficients, emotion, 16 kHz sound.

    (rows, frames, 58), (rows, frames, 25) and (rows, samples), float32. Of the predictor's, faces
    whose codes are `known` are these, (rows, frames) int32, and sound whose features are known
    these, (rows, steps, 512) float16.
    """
    random = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {"listener_coeffs": (rows, FRAMES[stage], 58)}
    if stage == "tokenizer":
        shapes["listener_emotion"] = (rows, FRAMES[stage], 25)
    else:
        shapes["speaker_coeffs"] = (rows, FRAMES[stage], 58)
        shapes["speaker_waveform"] = (rows, SOUND_SAMPLES)
    made = {name: 0.1 * random.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    if known == "nothing":
        return made
    frames = {"speaker": WINDOW, "listener": FRAMES[stage]}
    codes = {
        f"{role}_codes": random.integers(0, CODES, (rows, count), np.int32)
        for role, count in frames.items()
    }
    if known == "codes":
        return {"speaker_waveform": made["speaker_waveform"], **codes}
    features = random.standard_normal((rows, AUDIO_RATE * WINDOW, AUDIO_FEATURES), np.float32)
    return {"speaker_features": features.astype(np.float16), **codes}
