"""Where the files of a conversation lie in the REACT2024 layout, and the traps on the way.

    ROOT/{train,val,test}.csv                                 pair lists
    ROOT/<split>/{3D_FV_files,Emotion,Audio_files,Video_files}/<site>/<chat>/<person>/<clip>[.ext]

Copies of the release differ: `Emotion` may call the two persons P1 and P2, a site may be spelled
`Recola` or `RECOLA`, `Video_files` may hold frame folders or mp4 files, and cloud downloads leave
`._*`, `.DS_Store` and `<clip>_full.npy` files behind, which are never read.
"""

import warnings
from collections.abc import Iterable
from pathlib import Path

from jaxreact.data.layout import AUDIO, COEFFS, EMOTION, VIDEO, frame_files
from jaxreact.data.text import read_rows
from jaxreact.errors import Remark, UserError

EMOTION_ROLES = {
    "Expert_video": "P1",
    "Novice_video": "P2",
    "P25": "P1",
    "P41": "P1",
    "P45": "P1",
    "P26": "P2",
    "P42": "P2",
    "P46": "P2",
}
"""A person's name in the other folders -> the name that `Emotion` may use instead."""

_FOLDER = {
    COEFFS: ("3D_FV_files", ".npy"),
    EMOTION: ("Emotion", ".csv"),
    AUDIO: ("Audio_files", ".wav"),
}
VIDEO_FOLDER = "Video_files"


def read_pairs(root: Path, split: str) -> list[tuple[str, str]]:
    """Reads `ROOT/<split>.csv`: the two clip names of every row, in the file's order.

    The first row is a header whatever it says (behaviour 12), with a `Remark` where it names two
    clips; columns 1 and 2 hold the names. Encodings and separators are those of `text.read_rows`.
    Raises `UserError` for a root that is no data set, a malformed row or an empty list.
    """
    path = root / f"{split}.csv"
    if not path.is_file():
        raise UserError(
            f"{path}: no such file; the data root must hold {split}.csv beside the folder {split}/ "
            "with 3D_FV_files, Emotion and Audio_files (REACT2024 layout)"
        )
    header, *rows = read_rows(path) or [[]]
    if _is_pair(header):
        doubt = "its first row names two clips and is not read, a header belongs there"
        warnings.warn(f"{path}: {doubt}", Remark, stacklevel=1)  # once, whoever reads it
    for number, row in enumerate(rows, start=2):
        if not _is_pair(row):
            raise UserError(
                f"{path}: row {number} is {','.join(row)[:200]!r}; expected "
                "<number>,<site>/<chat>/<person>/<clip>,<site>/<chat>/<person>/<clip>"
            )
    if not rows:
        raise UserError(f"{path}: lists no conversation; choose another split or fill the list")
    if not (root / split).is_dir():
        raise UserError(f"{root / split}: no such folder, though {path.name} lists clips in it")
    return [(row[1], row[2]) for row in rows]


def _is_pair(row: list[str]) -> bool:
    return len(row) >= 3 and all(_is_clip_name(field) for field in row[1:3])


def _is_clip_name(field: str) -> bool:
    """Whether it can be a path below a folder; file systems take names of 255 bytes at most."""
    parts = field.split("/")
    lengths = [len(part.encode()) for part in parts]
    possible = field.isprintable() and max(lengths) <= 240 and sum(lengths) <= 1000
    return possible and len(parts) >= 4 and all(part not in ("", ".", "..") for part in parts)


def modality_folder(root: Path, split: str, modality: str) -> Path:
    """The folder that a split's coefficients, emotion or sound lie in."""
    return root / split / _FOLDER[modality][0]


def find(root: Path, split: str, modality: str, name: str) -> Path | None:
    """The file of a clip's modality, or None: the literal path first, then the known variants."""
    folder, suffix = _FOLDER[modality]
    names = [name, _emotion_name(name)] if modality == EMOTION else [name]
    for candidate in names:
        path = _with_site(root / split / folder, candidate + suffix)
        if path is not None and path.is_file():
            return path
    return None


def expected(split: str, modality: str, name: str) -> str:
    """The path below the root where a clip's modality should be, for messages."""
    if modality == VIDEO:
        return f"{split}/{VIDEO_FOLDER}/{name}.mp4, or a folder of frames"
    folder, suffix = _FOLDER[modality]
    return f"{split}/{folder}/{name}{suffix}"


def unlisted(root: Path, split: str, modality: str, names: Iterable[str]) -> list[Path]:
    """Files of a modality that `find` gives for none of `names`, in order.

    Hidden files and `<clip>_full.npy`, which cloud downloads leave behind, do not count; nor does
    an emotion file under a person's other name.
    """
    folder, suffix = _FOLDER[modality]
    known = {*names}
    if modality == EMOTION:
        known |= {_emotion_name(name) for name in known}
    known = {_any_site(name + suffix) for name in known}
    base = root / split / folder
    return sorted(
        path
        for path in base.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(base).parts)
        and not path.name.endswith("_full.npy")
        and _any_site(path.relative_to(base).as_posix()) not in known
    )


def video_source(root: str | Path, split: str, name: str) -> Path | None:
    """A clip's frame folder, or else its mp4 file, or None where there are no pictures."""
    folder = _with_site(Path(root) / split / VIDEO_FOLDER, name)
    if folder is not None and folder.is_dir() and frame_files(folder):
        return folder
    film = _with_site(Path(root) / split / VIDEO_FOLDER, f"{name}.mp4")
    return film if film is not None and film.is_file() else None


def _emotion_name(name: str) -> str:
    """`NoXI/<chat>/Expert_video/3` -> `NoXI/<chat>/P1/3`."""
    *chat, person, clip = name.split("/")
    return "/".join([*chat, EMOTION_ROLES.get(person, person), clip])


def _any_site(name: str) -> str:
    """A name with its site in capitals, since sites are spelled in several ways."""
    site, _, rest = name.partition("/")
    return f"{site.upper()}/{rest}"


def _with_site(folder: Path, name: str) -> Path | None:
    """`folder/name`, or the same with the site folder in another case, or None."""
    literal = folder / name
    if literal.exists() or not folder.is_dir():
        return literal
    site, _, rest = name.partition("/")
    for path in sorted(folder.iterdir()):
        if path.name.upper() == site.upper() and (path / rest).exists():
            return path / rest
    return None
