"""A data set as it was released: files in folders, in one of several layouts.

A layout says where files lie, who met whom and who suits whom; everything else is common to all.
Files are at the layout's own frame rate; what is read here is at the models' 25 a second.
"""

import hashlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.data.contents import mean_face
from jaxreact.data.frame_rate import coeffs_at, emotion_at, frames_at
from jaxreact.data.layout import (
    AUDIO,
    COEFFS,
    EMOTION,
    MODALITIES,
    SPLITS,
    VIDEO,
    Clip,
    Dyad,
    Release,
)
from jaxreact.data.modality import Modality, files_by_role
from jaxreact.data.pairing import pair_up
from jaxreact.data.recorded import recorded_at
from jaxreact.data.remarks import show_first, taken_down
from jaxreact.errors import UserError
from jaxreact.face import FPS
from jaxreact.media.sound import SAMPLES_PER_FRAME, read_audio, read_native_audio

_NAMED = 20
"""Problems named in the error itself; a longer list goes to stderr before it."""
_SAMPLED = 16
"""Coefficient files whose bytes tell two data sets of the same names apart."""


@dataclass(frozen=True)
class Recordings(ABC):
    """A root in one of the layouts, behind the interface of `conversations.Conversations`."""

    path: Path

    equal_lengths: ClassVar[bool]
    """Whether both persons of a pair have recordings of one length."""
    video_folder: ClassVar[str]
    """Of a split: where its pictures lie."""
    without: ClassVar[str]
    """How pairs whose pictures lack are left out by hand, for messages."""

    @property
    @abstractmethod
    def release(self) -> Release:
        """As `Conversations.release`."""

    @abstractmethod
    def splits(self) -> tuple[str, ...]:
        """The splits that are here."""

    @abstractmethod
    def pairs(self, split: str) -> list[tuple[str, str]]:
        """Names of the two clips of each pair, the first the speaker's of unmirrored dyads. Raises
        `UserError` where there is no such split, or nothing in it."""

    @abstractmethod
    def lists(self, split: str) -> str:
        """The file or folder below the root that `pairs` are read from, for messages."""

    @abstractmethod
    def find(self, split: str, modality: str, name: str) -> Path | None:
        """The file of a clip's coefficients, emotion or sound, if it is there."""

    @abstractmethod
    def expected(self, split: str, modality: str, name: str) -> str:
        """The path below the root where a clip's modality should be, for messages."""

    @abstractmethod
    def modality_folder(self, split: str, modality: str) -> Path:
        """The folder that a split's coefficients, emotion or sound lie in."""

    @abstractmethod
    def unlisted(self, split: str, modality: str, names: Iterable[str]) -> list[Path]:
        """Files of a modality, in order, that `find` gives for none of the names."""

    @abstractmethod
    def video_source(self, split: str, name: str) -> Path | None:
        """A clip's frame folder, or film, or None where there are no pictures."""

    @abstractmethod
    def load(self, modality: str, path: Path, *, quietly: bool = False) -> np.ndarray:
        """A file of coefficients or emotion (rows, 58 or 25) float32, at the release's rate. What
        is doubtful is a `Remark`, unless it is read `quietly`. Raises `UserError` with the path."""

    @abstractmethod
    def count(self, modality: str, path: Path) -> int:
        """The length of a file in its own frames (of sound: in frames of 40 ms) without reading it
        all; errors and remarks as those of `load`."""

    @abstractmethod
    def neighbours(self, split: str, n: int) -> Float[np.ndarray, "n n"]:
        """As `Conversations.neighbours`."""

    def frames(self, modality: str, path: Path) -> int:
        """The length of a file in frames, 25 a second; as `count`."""
        count = self.count(modality, path)
        return count if modality == AUDIO else frames_at(count, self.release.rate)

    def dyads(
        self,
        split: str,
        modalities: Iterable[str | Modality] = MODALITIES,
        mirrored: bool | None = None,
    ) -> list[Dyad]:
        """As `Conversations.dyads`, every file found and measured.

        Pictures have to be there where they are asked for; how long they last is not looked at.

        Raises one `UserError` that names all missing and unreadable files together (beyond 20 the
        whole list is printed on stderr first), and one for an empty split or a root that is no
        data set. What is doubtful about files is one `Remark`.
        """
        problems: list[str] = []

        def measure(name: str, needed: tuple[str, ...]) -> int:
            return self._measure(split, name, needed, problems)

        asked = tuple(modalities)
        both = self.release.mirrors if mirrored is None else mirrored
        pairs = self.pairs(split)
        self._check_pictures(split, asked)
        with taken_down() as remarks:
            dyads = pair_up(split, pairs, asked, both, measure)
        if problems:
            self._report(split, problems)
        show_first(remarks)
        return dyads

    def coeffs(self, clip: Clip) -> Float[np.ndarray, "frames 58"]:
        """Raw coefficients, `clip.frames` of them; errors as `load`."""
        rows = self.load(COEFFS, self._file(clip, COEFFS))
        return coeffs_at(rows, self.release.rate)[: clip.frames]

    def emotion(self, clip: Clip) -> Float[np.ndarray, "frames 25"]:
        """Emotion channels, `clip.frames` of them; errors as `load`."""
        return emotion_at(self.recorded_emotion(clip), self.release.rate)[: clip.frames]

    def recorded_emotion(self, clip: Clip) -> Float[np.ndarray, "rows 25"]:
        """All of a clip's emotion channels at the release's own rate; errors as `load`."""
        return self.load(EMOTION, self._file(clip, EMOTION), quietly=True)

    def waveform(self, clip: Clip, start: int, frames: int) -> Float[np.ndarray, "samples"]:
        """Sound of a stretch, 16 kHz mono, (frames * 640,), zeros where the file ends early.

        The stretch is cut first and then resampled, so that its ends sound as in the original
        (behaviour 50). Errors as `media.sound.read_audio`.
        """
        samples = frames * SAMPLES_PER_FRAME
        sound = read_audio(self._file(clip, AUDIO), start / FPS, frames / FPS)[:samples]
        return np.pad(sound, (0, samples - len(sound)))

    def sound(self, clip: Clip, seconds: float) -> tuple[Float[np.ndarray, "samples"], int]:
        """The first `seconds` of a clip's sound, mono, at its own rate: (waveform, rate)."""
        return read_native_audio(self._file(clip, AUDIO), duration=seconds)

    def video(self, clip: Clip) -> Path | None:
        """The clip's frame folder or film: `video_source`."""
        return self.video_source(clip.split, clip.name)

    def pictures(
        self, clip: Clip, start: int, frames: int
    ) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
        """Pictures of a stretch, as they were recorded; errors as `recorded.recorded_at`."""
        source = self.video(clip)
        if source is None:
            raise UserError(f"{self.path}: no pictures of {clip.name}; name video in dyads()")
        return recorded_at(source, range(start, start + frames))

    def traits(self, clip: Clip) -> Float[np.ndarray, "5"] | None:
        """As `Conversations.traits`: None, but in a layout that tells of persons."""
        return None

    def mean_face(self) -> Float[np.ndarray, "58"]:
        """What is subtracted from raw coefficients: `contents.mean_face`."""
        return mean_face(self.path)

    def left_out(self, split: str) -> int:
        """None: a root has all its pairs."""
        return 0

    def fingerprint(self) -> str:
        """Digest of the pairs, the mean face and the bytes of 16 coefficient files, as hex; the
        files are spread evenly over all the splits together."""
        digest = hashlib.sha256(self.mean_face().tobytes())
        names: list[tuple[str, str]] = []
        for split in self.splits():
            pairs = self.pairs(split)
            digest.update(repr((split, pairs)).encode())
            names += [(split, name) for pair in pairs for name in pair]
        if not names:
            raise UserError(f"{self.path}: holds none of {', '.join(SPLITS)}; give the data's root")
        step = max(1, len(names) // _SAMPLED)
        for split, name in names[::step][:_SAMPLED]:
            path = self.find(split, COEFFS, name)
            digest.update(path.read_bytes() if path is not None else b"missing")
        return digest.hexdigest()[:16]

    def _file(self, clip: Clip, modality: str) -> Path:
        if modality not in clip.modalities:
            raise ValueError(f"{clip.name} was read without {modality}: name it in dyads()")
        path = self.find(clip.split, modality, clip.name)
        if path is None:
            gone = self.path / self.expected(clip.split, modality, clip.name)
            raise UserError(f"{gone}: was there at the start and is gone; restore it")
        return path

    def _check_pictures(self, split: str, modalities: Iterable[str | Modality]) -> None:
        folder = self.path / split / self.video_folder
        wanted = any(VIDEO in files for files in files_by_role(modalities).values())
        if wanted and not folder.is_dir():
            raise UserError(
                f"{folder}: no such folder, and pictures of the persons' faces are needed; add it,"
                " with frame folders or mp4 files, or simulate a data set with --pictures"
            )

    def _measure(self, split: str, name: str, needed: tuple[str, ...], problems: list[str]) -> int:
        """Frames that one clip's files have in common; what is wrong is appended to `problems`."""
        lengths: list[int] = []
        for modality in needed:
            if modality == VIDEO:
                if self.video_source(split, name) is None:
                    problems.append(self.expected(split, modality, name))
                continue
            path = self.find(split, modality, name)
            if path is None:
                problems.append(self.expected(split, modality, name))
                continue
            try:
                lengths.append(self.frames(modality, path))
            except UserError as error:
                problems.append(str(error).removeprefix(f"{self.path}/"))
                continue
            if lengths[-1] == 0:
                problems.append(f"{path.relative_to(self.path)} (empty)")
        return min(lengths, default=0)

    def _report(self, split: str, problems: list[str]) -> None:
        """Raises the one error about all files; prints the whole list first if it is long."""
        named = "; ".join(problems[:_NAMED])
        if len(problems) > _NAMED:
            print("\n".join(problems), file=sys.stderr)
            named += f"; and {len(problems) - _NAMED} more, listed above"
        count = "1 file" if len(problems) == 1 else f"{len(problems)} files"
        # Packing looks for no pictures unless they are asked for, and then leaves no pair out.
        without_pictures = not any(f"/{self.video_folder}/" in problem for problem in problems)
        remedy = _LEAVE_OUT if without_pictures else self.without
        raise UserError(
            f"{self.path}: {count} of split {split} missing or unreadable, complete the download, "
            f"or {remedy}: {named}"
        )


_LEAVE_OUT = "leave their pairs out by `python -m jaxreact.data.prepare --drop-broken`"
