"""A recording of Live Link Face -> the speaker's 58-vector, 25 times a second, as of a video."""

import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.data.text import read_numbered_rows
from jaxreact.errors import NotFiniteError, Remark, UserError
from jaxreact.face import COEFFS, NEUTRAL_TRANSLATION, ROTATION, TRANSLATION
from jaxreact.media.live_link_format import (
    HEAD_COLUMNS,
    UNIT_COLUMNS,
    from_values,
    seconds_of,
    through_midnight,
)
from jaxreact.tracking import timeline
from jaxreact.tracking.track import MIN_SOURCE_FPS, Track

_WANTED = (*UNIT_COLUMNS, *HEAD_COLUMNS)
_MOST_WEIGHT, _WIDEST = 2.0, 3.2
"""A weight, and an angle of the head (radians), that no face comes near."""
_APP = "give the csv that Live Link Face has recorded in its mode ARKit"


def track_live_link(
    path: str | Path,
    *,
    max_gap: float = 0.5,
    on_gap: timeline.GapPolicy = "error",
    max_seconds: float | None = None,
) -> Track:
    """Reads a recording of ARKit's face tracking, of any rate, from its timecodes.

    Second 0 is the first line's time. Lines without a face, and lines that the app has dropped, are
    bridged as `track_video` bridges pictures, by `max_gap` (s) and `on_gap`; `max_seconds` stops
    early; of lines of one time the first counts. The head stays in the middle of the picture: such
    files say where it looks, not where it is. What is doubtful is a `Remark`, repeated lines, head
    angles that are all 0 and numbers that look like degrees or percent among it.

    Raises `UserError` for a file that is missing, empty or no such table, columns that are missing
    (three are named; their order does not matter), a timecode that does not go on, a number that is
    none or not finite (line and column are named), under 5 lines a second, and long gaps.
    """
    path = Path(path)
    table = read_numbered_rows(path)
    if not table:
        raise UserError(f"{path}: the file is empty; {_APP}")
    (_, header), *rows = table
    columns = _columns(path, header)
    times = _times(path, rows)
    new = np.flatnonzero(np.diff(times, prepend=-1.0) > 0)
    repeated, times = len(times) - len(new), times[new]
    whole, kept = _end(times), int(np.searchsorted(times, max_seconds or np.inf))
    stopped = kept < len(times)
    rows, times = [rows[at] for at in new[:kept]], times[:kept]
    seen = np.array([len(row) > 2 and row[1] != "0" for _, row in rows])
    if not seen.any():
        raise UserError(f"{path}: shows no face in {len(rows)} lines; {_APP}")
    values, end, fps = _values(path, rows, seen, columns), _end(times), _rate(path, times)
    gaps = timeline.find_gaps(times[seen], times[~seen], end, max_gap)
    if on_gap == "error":
        timeline.refuse_long_gaps(path, gaps, max_gap)
    count = timeline.frame_count(end)
    steady = timeline.resample(times[seen], _coefficients(values), count)
    track = Track(
        coeffs=timeline.hold(steady, gaps),
        tracked=timeline.tracked_mask(gaps, count),
        gaps=tuple(gaps),
        source_fps=fps,
        source_frames=len(times),
        lost_frames=int((~seen).sum()),
        centre=(0.5, 0.5),
        stopped=stopped,
        source_seconds=whole if stopped else None,
    )
    doubts = [*track.doubts(), *_doubts(values)]
    if repeated:
        doubts.append(f"{repeated} lines repeat the time of the one before and are left out")
    for doubt in doubts:
        warnings.warn(f"{path}: {doubt}", Remark, stacklevel=2)
    return track


def _doubts(values: Float[np.ndarray, "faces 55"]) -> list[str]:
    """What is odd about numbers that could be meant otherwise."""
    weights, angles = values[:, : len(UNIT_COLUMNS)], values[:, len(UNIT_COLUMNS) :]
    doubts = []
    if (highest := weights.max()) > _MOST_WEIGHT:
        doubts.append(f"weights up to {highest:.3g}, ARKit's are 0 to 1: are they percent?")
    if (widest := np.abs(angles).max()) > _WIDEST:
        doubts.append(f"the head is turned by up to {widest:.3g} radians: are they degrees?")
    if not angles.any():
        doubts.append("the head's angles are all 0 (the app records them if told to): it is still")
    return doubts


