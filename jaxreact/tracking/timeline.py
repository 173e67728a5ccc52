"""Irregular detections to a steady 25 frames a second, and what to do where a face was lost."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from jaxreact.errors import UserError
from jaxreact.face import FPS, ROTATION

GapPolicy = Literal["error", "hold"]
"""What happens to a gap longer than the limit: an error, or the last face held still."""


@dataclass(frozen=True)
class Gap:
    """A span without a face, in seconds; `long` when it exceeds the limit for interpolation."""

    start: float
    end: float
    long: bool

    def __str__(self) -> str:
        return f"{self.start:.1f}-{self.end:.1f} s"


def frame_count(duration: float) -> int:
    """How many frames at 25 a second a video of `duration` seconds fills."""
    return int(duration * FPS + 1e-6)


def unwrap_angles(coeffs: Float[np.ndarray, "time 58"]) -> Float[np.ndarray, "time 58"]:
    """Removes jumps of 2 pi in the three rotations, keeping the first frame's branch."""
    coeffs = coeffs.copy()
    coeffs[:, ROTATION] = np.unwrap(coeffs[:, ROTATION], axis=0)
    return coeffs


def find_gaps(
    face_times: Float[np.ndarray, "faces"],
    lost_times: Float[np.ndarray, "lost"],
    duration: float,
    max_gap: float,
) -> list[Gap]:
    """Spans in which pictures without a face lie, or no picture at all for more than `max_gap`.

    `face_times` and `lost_times` are the times of pictures with and without a face, in seconds,
    increasing. A span reaches from the last face before it to the first one after it (or the
    clip's beginning or end).
    """
    edges = np.concatenate([[0.0], face_times, [duration]])
    has_lost = np.histogram(lost_times, edges)[0] > 0
    gaps = []
    for start, end, lost in zip(edges[:-1], edges[1:], has_lost, strict=True):
        long = bool(end - start > max_gap)
        if lost or long:
            gaps.append(Gap(float(start), float(end), long))
    return gaps


def resample(
    times: Float[np.ndarray, "faces"], coeffs: Float[np.ndarray, "faces 58"], count: int
) -> Float[np.ndarray, "count 58"]:
    """Coefficients at k / 25 s for k < `count`: linear in time, held before the first and after
    the last detection. Angles must be unwrapped.
    """
    grid = np.arange(count) / FPS
    columns = [np.interp(grid, times, column) for column in coeffs.T]
    return np.stack(columns, axis=1).astype(np.float32)


def hold(coeffs: Float[np.ndarray, "count 58"], gaps: list[Gap]) -> Float[np.ndarray, "count 58"]:
    """Replaces what was interpolated over the long `gaps` by the last frame before each."""
    coeffs = coeffs.copy()
    for gap in gaps:
        inside = _inside(gap, len(coeffs))
        if gap.long and inside.any() and inside.argmax() > 0:
            coeffs[inside] = coeffs[inside.argmax() - 1]
    return coeffs


def tracked_mask(gaps: list[Gap], count: int) -> Bool[np.ndarray, "count"]:
    """True for each of `count` frames that does not lie within a gap, short or long."""
    mask = np.ones(count, bool)
    for gap in gaps:
        mask &= ~_inside(gap, count)
    return mask


def refuse_long_gaps(path: object, gaps: list[Gap], max_gap: float) -> None:
    """Raises a `UserError` that lists the spans of all long gaps."""
    spans = [str(gap) for gap in gaps if gap.long]
    if spans:
        shown = ", ".join(spans[:5]) + (f" and {len(spans) - 5} more" if len(spans) > 5 else "")
        raise UserError(
            f"{path}: no face for longer than {max_gap:g} s at {shown}; cut the video there, or "
            "pass --on-gap hold to keep the last face still"
        )


def _inside(gap: Gap, count: int) -> np.ndarray:
    grid = np.arange(count) / FPS
    return (grid > gap.start) & (grid < gap.end)
