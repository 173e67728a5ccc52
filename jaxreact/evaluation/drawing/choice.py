"""Which clips of a split are drawn, and what their files are called.

    OUT/videos/<clip>.mp4                           a number of clips, or all
    OUT/<split>/only_submit_video/b<b>_ind<i>.mp4   "submit": the four of a submission
    OUT/<split>/render_for_fid/b<b>_ind<i>.json     "fid": every 50th batch of eight

The last two are the folders and names of the original: b counts batches of eight clips, i the clips
of one, both from 1; "submit" numbers among the four clips alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jaxreact.errors import UserError

Named = Literal["submit", "fid", "all"]
Choice = Named | int

SUBMISSION = (
    "NoXI/001_2016-03-17_Paris/Expert_video/21",
    "NoXI/023_2016-04-25_Paris/Expert_video/25",
    "NoXI/019_2016-04-20_Paris/Expert_video/13",
    "RECOLA/group-2/P41/2",
)
"""The speakers of the videos that a submission to REACT2024 shows."""

BATCH = 8
FID_STEP = 50
"""The original draws the clips of every so many batches for FRRea."""


@dataclass(frozen=True)
class Take:
    """One clip to draw: its row in the predictions, and the files that it goes to."""

    row: int
    folder: Path
    name: str

    def file(self, kind: str, suffix: str) -> Path:
        """`folder/kind_name.suffix`, such as mesh_video_b1_ind2.mp4; without a kind no `kind_`."""
        return self.folder / (f"{kind}_{self.name}{suffix}" if kind else f"{self.name}{suffix}")


def choose(choice: Choice, clips: Sequence[str], out: Path, split: str) -> list[Take]:
    """The takes of a choice; `clips` are the speakers' names, in the order of the predictions.

    Raises `UserError` for a number that is not positive, and for "submit" where none of the four
    clips is there.
    """
    if choice == "submit":
        rows = [row for row, name in enumerate(clips) if _known(name) in map(_known, SUBMISSION)]
        if not rows:
            raise UserError(
                f"--render submit: split {split} has none of the clips that a submission shows "
                f"({', '.join(SUBMISSION)}); --render N draws the first N clips"
            )
        return _numbered(rows, range(len(rows)), out / split / "only_submit_video")
    if choice == "fid":
        rows = [row for row in range(len(clips)) if row // BATCH % FID_STEP == 0]
        return _numbered(rows, rows, out / split / "render_for_fid")
    count = len(clips) if choice == "all" else choice
    if count < 1:
        raise UserError(f"--render {choice}: give a number of clips from 1, submit, fid or all")
    return [
        Take(row, out / "videos", name.replace("/", "_")) for row, name in enumerate(clips[:count])
    ]


def film_files(out: Path, split: str, clips: Sequence[str]) -> dict[int, Path]:
    """The films of whole clips that are there, by row: a clip's own, else a submission's."""
    takes = choose("all", clips, out, split)
    if len(absent(clips)) < len(SUBMISSION):
        takes += choose("submit", clips, out, split)
    files = [(take.row, take.file("", ".mp4")) for take in takes]
    films: dict[int, Path] = {}
    for row, file in files:
        if file.is_file():
            films.setdefault(row, file)
    return films


def absent(clips: Sequence[str]) -> list[str]:
    """The clips of a submission that are not among `clips`."""
    known = {_known(name) for name in clips}
    return [name for name in SUBMISSION if _known(name) not in known]


def _numbered(rows: Sequence[int], places: Sequence[int], folder: Path) -> list[Take]:
    return [
        Take(row, folder, f"b{place // BATCH + 1}_ind{place % BATCH + 1}")
        for row, place in zip(rows, places, strict=True)
    ]


def _known(name: str) -> str:
    """A name with its site in capitals, since copies of the data set spell sites differently."""
    site, _, rest = name.partition("/")
    return f"{site.upper()}/{rest}"
