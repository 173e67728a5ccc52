"""Batches for training and items for evaluation; the only module that touches Grain.

The order and the random crops are functions of the seed and of a row's number alone, counted over
all processes that train; batches are formed before they are shared between these, and handed to
workers. So the same stream comes out for any number of either.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Literal, NamedTuple

import grain
import numpy as np
from absl import flags
from jaxtyping import Float

from jaxreact.data.cache import ArrayCache
from jaxreact.data.conversations import Conversations
from jaxreact.data.crops import CropReader, check_lengths, random_start
from jaxreact.data.layout import Dyad
from jaxreact.data.modality import Modality, longest_context
from jaxreact.errors import UserError

PIPELINE = 1
"""The number of the pipeline below. Raise it with every change of `training_batches` that changes
what is read when: steps added, left out or in another order (to Grain even one that does nothing
counts), how seeds are used, which frames a random crop takes. Grain takes the place that another
pipeline saved without a word, and goes on elsewhere."""

CACHE_BYTES = 1 << 30
"""Memory for coefficients, emotion and features of whole clips per process: about 4,000 clips of
30 s, or 3,000 with what the frame-wise listener hears."""

_THREADS = 4
_BATCHES_AHEAD = 4
"""Grain's own default keeps 500 batches ready, which is gigabytes of sound."""


def pipeline_record() -> dict[str, Any]:
    """What the order and the crops of `training_batches` depend on besides its arguments, as JSON:
    its own number and the version of Grain, whose releases may draw otherwise."""
    return {"number": PIPELINE, "grain": metadata.version("grain")}


