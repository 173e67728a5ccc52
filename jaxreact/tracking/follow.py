"""One person's face through the pictures of a video, whoever else is in them."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from jaxreact.tracking.box import Box, can_be, likeness, look_of
from jaxreact.tracking.face_detector import FaceDetector
from jaxreact.tracking.landmarker import Detection, Landmarker
from jaxreact.tracking.people import People
from jaxreact.tracking.shots import Shots

LOOK_EVERY = 0.1
"""Seconds between looks at all faces: at 30 pictures a second they cost 0.4 ms of 6 a picture."""

OUT_OF_SIGHT = 0.2
"""A face that comes back after so many seconds is a new one to the landmarker, which settles."""

SAME_PLACE = 0.6
"""Distance in faces within which the landmarker's and the detector's are one."""

OTHER_FACE = 0.35
"""Likeness of the face to the one a moment before under which something has happened to it: it is
0.5 or more of itself after 0.1 s, and 0.24 of another's that takes its place (measured)."""

MOMENT = 0.15
"""Longest moment in seconds."""

_COVERED, _SPARED, _ALONE = 1.4, 2.0, 1.2  # boxes: of other faces, of the followed one, its look


@dataclass(frozen=True)
class Sight:
    """What one picture shows.

    face: of the person who is followed, None where it is not seen.
    others: whether somebody else is seen.
    jumped: whether the face cannot have come here, turned or changed so far since the last picture:
        something was cut out, but at that place it is taken for the same person.
    """

    face: Detection | None
    others: bool
    jumped: bool = False


class Follower:
    """Follows the person of a number of `People`, or with None the largest of the first picture
    with a face. Other faces are covered before the landmarker sees a picture, so that it has no
    other to take.
    """

    def __init__(
        self, detector: FaceDetector, landmarker: Landmarker, person: int | None = None
    ) -> None:
        self.people = People()
        self.person = person
        self._detector = detector
        self._landmarker = landmarker
        self._shots = Shots()
        self._shot = 0
        self._looked = -math.inf
        self._last: tuple[float, Detection] | None = None
        self._last_shot = 0
        self._last_look = np.empty((0, 0))
        self._fresh = True  # the landmarker follows nobody

    def see(self, rgb: UInt8[np.ndarray, "height width 3"], time: float) -> Sight:
        """The next picture, at `time` seconds."""
        self._look(rgb, time)
        present = self.people.present
        others = [box for number, box in present.items() if number != self.person]
        away = self.person not in present
        face = None
        if not (away and (others or self.person is None)) or self._just_seen(time):
            face = self._find(_covered(rgb, others, self._own_box()), time, others)
        if face is None:
            return Sight(None, bool(others))
        look = look_of(rgb, face.box, _ALONE)
        jumped = self._jumped(face, look, time)
        if jumped:
            self._landmarker.forget()
            face = self._landmarker.settle(_covered(rgb, others, face.box), time) or face
            look = look_of(rgb, face.box, _ALONE)
        self._last, self._last_shot, self._fresh = (time, face), self._shot, False
        self._last_look = look
        return Sight(face, bool(others), jumped)

    def _look(self, rgb: np.ndarray, time: float) -> None:
        """Looks at all faces now and then, after a cut, and as long as there are none.

        When it looks does not depend on who is followed, nor do the numbers of the persons.
        """
        shot = self._shots.number(rgb)
        due = time - self._looked >= LOOK_EVERY - 1e-6
        if due or shot != self._shot or not self.people.present:
            boxes = [face.box for face in self._detector.faces(rgb)]
            self.people.look(time, boxes, rgb, shot)
            self._looked, self._shot = time, shot
            if self.person is None:
                self.person = self.people.largest()

    def _just_seen(self, time: float) -> bool:
        """Whether the landmarker is at work: it holds faces that the detector does not find."""
        return self._last is not None and not self._fresh and time - self._last[0] <= OUT_OF_SIGHT

    def _own_box(self) -> Box | None:
        assert self.person is not None or not self.people.present
        if self.person in self.people.present:
            return self.people.present[self.person]
        return self._last[1].box if self._last else None

    def _find(self, rgb: np.ndarray, time: float, others: list[Box]) -> Detection | None:
        if self._last is None or time - self._last[0] > OUT_OF_SIGHT:
            if not self._fresh:
                self._landmarker.forget()
            self._fresh = True
        if not self._fresh:
            face = self._landmarker.detect(rgb, time)
            if face is not None and self._is_followed(face.box, time, others):
                return face
            if face is None and self.person not in self.people.present:
                return None
            self._landmarker.forget()  # it has lost the face, or taken another
            self._fresh = True
        face = self._landmarker.settle(rgb, time)
        if face is not None and not self._is_followed(face.box, time, others):
            self._landmarker.forget()
            return None
        return face

    def _is_followed(self, box: Box, time: float, others: list[Box]) -> bool:
        own = self.people.present.get(self.person) if self.person is not None else None
        nearest = min((box.faces_to(other) for other in others), default=math.inf)
        if own is not None:
            reach = SAME_PLACE + 6 * (time - self._looked)
            return box.faces_to(own) <= min(reach, nearest)
        if self._last is None or self._last_shot != self._shot:
            return False
        return nearest > SAME_PLACE and can_be(self._last[1].box, box, time - self._last[0])

    def _jumped(self, face: Detection, look: np.ndarray, time: float) -> bool:
        if self._last is None or time - self._last[0] > OUT_OF_SIGHT:
            return False
        seconds, before = time - self._last[0], self._last[1]
        if seconds <= MOMENT and likeness(self._last_look, look) < OTHER_FACE:
            return True
        turned = _angle(before.matrix, face.matrix) > 20 + 150 * seconds
        return turned or not can_be(before.box, face.box, seconds)


def _angle(before: np.ndarray, now: np.ndarray) -> float:
    """Degrees between the rotations of two pose matrices."""
    cosine = (np.trace(before[:3, :3].T @ now[:3, :3]) - 1) / 2
    return math.degrees(math.acos(np.clip(cosine, -1, 1)))


def _covered(rgb: np.ndarray, others: list[Box], own: Box | None) -> np.ndarray:
    """A picture with all other faces painted grey, except where the followed one is."""
    if not others:
        return rgb
    covered = rgb.copy()
    for box in others:
        covered[box.area(_COVERED, *rgb.shape[:2])] = 127
    if own is not None:
        spared = own.area(_SPARED, *rgb.shape[:2])
        covered[spared] = rgb[spared]
    return covered
