"""One person is followed, whoever else is in the picture."""

import numpy as np
import pytest

from jaxreact.errors import Remark, UserError
from jaxreact.tracking import track_video
from jaxreact.tracking.no_opengl import drawing_modules_optional
from tests.clips import CARPHONE, decode, hopper, placed, resized, write_clip

with drawing_modules_optional():
    pytest.importorskip("mediapipe", exc_type=ModuleNotFoundError)

SIDEWAYS = 55
FRAMES, TIMES = decode(CARPHONE)
MIRRORED = [frame[:, ::-1] for frame in FRAMES]
GREY = np.full_like(FRAMES[0], 127)


def _beside(left: list[np.ndarray], right: list[np.ndarray]) -> list[np.ndarray]:
    return [np.concatenate(pair, axis=1) for pair in zip(left, right, strict=True)]


def _but(pictures: list[np.ndarray], first: int, last: int) -> list[np.ndarray]:
    """Without the pictures from `first` to `last`."""
    return [GREY if first <= i < last else picture for i, picture in enumerate(pictures)]


def _largest_step(coeffs: np.ndarray) -> float:
    """Of the head's place in model units: his own is 0.1 in 40 ms."""
    return float(abs(np.diff(coeffs[:, SIDEWAYS : SIDEWAYS + 2], axis=0)).max())


@pytest.mark.slow
def test_who_is_there_throughout_is_followed(tmp_path):
    """The one on the left, whom MediaPipe takes first, goes away from 2 to 3 s."""
    pair = _beside(_but(FRAMES, 60, 90), MIRRORED)
    track = track_video(write_clip(tmp_path / "two.mp4", pair, TIMES))
    assert track.lost_frames == 0
    assert track.centre[0] > 0.6
    assert _largest_step(track.coeffs) < 0.2
    alone = track_video(write_clip(tmp_path / "one.mp4", MIRRORED, TIMES))
    assert abs(track.coeffs[:, :52] - alone.coeffs[:, :52]).mean() < 0.02


@pytest.mark.slow
def test_another_face_is_no_way_out(tmp_path):
    """The one on the right is there only while the other is not."""
    other = _but(_but(MIRRORED, 0, 60), 90, 120)
    clip = write_clip(tmp_path / "hop.mp4", _beside(_but(FRAMES, 60, 90), other), TIMES)
    with pytest.raises(
        UserError, match=r"no face .* at 2\.0-3\.\d s; .* the face at 2\.0-3\.\d s was "
    ):
        track_video(clip)
    with pytest.warns(Remark, match=r"the face at 2\.0-3\.\d s was not taken: it is another"):
        held = track_video(clip, on_gap="hold")
    assert "was not taken" in (held.warning() or "")
    assert held.centre[0] < 0.4
    assert not held.tracked[52:74].any()
    assert max(_largest_step(held.coeffs[:76]), _largest_step(held.coeffs[77:])) < 0.25
    cut = track_video(clip, max_seconds=2.0)  # as the error says
    assert cut.tracked.all()


def test_a_short_visit_is_bridged_and_named(tmp_path):
    other = _but(_but(MIRRORED, 0, 60), 68, 120)
    clip = write_clip(tmp_path / "visit.mp4", _beside(_but(FRAMES, 60, 68), other), TIMES)
    with pytest.warns(Remark, match=r"the face at 2\.0-2\.\d s was not taken"):
        track = track_video(clip)
    assert track.centre[0] < 0.4
    assert _largest_step(track.coeffs) < 0.2


@pytest.mark.slow
def test_a_larger_one_who_comes_later(tmp_path):
    room = np.full((280, 480, 3), 60, np.uint8)
    pictures = [placed(room, frame, 10, 50) for frame in FRAMES[:90]]
    for i in range(75, 90):
        pictures[i] = placed(pictures[i], resized(MIRRORED[i], 316, 258), 160, 10)
    track = track_video(write_clip(tmp_path / "short.mp4", pictures, TIMES[:90]))
    assert track.centre[0] < 0.3  # who is there throughout
    assert track.tracked.all()
    for i in range(15, 90):
        pictures[i] = placed(pictures[i], resized(MIRRORED[i], 316, 258), 160, 10)
    clip = write_clip(tmp_path / "long.mp4", pictures, TIMES[:90])
    with pytest.warns(Remark, match=r"the face at 0\.0-0\.5 s was not taken"):
        track = track_video(clip, on_gap="hold")
    assert track.centre[0] > 0.6  # who is twice as large most of the time


