"""The REACT2024 data set on disk -> a list of dyads, complete or not at all.

    root = Path("data/react2024")
    dyads = read_split(root, "val")                 # every file is known to be there
    coeffs = load_coeffs(dyads[0].speaker)          # (frames, 58) raw
    matrix = neighbours(root, "val", len(dyads))    # row k: whose listeners also suit dyad k

The layout and its traps: `layout`; the files' contents: `contents`; the matrices: `neighbours`.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from jaxreact.data.contents import count_frames, load_coeffs, load_emotion, mean_face
from jaxreact.data.layout import (
    AUDIO,
    MODALITIES,
    Clip,
    Dyad,
    expected,
    find,
    frame_files,
    read_pairs,
    video_source,
)
from jaxreact.data.neighbours import neighbours
from jaxreact.errors import UserError

__all__ = [
    "MODALITIES",
    "Clip",
    "Dyad",
    "frame_files",
    "load_coeffs",
    "load_emotion",
    "mean_face",
    "neighbours",
    "read_split",
    "video_source",
]

_NAMED = 20
"""Problems named in the error itself; a longer list goes to stderr before it."""


def read_split(
    root: str | Path,
    split: str,
    *,
    mirrored: bool = True,
    modalities: Iterable[str] = MODALITIES,
    both_audio: bool = False,
) -> list[Dyad]:
    """Reads a split's pair list and locates every file that training or evaluation will need.

    The order is that of the neighbour matrices: every row with column 1 as the speaker, then, if
    `mirrored`, every row with column 2 as the speaker (behaviour 55). `modalities` is a choice of
    "coeffs", "emotion" and "audio"; sound is needed of the speaker only, of both persons with
    `both_audio`. `Video_files` is never needed here.

    Raises one `UserError` that names all missing and unreadable files together (beyond 20 the
    whole list is printed on stderr first), and one for an empty split or a root that is no data
    set.
    """
    root = Path(root)
    wanted = tuple(dict.fromkeys(modalities))
    if unknown := set(wanted) - set(MODALITIES):
        raise ValueError(f"unknown modalities {sorted(unknown)}; choose from {MODALITIES}")
    pairs = read_pairs(root, split)
    if mirrored:
        pairs = pairs + [(listener, speaker) for speaker, listener in pairs]
    heard = {name for pair in pairs for name in (pair if both_audio else pair[:1])}
    clips: dict[str, Clip] = {}
    problems: list[str] = []
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    for name in tqdm(names, f"checking {split}", unit="clip", delay=2, disable=None):
        needed = [kind for kind in wanted if kind != AUDIO or name in heard]
        clips[name] = _locate(root, split, name, needed, problems)
    if problems:
        _report(root, split, problems)
    return [Dyad(clips[speaker], clips[listener]) for speaker, listener in pairs]


def _locate(root: Path, split: str, name: str, needed: list[str], problems: list[str]) -> Clip:
    """Finds and measures one clip's files; what is wrong with them is appended to `problems`."""
    paths: dict[str, Path] = {}
    lengths: list[int] = []
    for modality in needed:
        path = find(root, split, modality, name)
        if path is None:
            problems.append(expected(split, modality, name))
            continue
        paths[modality] = path
        try:
            lengths.append(count_frames(modality, path))
        except UserError as error:
            problems.append(str(error).removeprefix(f"{root}/"))
            continue
        if lengths[-1] == 0:
            problems.append(f"{path.relative_to(root)} (empty)")
    return Clip(name, *(paths.get(kind) for kind in MODALITIES), frames=min(lengths, default=0))


def _report(root: Path, split: str, problems: list[str]) -> None:
    """Raises the one error about all files; prints the whole list first if it is long."""
    named = "; ".join(problems[:_NAMED])
    if len(problems) > _NAMED:
        print("\n".join(problems), file=sys.stderr)
        named += f"; and {len(problems) - _NAMED} more, listed above"
    count = "1 file" if len(problems) == 1 else f"{len(problems)} files"
    raise UserError(
        f"{root}: {count} of split {split} missing or unreadable, complete the download or remove "
        f"their rows from {split}.csv: {named}"
    )
