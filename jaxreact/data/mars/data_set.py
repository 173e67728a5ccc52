"""A root in the MARS layout: folders name its pairs, and sessions who suits whom."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from jaxreact.data.contents import count_frames, load_attributes, load_coeffs
from jaxreact.data.layout import COEFFS, EMOTION, MARS, SPLITS, VIDEO, Clip, Release
from jaxreact.data.mars import files
from jaxreact.data.mars.files import FOLDERS, LISTENER, SPEAKER
from jaxreact.data.mars.personality import Persons, personality
from jaxreact.data.recordings import Recordings
from jaxreact.errors import Remark, UserError


@dataclass(frozen=True)
class Mars(Recordings):
    """Where its files lie: `files`. REACT2026 scores listeners only, hence no mirrored pairs."""

    equal_lengths: ClassVar[bool] = False
    video_folder: ClassVar[str] = FOLDERS[VIDEO][0]
    without: ClassVar[str] = "take their other files away"

    _persons: dict[str, Persons] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """The tables of personality by split, each read when it is first asked for."""

    @property
    def release(self) -> Release:
        """As `Conversations.release`."""
        return MARS

    def splits(self) -> tuple[str, ...]:
        """Those that have a folder of emotion or coefficients."""
        return tuple(
            split
            for split in SPLITS
            if any(self.modality_folder(split, m).is_dir() for m in (EMOTION, COEFFS))
        )

    def pairs(self, split: str) -> list[tuple[str, str]]:
        """Every (speaker, listener) of one name in one session, by the numbers of the sessions.

        A `Remark` says where somebody has no partner. Raises `UserError` without any pair.
        """
        there = files.clips(self.path, split)
        both = there[SPEAKER] & there[LISTENER]
        if not both:
            raise UserError(
                f"{self.path / split}: holds no pair of clips in the MARS layout, such as"
                f" {FOLDERS[EMOTION][0]}/speaker/session0/NAME.npy and the same below listener/;"
                " choose another split or complete the download"
            )
        if alone := sorted(there[SPEAKER] ^ there[LISTENER], key=files.in_order):
            doubt = f"{len(alone)} clips have no partner and are left out, such as {alone[0]}"
            warnings.warn(f"{self.path / split}: {doubt}", Remark, stacklevel=1)
        return [
            (name.replace("/", f"/{SPEAKER}/"), name.replace("/", f"/{LISTENER}/"))
            for name in sorted(both, key=files.in_order)
        ]

    def alone(self, split: str) -> list[str]:
        """Names of the clips without a partner."""
        there = files.clips(self.path, split)
        names = (
            name.replace("/", f"/{role}/")
            for role in files.ROLES
            for name in there[role] - (there[SPEAKER] & there[LISTENER])
        )
        return sorted(names, key=files.in_order)

    def lists(self, split: str) -> str:
        """Its folder."""
        return split

    def find(self, split: str, modality: str, name: str) -> Path | None:
        """The file at its one place, if it is there."""
        path = files.file_of(self.path, split, modality, name)
        return path if path.is_file() else None

    def expected(self, split: str, modality: str, name: str) -> str:
        """The place of a file below the root."""
        path = files.file_of(self.path, split, modality, name)
        return path.relative_to(self.path).as_posix()

    def modality_folder(self, split: str, modality: str) -> Path:
        """As `Recordings.modality_folder`."""
        return self.path / split / FOLDERS[modality][0]

    def unlisted(self, split: str, modality: str, names: Iterable[str]) -> list[Path]:
        """As `Recordings.unlisted`; litter does not count."""
        known = {self.expected(split, modality, name) for name in names}
        base = self.modality_folder(split, modality)
        return sorted(
            path
            for path in base.rglob("*")
            if path.is_file()
            and path.relative_to(self.path).as_posix() not in known
            and not files.is_litter(PurePosixPath(path.relative_to(base).as_posix()))
        )

    def video_source(self, split: str, name: str) -> Path | None:
        """The film of a face."""
        return self.find(split, VIDEO, name)

    def load(self, modality: str, path: Path, *, quietly: bool = False) -> np.ndarray:
        """Coefficients by `contents.load_coeffs`, emotion by `contents.load_attributes`."""
        return load_coeffs(path) if modality == COEFFS else load_attributes(path)

    def count(self, modality: str, path: Path) -> int:
        """As `contents.count_frames`."""
        return count_frames(modality, path)

    def traits(self, clip: Clip) -> Float[np.ndarray, "5"] | None:
        """As `Conversations.traits`, with a `Remark` about rows and tables that cannot be used."""
        if clip.split not in self._persons:
            names = [name for pair in self.pairs(clip.split) for name in pair]
            persons = self._persons[clip.split] = personality(self.path, clip.split, names)
            if persons.doubts:
                more = len(persons.doubts) - 1
                others = f"; and {more} more, which the doctor names" if more else ""
                warnings.warn(f"{persons.doubts[0]}{others}", Remark, stacklevel=2)
        return self._persons[clip.split].of_clip(clip.name)

    def neighbours(self, split: str, n: int) -> Float[np.ndarray, "n n"]:
        """Everybody suits whoever hears the same session in the same role. `n`: the pairs, or
        twice as many where they are mirrored; raises `UserError` for another number."""
        pairs = self.pairs(split)
        if n not in (len(pairs), 2 * len(pairs)):
            raise UserError(f"{self.path / split}: {len(pairs)} pairs, not {n}")
        sessions = np.array([speaker.partition("/")[0] for speaker, _ in pairs])
        same = (sessions[:, None] == sessions).astype(np.float64)
        return same if n == len(pairs) else np.kron(np.eye(2), same)
