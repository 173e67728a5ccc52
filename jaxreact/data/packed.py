"""A data set packed by `jaxreact.data.prepare`, behind the interface of `Conversations`."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.data.contents import load_square
from jaxreact.data.frame_rate import coeffs_at, emotion_at
from jaxreact.data.layout import (
    AUDIO,
    COEFFS,
    EMOTION,
    FILES,
    MODALITIES,
    RELEASES,
    VIDEO,
    Clip,
    Dyad,
    Release,
)
from jaxreact.data.modality import Modality
from jaxreact.data.packed_index import AGAIN, INDEX, PackedClip, PackedSplit, read_index
from jaxreact.data.pairing import pair_up
from jaxreact.data.shards import Shards, decode_pictures, decode_sound, decode_table
from jaxreact.errors import UserError
from jaxreact.face import COEFFS as COEFF_COUNT
from jaxreact.face import EMOTION_CHANNELS
from jaxreact.media.sound import SAMPLE_RATE, SAMPLES_PER_FRAME


class Packed:
    """The cache in the folder `path`; its index is read at once, shards when they are needed.

    Coefficients and emotion are bit for bit those of the root that was packed, and so is the order
    of the dyads. Sound is that of the whole clip resampled, rounded to 16 bits of the clip's peak:
    see `waveform`. Raises `UserError` for a cache that is unfinished, damaged or of another format.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._index = read_index(self.path)
        self._shards = Shards(self.path)
        self._numbers = {
            (split, clip.name): number
            for split, content in self._index.splits.items()
            for number, clip in enumerate(content.clips)
        }

    @property
    def release(self) -> Release:
        """As `Conversations.release`, of what was packed."""
        return RELEASES[self._index.release]

    def dyads(
        self,
        split: str,
        modalities: Iterable[str | Modality] = MODALITIES,
        mirrored: bool | None = None,
    ) -> list[Dyad]:
        """A split's ordered pairs; the shards they need are there and have their size.

        Raises `UserError` where pictures are asked for and were not packed.
        """
        content = self._split(split)
        files: set[str] = set()

        def measure(name: str, needed: tuple[str, ...]) -> int:
            files.update(needed)
            if VIDEO in needed:
                self._side()
            clip = content.clips[self._numbers[split, name]]
            measured = (modality for modality in needed if modality != VIDEO)
            return min((clip.frames(modality) for modality in measured), default=0)

        both = self.release.mirrors if mirrored is None else mirrored
        dyads = pair_up(split, content.pairs, modalities, both, measure)
        for modality in FILES:
            if modality not in files:
                continue
            for part in content.shards[modality]:
                part.check_size(self.path)
        return dyads

    def coeffs(self, clip: Clip) -> Float[np.ndarray, "frames 58"]:
        """Raw coefficients, `clip.frames` of them."""
        rows = decode_table(self._record(clip, COEFFS), COEFF_COUNT)
        return coeffs_at(rows, self.release.rate)[: clip.frames]

    def emotion(self, clip: Clip) -> Float[np.ndarray, "frames 25"]:
        """Emotion channels, `clip.frames` of them."""
        return emotion_at(self.recorded_emotion(clip), self.release.rate)[: clip.frames]

    def recorded_emotion(self, clip: Clip) -> Float[np.ndarray, "rows 25"]:
        """All of a clip's emotion channels, as they were packed."""
        return decode_table(self._record(clip, EMOTION), EMOTION_CHANNELS)

    def waveform(self, clip: Clip, start: int, frames: int) -> Float[np.ndarray, "samples"]:
        """Sound of a stretch, 16 kHz mono, (frames * 640,), zeros where the clip ends early.

        It is cut from the resampled clip, where a root's stretch is cut first (behaviour 50). For
        files of 22 kHz or more and a clip's peak p, the two differ by at most 5e-5 p, but nearer
        than 5 ms to a cut, where the root's resampler hears silence beyond it, by up to p / 2.
        """
        record, scale = self._record(clip, AUDIO), self._clip(clip).scale
        return decode_sound(record, scale, start * SAMPLES_PER_FRAME, frames * SAMPLES_PER_FRAME)

    def sound(self, clip: Clip, seconds: float) -> tuple[Float[np.ndarray, "samples"], int]:
        """The first `seconds` of a clip's sound at 16 kHz, the best rate that a cache has."""
        record = self._record(clip, AUDIO)
        samples = min(int(seconds * SAMPLE_RATE), len(record) // 2)
        return decode_sound(record, self._clip(clip).scale, 0, samples), SAMPLE_RATE

    def video(self, clip: Clip) -> None:
        """None: there is no file of it."""

    def pictures(
        self, clip: Clip, start: int, frames: int
    ) -> Iterator[UInt8[np.ndarray, "side side 3"]]:
        """Small pictures of a stretch, the last one repeated behind the recording's end.

        They need not have been named in `dyads`. Raises `UserError` where none were packed.
        """
        side = self._side()
        whole = decode_pictures(self._read(clip, VIDEO), side)
        return (whole[min(n, len(whole) - 1)] for n in range(start, start + frames))

    def traits(self, clip: Clip) -> Float[np.ndarray, "5"] | None:
        """As `Conversations.traits`: what the root said when it was packed."""
        scores = (self._index.traits or {}).get(clip.split, {}).get(clip.name)
        return None if scores is None else np.array(scores, np.float32)

    def mean_face(self) -> Float[np.ndarray, "58"]:
        """What is subtracted from raw coefficients."""
        return np.array(self._index.mean_face, np.float32)

    def neighbours(self, split: str, n: int) -> Float[np.ndarray, "n n"]:
        """The split's matrix of appropriate reactions. Raises `UserError` where it has none."""
        part = self._split(split).neighbours
        if part is None:
            raise UserError(
                f"{self.path}: holds no neighbour matrix of {split}, since the packed root had "
                f"none; put neighbour_emotion_{split}.npy into the root and run {AGAIN} again"
            )
        if not part.is_intact(self.path):
            raise UserError(f"{self.path / part.file}: missing or damaged; run {AGAIN} again")
        matrix = load_square(self.path / part.file).astype(np.float64)
        if len(matrix) == 2 * n and not self.release.mirrors:
            matrix = matrix[:n, :n]
        if matrix.shape != (n, n):
            raise UserError(f"{self.path / part.file}: shape {matrix.shape}, not {n} dyads")
        return matrix

    def left_out(self, split: str) -> int:
        """Pairs that were not packed; 0 too for a cache of a time that did not count them."""
        return (self._index.left_out or {}).get(split, 0)

    def fingerprint(self) -> str:
        """Digest of the index, which names the digest of every shard."""
        return self._index.fingerprint()

    def _split(self, split: str) -> PackedSplit:
        if split not in self._index.splits:
            there = ", ".join(self._index.splits)
            raise UserError(f"{self.path / INDEX}: holds no split {split}, only {there}")
        return self._index.splits[split]

    def _clip(self, clip: Clip) -> PackedClip:
        return self._index.splits[clip.split].clips[self._numbers[clip.split, clip.name]]

    def _record(self, clip: Clip, modality: str) -> bytes:
        if modality not in clip.modalities:
            raise ValueError(f"{clip.name} was read without {modality}: name it in dyads()")
        return self._read(clip, modality)

    def _side(self) -> int:
        """Of the packed pictures."""
        if self._index.pictures is None:
            raise UserError(
                f"{self.path}: this cache holds no pictures; pack them by {AGAIN}"
                " --pictures SIDE, or give the data's root"
            )
        return self._index.pictures

    def _read(self, clip: Clip, modality: str) -> bytes:
        number = self._numbers[clip.split, clip.name]
        shard, position = divmod(number, self._index.clips_per_shard)
        file = self._index.splits[clip.split].shards[modality][shard].file
        return self._shards.read(file, position)
