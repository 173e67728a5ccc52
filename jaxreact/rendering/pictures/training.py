"""Pictures of how far a training is: one clip of the validation split, as the model has it."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.rendering.pictures.strip import draw_strip
from jaxreact.rendering.pictures.traces import Face, draw_traces

SHOWN = ("ground truth", "reconstruction", "generated")
"""What there may be to see, in this order."""


def draw_faces(
    mean_face: Float[np.ndarray, "58"],
    faces: Mapping[str, tuple[np.ndarray, np.ndarray | None]],
    title: str,
) -> dict[str, UInt8[np.ndarray, "height width 3"]]:
    """RGB pictures by name: traces over time, and a strip of rendered heads.

    `faces` are coefficients (samples, time, 58), raw but for `mean_face`, and, where known, emotion
    (samples, time, 25) of the first two of `SHOWN`, which have one sample, and perhaps of the
    third.
    """
    raw = {name: _samples(*faces[name], mean_face) for name in SHOWN if name in faces}
    truth, reconstruction = raw["ground truth"][0], raw["reconstruction"][0]
    return {
        "traces": draw_traces(truth, reconstruction, raw.get("generated", []), title=title),
        "heads": draw_strip({name: samples[0].coeffs for name, samples in raw.items()}),
    }


def _samples(coeffs: np.ndarray, emotion: np.ndarray | None, mean_face: np.ndarray) -> list[Face]:
    emotions = [None] * len(coeffs) if emotion is None else emotion
    return [
        Face(np.asarray(sample + mean_face), channels)
        for sample, channels in zip(coeffs, emotions, strict=True)
    ]
