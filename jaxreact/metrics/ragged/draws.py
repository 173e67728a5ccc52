"""How far chance moves the challenge's scores of the same predictions: which targets were drawn,
and what noise the alignment drew."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.special import stdtrit
from tqdm import tqdm

from jaxreact.errors import ArgumentError, check_seed
from jaxreact.metrics.clipwise import ClipScores, of_ragged
from jaxreact.metrics.parts import ClipValues, mean_over_clips
from jaxreact.metrics.ragged.challenge import Align, is_random
from jaxreact.metrics.ragged.reactions import OfRagged, RaggedReactions, ragged_reactions
from jaxreact.metrics.score import Score
from jaxreact.metrics.scores import SCORES

STRETCH = 8
"""Clips whose targets are held at once."""


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
    assert given.given is not None
    if not is_random(given.given, given.predicted):
        return of_ragged(given, scores), {}
    check_seed(seed + draws - 1, "the last draw's seed")
    there = tuple(score for score in scores if score.ragged and score.ragged.can_be_had(given))
    named = {score.name: score.ragged for score in there if score.ragged is not None}
    drawn = {name: ragged for name, ragged in named.items() if ragged.needs == "targets"}
    rest = of_ragged(given, tuple(score for score in there if score.name not in drawn))
    values = _of_draws(given, drawn, draws)
    means = {name: ClipValues(each.mean(axis=0), summed=True) for name, each in values.items()}
    spread = {name: _interval(each, level) for name, each in values.items()}
    return dataclasses.replace(rest, scores=there, parts={**rest.parts, **means}), spread


def _of_draws(
    given: RaggedReactions, scores: Mapping[str, OfRagged], draws: int
) -> dict[str, Float[np.ndarray, "draws clips"]]:
    """Each draw's values of all clips.

    All draws of a few clips come before the next: what `align` gives is held for these alone, and
    what it keeps of a target it finds again.
    """
    clips = len(given.predicted)
    values = {name: np.empty((draws, clips)) for name in scores}
    with tqdm(total=draws * clips, desc="draws", unit="clip", delay=2, disable=None) as progress:
        for start in range(0, clips, STRETCH):
            stop = min(start + STRETCH, clips)
            some = given.stretch(start, stop)
            for draw in range(draws):
                reactions = dataclasses.replace(some, seed=given.seed + draw)
                for name, score in scores.items():
                    values[name][draw, start:stop] = score.of_clips(reactions).values
                progress.update(stop - start)
    return values


def _interval(values: Float[np.ndarray, "draws clips"], level: float) -> DrawInterval:
    """From each draw's values of all clips."""
    found = np.array([mean_over_clips(each) for each in values])
    number = len(found)
    reach = stdtrit(number - 1, (1 + level) / 2) * found.std(ddof=1) * np.sqrt(1 + 1 / number)
    mean = float(found.mean())
    return DrawInterval(
        mean, mean - float(reach), mean + float(reach), level, number, tuple(found.tolist())
    )
