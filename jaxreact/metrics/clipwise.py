"""The scores clip by clip, from which means, intervals and comparisons follow."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from jaxreact.metrics.frc import frc_of_clips
from jaxreact.metrics.frd import frd_of_clips
from jaxreact.metrics.frdiv import frdiv_of_clips
from jaxreact.metrics.frdvs import distances_between_clips, mean_over_pairs
from jaxreact.metrics.frsyn import frsyn_of_clips, mean_over_samples
from jaxreact.metrics.frvar import frvar_of_clips
from jaxreact.metrics.inputs import as_predictions, as_sequences, check_mode, neighbour_lists
from jaxreact.metrics.neighbourhood import check_neighbours, mean_over_clips

SCORES = ("FRC", "FRD", "FRDvs", "FRVar", "FRDiv", "FRSyn")


@dataclass(frozen=True)
class ClipScores:
    """What each of N clips adds to the six scores, float64; units and ranges as in each metric.

    `frc` and `frd` are sums over a clip's samples, NaN for a clip without neighbours (0 in mode
    `original`). `frsyn` is the mean over the `frsyn_samples` samples whose lag is defined, NaN
    where these are 0. `distances` holds the mean squared difference between the reactions to any
    two clips, whose mean over pairs is FRDvs. `neighbours` says how many listeners suit a clip;
    `samples` and `frames` are K and T.
    """

    mode: str
    samples: int
    frames: int
    frc: Float[np.ndarray, "clips"]
    frd: Float[np.ndarray, "clips"]
    frvar: Float[np.ndarray, "clips"]
    frdiv: Float[np.ndarray, "clips"]
    frsyn: Float[np.ndarray, "clips"]
    frsyn_samples: Float[np.ndarray, "clips"]
    distances: Float[np.ndarray, "clips clips"]
    neighbours: Int[np.ndarray, "clips"]

    def __len__(self) -> int:
        """How many clips there are."""
        return len(self.frc)

    @property
    def frdvs(self) -> Float[np.ndarray, "clips"]:
        """Each clip's part of FRDvs, 0 or more: their mean is FRDvs. NaN for a single clip.

        2 N / (N-1) times the mean squared difference from the mean over all clips.
        """
        clips = len(self)
        if clips == 1:
            return np.full(1, np.nan)
        rows = self.distances.sum(axis=1)
        return np.maximum(2 * (rows - rows.mean() / 2) / (clips - 1), 0.0)

    def means(self) -> dict[str, tuple[Float[np.ndarray, "clips"], Float[np.ndarray, "clips"]]]:
        """Score -> (value, weight) of every clip, such that the weighted mean is the score.

        A clip that takes no part has value and weight 0.
        """
        values = {name: getattr(self, name.lower()) for name in SCORES}
        weights = {name: np.isfinite(value).astype(np.float64) for name, value in values.items()}
        weights["FRSyn"] = self.frsyn_samples
        return {name: (np.nan_to_num(values[name]), weights[name]) for name in SCORES}

    def count(self) -> dict[str, int]:
        """How much the scores rest on: what was compared, and what mode `corrected` left out."""
        counts = {
            "clips": len(self),
            "samples": self.samples,
            "frames": self.frames,
            "clips_without_neighbours": int((self.neighbours == 0).sum()),
        }
        if self.mode == "corrected":
            defined = round(self.frsyn_samples.sum())
            counts["samples_without_synchrony"] = len(self) * self.samples - defined
        return counts

    def repeated(self, samples: int) -> "ClipScores":
        """The scores of `samples` copies of each sample's reaction, for predictions with K = 1.

        The two sums over samples grow, the rest stays.
        """
        factor = samples / self.samples
        return dataclasses.replace(
            self,
            samples=samples,
            frc=self.frc * factor,
            frd=self.frd * factor,
            frsyn_samples=self.frsyn_samples * factor,
        )


def clipwise(
    predictions: ArrayLike,
    listener: ArrayLike,
    speaker: ArrayLike,
    neighbours: ArrayLike,
    mode: str = "corrected",
) -> ClipScores:
    """All six scores of every clip, with predictions (N, K, T, 25), others (N, T, 25), (N, M).

    The arguments are those of `jaxreact.metrics.evaluate`, which gives the means over the clips.
    Raises `UserError` naming the array, and the clip and frame of a value that is not finite.
    """
    check_mode(mode)
    predicted = as_predictions(predictions)
    truth = as_sequences("listener", listener, predicted)
    heard = as_sequences("speaker", speaker, predicted)
    lists = neighbour_lists(neighbours, predicted)
    check_neighbours(lists, mode)
    synchrony, synchronous = frsyn_of_clips(predicted, heard, mode)
    return ClipScores(
        mode=mode,
        samples=predicted.shape[1],
        frames=predicted.shape[2],
        frc=frc_of_clips(predicted, truth, lists, mode),
        frd=frd_of_clips(predicted, truth, lists, mode),
        frvar=frvar_of_clips(predicted),
        frdiv=frdiv_of_clips(predicted),
        frsyn=synchrony,
        frsyn_samples=synchronous,
        distances=distances_between_clips(predicted),
        neighbours=np.array([len(others) for others in lists]),
    )


def aggregate(scores: ClipScores) -> dict[str, float]:
    """The six scores of all clips: metric -> value, NaN where a metric is not defined."""
    return {
        "FRC": mean_over_clips(scores.frc),
        "FRD": mean_over_clips(scores.frd),
        "FRDvs": mean_over_pairs(scores.distances, scores.mode),
        "FRVar": mean_over_clips(scores.frvar),
        "FRDiv": mean_over_clips(scores.frdiv),
        "FRSyn": mean_over_samples(scores.frsyn, scores.frsyn_samples),
    }
