"""Batches for training and items for evaluation; the only module that touches Grain.

The order and the random crops are functions of the seed and of a step's index alone: the same
stream comes out for any number of workers, because batches are formed before they are handed to
processes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import grain
import numpy as np
from absl import flags
from jaxtyping import Float

from jaxreact.data.cache import ArrayCache
from jaxreact.data.crops import CropReader, check_lengths, random_start
from jaxreact.data.layout import AUDIO, COEFFS, EMOTION, MODALITIES, Dyad
from jaxreact.errors import UserError
from jaxreact.face import COEFFS as COEFF_COUNT

CACHE_BYTES = 1 << 30
"""Memory for coefficients and emotion per process: about 4,000 clips of 30 s."""

_THREADS = 4
_BATCHES_AHEAD = 4
"""Grain's own default keeps 500 batches ready, which is gigabytes of sound."""


def training_batches(
    dyads: Sequence[Dyad],
    mean_face: Float[np.ndarray, "58"],
    *,
    frames: int,
    batch_size: int,
    seed: int,
    modalities: Iterable[str] = MODALITIES,
    audio_frames: int | None = None,
    crop: Literal["random", "start"] = "random",
    windows: int = 1,
    shuffle: bool = True,
    epochs: int | None = None,
    drop_remainder: bool = True,
    workers: int = 0,
    shard: tuple[int, int] = (0, 1),
) -> grain.DatasetIterator[dict[str, np.ndarray]]:
    """An iterator over batches, dictionaries of float32 numpy arrays; its state can be saved.

    With B = `batch_size`: "speaker_coeffs" and "listener_coeffs" (B, frames, 58) mean-subtracted;
    "listener_emotion" (B, frames, 25); "speaker_waveform" (B, audio_frames * 640) 16 kHz mono of
    the first `audio_frames` frames (default: all) of the same stretch, zeros where the file ends
    early. `modalities` chooses among them.

    `crop="random"` starts anywhere (behaviour 55) for training, "start" at frame 0 for validation,
    or at each of `windows` equally spaced places from there to the end.
    Every epoch is shuffled anew; `epochs=None` never ends. `workers` processes read ahead; the
    stream does not depend on them. `shard=(index, count)` takes every count-th dyad of the
    shuffled order, for several hosts.

    Raises `UserError` if a dyad is too short or fewer dyads than a batch are left for a shard.
    """
    check_lengths(dyads, frames)
    index, count = shard
    mine = len(range(index, len(dyads), count))
    if mine == 0 or (drop_remainder and mine < batch_size):
        raise UserError(
            f"{len(dyads)} dyads over {count} process(es) leave {mine} for one, fewer than the "
            f"batch of {batch_size}; lower the batch size or add conversations"
        )
    audio_frames = frames if audio_frames is None else audio_frames
    reader = CropReader(frames, audio_frames, tuple(modalities), mean_face, ArrayCache(CACHE_BYTES))
    places = [(dyad, place) for place in range(windows) for dyad in dyads]
    dataset = grain.MapDataset.source(places).seed(seed)
    if shuffle:
        dataset = dataset.shuffle()
    dataset = dataset[index::count].repeat(epochs)
    if crop == "random":
        dataset = dataset.random_map(_RandomCrop(reader))
    else:
        dataset = dataset.map(_FixedCrop(reader, windows))
    dataset = dataset.batch(batch_size, drop_remainder=drop_remainder)
    batches = dataset.to_iter_dataset(
        grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=_BATCHES_AHEAD)
    )
    if workers:
        if not flags.FLAGS.is_parsed():  # Grain's workers read absl flags, which tyro never parses
            flags.FLAGS.mark_as_parsed()
        batches = batches.mp_prefetch(grain.MultiprocessingOptions(num_workers=workers))
    return iter(batches)


@dataclass(frozen=True)
class _RandomCrop(grain.transforms.RandomMap):
    reader: CropReader

    def random_map(
        self, element: tuple[Dyad, int], rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        dyad, _ = element
        return self.reader.read(dyad, random_start(dyad.frames, self.reader.frames, rng))


@dataclass(frozen=True)
class _FixedCrop(grain.transforms.Map):
    reader: CropReader
    windows: int

    def map(self, element: tuple[Dyad, int]) -> dict[str, np.ndarray]:
        dyad, place = element
        spare = dyad.frames - self.reader.frames
        return self.reader.read(dyad, place * spare // max(1, self.windows - 1))


class EvaluationItems:
    """Whole clips in the order of the dyads, read when they are asked for."""

    def __init__(self, dyads: Sequence[Dyad], reader: CropReader):
        self._dyads = dyads
        self._reader = reader

    def __len__(self) -> int:
        return len(self._dyads)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return self._reader.read(self._dyads[index], 0)

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        return (self[index] for index in range(len(self)))


def evaluation_items(
    dyads: Sequence[Dyad],
    frames: int = 736,
    *,
    mean_face: Float[np.ndarray, "58"] | None = None,
    modalities: Iterable[str] = (COEFFS, EMOTION, AUDIO),
) -> EvaluationItems:
    """The first `frames` frames of every dyad, in order, each a dictionary as in training.

    Without the batch axis, and with "speaker_emotion" (frames, 25) besides. Coefficients are
    mean-subtracted if `mean_face` is given, else raw. 736 is 23 patches of 32 frames, what the
    original evaluates (behaviour 54). Raises `UserError` if a dyad is shorter.
    """
    check_lengths(dyads, frames)
    zero = np.zeros(COEFF_COUNT, np.float32)
    reader = CropReader(
        frames=frames,
        audio_frames=frames,
        modalities=tuple(modalities),
        mean_face=zero if mean_face is None else mean_face,
        cache=ArrayCache(limit=0),  # every item is read once
        speaker_emotion=True,
    )
    return EvaluationItems(dyads, reader)
