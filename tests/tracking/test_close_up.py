"""Faces that are too small for the detector."""

from pathlib import Path

import numpy as np
import pytest

from jaxreact.errors import Remark, UserError
from jaxreact.tracking import track_video
from jaxreact.tracking.face_detector import open_face_detector
from jaxreact.tracking.no_opengl import drawing_modules_optional
from tests.clips import CARPHONE, decode, placed, resized, write_clip

with drawing_modules_optional():
    pytest.importorskip("mediapipe", exc_type=ModuleNotFoundError)

FRAMES, TIMES = decode(CARPHONE)


def _small(path: Path, width: int, turn: int = 0) -> Path:
    """He in a large picture, himself so many pixels wide; his face is 0.28 of that."""
    room = np.full((480, 854, 3), 90, np.uint8)
    pictures = [
        placed(room, np.rot90(resized(frame, width, width * 9 // 11), turn), 460, 170)
        for frame in FRAMES[:40]
    ]
    return write_clip(path, pictures, TIMES[:40])


def _expected() -> np.ndarray:
    return track_video(CARPHONE).coeffs[:32, :52]


def test_a_small_face_is_followed_in_a_part(tmp_path):
    clip = _small(tmp_path / "small.mp4", 200)
    with open_face_detector() as detector:  # the reason for all this
        assert not any(detector.faces(picture) for picture in decode(clip)[0])
    with pytest.warns(Remark, match=r"small\.mp4: the face is small; it is followed in \d+ pixels"):
        track = track_video(clip)
    assert track.tracked.all()
    assert track.centre == pytest.approx(
        ((460 + 0.44 * 200) / 854, (170 + 0.47 * 163) / 480), abs=0.02
    )
    assert abs(track.coeffs[:32, :52] - _expected()).mean() < 0.02


def test_a_face_of_few_pixels_is_doubtful(tmp_path):
    with pytest.warns(Remark, match=r"the face is only \d\d pixels large, brow to chin; .* rough"):
        track = track_video(_small(tmp_path / "tiny.mp4", 110))
    assert track.face_side == pytest.approx(0.28 * 110, abs=3)


@pytest.mark.slow
def test_a_small_face_upside_down(tmp_path):
    with pytest.warns(Remark, match="turned by 180 degrees"):
        track = track_video(_small(tmp_path / "hanging.mp4", 200, turn=2))
    assert abs(track.coeffs[:32, :52] - _expected()).mean() < 0.02


def test_what_is_said_of_a_face_too_small_helps(tmp_path):
    with pytest.raises(UserError, match=r"no face found in 40 pictures; .* of at least 40 pixels"):
        track_video(_small(tmp_path / "speck.mp4", 40))
    assert track_video(_small(tmp_path / "enough.mp4", 150)).tracked.all()  # 42 pixels
