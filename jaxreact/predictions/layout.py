"""In which order the axes of an array of predictions stand, and putting them in ours.

clips-samples   (clips, samples, frames, channels)    ours; REACT's baselines in memory
samples-clips   (samples, clips, frames, channels)    one pass over the clips after another
flat-by-clip    (clips x samples, frames, channels)   all samples of clip 0 first
flat-by-sample  (samples x clips, frames, channels)   sample 0 of all clips first
"""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Shaped

from jaxreact.errors import UserError

Layout = Literal["clips-samples", "samples-clips", "flat-by-clip", "flat-by-sample"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

OriginalOrder = Literal["undo", "keep", "mix"]
"""The original program mixes clips (behaviour 1): "undo" puts its predictions right, "keep" leaves
them mixed, "mix" does to right ones what it would have done."""


def find_layout(shape: tuple[int, ...], clips: int | None, given: Layout | None = None) -> Layout:
    """The layout of an array of `shape` (three or four axes) that holds `clips` clips.

    Without `clips` four axes are taken for clips-samples, and three cannot be told. `given` must be
    possible, and decides where several are. Raises `UserError` that names both shapes where none
    is possible, or where several are and none is given.
    """
    possible = _possible(shape, clips)
    if given is not None and given in possible:
        return given
    if not possible or given is not None:
        as_given = "" if given is None else f" as {given}"
        raise UserError(
            f"shape {shape} does not fit{as_given}: {_expected(shape, clips, given)}; is it the "
            "same split, and are they all its clips?"
        )
    if len(possible) > 1 and not _same(shape, clips):
        raise UserError(
            f"shape {shape} can be read as {' or as '.join(possible)}; say which with --layout"
        )
    return possible[0]


def arrange(
    array: Shaped[np.ndarray, "..."], clips: int | None, layout: Layout
) -> Shaped[np.ndarray, "clips samples frames channels"]:
    """The array as clips-samples; a view wherever numpy can make one."""
    if layout == "clips-samples":
        return array
    if layout == "samples-clips":
        return array.swapaxes(0, 1)
    assert clips is not None, "find_layout gives no flat layout without it"
    if layout == "flat-by-clip":
        return array.reshape(clips, -1, *array.shape[1:])
    return array.reshape(-1, clips, *array.shape[1:]).swapaxes(0, 1)


def undo_original_order(
    predictions: Shaped[np.ndarray, "clips samples *rest"],
) -> Shaped[np.ndarray, "clips samples *rest"]:
    """Puts each prediction of the original program back with its clip (behaviour 1).

    The original joins its K passes over N clips end to end and cuts them into N rows of K. The
    inverse of `metrics.reorder_as_original`.
    """
    clips, samples, *rest = predictions.shape
    return predictions.reshape(samples, clips, *rest).swapaxes(0, 1)


def _possible(shape: tuple[int, ...], clips: int | None) -> list[Layout]:
    if len(shape) == 4:
        axes: tuple[Layout, ...] = ("clips-samples", "samples-clips")
        return [axes[axis] for axis in (0, 1) if clips in (None, shape[axis])]
    if len(shape) == 3 and clips and shape[0] and shape[0] % clips == 0:
        return ["flat-by-clip", "flat-by-sample"]
    return []


def _same(shape: tuple[int, ...], clips: int | None) -> bool:
    """Whether the first of the possible layouts is as good as any, or the default."""
    return clips in (None, 1) or (len(shape) == 3 and shape[0] == clips)


def _expected(shape: tuple[int, ...], clips: int | None, given: Layout | None) -> str:
    number = "clips" if clips is None else str(clips)
    rest = ", ".join(map(str, shape[-2:])) if len(shape) > 2 else "frames, channels"
    shapes = {
        "clips-samples": f"({number}, samples, {rest})",
        "samples-clips": f"(samples, {number}, {rest})",
        "flat-by-clip": f"({number} x samples, {rest})",
        "flat-by-sample": f"(samples x {number}, {rest})",
    }
    if given is not None:
        return f"expected {shapes[given]}"
    if clips is None:
        return f"expected {shapes['clips-samples']}"
    return f"the data set needs {shapes['clips-samples']}, or another order of its {number} clips"
