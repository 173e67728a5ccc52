"""Where the files of a conversation lie in the MARS layout.

    ROOT/<split>/{coefficients,facial-attributes,audio,video-face-crop}/<role>/<session>/<clip>.*

Two clips of one name in one session, one below `speaker` and one below `listener`, are a pair.
Copies of the release hold what archives of other systems leave behind (`._*`, `.DS_Store`,
`__MACOSX`, `PaxHeader`), which is never read. A clip's name here is `<session>/<role>/<clip>`.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from jaxreact.data.layout import AUDIO, COEFFS, EMOTION, SPLITS, VIDEO

SPEAKER, LISTENER = "speaker", "listener"
ROLES = (SPEAKER, LISTENER)

FOLDERS = {
    COEFFS: ("coefficients", ".npy"),
    EMOTION: ("facial-attributes", ".npy"),
    AUDIO: ("audio", ".wav"),
    VIDEO: ("video-face-crop", ".mp4"),
}
_LITTER = ("__macosx", "paxheader")
_NUMBER = re.compile(r"\d+")


def is_mars(root: Path) -> bool:
    """Whether a split of the layout lies below `root`."""
    return any(
        (root / split / FOLDERS[modality][0] / role).is_dir()
        for split in SPLITS
        for modality in (EMOTION, COEFFS)
        for role in ROLES
    )


def is_litter(path: PurePosixPath) -> bool:
    """Whether a path, below the root, is of what archives leave behind."""
    return any(part.startswith(".") or part.lower() in _LITTER for part in path.parts)


def in_order(name: str) -> tuple[int, str]:
    """What names are sorted by: session2 before session10."""
    number = _NUMBER.search(name.partition("/")[0])
    return int(number[0]) if number else -1, name


def file_of(root: Path, split: str, modality: str, name: str) -> Path:
    """Where a clip's modality belongs."""
    session, role, clip = name.split("/")
    folder, suffix = FOLDERS[modality]
    return root / split / folder / role / session / f"{clip}{suffix}"


def named(split_folder: Path, modality: str, role: str) -> set[str]:
    """`<session>/<clip>` of every file of a modality in a role."""
    folder, suffix = FOLDERS[modality]
    base = split_folder / folder / role
    return {
        f"{path.parent.name}/{path.stem}"
        for path in base.glob(f"*/*{suffix}")
        if not is_litter(PurePosixPath(path.relative_to(base).as_posix())) and path.is_file()
    }


def clips(root: Path, split: str) -> dict[str, set[str]]:
    """Role -> `<session>/<clip>` of whoever has coefficients or emotion."""
    return {
        role: named(root / split, EMOTION, role) | named(root / split, COEFFS, role)
        for role in ROLES
    }


def litter(root: Path, split: str) -> Counter[str]:
    """How many files there are of each kind of litter, by its first name below the split."""
    found: Counter[str] = Counter()
    for path in _files(root / split):
        below = PurePosixPath(path.relative_to(root / split).as_posix())
        if is_litter(below):
            found[next(_kind(part) for part in below.parts if _kind(part))] += 1
    return found


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _kind(part: str) -> str:
    if part.startswith("._"):
        return "._*"
    return part if part.startswith(".") or part.lower() in _LITTER else ""
