"""Tracking a real face, by MediaPipe (extra `track`), in good and in bad recordings."""

from functools import cache

import numpy as np
import pytest

from jaxreact.errors import Remark, UserError
from jaxreact.face import EXPRESSION, EXPRESSIONS, INDEX, PITCH, ROLL, YAW
from jaxreact.tracking import Track, face_models, landmarker, track_video
from jaxreact.tracking.no_opengl import drawing_modules_optional
from tests.clips import BROKEN_CARPHONE, CARPHONE, decode, write_clip

with drawing_modules_optional():
    pytest.importorskip("mediapipe", exc_type=ModuleNotFoundError)


@cache
def _carphone() -> Track:
    return track_video(CARPHONE)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def test_a_real_face_is_followed_throughout():
    track = _carphone()
    assert track.coeffs.shape == (100, 58)
    assert track.coeffs.dtype == np.float32
    assert track.tracked.all()
    assert track.source_fps == pytest.approx(29.97, abs=0.01)
    assert (track.source_frames, track.lost_frames, track.gaps) == (120, 0, ())
    assert track.doubts() == []
    assert track.warning() is None
    assert not track.stopped


def test_its_numbers_are_in_the_data_sets_range():
    coeffs = _carphone().coeffs
    assert coeffs[:, EXPRESSION].min() >= 0
    assert coeffs[:, EXPRESSION].max() <= 1
    assert not coeffs[:, INDEX["tongueOut"]].any()
    assert np.ptp(coeffs[:, INDEX["jawOpen"]]) > 0.2  # he talks
    np.testing.assert_allclose(np.median(coeffs[:, 55:], axis=0), [0, 0, 1.84], atol=0.03)
    assert abs(np.median(coeffs[:, PITCH]) - np.pi) < 0.3


def _gaze_to_own_left(coeffs: np.ndarray) -> np.ndarray:
    left = coeffs[:, INDEX["eyeLookOutLeft"]] + coeffs[:, INDEX["eyeLookInRight"]]
    return left - coeffs[:, INDEX["eyeLookInLeft"]] - coeffs[:, INDEX["eyeLookOutRight"]]


def test_he_leans_and_looks_as_in_the_picture():
    """He leans towards his right shoulder (the picture's left) all the time; in frame 27 he looks
    to his own left, in frame 75 to his own right.
    """
    coeffs = _carphone().coeffs
    assert 0.2 < coeffs[:, ROLL].mean() < 0.5
    assert _gaze_to_own_left(coeffs)[27] > 0.5
    assert _gaze_to_own_left(coeffs)[75] < -0.2


def test_a_mirrored_video_swaps_left_and_right(tmp_path):
    frames, times = decode(CARPHONE)
    clip = write_clip(tmp_path / "mirror.mp4", [frame[:, ::-1] for frame in frames], times)
    mirrored, track = track_video(clip).coeffs, _carphone().coeffs
    assert _correlation(mirrored[:, ROLL], -track[:, ROLL]) > 0.95
    assert _correlation(mirrored[:, YAW], -track[:, YAW]) > 0.9
    assert mirrored[:, ROLL].mean() == pytest.approx(-track[:, ROLL].mean(), abs=0.05)
    assert mirrored[:, PITCH].mean() == pytest.approx(track[:, PITCH].mean(), abs=0.1)
    assert _correlation(_gaze_to_own_left(mirrored), -_gaze_to_own_left(track)) > 0.75
    brow, other = INDEX["browOuterUpLeft"], INDEX["browOuterUpRight"]
    assert _correlation(mirrored[:, other], track[:, brow]) > 0.85


def test_a_variable_frame_rate_changes_little(tmp_path):
    """Webcam-style: every fifth picture dropped at random, and the rest late by up to 8 ms."""
    rng = np.random.default_rng(0)
    frames, times = decode(CARPHONE)
    kept = np.flatnonzero(rng.uniform(size=120) > 0.2)
    kept[0], kept[-1] = 0, 119
    late = np.array(times)[kept] + rng.uniform(0, 0.008, len(kept))
    clip = write_clip(tmp_path / "webcam.mkv", [frames[i] for i in kept], list(late))
    track = track_video(clip)
    assert 98 <= len(track.coeffs) <= 101
    assert track.source_fps == pytest.approx(len(kept) / 4, rel=0.03)
    ours, theirs = track.coeffs[:98], _carphone().coeffs[:98]
    assert _correlation(ours[:, INDEX["jawOpen"]], theirs[:, INDEX["jawOpen"]]) > 0.95
    assert abs(ours[:, ROLL] - theirs[:, ROLL]).mean() < 0.02