def _columns(path: Path, header: list[str]) -> list[int]:
    """Where `_WANTED` stand."""
    places = {name.lower(): place for place, name in enumerate(header)}
    if header[0].lower() != "timecode":
        raise UserError(f"{path}: its first column is {header[0][:40]}, not Timecode; {_APP}")
    if missing := [name for name in _WANTED if name.lower() not in places]:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise UserError(f"{path}: has no column {', '.join(missing[:3])}{more}; {_APP}")
    return [places[name.lower()] for name in _WANTED]


def _times(path: Path, rows: list[tuple[int, list[str]]]) -> Float[np.ndarray, "rows"]:
    """Seconds since the first line; two lines may have one time."""
    if len(rows) < 2:
        what = "a single line of numbers" if rows else "no line but that of the names"
        raise UserError(f"{path}: holds {what}; {_APP}")
    times = np.empty(len(rows))
    for place, (line, row) in enumerate(rows):
        try:
            times[place] = seconds_of(row[0])
        except ValueError as error:
            raise UserError(f"{path}: line {line}: {error}; {_APP}") from None
    times = through_midnight(times)
    if (back := np.flatnonzero(np.diff(times) < 0)).size:
        (_, before), (line, row) = rows[back[0]], rows[back[0] + 1]
        raise UserError(
            f"{path}: line {line}: its time {row[0]} does not follow {before[0]}; give one"
            " recording, in its order"
        )
    return times - times[0]


def _end(times: Float[np.ndarray, "rows"]) -> float:
    """Where the last picture ends: as long after it as pictures mostly follow each other."""
    return float(times[-1] + np.median(np.diff(times))) if len(times) > 1 else float(times[-1])


def _rate(path: Path, times: Float[np.ndarray, "rows"]) -> float:
    """Lines a second, on average."""
    fps = (len(times) - 1) / float(times[-1]) if len(times) > 1 else 0.0
    if fps < MIN_SOURCE_FPS:
        raise UserError(
            f"{path}: {fps:.1f} lines a second are too few to follow a face; at least "
            f"{MIN_SOURCE_FPS:g} are needed"
        )
    return fps


def _values(
    path: Path, rows: list[tuple[int, list[str]]], seen: np.ndarray, columns: list[int]
) -> Float[np.ndarray, "faces 55"]:
    """The numbers of `_WANTED` in the rows that show a face."""
    values = np.empty((int(seen.sum()), len(columns)))
    for number, place in enumerate(np.flatnonzero(seen).tolist()):
        line, row = rows[place]
        for column, (name, at) in enumerate(zip(_WANTED, columns, strict=True)):
            field = row[at] if at < len(row) else ""
            try:
                values[number, column] = float(field)
            except ValueError:
                raise UserError(
                    f"{path}: line {line}: {name} is {field[:40]!r}, no number; copy it again"
                ) from None
        with np.errstate(over="ignore"):  # what float32 cannot hold is not finite either
            bad = np.flatnonzero(~np.isfinite(values[number].astype(np.float32)))
        if bad.size:
            raise NotFiniteError(
                f"{path}: line {line}: {_WANTED[bad[0]]} is not finite; leave that line out"
            )
    return values


def _coefficients(values: Float[np.ndarray, "faces 55"]) -> Float[np.ndarray, "faces 58"]:
    coeffs = np.empty((len(values), COEFFS))
    units = len(UNIT_COLUMNS)
    coeffs[:, : ROTATION.stop] = from_values(values[:, :units], values[:, units:])
    coeffs[:, TRANSLATION] = NEUTRAL_TRANSLATION
    return timeline.unwrap_angles(coeffs)
