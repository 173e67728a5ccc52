"""What both halves of `benchmarks/face_generator.py` share: the weights, the clip, the loop.

Weights and the plain torch network are those of the tests, which show that both halves make the
same pictures.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
from side_by_side import Stages

from tests.rendering.pirender.weights import portraits, tensors

SIZE = 224


def clip(frames: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Tensors by their published names, a portrait (224, 224, 3), coefficients (frames, 58)."""
    coeffs = np.random.default_rng(0).standard_normal((frames, 58)).astype(np.float32)
    return tensors(), portraits(size=SIZE)[0], coeffs


def one_pass(render: Callable[[], Iterator[np.ndarray]], stages: Stages, _: int) -> dict[str, Any]:
    """Makes the clip's pictures once; `result` tells pictures apart by their mean."""
    means = stages.timed("frames", lambda: [float(picture.mean()) for picture in render()])
    return {"means": means}