def test_two_who_change_sides(tmp_path):
    """They pass one another; he goes from left to right, before the other."""
    room, other = np.full((200, 480, 3), 60, np.uint8), resized(hopper(), 110, 129)
    pictures = []
    for i, frame in enumerate(FRAMES[:100]):
        behind = placed(room, other, 330 - 3 * i, 40)
        pictures.append(placed(behind, frame[20:, 30:150], 20 + 3 * i, 40))
    clip = write_clip(tmp_path / "cross.mp4", pictures, TIMES[:100])
    track = track_video(clip, on_gap="hold")
    assert track.coeffs[-1, SIDEWAYS] < -1 < 1 < track.coeffs[0, SIDEWAYS] or (
        track.coeffs[0, SIDEWAYS] < -1 < 1 < track.coeffs[-1, SIDEWAYS]
    )
    assert _largest_step(track.coeffs[track.tracked]) < 0.25


def test_after_a_cut_nobody_is_taken_for_the_same(tmp_path):
    """Another person at the same place and of the same size, for the rest of the clip."""
    still = resized(hopper(), 129, 152)  # the face as large as his, at (63, 46)
    other = placed(GREY, still[:123], 22, 21)
    pictures = [*FRAMES[:60], *[other] * 60]
    clip = write_clip(tmp_path / "cut.mp4", pictures, TIMES)
    with pytest.raises(UserError, match=r"no face .* at 2\.0-4\.0 s; .* comes after a cut or"):
        track_video(clip)
    with pytest.warns(Remark, match=r"the face at 2\.0-4\.0 s was not taken"):
        held = track_video(clip, on_gap="hold")
    assert not np.ptp(held.coeffs[~held.tracked], axis=0).any()


def test_a_cut_away_and_back_is_a_gap(tmp_path):
    pictures = [*FRAMES[:60], *MIRRORED[60:70], *FRAMES[70:]]
    with pytest.warns(Remark, match=r"the face at 2\.0-2\.3 s was not taken"):
        track = track_video(write_clip(tmp_path / "back.mp4", pictures, TIMES))
    lost = np.flatnonzero(~track.tracked)
    assert (lost[0], lost[-1]) == (50, 58)


def test_who_comes_back_elsewhere_is_not_taken(tmp_path):
    pictures = _beside(_but(FRAMES, 50, 120), _but(FRAMES, 0, 70))
    with pytest.raises(UserError, match=r"no face .* at 1\.6-4\.0 s; .* or at another place"):
        track_video(write_clip(tmp_path / "elsewhere.mp4", pictures, TIMES))


def test_something_cut_out_is_bridged_and_named(tmp_path):
    pictures = [*FRAMES[:30], *FRAMES[80:]]
    clip = write_clip(tmp_path / "shortened.mp4", pictures, TIMES[: len(pictures)])
    with pytest.warns(Remark, match=r"the face jumps at 1\.0 s, as after a cut; it is taken for"):
        track = track_video(clip)
    assert track.lost_frames == 0


@pytest.mark.parametrize("fps", [30.0, 12.0, 5.5])
def test_who_moves_fast_is_not_lost(tmp_path, fps):
    """A camera swings to and fro in 2 s, past up to 4 faces a second."""
    rng = np.random.default_rng(0)
    wall = resized(rng.integers(0, 255, (20, 60, 3), dtype=np.uint8), 600, 200)
    pictures = []
    for frame, time in zip(FRAMES, TIMES, strict=True):
        left = int(140 + 60 * np.sin(np.pi * time))
        pictures.append(placed(wall, frame, 190, 28)[:, left : left + 280])
    shown = np.unique(np.round(np.arange(0, 119, 29.97 / fps)).astype(int))
    clip = write_clip(
        tmp_path / "swing.mp4", [pictures[i] for i in shown], [TIMES[i] for i in shown]
    )
    track = track_video(clip)
    assert (track.lost_frames, track.gaps) == (0, ())
