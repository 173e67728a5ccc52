"""The neighbour matrix of a split: checked, compared with its sources, or built from them."""

from pathlib import Path

import numpy as np

from jaxreact.data.contents import load_square
from jaxreact.data.prepare.findings import PROBLEM, REMARK, Finding, Matrix
from jaxreact.data.react2024.data_set import React2024
from jaxreact.data.react2024.neighbours import (
    ALL_REACTIONS,
    INDICES,
    build_neighbours,
    has_sources,
)
from jaxreact.data.recordings import Recordings
from jaxreact.data.remarks import taken_down
from jaxreact.errors import UserError


def examine_matrix(data: Recordings, split: str, pairs: int) -> tuple[Matrix, list[Finding]]:
    """The matrix to pack for a split of so many pairs, and what is wrong with what is there.

    The split's own file is taken if it is in order, else what follows from the release's two files,
    else none. Every problem is found, whichever is taken.
    """
    if not isinstance(data, React2024):
        matrix = data.neighbours(split, 2 * pairs).astype(np.uint8)
        return Matrix(matrix, f"follows from the folders, {2 * pairs} x {2 * pairs}"), []
    root = data.path
    own, findings = _own(root, split, pairs)
    derived, more = _derived(root, split, pairs)
    findings += more
    name = f"neighbour_emotion_{split}.npy"
    if own is not None and derived is not None and not np.array_equal(own, derived):
        findings.append(_disagreement(name, split, own, derived))
        own = None
    size = f"{2 * pairs} x {2 * pairs}"
    if own is not None:
        agrees = f", agrees with {ALL_REACTIONS}" if derived is not None else ""
        return Matrix(own, f"{name} {size}{agrees}"), findings
    if derived is not None:
        return Matrix(derived, f"built from {ALL_REACTIONS}, {size}"), findings
    if not findings and split != "train":  # the release has none for training
        message = "this split cannot be evaluated without it"
        findings.append(Finding("matrix", name, f"absent; {message}", REMARK, split))
    return Matrix(None, "none"), findings


def _own(root: Path, split: str, pairs: int) -> tuple[np.ndarray | None, list[Finding]]:
    path = root / f"neighbour_emotion_{split}.npy"
    if not path.is_file():
        return None, []
    try:
        matrix = load_square(path)
    except UserError as error:
        return None, [_finding(path.name, split, str(error).removeprefix(f"{path}: "))]
    return _checked(np.asarray(matrix), path.name, split, pairs)


def _derived(root: Path, split: str, pairs: int) -> tuple[np.ndarray | None, list[Finding]]:
    if not has_sources(root):
        return None, []
    try:
        with taken_down() as remarks:
            matrix = build_neighbours(root, split)
    except UserError as error:
        return None, [_finding(ALL_REACTIONS, split, str(error).removeprefix(f"{root}/"))]
    findings = [
        Finding("matrix", INDICES, remark.removeprefix(f"{root / INDICES}: "), REMARK, split)
        for remark in remarks
        if remark.startswith(f"{root / INDICES}")  # the list's are found where it is read
    ]
    checked, more = _checked(matrix, ALL_REACTIONS, split, pairs)
    return checked, findings + more


def _checked(
    matrix: np.ndarray, name: str, split: str, pairs: int
) -> tuple[np.ndarray | None, list[Finding]]:
    if len(matrix) != 2 * pairs:
        message = f"shape {matrix.shape}, but {split}.csv lists {pairs} pairs: ({2 * pairs}, ...)"
        return None, [_finding(name, split, message)]
    if not np.isin(matrix, (0, 1)).all():
        return None, [_finding(name, split, "holds other values than 0 and 1")]
    empty = np.flatnonzero(np.diagonal(matrix) == 0)
    if len(empty):
        rows = ", ".join(map(str, empty[:5])) + (", ..." if len(empty) > 5 else "")
        message = f"{len(empty)} of {len(matrix)} clips are not appropriate to themselves: {rows}"
        return None, [_finding(name, split, f"{message}; rows in another order?")]
    if pairs > 1 and matrix.all():
        message = "all ones: every reaction counts as appropriate to everybody"
        return matrix.astype(np.uint8), [Finding("matrix", name, message, REMARK, split)]
    return matrix.astype(np.uint8), []


def _disagreement(name: str, split: str, own: np.ndarray, derived: np.ndarray) -> Finding:
    rows = int((own != derived).any(axis=1).sum())
    message = f"{rows} of {len(own)} rows differ from those that {ALL_REACTIONS} gives"
    if np.array_equal(np.sort(own.sum(axis=1)), np.sort(derived.sum(axis=1))):
        message += f"; probably in another order than {split}.csv"
    return _finding(name, split, message)


def _finding(name: str, split: str, message: str) -> Finding:
    return Finding("matrix", name, message, PROBLEM, split)
