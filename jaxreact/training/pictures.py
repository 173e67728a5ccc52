"""Pictures of how far a training is: one clip of the validation split, as the model has it."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.training.distributed import is_first
from jaxreact.training.logging import RunLog
from jaxreact.watching.strip import draw_strip
from jaxreact.watching.traces import Face, draw_traces

SHOWN = ("ground truth", "reconstruction", "generated")
"""What there may be to see, in this order."""

Faces = dict[str, tuple[jax.Array, jax.Array | None]]
"""Mean-subtracted coefficients (samples, time, 58) and, where known, emotion (samples, time, 25) of
the first two of `SHOWN`, which have one sample, and perhaps of the third."""


def draw_pictures(log: RunLog, step: int, faces: Faces, mean_face: Float[np.ndarray, "58"]) -> None:
    """Draws faces into a run's log, as of update number `step`; the first of several processes."""
    if is_first():
        log.pictures(step, pictures(jax.device_get(faces), mean_face, f"step {step}"))


def pictures(
    faces: Faces, mean_face: Float[np.ndarray, "58"], title: str
) -> dict[str, UInt8[np.ndarray, "height width 3"]]:
    """RGB pictures by name: traces over time, and a strip of rendered heads."""
    raw = {name: _samples(*faces[name], mean_face) for name in SHOWN if name in faces}
    truth, reconstruction = raw["ground truth"][0], raw["reconstruction"][0]
    return {
        "traces": draw_traces(truth, reconstruction, raw.get("generated", []), title=title),
        "heads": draw_strip({name: samples[0].coeffs for name, samples in raw.items()}),
    }


def _samples(coeffs: Any, emotion: Any, mean_face: np.ndarray) -> list[Face]:
    emotions = [None] * len(coeffs) if emotion is None else emotion
    return [
        Face(np.asarray(one + mean_face), felt) for one, felt in zip(coeffs, emotions, strict=True)
    ]
