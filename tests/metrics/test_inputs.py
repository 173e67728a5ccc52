import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.errors import UserError


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {
        "predictions": rng.random((3, 2, 30, 25)),
        "listener": rng.random((3, 30, 25)),
        "speaker": rng.random((3, 30, 25)),
        "neighbours": np.eye(3),
    }


def test_shapes_that_do_not_fit_name_both(arrays):
    arrays["listener"] = arrays["listener"][:, :29]
    with pytest.raises(UserError, match=r"listener: shape \(3, 29, 25\).*\(3, 2, 30, 25\)"):
        metrics.evaluate(**arrays)


def test_neighbours_of_another_number_of_clips(arrays):
    arrays["neighbours"] = np.eye(4)
    with pytest.raises(UserError, match=r"neighbours: shape \(4, 4\).*\(3, 2, 30, 25\)"):
        metrics.evaluate(**arrays)


@pytest.mark.parametrize("shape", [(3, 30, 25), (3, 2, 30, 24), (3, 0, 30, 25), (3, 2, 1, 25)])
def test_predictions_of_another_shape(arrays, shape):
    arrays["predictions"] = np.zeros(shape)
    with pytest.raises(UserError, match="predictions: shape"):
        metrics.evaluate(**arrays)


def test_values_that_are_not_finite_are_located(arrays):
    arrays["predictions"][2, 1, 7, 3] = np.nan
    with pytest.raises(UserError, match="clip 2, sample 1, frame 7, channel 3"):
        metrics.evaluate(**arrays)


def test_listener_that_is_not_finite(arrays):
    arrays["listener"][1, 9, 0] = np.inf
    with pytest.raises(UserError, match="listener: not finite in clip 1, frame 9, channel 0"):
        metrics.evaluate(**arrays)


def test_unknown_mode(arrays):
    with pytest.raises(UserError, match="'faithful' does not exist; choose from corrected, orig"):
        metrics.evaluate(**arrays, mode="faithful")


def test_lists_and_float64_are_accepted(arrays):
    as_lists = {name: array.tolist() for name, array in arrays.items()}
    assert metrics.evaluate(**as_lists) == metrics.evaluate(**arrays)


@pytest.mark.parametrize("shape", [(2, 3), (4, 4), (3, 2), (3,)])
def test_neighbours_of_too_few_rows_or_columns(arrays, shape):
    arrays["neighbours"] = np.ones(shape)
    with pytest.raises(UserError, match=r"neighbours: shape \(.* predictions of shape \(3, 2, 30"):
        metrics.evaluate(**arrays)


def test_no_clips(arrays):
    arrays["predictions"] = arrays["predictions"][:0]
    with pytest.raises(UserError, match=r"predictions: no clip in it .* is the split empty"):
        metrics.evaluate(**arrays)
