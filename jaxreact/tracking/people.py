"""Faces of successive pictures linked into persons, by place and size."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.tracking.box import Box, can_be, likeness, look_of

SAME_LOOK = 0.45
"""Likeness of a face and its surroundings from which it is the same person, though the whole
picture changed: a face is 0.5 or more of itself after 0.1 s, and 0.9 after a zoom; another is 0.34
at most (measured)."""

_AROUND = 2.0  # boxes

RECENT = 2.0
"""Seconds after which nobody is known by the look any more, only by the place in the same shot."""


@dataclass
class _Person:
    number: int
    box: Box
    time: float
    shot: int
    look: Float[np.ndarray, "16 16"]
    seconds: float = 0.0  # in which it was seen
    area: float = 0.0  # the integral of its area over them


class People:
    """The persons of a video, numbered in the order in which they appear.

    A face belongs to the person who was at about that place with about that size (`box.can_be`) in
    the same shot. After a cut it is somebody else's, unless it looks the same at the same place
    (the camera moved fast, or something was cut out), or the video is back in an earlier shot.
    """

    def __init__(self) -> None:
        self.present: dict[int, Box] = {}
        """Who was there when we last looked: numbers and boxes."""
        self._persons: list[_Person] = []
        self._time: float | None = None
        self._seconds = 0.0

    def look(
        self,
        time: float,
        boxes: list[Box],
        rgb: UInt8[np.ndarray, "height width 3"],
        shot: int,
    ) -> None:
        """Adds the faces of a picture at `time` s, which increases, in the given shot."""
        step = 0.0 if self._time is None else time - self._time
        known = [
            person
            for person in self._persons
            if person.shot == shot or time - person.time <= RECENT
        ]
        looks = [look_of(rgb, box, _AROUND) for box in boxes]
        pairs = sorted(
            (person.box.faces_to(box), person.number, i)
            for person in known
            for i, box in enumerate(boxes)
            if can_be(person.box, box, time - person.time)
            and (person.shot == shot or likeness(person.look, looks[i]) >= SAME_LOOK)
        )
        self.present = {}
        linked: dict[int, int] = {}
        for _, number, i in pairs:
            if number not in self.present and i not in linked:
                self.present[number], linked[i] = boxes[i], number
        for i, box in enumerate(boxes):
            if i not in linked:
                number = len(self._persons)
                self._persons.append(_Person(number, box, time, shot, looks[i]))
                self.present[number], linked[i] = box, number
            person = self._persons[linked[i]]
            person.box, person.time, person.shot, person.look = box, time, shot, looks[i]
            person.seconds += step
            person.area += step * box.side**2
        self._time = time
        self._seconds += step

    def largest(self) -> int | None:
        """Who has the largest face of those present."""
        return max(self.present, key=lambda number: self.present[number].side, default=None)

    def prominence(self, number: int) -> float:
        """The mean area of a face while it is there (pixels), times the square of the share of the
        time that it is.
        """
        person = self._persons[number]
        if not person.seconds:
            return 0.0
        return person.area / person.seconds * (person.seconds / self._seconds) ** 2

    def most_prominent(self) -> int | None:
        """Whose face is the most prominent so far."""
        return max(range(len(self._persons)), key=self.prominence, default=None)
