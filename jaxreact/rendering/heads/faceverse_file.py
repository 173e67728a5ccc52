"""The npz that `convert_weights.py faceverse` writes: FaceVerse v2 without pickles.

    mean_shape        (vertices, 3)       float32, model units
    identity_units    (150, vertices, 3)  float32, model units
    expression_units  (52, vertices, 3)   float32, model units, in the order of `face.EXPRESSIONS`
    mean_texture      (vertices, 3)       float32, RGB 0..255
    texture_units     (251, vertices, 3)  float32, RGB 0..255
    triangles         (triangles, 3)      int32, below vertices
    keypoints         (66,)               int32, below vertices

Not compressed: dense bases would shrink by a fifth and take several times as long to load
(`benchmarks/heads.py`).
"""

from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from jaxreact.errors import UserError, reading
from jaxreact.files import replacing
from jaxreact.rendering.heads.faceverse import FaceVerse
from jaxreact.rendering.heads.head import HeadModel
from jaxreact.rendering.heads.reference import SIZES, read_reference

LANDMARKS = 66
_NPY, _ZIP = b"\x93NUMPY", b"PK"


def load_head(path: str | Path, reference: str | Path | None = None) -> HeadModel:
    """The head model in a file: a converted FaceVerse.

    `reference`: a `reference_full.npy`, whose identity (and skin) the head gets, as the original
    draws it; the average person's without it. Raises `UserError` for any other file, with the
    command that converts FaceVerse's own.
    """
    person = None if reference is None else read_reference(reference)
    model = load_faceverse(path)
    return model.head() if person is None else model.head(person.identity, person.texture)


def load_faceverse(path: str | Path) -> FaceVerse:
    """A converted FaceVerse v2. Raises `UserError` where the file is missing, damaged or no such
    npz, naming the array that does not fit."""
    path = Path(path)
    with reading(path, "damaged", "convert it again"), path.open("rb") as file:
        _refuse_unconverted(path, file.read(128))
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            missing = [field.name for field in fields(FaceVerse) if field.name not in archive]
            if missing:
                raise UserError(f"{path}: no converted FaceVerse: {missing[0]} is missing")
            arrays = {field.name: archive[field.name] for field in fields(FaceVerse)}
            for name, array in arrays.items():
                if not isinstance(array, np.ndarray):  # bytes, where they do not begin as an array
                    raise UserError(f"{path}: {name} is damaged; convert it again")
    for name, problem in problems(arrays).items():
        raise UserError(f"{path}: no converted FaceVerse: {name} {problem}")
    return FaceVerse(**arrays)


def save_faceverse(model: FaceVerse, path: str | Path) -> None:
    """Writes the npz, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **asdict(model))


def problems(arrays: dict[str, np.ndarray]) -> dict[str, str]:
    """What is wrong with the arrays of the npz, by name; nothing if they are a `FaceVerse`."""
    shape = arrays["mean_shape"].shape
    vertices = shape[0] if shape else 0
    expected = {
        "mean_shape": (vertices, 3),
        "identity_units": (SIZES["identity"], vertices, 3),
        "expression_units": (SIZES["expression"], vertices, 3),
        "mean_texture": (vertices, 3),
        "texture_units": (SIZES["texture"], vertices, 3),
        "triangles": (*arrays["triangles"].shape[:1], 3),
        "keypoints": (LANDMARKS,),
    }
    faults = {}
    for name, form in expected.items():
        array = arrays[name]
        dtype = np.dtype(np.int32 if name in ("triangles", "keypoints") else np.float32)
        if array.shape != form or array.dtype != dtype or 0 in array.shape:
            faults[name] = f"is {array.dtype} {array.shape}, not {dtype} {form}"
        elif dtype.kind == "i" and not (array.min() >= 0 and array.max() < vertices):
            faults[name] = f"names vertices {array.min()} to {array.max()} of {vertices}"
        elif dtype.kind == "f" and not np.isfinite(array).all():
            faults[name] = "holds numbers that are not finite"
    return faults


def _refuse_unconverted(path: Path, start: bytes) -> None:
    """Raises `UserError` for what is no zip archive, with what to do where that is known."""
    if start.startswith(_ZIP):
        return
    if start.startswith(_NPY) and b"'|O'" in start:
        converted = path.with_suffix(".npz")
        raise UserError(
            f"{path}: a pickle, which could run code; convert it once by"
            f" `python convert_weights.py faceverse {path} {converted}` and give {converted}"
        )
    raise UserError(
        f"{path}: no head model: give the npz that `convert_weights.py faceverse` writes"
    )
