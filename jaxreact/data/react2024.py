"""The REACT2024 data set on disk: its dyads, complete or not at all, and what they hold.

The layout and its traps: `layout`; the files' contents: `contents`; the matrices: `neighbours`.
"""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.data.contents import count_frames, load_coeffs, load_emotion, mean_face
from jaxreact.data.layout import (
    AUDIO,
    COEFFS,
    EMOTION,
    MODALITIES,
    SPLITS,
    VIDEO,
    VIDEO_FOLDER,
    Clip,
    Dyad,
    expected,
    find,
    read_pairs,
    video_source,
)
from jaxreact.data.modality import Modality, files_by_role
from jaxreact.data.neighbours import neighbours
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
class React2024:
    """A root in the REACT2024 layout, behind the interface of `conversations.Conversations`."""

    path: Path

    def dyads(
        self, split: str, modalities: Iterable[str | Modality] = MODALITIES, mirrored: bool = True
    ) -> list[Dyad]:
        """A split's ordered pairs, every file found and measured: see `read_split`."""
        return read_split(self.path, split, mirrored=mirrored, modalities=modalities)

    def coeffs(self, clip: Clip) -> Float[np.ndarray, "frames 58"]:
        """Raw coefficients, `clip.frames` of them; errors as `contents.load_coeffs`."""
        return load_coeffs(self._file(clip, COEFFS))[: clip.frames]

    def emotion(self, clip: Clip) -> Float[np.ndarray, "frames 25"]:
        """Emotion channels, `clip.frames` of them; errors as `contents.load_emotion`."""
        return load_emotion(self._file(clip, EMOTION), quietly=True)[: clip.frames]

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
        """The clip's frame folder or film in `Video_files`: `layout.video_source`."""
        return video_source(self.path, clip.split, clip.name)

    def pictures(
        self, clip: Clip, start: int, frames: int
    ) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
        """Pictures of a stretch, as they were recorded; errors as `recorded.recorded_at`."""
        source = self.video(clip)
        if source is None:
            raise UserError(f"{self.path}: no pictures of {clip.name}; name video in dyads()")
        return recorded_at(source, range(start, start + frames))

    def mean_face(self) -> Float[np.ndarray, "58"]:
        """What is subtracted from raw coefficients: `contents.mean_face`."""
        return mean_face(self.path)

    def neighbours(self, split: str, n: int) -> Float[np.ndarray, "n n"]:
        """The split's matrix of appropriate reactions: `neighbours.neighbours`."""
        return neighbours(self.path, split, n)

    def fingerprint(self) -> str:
        """Digest of the lists, the mean face and the bytes of 16 coefficient files, as hex."""
        return _fingerprint(self.path)

    def _file(self, clip: Clip, modality: str) -> Path:
        if modality not in clip.modalities:
            raise ValueError(f"{clip.name} was read without {modality}: name it in dyads()")
        path = find(self.path, clip.split, modality, clip.name)
        if path is None:
            gone = self.path / expected(clip.split, modality, clip.name)
            raise UserError(f"{gone}: was there at the start and is gone; restore it")
        return path


def read_split(
    root: str | Path,
    split: str,
    *,
    mirrored: bool = True,
    modalities: Iterable[str | Modality] = MODALITIES,
) -> list[Dyad]:
    """Reads a split's pair list and locates every file that training or evaluation will need.

    The order is that of `pairing.pair_up`, and `modalities` are those of `modality.files_by_role`.
    Pictures have to be there where they are asked for; how long they last is not looked at.

    Raises one `UserError` that names all missing and unreadable files together (beyond 20 the
    whole list is printed on stderr first), and one for an empty split or a root that is no data
    set. What is doubtful about files is one `Remark`.
    """
    root = Path(root)
    problems: list[str] = []

    def measure(name: str, needed: tuple[str, ...]) -> int:
        return _measure(root, split, name, needed, problems)

    pairs = read_pairs(root, split)
    asked = tuple(modalities)
    folder = root / split / VIDEO_FOLDER
    if any(VIDEO in files for files in files_by_role(asked).values()) and not folder.is_dir():
        raise UserError(
            f"{folder}: no such folder, and pictures of the persons' faces are needed; add it, with"
            " frame folders or mp4 files, or simulate a data set with --pictures"
        )
    with taken_down() as remarks:
        dyads = pair_up(split, pairs, asked, mirrored, measure)
    if problems:
        _report(root, split, problems)
    show_first(remarks)
    return dyads


def _measure(
    root: Path, split: str, name: str, needed: tuple[str, ...], problems: list[str]
) -> int:
    """Frames that one clip's files have in common; what is wrong is appended to `problems`."""
    lengths: list[int] = []
    for modality in needed:
        if modality == VIDEO:
            if video_source(root, split, name) is None:
                problems.append(expected(split, modality, name))
            continue
        path = find(root, split, modality, name)
        if path is None:
            problems.append(expected(split, modality, name))
            continue
        try:
            lengths.append(count_frames(modality, path))
        except UserError as error:
            problems.append(str(error).removeprefix(f"{root}/"))
            continue
        if lengths[-1] == 0:
            problems.append(f"{path.relative_to(root)} (empty)")
    return min(lengths, default=0)


def _report(root: Path, split: str, problems: list[str]) -> None:
    """Raises the one error about all files; prints the whole list first if it is long."""
    named = "; ".join(problems[:_NAMED])
    if len(problems) > _NAMED:
        print("\n".join(problems), file=sys.stderr)
        named += f"; and {len(problems) - _NAMED} more, listed above"
    count = "1 file" if len(problems) == 1 else f"{len(problems)} files"
    raise UserError(
        f"{root}: {count} of split {split} missing or unreadable, complete the download, or "
        f"{_LEAVE_OUT if _all_packed(problems) else _WITHOUT_PICTURES}: {named}"
    )


_LEAVE_OUT = "leave their pairs out by `python -m jaxreact.data.prepare --drop-broken`"
_WITHOUT_PICTURES = "take their rows out of the list, and out of its neighbour matrix"
"""Taking a row out of a list by hand leaves the matrix behind; but packing looks for no pictures
unless they are asked for, and then leaves no pair out."""


def _all_packed(problems: list[str]) -> bool:
    return not any(f"/{VIDEO_FOLDER}/" in problem for problem in problems)


def _fingerprint(root: Path) -> str:
    """See `React2024.fingerprint`; the files are spread evenly over all the lists together."""
    digest = hashlib.sha256(mean_face(root).tobytes())
    names: list[tuple[str, str]] = []
    for split in SPLITS:
        if (root / f"{split}.csv").is_file():
            pairs = read_pairs(root, split)
            digest.update(repr((split, pairs)).encode())
            names += [(split, name) for pair in pairs for name in pair]
    if not names:
        raise UserError(f"{root}: none of {', '.join(SPLITS)}.csv is here; give the data's root")
    step = max(1, len(names) // _SAMPLED)
    for split, name in names[::step][:_SAMPLED]:
        path = find(root, split, COEFFS, name)
        digest.update(path.read_bytes() if path is not None else b"missing")
    return digest.hexdigest()[:16]
