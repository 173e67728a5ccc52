"""FRRea, realism: the Fréchet inception distance between generated and real pictures of faces.

0 for equal sets, lower is better. The number depends on how many pictures there are: below 2048 a
side the covariances are singular and the distance comes out too large, so only values of equally
many pictures compare (Chong and Forsyth 2020, arXiv:1911.07023). Behaviour 11 says what the
original took.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.errors import UserError
from jaxreact.metrics.realism.frechet import FeatureStatistics, frechet_distance

if TYPE_CHECKING:
    from jaxreact.metrics.realism.load import Inception

Images = Iterable[UInt8[np.ndarray, "_ _ 3"]]
"""RGB pictures from 0 to 255, of any sizes; taken one at a time."""


def frrea(generated: Images, real: Images, inception: "Inception", batch_size: int = 16) -> float:
    """Fréchet inception distance between two sets of pictures.

    `inception`: what `jaxreact.load_inception` returns. Raises UserError for fewer than two
    pictures on a side, and for one that is not uint8 RGB, with its number.
    """
    first = image_statistics(generated, inception, batch_size)
    return frechet_distance(first, image_statistics(real, inception, batch_size))


def image_statistics(
    images: Images, inception: "Inception", batch_size: int = 16
) -> FeatureStatistics:
    """Statistics of the pictures' features, which `frechet_distance` compares.

    Holds one batch at a time. Raises UserError where there is no picture, and for one that is not
    uint8 RGB, with its number.
    """
    statistics = None
    for features in _features(images, inception, batch_size):
        batch = FeatureStatistics.of(features)
        statistics = batch if statistics is None else statistics + batch
    if statistics is None:
        raise UserError("there is no picture to compare")
    return statistics


def size_notes(sides: Iterable[FeatureStatistics]) -> list[str]:
    """What a reader of the distance has to know about the numbers of pictures."""
    fewest = min(sides, key=lambda side: side.count)
    if fewest.count >= fewest.mean.size:
        return []
    return [
        f"{fewest.count} pictures are fewer than {fewest.mean.size}: the distance comes out too "
        "large; compare it only with one of as many pictures"
    ]


def _features(
    images: Images, inception: "Inception", batch_size: int
) -> Iterator[Float[np.ndarray, "count features"]]:
    """Features batch by batch.

    Each picture is resized by itself, so that sizes may differ, and the last batch is filled up, so
    that the network is compiled once.
    """
    prepared = (
        np.asarray(inception.prepare(_checked(image, number)[None])[0])
        for number, image in enumerate(images)
    )
    while batch := list(islice(prepared, batch_size)):
        missing = batch_size - len(batch)
        filled = np.stack(batch + [np.zeros_like(batch[0])] * missing)
        yield np.asarray(inception.features(filled))[: len(batch)]


def _checked(image: np.ndarray, number: int) -> np.ndarray:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        kind = f"{image.dtype} {image.shape}"
        raise UserError(f"picture {number}: expected uint8 (height, width, 3), got {kind}")
    return image
