"""MediaPipe's Face Landmarker: one picture -> 51 expression weights and a pose matrix."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.errors import UserError
from jaxreact.face import EXPRESSIONS, INDEX
from jaxreact.tracking.box import Box
from jaxreact.tracking.face_models import (
    as_image,
    create,
    import_mediapipe,
    model_file,
    quiet_native_log,
)

SETTLING = 8
"""How often the first picture is shown before it counts: the landmarker smooths over time and finds
its place. On stills expressions are off by up to 0.28 in the first picture of a face, by 0.01 after
so many; on a man who talks by 0.028 on average, and 0.010. More change nothing."""

_SETTLING_STEP = 40  # ms between them

_TOP, _CHIN, _CHEEKS = 10, 152, (234, 454)  # of its 478 points
_PER_DETECTOR = 1.24  # their extent beside the box of the face detector


@dataclass(frozen=True)
class Detection:
    """One face: 52 weights in this project's order and MediaPipe's pose matrix (cm)."""

    expressions: Float[np.ndarray, "52"]
    matrix: Float[np.ndarray, "4 4"]
    box: Box


class Landmarker:
    """Follows the most prominent face through the pictures of one video, in order of time."""

    def __init__(self, mediapipe: Any, make: Callable[[], Any]) -> None:
        self._mediapipe = mediapipe
        self._make = make
        self._landmarker = make()
        self._last_ms = -1
        self._ahead = 0  # ms by which its clock is before the video's
        self._warm = False

    def detect(self, rgb: UInt8[np.ndarray, "height width 3"], time: float) -> Detection | None:
        """The face in an upright RGB picture at `time` seconds, or None where there is none."""
        self._last_ms = max(round(time * 1000) + self._ahead, self._last_ms + 1)  # must increase
        image = as_image(self._mediapipe, rgb)
        if self._warm:
            result = self._landmarker.detect_for_video(image, self._last_ms)
        else:
            with quiet_native_log():
                result = self._landmarker.detect_for_video(image, self._last_ms)
        self._warm = True
        if not result.face_blendshapes:
            return None
        scores = {shape.category_name: shape.score for shape in result.face_blendshapes[0]}
        matrix = np.asarray(result.facial_transformation_matrixes[0], np.float64)
        box = _box(result.face_landmarks[0], *rgb.shape[:2])
        return Detection(expression_vector(scores), matrix, box)

    def settle(self, rgb: UInt8[np.ndarray, "height width 3"], time: float) -> Detection | None:
        """As `detect`, of a face that was not in the picture before: see `SETTLING`."""
        settled = None
        for _ in range(SETTLING + 1):
            face = self.detect(rgb, time)
            if face is None:  # at once, or it could not be held
                break
            settled = face
            self._ahead += _SETTLING_STEP
        return settled

    def forget(self) -> None:
        """Lets go of the face that it follows."""
        self._landmarker.close()
        self._landmarker = self._make()
        self._warm = False

    def close(self) -> None:
        self._landmarker.close()


def _box(points: Any, height: int, width: int) -> Box:
    at = [np.array([points[i].x * width, points[i].y * height]) for i in (_TOP, _CHIN, *_CHEEKS)]
    side = max(np.linalg.norm(at[1] - at[0]), np.linalg.norm(at[3] - at[2])) / _PER_DETECTOR
    x, y = np.mean(at, axis=0)
    return Box(float(x), float(y), max(float(side), 1.0))


def expression_vector(scores: dict[str, float]) -> Float[np.ndarray, "52"]:
    """MediaPipe's named blendshapes in the order of `face.EXPRESSIONS`, each in [0, 1].

    Both name "Left" the person's own left. MediaPipe's `_neutral` is dropped, its missing
    `tongueOut` is 0. Raises `UserError` when the model names other units.
    """
    unknown = sorted(set(EXPRESSIONS) - {"tongueOut"} - set(scores))
    if unknown:
        raise UserError(f"the face tracking model lacks the expression units {', '.join(unknown)}")
    vector = np.array([scores.get(name, 0.0) for name in EXPRESSIONS])
    vector[INDEX["tongueOut"]] = 0.0
    return np.clip(vector, 0.0, 1.0)


@contextmanager
def open_landmarker(model: Path | None = None) -> Iterator[Landmarker]:
    """Loads MediaPipe and its model on the CPU; the context closes it.

    `model` is a `face_landmarker.task` file, None the installed one. Raises `UserError` when the
    `track` extra or the file is missing, or the file is not such a model.
    """
    path = model_file(model)
    mediapipe, vision, base_options = import_mediapipe()
    options = vision.FaceLandmarkerOptions(
        base_options=base_options(model_asset_path=str(path), delegate=base_options.Delegate.CPU),
        running_mode=vision.RunningMode.VIDEO,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    landmarker = Landmarker(
        mediapipe, lambda: create(path, lambda: vision.FaceLandmarker.create_from_options(options))
    )
    try:
        yield landmarker
    finally:
        landmarker.close()
