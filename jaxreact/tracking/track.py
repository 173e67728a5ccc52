"""A video of a face -> its 58-vector, 25 times a second."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from tqdm import tqdm

from jaxreact.errors import UserError
from jaxreact.face import COEFFS, EXPRESSION, ROTATION, TRANSLATION
from jaxreact.media.video_reader import count_pictures, read_video
from jaxreact.tracking import pose, timeline
from jaxreact.tracking.landmarker import Detection, open_landmarker

MIN_SOURCE_FPS = 5.0
"""Slower recordings are refused: blinks and lip movements fall between their pictures."""


@dataclass(frozen=True)
class Track:
    """What was seen of one face.

    coeffs: raw 58-vectors at exactly 25 a second, frame k at k / 25 s of the video.
    tracked: False where a frame is interpolated or held over pictures without a face.
    gaps: the spans without a face.
    source_fps: pictures a second of the video, on average.
    source_frames, lost_frames: pictures in the video, and those of them without a face.
    centre: the face's median place, (x, y) as fractions of the picture.
    """

    coeffs: Float[np.ndarray, "time 58"]
    tracked: Bool[np.ndarray, "time"]
    gaps: tuple[timeline.Gap, ...]
    source_fps: float
    source_frames: int
    lost_frames: int
    centre: tuple[float, float]

    def warning(self) -> str | None:
        """One line about what makes the track doubtful, None where nothing does."""
        held = [str(gap) for gap in self.gaps if gap.long]
        if held:
            return f"no face at {', '.join(held)}: the last one is held there"
        if self.lost_frames > self.source_frames / 4:
            seen = self.source_frames - self.lost_frames
            return f"a face was found in only {seen} of {self.source_frames} pictures"
        return None


@dataclass
class _Seen:
    """What a pass over the pictures collects."""

    times: list[float]
    lost: list[float]
    faces: list[Detection]
    end: float
    picture_size: tuple[int, int]


def track_video(
    path: str | Path,
    *,
    max_gap: float = 0.5,
    on_gap: timeline.GapPolicy = "error",
    max_seconds: float | None = None,
    model: Path | None = None,
) -> Track:
    """Tracks the most prominent face of a video, of any size and frame rate, constant or not.

    Expressions are MediaPipe's blendshapes; pose as in `jaxreact.tracking.pose`: the clip's median
    face is centred at the neutral size. Pictures without a face are bridged linearly for up to
    `max_gap` seconds; longer gaps are a `UserError` that lists them, or with `on_gap="hold"` the
    last face stands still. `max_seconds` stops early. Memory does not grow with picture size.

    Raises `UserError` also for a file that is missing, damaged or without pictures, a video without
    any face or under 5 pictures a second, and when the `track` extra is not installed.
    """
    path = Path(path)
    seen = _watch(path, max_seconds, model)
    total = len(seen.times) + len(seen.lost)
    if not seen.faces:
        raise UserError(f"{path}: no face found in {total} pictures; show one face, well lit")
    first_to_last = max(seen.times + seen.lost)
    fps = (total - 1) / first_to_last if first_to_last > 0 else 0.0
    if fps < MIN_SOURCE_FPS:
        raise UserError(
            f"{path}: {fps:.1f} pictures a second are too few to follow a face; "
            f"at least {MIN_SOURCE_FPS:g} are needed"
        )
    times = np.array(seen.times)
    gaps = timeline.find_gaps(times, np.array(seen.lost), seen.end, max_gap)
    if on_gap == "error":
        timeline.refuse_long_gaps(path, gaps, max_gap)
    matrices = np.stack([face.matrix for face in seen.faces])
    count = timeline.frame_count(seen.end)
    steady = timeline.resample(times, _coefficients(seen.faces, matrices), count)
    return Track(
        coeffs=timeline.hold(steady, gaps),
        tracked=timeline.tracked_mask(gaps, count),
        gaps=tuple(gaps),
        source_fps=fps,
        source_frames=total,
        lost_frames=len(seen.lost),
        centre=pose.face_centre(matrices, *seen.picture_size),
    )


def _watch(path: Path, max_seconds: float | None, model: Path | None) -> _Seen:
    seen = _Seen([], [], [], 0.0, (1, 1))
    bar = tqdm(
        total=count_pictures(path), desc="tracking", unit="picture", disable=None, file=sys.stderr
    )
    with open_landmarker(model) as landmarker, bar:
        for picture in read_video(path):
            if max_seconds is not None and picture.time >= max_seconds:
                break
            seen.end = picture.time + picture.duration
            seen.picture_size = picture.rgb.shape[1], picture.rgb.shape[0]
            face = landmarker.detect(picture.rgb, picture.time)
            if face is None:
                seen.lost.append(picture.time)
            else:
                seen.times.append(picture.time)
                seen.faces.append(face)
            bar.update()
    return seen


def _coefficients(faces: list[Detection], matrices: np.ndarray) -> np.ndarray:
    coeffs = np.empty((len(faces), COEFFS))
    coeffs[:, EXPRESSION] = [face.expressions for face in faces]
    coeffs[:, ROTATION] = pose.rotations(matrices)
    coeffs[:, TRANSLATION] = pose.translations(matrices)
    return timeline.unwrap_angles(coeffs)
