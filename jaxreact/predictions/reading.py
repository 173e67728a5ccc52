"""Reading predictions, whoever made them, into ours."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from jaxreact.data.sense import doubts_of_predicted_coeffs, doubts_of_scale
from jaxreact.errors import Remark, UserError
from jaxreact.predictions.layout import (
    Layout,
    OriginalOrder,
    arrange,
    find_layout,
    undo_original_order,
)
from jaxreact.predictions.original_order import reorder_as_original
from jaxreact.predictions.predictions import Predictions
from jaxreact.predictions.sources import Source, open_source

_MOVES = {"undo": undo_original_order, "mix": reorder_as_original}


def read_predictions(
    path: str | Path,
    *,
    clips: Sequence[str] | None = None,
    number: int | None = None,
    frames: int | None = None,
    layout: Layout | None = None,
    original_order: OriginalOrder | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Predictions:
    """Reads an npz, npy or PyTorch file, or a folder (`predictions.sources`), as float32.

    `clips` are the names of the data set's clips, by whose number the layout is told; a file that
    names its clips must name these in this order. Where names are not known, `number` says how many
    there are. `frames` cuts to the first so many. `layout` decides where several are possible. The
    original program's file has its clips mixed: with `original_order` "undo" they are put right,
    with "keep" left so; "mix" mixes another file's as the original would have before it scored
    them. `report` gets one line that says how the file was understood.

    What makes little sense is a `Remark`. Raises `UserError` where the file cannot be read, does
    not fit (both shapes are named), or its layout or order is left open. float32 arrays in npy
    files and uncompressed npz files are mapped, not read.
    """
    path = Path(path)
    source = open_source(path, clips)
    names = clips if clips is not None else source.clips
    count = number if names is None else len(names)
    try:
        if source.rows_are_clips and layout is None:
            layout = "clips-samples"
        layout = find_layout(source.emotion.shape, count, layout)
        _check_order(source, layout, original_order)
        arrays = {
            name: _placed(name, array, count, layout, frames)
            for name, array in {"emotion": source.emotion, **source.others}.items()
        }
        for name in ("emotion", "coeffs"):
            if name in arrays and original_order in _MOVES:
                arrays[name] = _MOVES[original_order](arrays[name])
        predictions = Predictions(**arrays, clips=source.clips, made_with=source.made_with)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    _check_names(path, predictions, clips)
    doubts = doubts_of_scale(predictions.emotion)
    if predictions.coeffs is not None:
        doubts += doubts_of_predicted_coeffs(predictions.coeffs)
    for doubt in doubts:
        warnings.warn(f"{path}: {doubt.message}", Remark, stacklevel=2)
    report(f"{path}: {_described(source, layout, original_order, predictions)}")
    return predictions


def _check_order(source: Source, layout: Layout, original_order: OriginalOrder | None) -> None:
    if source.by_original and original_order in (None, "mix"):
        raise UserError(
            "the original program's file, whose rows mix the reactions to several clips; "
            "--original-order undo puts each with its clip, --original-order keep scores the rows "
            "as they are, as the original did"
        )
    if original_order == "undo" and (source.rows_are_clips or layout != "clips-samples"):
        raise UserError(
            "--original-order undo: the file's clips are not mixed as the original's are"
        )


def _placed(
    name: str, array: np.ndarray, count: int | None, layout: Layout, frames: int | None
) -> np.ndarray:
    """An array of the file in our layout, cut to `frames`, as float32."""
    if array.ndim < 3:
        raise UserError(f"{name}: shape {array.shape}; expected clips, frames and channels")
    if array.ndim > 3 or layout.startswith("flat"):
        array = arrange(array, count, layout)
    if frames is not None and frames > array.shape[-2]:
        raise UserError(f"{array.shape[-2]} frames, fewer than the {frames} wanted")
    array = array[..., :frames, :]
    if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        raise UserError(f"{name}: {array.dtype} instead of numbers")
    with np.errstate(over="ignore"):  # what float32 cannot hold is not finite, and named so
        return array.astype(np.float32, copy=False)


def _check_names(path: Path, predictions: Predictions, clips: Sequence[str] | None) -> None:
    if clips is None or predictions.clips is None:
        return
    for index, (ours, theirs) in enumerate(zip(clips, predictions.clips, strict=True)):
        if ours != theirs:
            raise UserError(f"{path}: clip {index} is {theirs}, in the data set it is {ours}")


def _described(
    source: Source, layout: Layout, original_order: OriginalOrder | None, predictions: Predictions
) -> str:
    clips, samples, frames, _ = predictions.emotion.shape
    order = {
        "undo": ", the original's order undone",
        "keep": ", in the original's order, which mixes clips",
        "mix": ", its clips mixed as by the original",
        None: "",
    }[original_order]
    return (
        f"shape {source.emotion.shape} read as {layout}{order}: {clips} clips, {samples} samples "
        f"each, {frames} frames"
    )
