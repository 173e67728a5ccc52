"""Which way up a face is."""

from fractions import Fraction

import av
import av.filter
import numpy as np
import pytest

from jaxreact.tracking import track_video
from jaxreact.tracking.face_detector import open_face_detector
from jaxreact.tracking.no_opengl import drawing_modules_optional
from jaxreact.tracking.upright import find_turn
from tests.clips import BROKEN_CARPHONE, BUNNY, CARPHONE, decode, hopper, resized, write_clip

with drawing_modules_optional():
    pytest.importorskip("mediapipe", exc_type=ModuleNotFoundError)


@pytest.fixture(scope="module")
def detector():
    with open_face_detector() as detector:
        yield detector


def _leaning(picture: np.ndarray, degrees: int) -> np.ndarray:
    """A picture turned by any angle, by the filter of FFmpeg."""
    graph = av.filter.Graph()
    height, width = picture.shape[:2]
    source = graph.add_buffer(
        width=width, height=height, format=av.VideoFormat("rgb24"), time_base=Fraction(1)
    )
    turn = graph.add("rotate", f"{degrees}*PI/180:fillcolor=gray")
    sink = graph.add("buffersink")
    source.link_to(turn)
    turn.link_to(sink)
    graph.configure()
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame.pts, frame.time_base = 0, Fraction(1)
    graph.push(frame)
    made = graph.pull()
    assert isinstance(made, av.VideoFrame)
    return made.to_ndarray(format="rgb24")


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_picture_that_lies_or_hangs_is_noticed(tmp_path, detector, turn):
    """Two persons; the pictures are turned counter-clockwise, so clockwise puts them right."""
    frames, times = decode(CARPHONE)
    still = resized(hopper(), 256, 300)
    for name, pictures in (("car", frames[:45]), ("hopper", [still] * 20)):
        rotated = [np.rot90(picture, turn // 90) for picture in pictures]
        clip = write_clip(tmp_path / f"{name}.mp4", rotated, times[: len(rotated)])
        assert find_turn(clip, detector) == turn


@pytest.mark.parametrize("degrees", [-40, -20, 20, 40])
def test_heads_that_lean_stay_as_they_are(tmp_path, detector, degrees):
    """He leans by 16 degrees himself: to 56 to the right, and 24 to the left."""
    frames, times = decode(CARPHONE)
    leaning = [_leaning(frame, degrees) for frame in frames[:60:3]]
    clip = write_clip(tmp_path / "leaning.mp4", leaning, times[:60:3])
    assert find_turn(clip, detector) == 0


def test_what_does_not_say_stays_as_it_is(detector):
    for clip in (CARPHONE, BROKEN_CARPHONE, BUNNY):
        assert find_turn(clip, detector) == 0


def test_a_turned_video_is_tracked_as_the_upright_one_and_says_so(tmp_path):
    frames, times = decode(CARPHONE)
    upright = write_clip(tmp_path / "upright.mp4", frames[:30], times[:30])
    hanging = write_clip(tmp_path / "hanging.mp4", [f[::-1, ::-1] for f in frames[:30]], times[:30])
    expected = track_video(upright)
    with pytest.warns(match=r"hanging\.mp4: the face is not upright; .* by 180 degrees clockwise"):
        track = track_video(hanging)
    assert (expected.turn, track.turn) == (0, 180)
    assert abs(track.coeffs - expected.coeffs).max() < 0.1
    assert track.centre == pytest.approx(expected.centre, abs=0.01)
    asked = track_video(hanging, turn=180)
    np.testing.assert_allclose(asked.coeffs, track.coeffs, atol=1e-5)
    as_it_is = track_video(hanging, turn=0, on_gap="hold")
    assert as_it_is.turn == 0
    assert abs(as_it_is.coeffs[:, :52] - expected.coeffs[:, :52]).max() > 0.3
