"""The command: examine, report, and pack unless only the report was wanted."""

import json
from dataclasses import dataclass
from pathlib import Path

from jaxreact.data.conversations import open_recordings
from jaxreact.data.packed_index import PackedIndex
from jaxreact.data.prepare.choice import choose
from jaxreact.data.prepare.doctor import examine
from jaxreact.data.prepare.folder import check_folder
from jaxreact.data.prepare.pack import pack
from jaxreact.data.prepare.pictures import with_pictures
from jaxreact.data.prepare.report import as_json, as_text
from jaxreact.errors import UserError
from jaxreact.files import replacing


@dataclass(frozen=True)
class PrepareConfig:
    """Checks a data set and packs it into a cache, which training and evaluation take as --data.

    A cache stands alone: the data set is not needed after it. An interrupted packing goes on where
    it stopped; repeated, it changes nothing unless the data set changed.
    """

    data: Path
    """Root of a data set in the REACT2024 or the MARS layout."""
    out: Path | None = None
    """Folder for the cache: new, empty, or holding a cache."""
    check_only: bool = False
    """Only report; the exit status is 1 if the data set cannot be packed."""
    json: Path | None = None
    """Also write the whole report to this file, as JSON."""
    drop_broken: bool = False
    """Leave out pairs with missing, damaged or cut off files, with their rows and columns of the
    neighbour matrices, and matrices that are wrong; without it such a data set is refused."""
    shortest: int = 0
    """Leave out pairs with fewer frames than this (25 a second) in a file of either person, with
    their rows and columns of the neighbour matrices."""
    pictures: int | None = None
    """Also pack the recordings of the persons' faces (Video_files), made so many pixels a side, for
    systems that see the speaker (trans-vae): 2.3 MB a clip of 30 s with 32 pixels, 148 MB with the
    data set's own 256. A network that sees N pixels a side wants 8/7 N."""
    workers: int | None = None
    """Processes; by default one per core."""

    def __post_init__(self):
        if self.out is None and not self.check_only:
            raise UserError("--out CACHE is needed, or --check-only")
        if self.pictures is not None and not 8 <= self.pictures <= 1024:
            raise UserError(f"--pictures {self.pictures}: choose 8 to 1024 pixels")
        if self.workers is not None and self.workers < 1:
            raise UserError(f"--workers {self.workers}: at least one is needed")


def prepare(config: PrepareConfig) -> None:
    """Runs the command. Raises `UserError` for a data set that cannot be packed.

    With more than one worker, a script that calls this needs the usual `if __name__ == "__main__"`
    guard, because processes are spawned.
    """
    if config.out is not None:
        check_folder(config.out)
    examination = examine(config.data, config.workers)
    print(as_text(examination), end="\n\n")
    if config.json is not None:
        with replacing(config.json) as temporary:
            temporary.write_text(json.dumps(as_json(examination), indent=1) + "\n")
    choice = choose(examination, config.drop_broken, config.shortest)
    if left_out := sum(chosen.left_out for chosen in choice.splits.values()):
        print(f"{left_out} pairs are left out")
    if config.check_only or config.out is None:
        print(f"{config.data}: can be packed")
        return
    if config.pictures is not None:
        choice = with_pictures(open_recordings(config.data), choice)
    index = pack(open_recordings(config.data), config.out, choice, config.workers, config.pictures)
    print(_summary(config.out, index))


def _summary(out: Path, index: PackedIndex) -> str:
    counts = ", ".join(f"{len(split.pairs)} {name}" for name, split in index.splits.items())
    parts = [
        part for split in index.splits.values() for same in split.shards.values() for part in same
    ]
    size = sum(part.size for part in parts) / 1e9
    return f"{out}: {counts} pairs in {len(parts)} shards, {size:.2f} GB"
