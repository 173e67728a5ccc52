"""Photo-real pictures of a face in motion, by PIRender's generator."""

from collections.abc import Iterator, Sequence

import jax
import numpy as np
from jaxtyping import Float, Int, UInt8

from jaxreact.errors import UserError
from jaxreact.face import COEFFS
from jaxreact.nn.precision import Precision
from jaxreact.rendering.heads import check_coeffs
from jaxreact.rendering.pirender.load import FaceGenerator

RADIUS = 13
"""Frames before and after a frame that PIRender looks at."""

ORIGINAL_GROUP = 5
"""The original renders so many frames at a time and lets windows see no others."""


def windows(
    coeffs: Float[np.ndarray, "time coefficients"],
    frames: Int[np.ndarray, " frames"] | None = None,
    *,
    radius: int = RADIUS,
    original_windows: bool = False,
) -> Float[np.ndarray, "frames window coefficients"]:
    """The neighbourhood of each of some frames (None: of all): 2 radius + 1 frames of it.

    Beyond the ends of the clip its outermost frame repeats. `original_windows`: beyond the ends of
    every five frames, as FaceAIS_REACT24 has it; its windows so hold no more than five frames.
    """
    frames = np.arange(len(coeffs)) if frames is None else frames
    low, high = np.zeros_like(frames), np.full_like(frames, len(coeffs) - 1)
    if original_windows:
        low = frames // ORIGINAL_GROUP * ORIGINAL_GROUP
        high = np.minimum(low + ORIGINAL_GROUP - 1, high)
    places = frames[:, None] + np.arange(-radius, radius + 1)
    return coeffs[np.clip(places, low[:, None], high[:, None])]


def photoreal_frames(
    generator: FaceGenerator,
    portrait: Float[np.ndarray, "height width 3"],
    coeffs: Float[np.ndarray, "time 58"],
    *,
    only: Sequence[int] | None = None,
    batch: int = 16,
    dtype: Precision = "float32",
    original_windows: bool = False,
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Yields an RGB picture of the portrait's person for each frame of *raw* coefficients.

    - `portrait`: what `portrait.read_portrait` gives.
    - `only`: these frames instead of all; each sees its neighbours all the same.
    - `batch`: frames that are computed at a time; memory does not grow with the clip.
    - `dtype`: what convolutions compute in. bfloat16 is for accelerators; a processor takes longer
      by it.
    - `original_windows`: see `windows`.

    Raises UserError, before anything is computed, for a portrait or coefficients that do not fit
    the generator.
    """
    coeffs = check_coeffs(coeffs)
    _check(generator, portrait)
    if batch < 1:
        raise UserError(f"batch: {batch} is not 1 or more")
    if dtype not in ("float32", "bfloat16"):
        raise UserError(f"dtype: {dtype!r} is not one of float32, bfloat16")
    frames = np.arange(len(coeffs)) if only is None else np.asarray(only, int)
    return _pictures(generator, portrait, coeffs, frames, batch, dtype, original_windows)


def check_generator(generator: FaceGenerator) -> None:
    """Raises UserError for a generator that other coefficients drive than FaceVerse's."""
    taken = generator.config.input_nc
    if taken != COEFFS:
        raise UserError(
            f"{generator.directory}: takes {taken} coefficients of the Basel Face Model,"
            f" not FaceVerse's {COEFFS}; convert the challenge baseline's cur_model_fold.pth"
        )


def _check(generator: FaceGenerator, portrait: np.ndarray) -> None:
    check_generator(generator)
    shape, multiple = portrait.shape, generator.config.multiple
    if len(shape) != 3 or shape[2] != 3 or shape[0] % multiple or shape[1] % multiple:
        raise UserError(
            f"portrait: expected (height, width, 3), sides multiples of {multiple}, got {shape}"
        )
    if portrait.dtype.kind != "f" or not (np.abs(portrait) <= 1).all():
        raise UserError("portrait: expected numbers in [-1, 1], as read_portrait gives them")


def _pictures(
    generator: FaceGenerator,
    portrait: np.ndarray,
    coeffs: np.ndarray,
    frames: np.ndarray,
    batch: int,
    dtype: Precision,
    original_windows: bool,
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """One batch is computed while the one before it is handed out."""
    if not len(frames):
        return
    batch, radius = min(batch, len(frames)), generator.config.semantic_radius
    animate = generator.animate(portrait, dtype)
    pending: jax.Array | None = None
    for first in range(0, len(frames), batch):
        some = frames[first : first + batch]
        window = windows(coeffs, some, radius=radius, original_windows=original_windows)
        # The last batch is filled up, since another size would be compiled anew.
        window = np.pad(window, ((0, batch - len(window)), (0, 0), (0, 0)), mode="edge")
        faces = animate(window)
        if pending is not None:
            yield from np.asarray(pending)
        pending = faces[: len(some)]
    yield from np.asarray(pending)
