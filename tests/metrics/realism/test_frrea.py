"""FRRea from pictures, with simple features in the place of Inception's."""

from typing import Any

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.metrics.realism.frrea import frrea, image_statistics
from tests.metrics.realism.colour_features import ColourFeatures


def pictures(count: int, seed: int = 0) -> list[np.ndarray]:
    """RGB pictures of different sizes."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (5 + n % 3, 7, 3), np.uint8) for n in range(count)]


def features() -> Any:
    return ColourFeatures()


def test_known_distances():
    dark = [np.full((4, 4, 3), value, np.uint8) for value in (10, 20, 30)]
    light = [picture + np.uint8(100) for picture in dark]
    assert frrea(dark, dark, features()) == pytest.approx(0, abs=1e-9)
    assert frrea(dark, light, features()) == pytest.approx(6 * 100**2)
    assert frrea(iter(dark), np.stack(light), features()) == pytest.approx(6 * 100**2)


@pytest.mark.parametrize("batch_size", [1, 3, 4, 11, 30])
def test_statistics_do_not_depend_on_the_batch(batch_size):
    network, made = features(), pictures(11)
    found = image_statistics(made, network, batch_size)
    whole = np.concatenate([network.prepare(picture[None]) for picture in made])
    assert found.count == 11
    np.testing.assert_allclose(found.mean, whole.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found.covariance, np.cov(whole.T), rtol=1e-5)
    assert set(network.batches) == {batch_size}  # one size, hence compiled once


def test_pictures_are_taken_one_at_a_time():
    """A stream may be longer than memory: no more than a batch is asked for ahead."""
    network, asked = features(), []

    def stream():
        for number, picture in enumerate(pictures(9)):
            asked.append((number, len(network.batches)))
            yield picture

    image_statistics(stream(), network, batch_size=3)
    assert all(number - 3 * batches < 3 for number, batches in asked)


@pytest.mark.wrong_arguments
def test_what_cannot_be_compared():
    with pytest.raises(UserError, match="at least 2 pictures, not 1"):
        frrea(pictures(1), pictures(3), features())
    with pytest.raises(UserError, match="no picture"):
        frrea(pictures(3), [], features())
    for wrong in (np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(UserError, match=r"picture 2: expected uint8 \(height, width, 3\)"):
            frrea([*pictures(2), wrong], pictures(3), features())