def _without_face(path, first: int, last: int):
    frames, times = decode(CARPHONE)
    grey = np.full_like(frames[0], 127)
    shown = [grey if first <= i < last else frame for i, frame in enumerate(frames)]
    return write_clip(path, shown, times)


def test_a_short_gap_is_bridged(tmp_path):
    track = track_video(_without_face(tmp_path / "short.mp4", 60, 69))
    assert track.lost_frames >= 9
    (gap,) = track.gaps
    assert gap.start < 2.1 < gap.end
    assert not gap.long
    lost = np.flatnonzero(~track.tracked)
    assert lost[0] in (50, 51)
    assert abs(np.diff(track.coeffs, n=2, axis=0)[lost[1] : lost[-1] - 1]).max() < 1e-4


def test_a_long_gap_is_named_or_held(tmp_path):
    clip = _without_face(tmp_path / "long.mp4", 45, 75)
    with pytest.raises(UserError, match=r"long\.mp4: no face .* at 1\.5-2\.\d s;"):
        track_video(clip)
    with pytest.warns(Remark, match=r"long\.mp4: no face at .* the last one is held there"):
        held = track_video(clip, on_gap="hold")
    inside = held.coeffs[~held.tracked]
    assert 24 <= len(inside) <= 30
    assert not np.ptp(inside, axis=0).any()
    assert track_video(clip, max_gap=2.0).doubts() == []
    assert len(track_video(clip, max_seconds=1.5).coeffs) == 37  # cut there, as the error says


@pytest.mark.slow
def test_a_face_that_is_mostly_lost_is_reported():
    with pytest.warns(Remark, match=r"the face was found in only \d\d of 120 pictures"):
        track_video(BROKEN_CARPHONE, on_gap="hold")


def test_only_the_beginning_on_demand():
    track = track_video(CARPHONE, max_seconds=1.0)
    assert len(track.coeffs) == 25
    assert track.stopped
    assert track.source_seconds == pytest.approx(4, abs=0.05)
    np.testing.assert_allclose(track.coeffs[:20, ROLL], _carphone().coeffs[:20, ROLL], atol=1e-5)


def test_no_face_at_all(tmp_path):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (120, 160, 3), dtype=np.uint8) for _ in range(10)]
    grey = np.broadcast_to(np.arange(160, dtype=np.uint8)[None, :, None], (120, 160, 3))
    times = [i / 25 for i in range(10)]
    clip = write_clip(tmp_path / "noise.mp4", noise, times)
    ramp = write_clip(tmp_path / "ramp.mp4", [grey] * 10, times)
    for path in (clip, ramp):
        with pytest.raises(UserError, match="no face found in 10 pictures"):
            track_video(path)


def test_too_few_pictures(tmp_path):
    frames, _ = decode(CARPHONE)
    slow = write_clip(tmp_path / "slow.mp4", frames[:40:10], [0.0, 0.5, 1.0, 1.5])
    single = write_clip(tmp_path / "single.mp4", frames[:1], [0.0])
    for path in (slow, single):
        with pytest.raises(UserError, match="too few"):
            track_video(path)


def test_models_that_are_none(tmp_path, monkeypatch):
    wrong = tmp_path / "wrong.task"
    wrong.write_bytes(b"not a model")
    with pytest.raises(UserError, match=r"wrong\.task: is not a face landmarker model"):
        track_video(CARPHONE, model=wrong)
    with pytest.raises(UserError, match="no such file"):
        track_video(CARPHONE, model=tmp_path / "missing.task")
    monkeypatch.setattr(face_models.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install -e '\.\[track\]'"):
        face_models.default_model()
    with pytest.raises(UserError, match="lacks the expression units browDownLeft"):
        landmarker.expression_vector(dict.fromkeys(EXPRESSIONS[1:], 0.1))
