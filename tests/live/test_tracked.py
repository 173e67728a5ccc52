"""MediaPipe's results as coefficients, one by one, end as those of a whole film."""

import numpy as np
import pytest

from jaxreact.face import NEUTRAL_TRANSLATION
from jaxreact.live.tracked import LiveFace
from jaxreact.tracking.pose import rotations, translations


def poses(count: int, seed: int = 0) -> np.ndarray:
    """A face that sways some 60 cm before the camera."""
    rng = np.random.default_rng(seed)
    made = np.tile(np.eye(4), (count, 1, 1))
    made[:, :3, 3] = np.array([3.0, -2.0, -60.0]) + rng.normal(0, 0.5, (count, 3))
    return made


def test_the_usual_place_is_learnt():
    face, matrices = LiveFace(), poses(500)
    weights = np.random.default_rng(1).uniform(0, 1, (500, 52))
    pairs = zip(np.split(weights, 250), np.split(matrices, 250), strict=True)
    rows = np.concatenate([face.coeffs(*pair) for pair in pairs])
    np.testing.assert_allclose(rows[0, 55:], NEUTRAL_TRANSLATION, atol=1e-6)
    np.testing.assert_array_equal(rows[:, :52], weights)
    np.testing.assert_allclose(rows[:, 52:55], rotations(matrices), atol=1e-6)
    whole = translations(matrices)
    assert np.abs(rows[250:, 55:] - whole[250:]).max() < 0.01


def test_a_new_place_becomes_the_usual_one():
    face, there = LiveFace(), poses(800)
    there[:, 0, 3] += 20
    zeros = np.zeros((800, 52))
    first = face.coeffs(zeros[:1], poses(1))
    moved = face.coeffs(zeros, there)
    assert moved[0, 55] > first[0, 55] + 0.4
    assert abs(moved[-1, 55]) < 0.1


def test_weights_are_kept_in_their_range():
    found = LiveFace().coeffs(np.full((1, 52), 1.5), poses(1))
    assert found[0, :52].max() == 1.0


@pytest.mark.parametrize("what", ["weights", "matrix", "behind"])
def test_what_is_no_face_is_refused(what):
    weights, matrices = np.zeros((1, 52)), poses(1)
    if what == "weights":
        weights[0, 3] = np.inf
    elif what == "matrix":
        matrices[0, 1, 1] = np.nan
    else:
        matrices[0, 2, 3] = 5.0
    with pytest.raises(ValueError, match=r"finite|behind"):
        LiveFace().coeffs(weights, matrices)
