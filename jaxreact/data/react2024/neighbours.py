"""Which reactions count as appropriate: the neighbour matrices of a split.

Row k of a split's matrix has a 1 in column j where dyad j's speaker behaved like dyad k's, so that
dyad j's listener is a further ground truth for k. Rows and columns are in the order of
`pairing.pair_up`.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.data.contents import load_square
from jaxreact.data.react2024.files import read_pairs
from jaxreact.data.text import read_rows
from jaxreact.errors import Remark, UserError

ALL_REACTIONS = "Approprirate_facial_reaction.npy"  # spelled so in the release
INDICES = "data_indices.csv"


def has_sources(root: Path) -> bool:
    """Whether the release's own two files, from which every split's matrix follows, are there."""
    return (root / ALL_REACTIONS).is_file() and (root / INDICES).is_file()


def neighbours(root: str | Path, split: str, n: int) -> Float[np.ndarray, "n n"]:
    """Reads `ROOT/neighbour_emotion_<split>.npy` as (n, n) float64 for the n mirrored dyads.

    Where that file is missing it is derived from the release's own two files, as the challenge's
    preparation script does, and a line on stderr says so. Raises `UserError` if neither is there,
    or if the size is not that of the dyads.
    """
    root = Path(root)
    path = root / f"neighbour_emotion_{split}.npy"
    if path.is_file():
        matrix = load_square(path).astype(np.float64)
    elif has_sources(root):
        print(f"{path} is missing: derived from {ALL_REACTIONS} and {INDICES}", file=sys.stderr)
        matrix = build_neighbours(root, split)
    else:
        raise UserError(
            f"{path}: no such file, nor {ALL_REACTIONS} and {INDICES} to derive it from; "
            "copy either from the data set"
        )
    if matrix.shape != (n, n):
        built = f", or remove it to have it built from {ALL_REACTIONS}" if has_sources(root) else ""
        raise UserError(
            f"{path}: shape {matrix.shape}, but {split}.csv gives {n} mirrored dyads, which "
            f"need ({n}, {n}); use the matrix of the same list{built}"
        )
    return matrix


def build_neighbours(root: str | Path, split: str) -> Float[np.ndarray, "n n"]:
    """Derives a split's matrix (2P, 2P) from the whole data set's (2M, 2M), P pairs, M indices.

    Row r < M of the whole matrix is the r-th line of `data_indices.csv` with the first-listed
    person as the speaker, row M + r the mirrored pair. Source: the challenge's matrix_split tool,
    which silently drops pairs without a line; here they raise a `UserError` that names them.
    """
    root = Path(root)
    whole = load_square(root / ALL_REACTIONS)
    position, pairs = _read_indices(root / INDICES)
    if len(whole) != 2 * pairs:
        raise UserError(
            f"{root / ALL_REACTIONS}: shape {whole.shape}, but the {pairs} rows of "
            f"{INDICES} need ({2 * pairs}, {2 * pairs})"
        )
    names = [speaker for speaker, _ in read_pairs(root, split)]
    unknown = [name for name in names if _key_of(name) not in position]
    if unknown:
        raise UserError(
            f"{root / INDICES}: no row for {len(unknown)} clips of {split}.csv: "
            + "; ".join(unknown[:20])
        )
    rows = np.array([position[_key_of(name)] for name in names])
    rows = np.concatenate([rows, rows + pairs])
    return whole[np.ix_(rows, rows)].astype(np.float64)


def _read_indices(path: Path) -> tuple[dict[tuple[str, str, str], int], int]:
    """({(SITE, chat, clip): row}, rows), counting below the header `site,chat_index,clip_index`."""
    header, *rows = read_rows(path) or [[]]
    if header and header[-1].isdecimal():
        doubt = f"its first row, {','.join(header)!r}, is not read, a header belongs there"
        warnings.warn(f"{path}: {doubt}", Remark, stacklevel=1)  # once, whoever reads it
    position: dict[tuple[str, str, str], int] = {}
    for number, row in enumerate(rows):
        if len(row) != 3:
            raise UserError(f"{path}: row {number + 2} is not site,chat_index,clip_index")
        site, chat, clip = row
        position.setdefault((site.upper(), chat, clip), number)
    return position, len(rows)


def _key_of(name: str) -> tuple[str, str, str]:
    """A clip name's key; five-part names are UDIVA's (REACT2023), `<topic>/<id>` in one."""
    parts = name.split("/")
    if len(parts) == 5:
        return parts[0].upper(), f"{parts[2]}_{parts[1]}", parts[4]
    return parts[0].upper(), parts[1], parts[3]
