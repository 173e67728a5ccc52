"""What is taken for the followed face and what is not, with a detector and a landmarker by hand."""

import numpy as np
import pytest

from jaxreact.tracking.box import Box
from jaxreact.tracking.face_detector import Face
from jaxreact.tracking.follow import Follower, Sight
from jaxreact.tracking.landmarker import Detection

PICTURE = np.random.default_rng(0).integers(0, 255, (120, 200, 3), dtype=np.uint8)
HERE, THERE = Box(50.0, 60.0, 40.0), Box(150.0, 60.0, 40.0)

pytestmark = pytest.mark.wrong_arguments


class _Detector:
    def __init__(self):
        self.boxes = [HERE]

    def faces(self, rgb):
        return [Face(box, 0.9, 0.0) for box in self.boxes]


class _Landmarker:
    """Finds a face at `box`, which looks `yaw` degrees to the side."""

    def __init__(self):
        self.box: Box | None = HERE
        self.yaw, self.settled, self.forgotten = 0.0, 0, 0
        self.shown = PICTURE

    def detect(self, rgb, time):
        self.shown = rgb
        if self.box is None:
            return None
        matrix, angle = np.eye(4), np.radians(self.yaw)
        matrix[0, 0] = matrix[2, 2] = np.cos(angle)
        matrix[0, 2], matrix[2, 0] = np.sin(angle), -np.sin(angle)
        return Detection(np.zeros(52), matrix, self.box)

    def settle(self, rgb, time):
        self.settled += 1
        return self.detect(rgb, time)

    def forget(self):
        self.forgotten += 1


class _Scene:
    def __init__(self):
        self.detector, self.landmarker = _Detector(), _Landmarker()
        self.follower = Follower(self.detector, self.landmarker)  # pyright: ignore

    def see(self, time: float) -> Sight:
        return self.follower.see(PICTURE, time)


@pytest.mark.parametrize(
    ("degrees", "seconds", "jumped"),
    [(15, 0.033, False), (40, 0.033, True), (40, 0.18, False), (60, 0.18, True)],
)
def test_a_head_turns_only_so_fast(degrees, seconds, jumped):
    scene = _Scene()
    assert not scene.see(0.0).jumped
    scene.landmarker.yaw = degrees
    sight = scene.see(seconds)
    assert sight.face is not None
    assert sight.jumped == jumped
    assert scene.landmarker.settled == 1 + jumped
    assert not scene.see(seconds + 0.01).jumped


def test_a_face_that_is_not_where_the_detector_sees_it_is_refused():
    scene = _Scene()
    scene.see(0.0)
    scene.landmarker.box = THERE
    assert scene.see(0.1).face is None
    scene.landmarker.box = HERE
    assert scene.see(0.2).face is not None
    assert scene.landmarker.settled == 3  # each time as a new one


def test_a_face_that_only_the_landmarker_sees_is_kept():
    scene = _Scene()
    scene.see(0.0)
    scene.detector.boxes = []
    assert scene.see(0.1).face is not None
    scene.detector.boxes = [THERE]
    sight = scene.see(0.2)
    assert sight.face is not None
    assert sight.others
    scene.landmarker.box = THERE  # it slips over to the other
    assert scene.see(0.3) == Sight(None, True)
    scene.landmarker.box = None
    assert scene.see(0.4) == Sight(None, True)


def test_others_are_covered_and_the_followed_one_is_not():
    scene = _Scene()
    scene.detector.boxes = [HERE, THERE]
    assert scene.see(0.0).others
    shown = scene.landmarker.shown
    assert (shown[40:80, 130:170] == 127).all()
    np.testing.assert_array_equal(shown[:, :100], PICTURE[:, :100])
    assert scene.follower.person == 0


def test_a_face_that_was_away_settles_again():
    scene = _Scene()
    scene.see(0.0)
    scene.detector.boxes, scene.landmarker.box = [], None
    for time in (0.1, 0.2, 0.3):
        assert scene.see(time).face is None
    scene.detector.boxes, scene.landmarker.box = [HERE], HERE
    settled = scene.landmarker.settled
    assert scene.see(0.4).face is not None
    assert scene.landmarker.settled == settled + 1
