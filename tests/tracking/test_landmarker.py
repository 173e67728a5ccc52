"""The landmarker's first pictures of a face."""

import numpy as np
import pytest

from jaxreact.tracking import track_video
from jaxreact.tracking.landmarker import open_landmarker
from jaxreact.tracking.no_opengl import drawing_modules_optional
from tests.clips import CARPHONE, decode, write_clip

with drawing_modules_optional():
    pytest.importorskip("mediapipe", exc_type=ModuleNotFoundError)


def _expressions(detection) -> np.ndarray:
    assert detection is not None
    return detection.expressions


@pytest.mark.parametrize("number", [0, 75])
def test_the_first_picture_is_settled(number):
    picture = decode(CARPHONE)[0][number]
    with open_landmarker() as landmarker:
        first = _expressions(landmarker.detect(picture, 0.0))
        for i in range(1, 60):
            settled = _expressions(landmarker.detect(picture, i / 25))
        landmarker.forget()
        at_once = _expressions(landmarker.settle(picture, 3.0))
        next_one = _expressions(landmarker.detect(picture, 3.04))
    assert abs(first - settled).max() > 0.15  # what it is all about
    assert abs(at_once - settled).max() < 0.015
    assert abs(next_one - settled).max() < 0.015


def test_a_picture_without_a_face_settles_to_none():
    with open_landmarker() as landmarker:
        assert landmarker.settle(np.full((120, 160, 3), 127, np.uint8), 0.0) is None


def test_a_still_is_the_same_from_its_first_frame_on(tmp_path):
    picture = decode(CARPHONE)[0][75]
    clip = write_clip(tmp_path / "still.mp4", [picture] * 50, [i / 25 for i in range(50)])
    expressions = track_video(clip).coeffs[:, :52]
    assert abs(expressions[0] - expressions[-1]).max() < 0.03


def test_its_box_is_the_detectors(tmp_path):
    from jaxreact.tracking.face_detector import open_face_detector

    frames, _ = decode(CARPHONE)
    with open_landmarker() as landmarker, open_face_detector() as detector:
        for i in range(0, 120, 30):
            found = landmarker.settle(frames[i], i / 30)
            (face,) = detector.faces(frames[i])
            assert found is not None
            assert found.box.faces_to(face.box) < 0.2
            assert found.box.side == pytest.approx(face.box.side, rel=0.25)
