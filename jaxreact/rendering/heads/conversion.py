"""FaceVerse v2's `faceverse_simple_v2.npy` (a pickled dictionary) -> the npz of `load_head`."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxreact.errors import NotFiniteError, UserError
from jaxreact.face import EXPRESSIONS
from jaxreact.progress import progress
from jaxreact.rendering.heads.faceverse import FaceVerse
from jaxreact.rendering.heads.faceverse_file import LANDMARKS, save_faceverse
from jaxreact.rendering.heads.reference import SIZES
from jaxreact.torch_files.numpy_pickle import read_dictionary
from jaxreact.torch_files.precision import in_float32

BASES = {"idBase": "identity", "exBase": "expression", "texBase": "texture"}
"""FaceVerse's bases and the coefficients that weigh them."""

USED = ("meanshape", "meantex", *BASES, "tri", "keypoints", "exp_name_list")
UNUSED = {
    "point_buf": "triangles around each vertex: found from tri",
    "skinmask": "weighs a loss of fitting, which is not done here",
    **dict.fromkeys(
        ("select_id", "tri_select", "point_buf_select", "keypoints_select", "skinmask_select"),
        "a simplified mesh, which the original does not draw",
    ),
}
"""Keys that are left out, and why."""

OTHER_VERSIONS = {(120, 64, 200): 0, (150, 74, 251): 1}
"""Axes of identity, expression and texture in the versions of FaceVerse that do not fit."""


def convert_faceverse(source: Path, out: Path) -> None:
    """Reads FaceVerse's file without running what is in it and writes the npz, whole or not at all.

    Raises UserError for anything that does not fit, naming the key, and where `out` exists.
    """
    if out.exists():
        raise UserError(f"{out}: exists already; remove it or choose another name")
    with progress(3) as step:
        step(f"reading {source.name}")
        content = read_dictionary(source, "faceverse_simple_v2.npy")
        step("checking the model")
        model = model_of(content | in_float32(_bases_and_means(content), source), source)
        step(f"writing {out.name}")
        save_faceverse(model, out)
    if strangers := sorted(set(content) - {*USED, *UNUSED}):
        names = ascii(", ".join(strangers))[1:-1][:200]
        print(f"{source}: left out, since nothing here knows them: {names}", file=sys.stderr)


def model_of(content: dict[str, Any], source: Path) -> FaceVerse:
    """The model in FaceVerse's own arrays; raises UserError naming the first key that is missing or
    has another shape, kind, range or order."""
    _check_version(content, source)
    if missing := [name for name in USED if name not in content]:
        raise UserError(f"{source}: no FaceVerse v2 model: {', '.join(missing)} missing")
    _check_names(content["exp_name_list"], source)
    mean_shape = _points(content, "meanshape", source)
    count = len(mean_shape)
    mean_texture = _points(content, "meantex", source)
    if len(mean_texture) != count:
        raise UserError(f"{source}: meantex has {len(mean_texture)} vertices, meanshape {count}")
    units = {part: _basis(content, name, count, source) for name, part in BASES.items()}
    triangles = _indices(content["tri"], "tri", count, source)
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        raise UserError(f"{source}: tri has shape {triangles.shape}, not (triangles, 3)")
    keypoints = _indices(content["keypoints"], "keypoints", count, source)
    if keypoints.size != LANDMARKS:
        raise UserError(f"{source}: keypoints has shape {keypoints.shape}, not ({LANDMARKS},)")
    return FaceVerse(
        mean_shape=mean_shape,
        identity_units=units["identity"],
        expression_units=units["expression"],
        mean_texture=mean_texture,
        texture_units=units["texture"],
        triangles=triangles,
        keypoints=keypoints.reshape(-1),
    )


def _bases_and_means(content: dict[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of floating-point numbers that a head keeps."""
    names = ("meanshape", "meantex", *BASES)
    values = {name: content.get(name) for name in names}
    return {n: x for n, x in values.items() if isinstance(x, np.ndarray) and x.dtype.kind == "f"}


def _check_version(content: dict[str, Any], source: Path) -> None:
    bases = [content.get(name) for name in BASES]
    axes = tuple(basis.shape[-1] for basis in bases if isinstance(basis, np.ndarray) and basis.ndim)
    version = OTHER_VERSIONS.get(axes)
    if version is not None:
        raise UserError(
            f"{source}: FaceVerse version {version}; the coefficients are of version 2, whose file"
            " is faceverse_simple_v2.npy"
        )


def _check_names(names: Any, source: Path) -> None:
    """The expressions must be the 52 units in their order; FaceVerse may write them otherwise."""
    listed = names.reshape(-1).tolist() if isinstance(names, np.ndarray) else names
    if not isinstance(listed, (list, tuple)) or not all(isinstance(name, str) for name in listed):
        raise UserError(f"{source}: exp_name_list is no list of names")
    if len(listed) != len(EXPRESSIONS):
        raise UserError(f"{source}: exp_name_list has {len(listed)} names, not {len(EXPRESSIONS)}")
    for index, (theirs, ours) in enumerate(zip(listed, EXPRESSIONS, strict=True)):
        if theirs.lower() != ours.lower():
            raise UserError(
                f"{source}: exp_name_list: {index} is {theirs[:40]!r}, expected {ours!r}"
            )


def _points(content: dict[str, Any], name: str, source: Path) -> Float[np.ndarray, "vertices 3"]:
    """A key with x, y, z (or red, green, blue) of each vertex, one after the other."""
    values = _numbers(content[name], name, source)
    rows = values.ndim == 2 and values.shape[1] == 3
    if not rows and (max(values.shape, default=0) != values.size or values.size % 3):
        raise UserError(f"{source}: {name} has shape {values.shape}, not (vertices, 3)")
    return values.reshape(-1, 3)


def _basis(
    content: dict[str, Any], name: str, vertices: int, source: Path
) -> Float[np.ndarray, "axes vertices 3"]:
    values = _numbers(content[name], name, source)
    expected = (3 * vertices, SIZES[BASES[name]])
    if values.shape != expected:
        raise UserError(f"{source}: {name} has shape {values.shape}, not {expected}")
    return np.ascontiguousarray(values.T).reshape(-1, vertices, 3)


def _numbers(values: Any, name: str, source: Path) -> Float[np.ndarray, "..."]:
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or not values.size:
        raise UserError(f"{source}: {name} is no array of numbers")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if number := values.size - int(np.isfinite(values).sum()):
        raise NotFiniteError(
            f"{source}: {name} holds numbers that are not finite in float32: {number} of"
            f" {values.size}"
        )
    return values


def _indices(values: Any, name: str, vertices: int, source: Path) -> Int[np.ndarray, "..."]:
    """Numbers of vertices, which the file may have as floating-point numbers."""
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or not values.size:
        raise UserError(f"{source}: {name} is no array of numbers")
    low, high = values.min(), values.max()
    if not (low >= 0 and high < vertices):
        raise UserError(f"{source}: {name} names vertices {low} to {high}, there are {vertices}")
    if (values != np.floor(values)).any():
        raise UserError(f"{source}: {name} holds numbers that are not whole")
    return values.astype(np.int32)
