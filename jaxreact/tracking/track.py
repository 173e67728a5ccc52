"""A video of a face -> its 58-vector, 25 times a second."""

import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from jaxreact.errors import Remark, UserError
from jaxreact.face import COEFFS, EXPRESSION, ROTATION, TRANSLATION
from jaxreact.media.video_reader import count_pictures
from jaxreact.tracking import pose, timeline
from jaxreact.tracking.close_up import find_close_up
from jaxreact.tracking.face_detector import FaceDetector, open_face_detector
from jaxreact.tracking.faces import Faces
from jaxreact.tracking.upright import find_turn
from jaxreact.tracking.view import QuarterTurn, Turn, View
from jaxreact.tracking.watch import Seen, watch

MIN_SOURCE_FPS = 5.0
"""Slower recordings are refused: blinks and lip movements fall between their pictures."""

SMALL = 40
"""Pixels, brow to chin, under which expressions are off by 0.02 on average and 0.3 at most (33
pixels), 0.04 and 0.9 (22); from 49 on it is 0.005 and 0.1 (measured on a clip made smaller)."""


@dataclass(frozen=True)
class Track:
    """What was seen of one face.

    coeffs: raw 58-vectors at exactly 25 a second, frame k at k / 25 s of the video.
    tracked: False where a frame is interpolated or held over pictures without the face.
    gaps: the spans without the face.
    source_fps: pictures a second of the video, on average.
    source_frames, lost_frames: pictures looked at, and those of them without the face.
    centre: the face's median place, (x, y) as fractions of the turned picture.
    turn: degrees by which the pictures were turned clockwise.
    face_side: median side of the face, brow to chin, in pixels.
    stopped: whether `max_seconds` left out some of the video; `source_seconds` is then about how
        long the whole of it is, None where its header does not say.
    """

    coeffs: Float[np.ndarray, "time 58"]
    tracked: Bool[np.ndarray, "time"]
    gaps: tuple[timeline.Gap, ...]
    source_fps: float
    source_frames: int
    lost_frames: int
    centre: tuple[float, float]
    turn: QuarterTurn = 0
    face_side: float = math.inf
    stopped: bool = False
    source_seconds: float | None = None

    def doubts(self) -> list[str]:
        """What makes the track doubtful, a line for each thing."""
        lines = []
        if held := [gap for gap in self.gaps if gap.long]:
            lines.append(f"no face at {timeline.spans(held)}: the last one is held there")
        elif self.lost_frames > self.source_frames / 4:
            seen = self.source_frames - self.lost_frames
            lines.append(f"the face was found in only {seen} of {self.source_frames} pictures")
        if others := [gap for gap in self.gaps if gap.why == "other"]:
            lines.append(timeline.not_taken(others))
        if jumps := [gap for gap in self.gaps if gap.why == "jump"]:
            lines.append(
                f"the face jumps at {timeline.spans(jumps)}, as after a cut; "
                "it is taken for the same person's"
            )
        if self.face_side < SMALL:
            lines.append(
                f"the face is only {self.face_side:.0f} pixels large, brow to chin; expressions of "
                f"one under {SMALL} are rough"
            )
        return lines

    def warning(self) -> str | None:
        """All doubts in one line, None where there are none."""
        return "; ".join(self.doubts()) or None


def track_video(
    path: str | Path,
    *,
    max_gap: float = 0.5,
    on_gap: timeline.GapPolicy = "error",
    max_seconds: float | None = None,
    turn: Turn = "auto",
    model: Path | None = None,
) -> Track:
    """Tracks the most prominent face of a video, of any size and frame rate, constant or not.

    Expressions are MediaPipe's blendshapes; pose as in `jaxreact.tracking.pose`: the clip's median
    face is centred at the neutral size. One person is followed, whose face is large and there for
    long. Pictures without it, whether or not they show another, are bridged linearly for up to
    `max_gap` seconds; longer gaps are a `UserError` that lists them, or with `on_gap="hold"` the
    last face stands still. After a cut a face is another, unless it looks the same at the same
    place. `max_seconds` stops early. `turn` is by how many degrees the pictures are turned
    clockwise first; "auto" finds out which way up the faces are. A face that is too small to be
    found is looked for in parts of the picture. Memory does not grow with picture size.

    What is doubtful (`Track.doubts`), and a turn or a part that was found, is a `Remark`. Raises
    `UserError` also for a file that is missing, damaged or without pictures, a video without any
    face or under 5 pictures a second, and when the `track` extra is not installed.
    """
    path = Path(path)
    with open_face_detector(model) as detector:
        view = View(find_turn(path, detector) if turn == "auto" else turn)
        seen = watch(path, detector, view, max_seconds, model)
        if _hardly_seen(seen) and (part := _close_up(path, detector, view, turn)) is not None:
            closer = watch(path, detector, part, max_seconds, model)
            if len(closer.faces) > len(seen.faces):
                seen, view = closer, part
    for told in _told(view, turn):
        _remark(path, told)
    track = _track_of(path, seen, view, max_gap, on_gap)
    for doubt in track.doubts():
        _remark(path, doubt)
    return track


