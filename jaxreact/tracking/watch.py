"""One pass over a video: what is seen of a face, picture by picture."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from jaxreact.media.video_reader import count_pictures, read_video
from jaxreact.tracking.face_detector import FaceDetector
from jaxreact.tracking.faces import Faces
from jaxreact.tracking.follow import Follower
from jaxreact.tracking.landmarker import open_landmarker
from jaxreact.tracking.view import View

CLEARLY = 1.25
"""How much more prominent somebody else must be for a second pass to follow them."""


@dataclass
class Seen:
    """What a pass over the pictures collects.

    times, faces: of the pictures with the face, and the faces.
    lost: times of those without, `others` of those among them that show somebody else's.
    jumps: times of faces that cannot have come from the one before.
    end: where the last picture ends.
    stopped: whether the video goes on behind `max_seconds`.
    size, whole: width and height of what is looked at, and of the whole (turned) pictures.
    """

    times: list[float] = field(default_factory=list)
    faces: Faces = field(default_factory=Faces)
    lost: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    jumps: list[float] = field(default_factory=list)
    end: float = 0.0
    stopped: bool = False
    size: tuple[int, int] = (1, 1)
    whole: tuple[int, int] = (1, 1)

    @property
    def pictures(self) -> int:
        """How many pictures were looked at."""
        return len(self.times) + len(self.lost)


def watch(
    path: Path, detector: FaceDetector, view: View, max_seconds: float | None, model: Path | None
) -> Seen:
    """Follows the most prominent person of a video.

    The first pass follows who has the largest face at the beginning; only where somebody else turns
    out to be clearly more prominent is there a second one. Raises `UserError` as `read_video` does.
    """
    seen, follower = _follow(path, detector, view, max_seconds, model, None)
    people, first = follower.people, follower.person
    best = people.most_prominent()
    if first is None or best is None or best == first:
        return seen
    if people.prominence(best) <= CLEARLY * people.prominence(first):
        return seen
    return _follow(path, detector, view, max_seconds, model, best)[0]


def _follow(
    path: Path,
    detector: FaceDetector,
    view: View,
    max_seconds: float | None,
    model: Path | None,
    person: int | None,
) -> tuple[Seen, Follower]:
    seen = Seen()
    bar = tqdm(
        total=count_pictures(path), desc="tracking", unit="picture", disable=None, file=sys.stderr
    )
    with open_landmarker(model) as landmarker, bar:
        follower = Follower(detector, landmarker, person)
        for picture in read_video(path):
            if max_seconds is not None and picture.time >= max_seconds:
                seen.stopped = True
                break
            seen.end = picture.time + picture.duration
            _add(seen, picture.rgb, picture.time, follower, view)
            bar.update()
    return seen, follower


def _add(seen: Seen, rgb: np.ndarray, time: float, follower: Follower, view: View) -> None:
    height, width = rgb.shape[:2]
    seen.whole = (height, width) if view.turn % 180 else (width, height)
    shown = view.of(rgb)
    seen.size = shown.shape[1], shown.shape[0]
    sight = follower.see(shown, time)
    if sight.face is None:
        seen.lost.append(time)
        if sight.others:
            seen.others.append(time)
        return
    seen.times.append(time)
    seen.faces.append(sight.face)
    if sight.jumped:
        seen.jumps.append(time)
