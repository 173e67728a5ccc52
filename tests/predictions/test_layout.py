"""Which axis is which, and the order in which the original leaves its predictions."""

import re

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.predictions import LAYOUTS, undo_original_order
from jaxreact.predictions.layout import arrange, find_layout
from jaxreact.predictions.original_order import reorder_as_original
from tests.weights import golden

CLIPS, SAMPLES, FRAMES = 5, 3, 4


def tagged(clips: int = CLIPS, samples: int = SAMPLES) -> np.ndarray:
    """Ours; every value is 100 sample + clip."""
    tags = 100 * np.arange(samples) + np.arange(clips)[:, None]
    return np.broadcast_to(tags[..., None, None], (clips, samples, FRAMES, 25)).astype(np.float32)


def in_layout(ours: np.ndarray) -> dict[str, np.ndarray]:
    by_sample = ours.swapaxes(0, 1)
    flat = (-1, *ours.shape[2:])
    arrays = (ours, by_sample, ours.reshape(flat), by_sample.reshape(flat))
    return dict(zip(LAYOUTS, arrays, strict=True))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_comes_out_as_ours(layout):
    array = in_layout(tagged())[layout]
    found = find_layout(array.shape, CLIPS, layout if layout.startswith("flat") else None)
    assert found == layout
    np.testing.assert_array_equal(arrange(array, CLIPS, found), tagged())


def test_nothing_is_copied():
    for layout, array in in_layout(tagged().copy()).items():
        array = np.ascontiguousarray(array)
        assert np.shares_memory(arrange(array, CLIPS, layout), array)  # pyright: ignore[reportArgumentType]


def test_layouts_that_are_the_same_need_no_choice():
    assert find_layout((CLIPS, FRAMES, 25), CLIPS) == "flat-by-clip"
    assert find_layout((SAMPLES, FRAMES, 25), 1) == "flat-by-clip"
    assert find_layout((1, 1, FRAMES, 25), 1) == "clips-samples"
    assert find_layout((CLIPS, SAMPLES, FRAMES, 25), None) == "clips-samples"
    one = tagged(1)
    np.testing.assert_array_equal(arrange(in_layout(one)["flat-by-sample"], 1, "flat-by-clip"), one)


@pytest.mark.parametrize(
    ("shape", "clips", "layout", "words"),
    [
        ((4, 4, 9, 25), 4, None, "read as clips-samples or as samples-clips; say which with --lay"),
        ((8, 9, 25), 4, None, "read as flat-by-clip or as flat-by-sample; say which with --layout"),
        ((5, 3, 9, 25), 4, None, "(5, 3, 9, 25) does not fit: the data set needs (4, samples, 9,"),
        ((9, 9, 25), 4, None, "(9, 9, 25) does not fit: the data set needs (4, samples, 9, 25)"),
        ((4, 3, 9, 25), 4, "samples-clips", "as samples-clips: expected (samples, 4, 9, 25)"),
        ((4, 3, 9, 25), 4, "flat-by-clip", "as flat-by-clip: expected (4 x samples, 9, 25)"),
        ((8, 9, 25), None, None, "(8, 9, 25) does not fit: expected (clips, samples, 9, 25)"),
    ],
)
def test_shapes_that_say_too_little_or_do_not_fit(shape, clips, layout, words):
    with pytest.raises(UserError, match=re.escape(words)):
        find_layout(shape, clips, layout)


def test_an_ambiguous_shape_is_read_as_told():
    square = tagged(4, 4)
    for layout in ("clips-samples", "samples-clips"):
        array = in_layout(square)[layout]
        assert find_layout(array.shape, 4, layout) == layout
        np.testing.assert_array_equal(arrange(array, 4, layout), square)


def test_the_originals_order_is_undone():
    """Measured on the original: golden rows hold 100 * pass + clip."""
    mixed = golden("test_order")["provenance"]
    assert mixed[1].tolist() == [3, 4, 100]
    np.testing.assert_array_equal(undo_original_order(mixed), tagged()[:, :, 0, 0])


@pytest.mark.parametrize(("clips", "samples"), [(5, 3), (3, 5), (4, 4), (1, 3), (6, 1)])
def test_undoing_is_the_inverse_of_mixing(clips, samples):
    ours = tagged(clips, samples)
    np.testing.assert_array_equal(undo_original_order(reorder_as_original(ours)), ours)
