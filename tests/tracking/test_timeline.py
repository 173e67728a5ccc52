"""From irregular detections to 25 frames a second."""

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.tracking import timeline


def _ramp(times: np.ndarray) -> np.ndarray:
    return np.arange(58) + times[:, None]


def test_an_irregular_ramp_becomes_a_regular_one():
    times = np.sort(np.random.default_rng(0).uniform(0, 2, 60))
    times[0], times[-1] = 0.0, 2.0
    coeffs = timeline.resample(times, _ramp(times), 50)
    assert coeffs.dtype == np.float32
    np.testing.assert_allclose(coeffs, _ramp(np.arange(50) / 25), atol=1e-5)


def test_values_are_held_before_the_first_and_after_the_last_face():
    coeffs = timeline.resample(np.array([0.2, 0.4]), _ramp(np.array([0.2, 0.4])), 25)
    np.testing.assert_allclose(coeffs[:6], coeffs[5:6].repeat(6, 0), atol=1e-6)
    np.testing.assert_allclose(coeffs[11:], coeffs[10:11].repeat(14, 0), atol=1e-6)


def test_angles_are_unwrapped_before_they_are_interpolated():
    coeffs = np.zeros((3, 58))
    coeffs[:, 54] = [3.1, -3.1, 3.1]
    unwrapped = timeline.unwrap_angles(coeffs)
    np.testing.assert_allclose(unwrapped[:, 54], [3.1, 2 * np.pi - 3.1, 3.1])
    assert coeffs[1, 54] == -3.1


@pytest.mark.parametrize(("seconds", "frames"), [(4.0, 100), (4.04, 101), (0.1, 2), (0.03, 0)])
def test_whole_frames_only(seconds, frames):
    assert timeline.frame_count(seconds) == frames


def _gaps(max_gap: float) -> list[timeline.Gap]:
    """Faces at 25 a second for 4 s, without them from 1 to 1.2 s and from 2 to 3 s."""
    times = np.arange(100) / 25
    lost = ((times > 1) & (times < 1.2)) | ((times > 2) & (times < 3))
    return timeline.find_gaps(times[~lost], times[lost], 4.0, max_gap)


def test_gaps_are_found_and_measured():
    short, long = _gaps(0.5)
    assert (short.start, short.end, short.long) == (1.0, 1.2, False)
    assert (long.start, long.end, long.long) == (2.0, 3.0, True)
    assert not any(gap.long for gap in _gaps(1.5))


def test_a_recording_that_stands_still_is_a_gap():
    (gap,) = timeline.find_gaps(np.array([0.0, 0.1, 1.5, 1.6]), np.array([]), 1.7, 0.5)
    assert (gap.start, gap.end, gap.long) == (0.1, 1.5, True)


def test_gaps_at_both_ends():
    first, last = timeline.find_gaps(np.array([1.0, 1.1]), np.array([0.5, 1.9]), 2.0, 0.5)
    assert (first.start, first.end, last.start, last.end) == (0.0, 1.0, 1.1, 2.0)
    assert first.long
    assert last.long


def test_long_gaps_are_refused_by_name():
    with pytest.raises(UserError, match=r"clip\.mp4: no face for .* at 2\.0-3\.0 s;"):
        timeline.refuse_long_gaps("clip.mp4", _gaps(0.5), 0.5)
    timeline.refuse_long_gaps("clip.mp4", _gaps(1.5), 1.5)


def test_others_and_jumps_are_named():
    times = np.arange(100) / 25
    away = (times > 2) & (times < 3)
    gaps = timeline.find_gaps(
        times[~away], times[away], 4.0, 0.5, other_times=times[60:70], jump_times=times[[25]]
    )
    assert [(str(gap), gap.why, gap.long) for gap in gaps] == [
        ("1.0 s", "jump", False),
        ("2.0-3.0 s", "other", True),
    ]
    assert (gaps[0].start, gaps[0].end) == (24 / 25, 1.0)
    with pytest.raises(
        UserError, match=r"no face .* at 2\.0-3\.0 s; .* the face at 2\.0-3\.0 s was "
    ):
        timeline.refuse_long_gaps("clip.mp4", gaps, 0.5)
    timeline.refuse_long_gaps("clip.mp4", gaps[:1], 0.5)


def test_many_gaps_are_counted():
    gaps = [timeline.Gap(i, i + 0.5, True) for i in range(7)]
    assert timeline.spans(gaps[:2]) == "0.0-0.5 s, 1.0-1.5 s"
    assert timeline.spans(gaps).endswith(", 4.0-4.5 s and 2 more")


def test_only_long_gaps_are_held():
    ramp = _ramp(np.arange(100) / 25).astype("f4")
    held = timeline.hold(ramp, _gaps(0.5))
    inside = slice(51, 75)
    np.testing.assert_array_equal(held[inside], ramp[50:51].repeat(24, 0))
    np.testing.assert_array_equal(
        np.delete(held, np.r_[inside], 0), np.delete(ramp, np.r_[inside], 0)
    )


def test_the_mask_tells_what_was_seen():
    mask = timeline.tracked_mask(_gaps(0.5), 100)
    assert np.flatnonzero(~mask).tolist() == [*range(26, 30), *range(51, 75)]