def training_batches(
    data: Conversations,
    dyads: Sequence[Dyad],
    mean_face: Float[np.ndarray, "58"] | None,
    *,
    modalities: Sequence[Modality],
    frames: int,
    batch_size: int,
    seed: int,
    crop: Literal["random", "start"] = "random",
    windows: int = 1,
    shuffle: bool = True,
    epochs: int | None = None,
    drop_remainder: bool = True,
    workers: int = 0,
    shard: tuple[int, int] = (0, 1),
    exchanged: Sequence[Dyad] | None = None,
    cache: ArrayCache | None = None,
) -> grain.DatasetIterator[dict[str, np.ndarray]]:
    """An iterator over batches, dictionaries of numpy arrays; its state can be saved.

    A batch has an array for each of `modalities`, of the same crop of `frames` frames of a dyad,
    with B = `batch_size` rows: shapes and types are those of `Modality`. Coefficients are
    mean-subtracted if there is a `mean_face`, else raw.

    `crop="random"` starts anywhere (behaviour 55) for training, "start" at frame 0 for validation,
    or at each of `windows` equally spaced places from there to the end; neither so early that a
    clip lacks the context that a modality wants before the crop. With `exchanged`, the same dyads
    with their roles exchanged, a fair coin decides each time which of the two is read.
    Every epoch is shuffled anew; `epochs=None` never ends. `workers` processes read ahead; the
    stream does not depend on them. Nor does it on the number of processes that train: with
    `shard=(index, count)` each gets its B / count consecutive rows of every batch. Only whole
    batches can be shared so: validation, which keeps the remainder, is read whole by everyone.
    Several readings of one data set with the same modalities may share a `cache` of what they read.

    Raises `UserError` if a dyad is too short, there are fewer than a batch, or B is no multiple of
    the count.
    """
    memory = ArrayCache(CACHE_BYTES) if cache is None else cache
    reader = CropReader(data, tuple(modalities), frames, mean_face, memory)
    check_lengths([*dyads, *(exchanged or ())], reader.reach)
    _check_batches(len(dyads) * windows, batch_size, drop_remainder, shard[1])
    each = list(zip(dyads, exchanged or dyads, strict=True))
    places = [_Place(*dyad, place) for place in range(windows) for dyad in each]
    items = _ordered(places, seed=seed, shuffle=shuffle, epochs=epochs)
    if exchanged is not None:  # no step where there is none: to Grain every step counts
        items = items.random_map(_Coin())
    if crop == "random":
        items = items.random_map(_RandomCrop(reader))
    else:
        items = items.map(_FixedCrop(reader, windows))
    dataset = items.batch(batch_size // shard[1], drop_remainder=drop_remainder)
    return _read_ahead(_share(dataset, *shard), workers)


def _check_batches(rows: int, batch_size: int, drop_remainder: bool, count: int) -> None:
    if drop_remainder and rows < batch_size:
        raise UserError(
            f"{rows} dyads are fewer than the batch of {batch_size}; lower the batch size or add "
            "conversations"
        )
    if count > 1 and not drop_remainder:
        raise ValueError("a remainder cannot be shared between processes: let each read all")
    if batch_size % count:
        raise UserError(
            f"the batch of {batch_size} cannot be shared equally between {count} processes; make "
            f"the batch size a multiple of {count}"
        )


def _ordered(items: Sequence, seed: int, shuffle: bool, epochs: int | None) -> grain.MapDataset:
    dataset = grain.MapDataset.source(items).seed(seed)
    return (dataset.shuffle() if shuffle else dataset).repeat(epochs)


def _share(batches: grain.MapDataset, index: int, count: int) -> grain.MapDataset:
    """Process `index`'s part of every `count` batches, which together are one batch of all."""
    return batches[index : len(batches) // count * count : count]


def _read_ahead(
    batches: grain.MapDataset, workers: int
) -> grain.DatasetIterator[dict[str, np.ndarray]]:
    dataset = batches.to_iter_dataset(
        grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=_BATCHES_AHEAD)
    )
    if workers:
        if not flags.FLAGS.is_parsed():  # Grain's workers read absl flags, which tyro never parses
            flags.FLAGS.mark_as_parsed()
        dataset = dataset.mp_prefetch(grain.MultiprocessingOptions(num_workers=workers))
    return iter(dataset)


class _Place(NamedTuple):
    """What is read: a dyad, or the one with its roles exchanged; and at which place."""

    dyad: Dyad
    other: Dyad
    place: int


class _Coin(grain.transforms.RandomMap):
    def random_map(self, element: _Place, rng: np.random.Generator) -> _Place:
        return element._replace(dyad=element.other) if rng.integers(2) else element


@dataclass(frozen=True)
class _RandomCrop(grain.transforms.RandomMap):
    reader: CropReader

    def random_map(self, element: _Place, rng: np.random.Generator) -> dict[str, np.ndarray]:
        start = random_start(element.dyad.frames, self.reader.reach, rng)
        return self.reader.read(element.dyad, self.reader.context + start)


@dataclass(frozen=True)
class _FixedCrop(grain.transforms.Map):
    reader: CropReader
    windows: int

    def map(self, element: _Place) -> dict[str, np.ndarray]:
        dyad, _, place = element
        start = place * (dyad.frames - self.reader.reach) // max(1, self.windows - 1)
        return self.reader.read(dyad, self.reader.context + start)


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
    data: Conversations,
    dyads: Sequence[Dyad],
    frames: int,
    *,
    modalities: Sequence[Modality],
    mean_face: Float[np.ndarray, "58"] | None = None,
) -> EvaluationItems:
    """The first `frames` frames of every dyad, in order, each a dictionary as in training.

    Without the batch axis. Coefficients are mean-subtracted if `mean_face` is given, else raw.
    Raises `UserError` if a dyad is shorter, ValueError where a modality wants frames before the
    first.
    """
    if longest_context(modalities):
        raise ValueError("items of an evaluation begin at frame 0: nothing comes before it")
    check_lengths(dyads, frames)
    cache = ArrayCache(limit=0)  # every item is read once
    return EvaluationItems(dyads, CropReader(data, tuple(modalities), frames, mean_face, cache))
