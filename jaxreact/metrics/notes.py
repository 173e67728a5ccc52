"""What a reader of a table of scores has to know, in lines below it."""

from collections.abc import Sequence

from jaxreact.metrics.clipwise import ClipScores, aggregate, clipwise
from jaxreact.metrics.faces import Faces
from jaxreact.metrics.ragged.draws import DrawInterval
from jaxreact.metrics.score import Score
from jaxreact.metrics.scores import SCORES
from jaxreact.metrics.truth import Truth

_FEW = 10


def size_note(scores: ClipScores) -> str:
    """What was scored, and how."""
    frames = scores.frames
    if isinstance(frames, tuple):
        frames = " to ".join(map(str, dict.fromkeys(frames)))  # one where both are the same
    return (
        f"{len(scores)} clips of {frames} frames, {scores.samples} samples each, mode {scores.mode}"
    )


def interval_notes(number: int, unit: str, resamples: int) -> list[str]:
    """What intervals say that were drawn from `number` units, clips or conversations."""
    lines = [
        f"intervals: {resamples} resamples of {number} {unit}s; they cover other {unit}s of the "
        "same kind, not other trainings"
    ]
    if number < _FEW:
        lines.append(f"{number} {unit}s are few: the intervals are rough")
    return lines


def drawn_note(
    name: str, interval: DrawInterval, what: str = "targets and of the alignment's noise"
) -> str:
    """How far chance moves a score."""
    return (
        f"{name} of another draw of {what}: {interval.low:.4f} to {interval.high:.4f} "
        f"({interval.draws} draws, {100 * interval.level:g} %)"
    )


def left_out_notes(scores: ClipScores) -> list[str]:
    """What takes no part in which scores, and how often."""
    names: dict[tuple[str, int], list[str]] = {}
    for score in scores.scores:
        if number := scores.left_out(score):
            names.setdefault((score.leaves_out, number), []).append(score.name)
    return [
        f"{_listed(alike)} {'leaves' if len(alike) == 1 else 'leave'} out {what}: {number}"
        for (what, number), alike in names.items()
    ]


def lacking_notes(scores: ClipScores, wanted: Sequence[Score] = SCORES) -> list[str]:
    """Which scores there are none of, since what they need is not known."""
    needs = {
        "faces": "coefficients of the predictions, and of the persons in --data",
        "speech": "coefficients, and sound in --data",
    }
    lacking = [score for score in wanted if score.name not in scores.parts]
    names = {need: [score.name for score in lacking if score.needs == need] for need in needs}
    return [
        f"{_listed(alike)} {'needs' if len(alike) == 1 else 'need'} {needs[need]}: not scored"
        for need, alike in names.items()
        if alike
    ]


def truth_note(truth: Truth, scores: ClipScores, faces: Faces | None, period: int) -> str:
    """What people have of those scores of which one wants neither more nor less."""
    recorded = (truth.listener, truth.speaker, truth.neighbours)
    reached = tuple(score for score in scores.scores if score.of_people and not score.better)
    shown = None if faces is None else faces.of(faces.listener[:, None])
    people = aggregate(
        clipwise(
            truth.listener[:, None], *recorded, scores.mode, reached, faces=shown, period=period
        )
    )
    neutral = _listed([score.name for score in scores.scores if not score.better])
    values = _listed([f"{name} {value:.4f}" for name, value in people.items()])
    return (
        f"{neutral} have no better or worse: as much as people is best, and the recorded listeners "
        f"have {values}"
    )


def _listed(words: Sequence[str]) -> str:
    """Words with commas, and an "and" before the last."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
