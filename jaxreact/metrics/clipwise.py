"""The scores clip by clip, from which means, intervals and comparisons follow."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike

from jaxreact.errors import UserError
from jaxreact.face import FPS
from jaxreact.metrics.faces import Faces, check_faces
from jaxreact.metrics.inputs import as_predictions, as_sequences, check_mode, neighbour_lists
from jaxreact.metrics.neighbourhood import check_neighbours
from jaxreact.metrics.parts import Parts
from jaxreact.metrics.ragged.challenge import Align
from jaxreact.metrics.ragged.reactions import RaggedReactions, ragged_reactions
from jaxreact.metrics.score import Reactions, Score
from jaxreact.metrics.scores import SCORES
from jaxreact.metrics.seams import PERIOD, check_period
from jaxreact.metrics.targets import lengths_of


@dataclass(frozen=True)
class ClipScores:
    """What each of N clips adds to each of the scores, by their names.

    `clip_scores["FRC"].values` are (N,) float64, in units and ranges of the score; NaN for a clip
    that takes no part. `neighbours` says how many listeners suit a clip; `samples` and `frames` are
    K and T, or the shortest and the longest T where clips have their own. `scores` are those that
    there are: what the others need is not known.
    """

    mode: str
    samples: int
    frames: int | tuple[int, int]
    neighbours: Int[np.ndarray, "clips"]
    scores: tuple[Score, ...]
    parts: Mapping[str, Parts]

    def __len__(self) -> int:
        """How many clips there are."""
        return len(self.neighbours)

    def __getitem__(self, name: str) -> Parts:
        """The clips' parts in the score of this name."""
        return self.parts[name]

    def left_out(self, score: Score) -> int:
        """How many clips or samples have no part in a score, since mode `corrected` wants none."""
        return self[score.name].left_out(self.samples) if self.mode == "corrected" else 0

    def count(self) -> dict[str, int]:
        """How much the scores rest on: what was compared, and what mode `corrected` left out."""
        counts = {
            "clips": len(self),
            "samples": self.samples,
            "frames": self.frames,
            "clips_without_neighbours": int((self.neighbours == 0).sum()),
        }
        if self.mode == "corrected":
            counted = [score for score in self.scores if score.counted_as]
            counts |= {score.counted_as: self.left_out(score) for score in counted}
        return counts

    def repeated(self, samples: int) -> "ClipScores":
        """The scores of `samples` copies of each sample's reaction, for predictions with K = 1.

        Sums over samples grow, the rest stays.
        """
        factor = samples / self.samples
        parts = {name: part.repeated(factor) for name, part in self.parts.items()}
        return dataclasses.replace(self, samples=samples, parts=parts)


def clipwise(
    predictions: ArrayLike | Sequence[ArrayLike],
    listener: ArrayLike | Sequence[Sequence[ArrayLike]],
    speaker: ArrayLike | Sequence[ArrayLike] | None = None,
    neighbours: ArrayLike | None = None,
    mode: str = "corrected",
    scores: tuple[Score, ...] = SCORES,
    *,
    faces: Faces | None = None,
    period: int = PERIOD,
    fps: int = FPS,
    align: Align | None = None,
    seed: int = 0,
) -> ClipScores:
    """`scores` of every clip, with predictions (N, K, T, 25), others (N, T, 25), (N, M).

    The arguments are those of `jaxreact.metrics.evaluate`, which gives the means over the clips.
    Scores that need more than emotion are left out where `faces` does not have it. Raises
    `UserError` naming the array, and the clip and frame of a value that is not finite.
    """
    if neighbours is None:
        if faces is not None:
            raise UserError("faces: there are no scores of them without neighbours; leave them out")
        given = ragged_reactions(
            predictions,
            listener,
            speaker,
            mode,
            fps=fps,
            align=align,
            seed=seed,
        )
        return of_ragged(given, scores)
    if speaker is None or fps != FPS or align is not None:
        raise UserError("with neighbours give the speaker too, 25 frames a second, and no align")
    check_mode(mode)
    check_period(period)
    predicted = as_predictions(predictions)
    reactions = Reactions(
        predicted,
        as_sequences("listener", listener, predicted),
        as_sequences("speaker", speaker, predicted),
        neighbour_lists(neighbours, predicted),
        mode,
        faces,
        period,
    )
    check_neighbours(reactions.neighbours, mode)
    if faces is not None:
        check_faces(faces, predicted)
    scores = tuple(score for score in scores if score.can_be_had(faces))
    return ClipScores(
        mode=mode,
        samples=predicted.shape[1],
        frames=predicted.shape[2],
        neighbours=np.array([len(others) for others in reactions.neighbours]),
        scores=scores,
        parts={score.name: score.of_clips(reactions) for score in scores},
    )


def of_ragged(given: RaggedReactions, scores: tuple[Score, ...]) -> ClipScores:
    """Those of the scores that can be had of clips of any lengths, whose targets are known."""
    assert given.given is not None
    frames = lengths_of(given.predicted)
    possible = [(score, score.ragged) for score in scores if score.ragged is not None]
    there = [(score, ragged) for score, ragged in possible if ragged.can_be_had(given)]
    return ClipScores(
        mode=given.mode,
        samples=len(given.predicted[0]),
        frames=(min(frames), max(frames)),
        neighbours=np.array([len(others) for others in given.given.lists]),
        scores=tuple(score for score, _ in there),
        parts={score.name: ragged.of_clips(given) for score, ragged in there},
    )


def aggregate(scores: ClipScores) -> dict[str, float]:
    """The scores of all clips: name -> value, NaN where a score is not defined."""
    return {score.name: scores[score.name].total for score in scores.scores}
