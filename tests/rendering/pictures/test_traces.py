"""Pictures of traces and heads: a change of what is drawn changes the pixels where it belongs."""

import dataclasses

import numpy as np
import pytest

from jaxreact.curves import IN_PICTURES
from jaxreact.errors import UserError
from jaxreact.face import COEFFS, EMOTIONS, INDEX, NEUTRAL_ROTATION, NEUTRAL_TRANSLATION, PITCH
from jaxreact.rendering.pictures.strip import GAP, draw_strip
from jaxreact.rendering.pictures.traces import Face, draw_traces

FRAMES = 50


def still() -> Face:
    """Two seconds of an upright, neutral face."""
    coeffs = np.zeros((FRAMES, COEFFS), np.float32)
    coeffs[:, 52:] = NEUTRAL_ROTATION + NEUTRAL_TRANSLATION
    return Face(coeffs, np.zeros((FRAMES, len(EMOTIONS)), np.float32))


def moved(column: int, by: float) -> Face:
    coeffs = still().coeffs.copy()
    coeffs[20:40, column] += by
    return dataclasses.replace(still(), coeffs=coeffs)


def rows_that_differ(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where two pictures of the same size differ, as shares of the height."""
    assert a.shape == b.shape
    return np.flatnonzero((a != b).any(axis=(1, 2))) / len(a)


@pytest.mark.parametrize(
    ("column", "by", "curve"),
    [
        (INDEX["jawOpen"], 0.3, 0),
        (INDEX["mouthSmileRight"], 0.3, 1),
        (INDEX["browInnerUp"], 0.3, 2),
        (INDEX["eyeBlinkLeft"], 0.9, 3),
        (PITCH, np.deg2rad(8), 4),
        (PITCH + 1, np.deg2rad(8), 5),
    ],
)
@pytest.mark.parametrize("who", ["truth", "reconstruction", "generated"])
def test_a_changed_trace_changes_its_own_band_of_the_picture(column, by, curve, who):
    def draw(face: Face) -> np.ndarray:
        parts = {"truth": still(), "reconstruction": still(), "generated": still(), who: face}
        return draw_traces(parts["truth"], parts["reconstruction"], [parts["generated"]])

    changed = rows_that_differ(draw(still()), draw(moved(column, by)))
    assert changed.size
    # Below the legend, seven bands share the height.
    band = (changed.mean() - 0.07) / (0.95 - 0.07) * len(IN_PICTURES)
    assert int(band) == curve
    assert changed.max() - changed.min() < 1 / len(IN_PICTURES)


def test_valence_is_drawn_where_an_emotion_is_known():
    felt = still()
    assert felt.emotion is not None
    felt.emotion[10:30, EMOTIONS.index("valence")] = 0.4
    changed = rows_that_differ(draw_traces(still()), draw_traces(felt))
    assert changed.min() > 0.8
    without = draw_traces(dataclasses.replace(still(), emotion=None))
    assert len(without) < len(draw_traces(still()))


def test_head_angles_are_degrees_from_upright():
    pitch = IN_PICTURES[4]
    assert pitch.title == "Head pitch"
    for turns in (-1, 0, 1):  # an angle and the same a whole turn further
        nod = moved(PITCH, np.deg2rad(8) + turns * 2 * np.pi)
        values = nod.values(pitch)
        assert values is not None
        np.testing.assert_allclose(values[20:40], 8, atol=1e-3)
        np.testing.assert_allclose(values[:20], 0, atol=1e-3)


def test_every_kind_of_face_is_told_from_the_others():
    open_jaw = moved(INDEX["jawOpen"], 0.3)
    pictures = [
        draw_traces(still(), open_jaw, [still()]),
        draw_traces(still(), still(), [open_jaw]),
        draw_traces(open_jaw, still(), [still()]),
    ]
    assert rows_that_differ(pictures[0], pictures[1]).size
    assert rows_that_differ(pictures[1], pictures[2]).size


def test_traces_are_colour_pictures_of_one_size_and_leave_no_figure_open():
    from matplotlib import pyplot

    few, many = draw_traces(still()), draw_traces(still(), still(), [still()] * 5, title="clip 3")
    assert few.dtype == many.dtype == np.uint8
    assert few.shape == many.shape
    assert few.shape[2] == 3
    assert pyplot.get_fignums() == []


def test_a_strip_has_a_row_a_face_and_a_column_a_frame():
    rows = {"ground truth": still().coeffs, "generated": still().coeffs}
    strip = draw_strip(rows, frames=3, size=32)
    assert strip.dtype == np.uint8
    left, top = strip.shape[1] - 3 * (32 + GAP), strip.shape[0] - 2 * (32 + GAP)
    assert left > 20
    assert top > 10
    longer = {"a much longer label": still().coeffs, "generated": still().coeffs}
    assert draw_strip(longer, frames=3, size=32).shape[0] == strip.shape[0]


def test_a_strip_shows_the_first_the_middle_and_the_last_frame():
    plain = draw_strip({"face": still().coeffs}, frames=3, size=32)
    for column, frame in enumerate((0, 24, 49)):
        coeffs = still().coeffs.copy()
        coeffs[frame, INDEX["jawOpen"]] = 1
        differs = (draw_strip({"face": coeffs}, frames=3, size=32) != plain).any(axis=(0, 2))
        where = np.flatnonzero(differs[-3 * (32 + GAP) :]) // (32 + GAP)
        assert set(where) == {column}


def test_a_strip_of_faces_of_different_lengths_ends_with_the_shortest():
    short, long = still().coeffs[:25], still().coeffs
    assert np.array_equal(
        draw_strip({"a": short, "b": long}, frames=3, size=16),
        draw_strip({"a": short, "b": long[:25]}, frames=3, size=16),
    )


def test_fewer_frames_than_columns_are_not_shown_twice():
    strip = draw_strip({"face": still().coeffs[:2]}, frames=8, size=16)
    wide = draw_strip({"face": still().coeffs}, frames=8, size=16)
    assert wide.shape[1] - strip.shape[1] == 6 * (16 + GAP)


def test_coefficients_that_are_not_finite_are_named():
    bad = still().coeffs.copy()
    bad[0, 3] = np.nan
    with pytest.raises(UserError, match="frame 0 holds a value that is not finite"):
        draw_strip({"face": bad}, frames=2, size=16)
