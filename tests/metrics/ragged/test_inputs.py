"""What cannot be scored is told in one line that names it."""

import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.errors import UserError
from jaxreact.metrics.ragged.inputs import ragged_predictions, ragged_targets
from tests.metrics.ragged.by_hand import clips, targets

PREDICTED = clips(24, 31)
TARGETS = targets((24, 20), (31,))
pytestmark = pytest.mark.wrong_arguments


def refused(*arguments, **options):
    with pytest.raises(UserError) as error:
        metrics.evaluate(*arguments, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_predictions_that_cannot_be_used():
    one, other = PREDICTED
    expected = "predictions[1]: shape (3, 31, 24); expected (samples, frames, 25)"
    assert expected in refused([one, other[..., :24]], TARGETS)
    assert "predictions[1]: shape (31, 25); expected" in refused([one, other[0]], TARGETS)
    assert "predictions[1]: shape (3, 0, 25); expected" in refused([one, other[:, :0]], TARGETS)
    assert "predictions[1]: shape (3, 1, 25); expected" in refused([one, other[:, :1]], TARGETS)
    message = refused([one, other[:2]], TARGETS)
    assert "predictions[1]: shape (2, 31, 25), but 3 samples in predictions[0]" in message
    assert "predictions: no clip in it" in refused([], [])
    broken = other.copy()
    broken[1, 7, 2] = np.nan
    expected = "predictions[1]: not finite in sample 1, frame 7, channel 2"
    assert refused([one, broken], TARGETS) == expected
    assert "predictions[0]: complex64 instead" in refused([one * 1j, other], TARGETS)


def test_targets_and_speakers_that_cannot_be_used():
    assert refused(PREDICTED, TARGETS[:1]) == "targets: 1 entries for 2 clips of predictions"
    assert "targets[1]: empty" in refused(PREDICTED, [TARGETS[0], []])
    one = [TARGETS[0], [TARGETS[1][0][:, :24]]]
    assert "targets[1][0]: shape (31, 24); expected (frames, 25)" in refused(PREDICTED, one)
    flat = [each[0] for each in TARGETS]
    assert "targets[0]: shape (24, 25); expected a list of" in refused(PREDICTED, flat)
    assert "speaker: 1 entries for 2" in refused(PREDICTED, TARGETS, [TARGETS[0][0]])
    short = [TARGETS[0][0], TARGETS[1][0][:1]]
    assert "speaker[1]: shape (1, 25); expected" in refused(PREDICTED, TARGETS, short)


def test_modes_and_options_that_do_not_go_together():
    assert "mode 'original' does not exist for clips of any lengths" in refused(
        PREDICTED, TARGETS, mode="original"
    )
    assert "fps: 0 is no number" in refused(PREDICTED, TARGETS, fps=0)
    assert "align: only mode react2026" in refused(
        PREDICTED, TARGETS, align=lambda target, length, key: target
    )
    message = refused(PREDICTED, TARGETS, TARGETS[0], np.eye(2))
    assert "clips of several shapes; leave the neighbours out" in message
    array = np.zeros((2, 3, 8, 25), np.float32)
    message = refused(array, array[:, 0], array[:, 0], np.eye(2), fps=30)
    assert "with neighbours give the speaker too, 25 frames a second, and no align" in message
    faces = metrics.Faces(*(np.zeros((2, 3, 8, 58)) for _ in range(3)))
    assert "faces: there are no scores of them" in refused(PREDICTED, TARGETS, faces=faces)
    message = refused(array, array[:, 0], array[:, 0], np.eye(2), mode="react2026")
    assert "choose from corrected, original" in message


def test_a_target_of_several_clips_is_held_once():
    shared = TARGETS[0][0]
    found = ragged_targets([[shared, TARGETS[0][1]], [shared]], ragged_predictions(PREDICTED))
    assert [others.tolist() for others in found.lists] == [[0, 1], [0]]
    assert len(found.sequences) == 2
    rows = np.stack([TARGETS[0][0]] * 2)  # rows of an array are objects of a moment
    found = ragged_targets([rows, 2 * rows], ragged_predictions(PREDICTED))  # pyright: ignore[reportArgumentType]
    assert [others.tolist() for others in found.lists] == [[0, 1], [2, 3]]
    np.testing.assert_array_equal(found.sequences[3], 2 * rows[1])
