"""How far chance moves the challenge's scores of the same predictions: which targets were drawn,
and what noise the alignment drew."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit
from tqdm import tqdm

from jaxreact.errors import ArgumentError
from jaxreact.metrics.clipwise import ClipScores, clipwise
from jaxreact.metrics.parts import ClipValues, mean_over_clips
from jaxreact.metrics.ragged.challenge import Align, is_random
from jaxreact.metrics.ragged.reactions import ragged_reactions
from jaxreact.metrics.score import Score
from jaxreact.metrics.scores import SCORES


@dataclass(frozen=True)
class DrawInterval:
    """The mean of a score over draws, and where [low, high] the score of one more would lie.

    In the score's units, with Student's t for `draws` of them at `level`; each draw's own score is
    in `values`.
    """

    value: float
    low: float
    high: float
    level: float
    draws: int
    values: tuple[float, ...]


def over_draws(
    predictions: Sequence[ArrayLike],
    targets: Sequence[Sequence[ArrayLike]],
    speaker: Sequence[ArrayLike] | None = None,
    scores: tuple[Score, ...] = SCORES,
    *,
    align: Align | None = None,
    draws: int = 10,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[ClipScores, dict[str, DrawInterval]]:
    """Scores in mode "react2026", the mean over draws of each clip's, and how far the draws move
    FRC and FRD; no intervals where nothing is drawn, since no clip has more than ten targets and
    all have the lengths of their predictions.

    Draw d is what `clipwise` gives with the seed `seed` + d. Raises `UserError` as `clipwise` does,
    `ArgumentError` for fewer than two draws and a level outside (0, 1).
    """
    if draws < 2:
        raise ArgumentError(f"draws: {draws} cannot show any spread; give 2 or more")
    if not 0 < level < 1:
        raise ArgumentError(f"level: {level} is not between 0 and 1; the usual one is 0.95")
    given = ragged_reactions(predictions, targets, speaker, "react2026", align=align, seed=seed)
    clips, suiting = given.predicted, given.given
    assert suiting is not None
    lists = [[suiting.sequences[other] for other in others] for others in suiting.lists]
    first = clipwise(clips, lists, speaker, None, "react2026", scores, align=align, seed=seed)
    if not is_random(suiting, clips):
        return first, {}
    drawn = tuple(
        score for score in first.scores if score.ragged and score.ragged.needs == "targets"
    )
    values = {score.name: [first[score.name].values] for score in drawn}
    for number in tqdm(range(1, draws), "draws", initial=1, total=draws, delay=2, disable=None):
        other = clipwise(
            clips, lists, None, None, "react2026", drawn, align=align, seed=seed + number
        )
        for name, each in values.items():
            each.append(other[name].values)
    means = {name: ClipValues(np.mean(each, axis=0), summed=True) for name, each in values.items()}
    spread = {name: _interval(each, level) for name, each in values.items()}
    return dataclasses.replace(first, parts={**first.parts, **means}), spread


def _interval(values: list[np.ndarray], level: float) -> DrawInterval:
    """From each draw's values of all clips."""
    found = np.array([mean_over_clips(each) for each in values])
    number = len(found)
    reach = stdtrit(number - 1, (1 + level) / 2) * found.std(ddof=1) * np.sqrt(1 + 1 / number)
    mean = float(found.mean())
    return DrawInterval(
        mean, mean - float(reach), mean + float(reach), level, number, tuple(found.tolist())
    )