def _hardly_seen(seen: Seen) -> bool:
    """Whether a face may be there that is too small for whole pictures."""
    if len(seen.faces) > seen.pictures / 2:
        return False
    return not seen.faces or seen.faces.side < max(seen.size) / 8


def _close_up(path: Path, detector: FaceDetector, view: View, turn: Turn) -> View | None:
    """The part of the pictures around a small face, with a turn that only the part may tell."""
    part = find_close_up(path, detector, view.turn)
    if turn != "auto" or view.turn:
        return part
    if part is None:  # upside down it has less than a close-up asks for; on its side not
        return find_close_up(path, detector, 180)
    found = find_turn(path, detector, part)
    return find_close_up(path, detector, found) if found else part


def _told(view: View, turn: Turn) -> list[str]:
    """What was found out about how to look at the pictures."""
    told = []
    if view.turn and turn == "auto":
        told.append(
            f"the face is not upright; the pictures are turned by {view.turn} degrees clockwise "
            "(--turn 0 leaves them)"
        )
    if view.part is not None:
        told.append(f"the face is small; it is followed in {view.part[2]} pixels around it")
    return told


def _track_of(
    path: Path, seen: Seen, view: View, max_gap: float, on_gap: timeline.GapPolicy
) -> Track:
    if not seen.faces:
        raise UserError(f"{path}: no face found in {seen.pictures} pictures; {_SHOW_ONE}")
    first_to_last = max(seen.times + seen.lost)
    fps = (seen.pictures - 1) / first_to_last if first_to_last > 0 else 0.0
    if fps < MIN_SOURCE_FPS:
        raise UserError(
            f"{path}: {fps:.1f} pictures a second are too few to follow a face; "
            f"at least {MIN_SOURCE_FPS:g} are needed"
        )
    gaps = timeline.find_gaps(
        np.array(seen.times),
        np.array(seen.lost),
        seen.end,
        max_gap,
        other_times=np.array(seen.others),
        jump_times=np.array(seen.jumps),
    )
    if on_gap == "error":
        timeline.refuse_long_gaps(path, gaps, max_gap)
    matrices = seen.faces.matrices
    count = timeline.frame_count(seen.end)
    steady = timeline.resample(np.array(seen.times), _coefficients(seen.faces, matrices), count)
    pictures = count_pictures(path) if seen.stopped else None
    return Track(
        coeffs=timeline.hold(steady, gaps),
        tracked=timeline.tracked_mask(gaps, count),
        gaps=tuple(gaps),
        source_fps=fps,
        source_frames=seen.pictures,
        lost_frames=len(seen.lost),
        centre=view.in_whole(pose.face_centre(matrices, *seen.size), seen.whole),
        turn=view.turn,
        face_side=seen.faces.side,
        stopped=seen.stopped,
        source_seconds=pictures / fps if pictures else None,
    )


_SHOW_ONE = (
    f"show one from the front, of at least {SMALL} pixels from brow to chin, with eyes and mouth "
    "in sight"
)


def _remark(path: Path, text: str) -> None:
    warnings.warn(f"{path}: {text}", Remark, stacklevel=3)


def _coefficients(faces: Faces, matrices: np.ndarray) -> np.ndarray:
    coeffs = np.empty((len(faces), COEFFS))
    coeffs[:, EXPRESSION] = faces.expressions
    coeffs[:, ROTATION] = pose.rotations(matrices)
    coeffs[:, TRANSLATION] = pose.translations(matrices)
    return timeline.unwrap_angles(coeffs)
