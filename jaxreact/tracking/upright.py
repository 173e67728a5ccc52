"""Which way up a video's faces are.

MediaPipe takes a face that hangs upside down for an upright one, with wrong expressions, and
follows one that lies on its side. Its face detector tells them apart over several pictures: it is
surest of the upright one (0.85 to 0.97 in all pictures measured; upside down 0.5 to 0.88), and of a
face on its side it knows the roll. Heads that lean by up to 60 degrees stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from jaxreact.tracking.face_detector import Face, FaceDetector
from jaxreact.tracking.spaced import spaced_pictures
from jaxreact.tracking.view import QuarterTurn, View, turned

WANTED = 12
"""Pictures with a face that decide."""

SPACING, WITHIN = 0.25, 10.0
"""They are so many seconds apart, at the least, and not later than so."""

SURE = 0.85
"""Median score from which a face is taken for upright at all."""

SURER = 0.1
"""By how much its score must be above that of the picture as it is."""

LEANING = 45.0
"""Largest median roll (degrees) of an upright face; `LYING` the least of one on its side."""

LYING = 65.0

AT_ONCE, PLAINLY = 4, 0.9
"""So many pictures suffice in which the face, as it is, has this score and leans no further than
`LEANING`: one upside down has at most 0.88."""

_TURNS: tuple[QuarterTurn, ...] = get_args(QuarterTurn)


@dataclass(frozen=True)
class _Impression:
    """Medians over the pictures: score (0 where no face is found) and roll of the largest face."""

    score: float
    roll: float


def find_turn(path: str | Path, detector: FaceDetector, part: View | None = None) -> QuarterTurn:
    """By how much a video's pictures must be turned clockwise for its faces to be upright.

    Looks at up to `WANTED` pictures that show a face, of the first `WITHIN` seconds, or only at a
    `part` of them; 0 where that is right, or where they do not say. Raises `UserError` as
    `spaced_pictures` does.
    """
    faces: dict[QuarterTurn, list[tuple[float, float]]] = {turn: [] for turn in _TURNS}
    plain = 0
    for whole in spaced_pictures(path, SPACING, WITHIN):
        rgb = whole if part is None else part.of(whole)
        seen = [detector.faces(rgb)]
        plain += _plainly_upright(seen[0])
        if plain == AT_ONCE:
            return 0
        seen += [detector.faces(turned(rgb, turn)) for turn in _TURNS[1:]]
        for turn, found in zip(_TURNS, seen, strict=True) if any(seen) else ():
            faces[turn].append((found[0].score, found[0].roll) if found else (0.0, np.nan))
        if len(faces[0]) == WANTED:
            break
    if not faces[0]:
        return 0
    return _decide({turn: _impression(np.array(of)) for turn, of in faces.items()})


def _plainly_upright(faces: list[Face]) -> bool:
    return bool(faces) and faces[0].score >= PLAINLY and abs(faces[0].roll) <= LEANING


def _impression(faces: np.ndarray) -> _Impression:
    seen = faces[faces[:, 0] > 0]
    roll = float(np.median(seen[:, 1])) if len(seen) else 0.0
    return _Impression(float(np.median(faces[:, 0])), roll)


def _decide(impressions: Mapping[QuarterTurn, _Impression]) -> QuarterTurn:
    as_it_is = impressions[0]
    best = max(_TURNS[1:], key=lambda turn: impressions[turn].score)
    candidate = impressions[best]
    lies = best != 180 and abs(as_it_is.roll) >= LYING and candidate.score >= as_it_is.score
    surer = candidate.score >= as_it_is.score + SURER
    if candidate.score >= SURE and abs(candidate.roll) <= LEANING and (surer or lies):
        return best
    return 0
