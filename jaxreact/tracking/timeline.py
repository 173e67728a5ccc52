"""Irregular detections to a steady 25 frames a second, and what to do where a face was lost."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from jaxreact.errors import UserError
from jaxreact.face import FPS, ROTATION

GapPolicy = Literal["error", "hold"]
"""What happens to a gap longer than the limit: an error, or the last face held still."""


Why = Literal["lost", "other", "jump"]
"""Why there is a gap: no face is seen, or only somebody else's; or the face is somewhere else from
one picture to the next, as after a cut."""


@dataclass(frozen=True)
class Gap:
    """A span without the face, in seconds; `long` when it exceeds the limit for interpolation."""

    start: float
    end: float
    long: bool
    why: Why = "lost"

    def __str__(self) -> str:
        if self.why == "jump":
            return f"{self.end:.1f} s"
        return f"{self.start:.1f}-{self.end:.1f} s"


def spans(gaps: list[Gap]) -> str:
    """The first five of some gaps in words, as "1.0-2.0 s, 3.0-3.5 s and 2 more"."""
    shown = ", ".join(str(gap) for gap in gaps[:5])
    return shown + (f" and {len(gaps) - 5} more" if len(gaps) > 5 else "")


def not_taken(gaps: list[Gap]) -> str:
    """Says that other faces were seen in some gaps."""
    return (
        f"the face at {spans(gaps)} was not taken: it is another person's, or comes after a cut or "
        "at another place"
    )


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
    *,
    other_times: Float[np.ndarray, "others"] | None = None,
    jump_times: Float[np.ndarray, "jumps"] | None = None,
) -> list[Gap]:
    """Spans in which pictures without the face lie, or no picture at all for more than `max_gap`.

    `face_times` and `lost_times` are the times of pictures with and without the face, in seconds,
    increasing; `other_times` those of the latter that show another one, `jump_times` those of faces
    that cannot have come from the one before. A span reaches from the last face before it to the
    first one after it (or the clip's beginning or end).
    """
    edges = np.concatenate([[0.0], face_times, [duration]])
    lost = np.histogram(lost_times, edges)[0] > 0
    other = np.histogram([] if other_times is None else other_times, edges)[0] > 0
    jumps = np.isin(edges[1:], [] if jump_times is None else jump_times)
    gaps = []
    for i, (start, end) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        long = end - start > max_gap
        if lost[i] or long or jumps[i]:
            why = "other" if other[i] else "lost" if lost[i] or long else "jump"
            gaps.append(Gap(start, end, long, why))
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
    """Raises a `UserError` that lists the spans of all long gaps, and where others are seen."""
    long = [gap for gap in gaps if gap.long]
    if not long:
        return
    others = [gap for gap in long if gap.why == "other"]
    told = f"; {not_taken(others)}" if others else ""
    raise UserError(
        f"{path}: no face for longer than {max_gap:g} s at {spans(long)}; cut the video there, or "
        f"pass --on-gap hold to keep the last face still{told}"
    )


def _inside(gap: Gap, count: int) -> np.ndarray:
    grid = np.arange(count) / FPS
    return (grid > gap.start) & (grid < gap.end)
