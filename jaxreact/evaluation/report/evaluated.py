"""What lies in the directory of an evaluation, and what the data set adds to it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxreact import metrics
from jaxreact.data.layout import COEFFS
from jaxreact.data.split import Split, open_split
from jaxreact.errors import UserError
from jaxreact.evaluation.drawing.choice import film_files
from jaxreact.evaluation.report import clip_table
from jaxreact.evaluation.report.clip_table import ClipTable
from jaxreact.evaluation.report.shown import Emotions, Shown
from jaxreact.face import FPS
from jaxreact.files import read_json
from jaxreact.predictions import Predictions, read_predictions

SIMULATED = "_Simulated/"
"""In the names of all clips that `jaxreact.simulation` makes."""


@dataclass(frozen=True)
class Evaluated:
    """An evaluation: its predictions and scores, and the data set if it is at hand.

    Scores are NaN where they are not defined. `table` is None where the scores of single clips are
    neither there nor can be computed.
    """

    out: Path
    predictions: Predictions
    content: Mapping[str, Any]
    recorded: Split | None
    table: ClipTable | None

    @property
    def listener(self) -> Float[np.ndarray, "clips frames 25"]:
        assert self.predictions.listener is not None
        return self.predictions.listener

    @property
    def speaker(self) -> Float[np.ndarray, "clips frames 25"]:
        assert self.predictions.speaker is not None
        return self.predictions.speaker

    @property
    def shape(self) -> tuple[int, int, int]:
        """Clips, samples a clip, frames."""
        clips, samples, frames, _ = self.predictions.emotion.shape
        return clips, samples, frames

    @property
    def samples(self) -> int:
        """Reactions to each clip."""
        return self.shape[1]

    @property
    def clips(self) -> tuple[str, ...]:
        return names(self.predictions)

    @property
    def scores(self) -> dict[str, float]:
        return numbers(self.content["scores"])

    @property
    def baselines(self) -> dict[str, dict[str, float]]:
        return {name: numbers(values) for name, values in self.content["baselines"].items()}

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """Metric -> bounds of its 95 % interval, for those that have one."""
        return intervals(self.content)

    @property
    def simulated(self) -> bool:
        """Whether all clips come from the simulation, as their names say."""
        return all(SIMULATED in name for name in self.clips)

    @cached_property
    def neighbours(self) -> list[np.ndarray] | None:
        """For every clip the indices of the listeners that suit it, if the data set is at hand."""
        if self.recorded is None:
            return None
        return metrics.neighbour_lists(self.recorded.neighbours(), self.predictions.emotion)

    def emotion(self, clip: int) -> Emotions:
        """The emotion channels of a clip."""
        recorded = {"speaker": self.speaker[clip], "listener": self.listener[clip]}
        return Emotions(recorded, self.predictions.emotion[clip])

    def shown(self, clip: int) -> Shown:
        """What is seen in a clip."""
        recorded, made = self.recorded, self.predictions
        coeffs = {} if recorded is None else recorded.coeffs(clip, self.shape[2])
        faces = None if made.coeffs is None else made.coeffs[clip]
        return Shown(FPS, self.emotion(clip), coeffs, faces)

    @property
    def videos(self) -> dict[int, Path]:
        """Clip -> its video, for those that have one."""
        if self.predictions.clips is None:
            return {}
        split = str(self.content.get("split", "val"))
        return film_files(self.out, split, self.predictions.clips)


def spread(count: int, most: int) -> np.ndarray:
    """At most `most` indices of `count`, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def names(predictions: Predictions) -> tuple[str, ...]:
    """The clips' names, or numbers where the file has none."""
    if predictions.clips is not None:
        return predictions.clips
    return tuple(f"clip {index}" for index in range(len(predictions.emotion)))


def read_evaluation(
    out: Path,
    data: Path | Split | None = None,
    split: str | None = None,
    clip_scores: metrics.ClipScores | None = None,
) -> Evaluated:
    """Reads an evaluation's directory, with the data set's part if `data` is given, a path or the
    split itself.

    Scores of single clips are `clip_scores`, else those of `clip_scores.csv` if they fit the
    evaluation, else computed from the data set; the file is written where it is missing or does
    not fit. The split is the one given, else that of metrics.json, else "val". Raises `UserError`
    naming a file that is missing, damaged, or does not fit the others.
    """
    content = read_metrics(out / "metrics.json")
    predictions = read_predictions(out / "predictions.npz")
    for name in ("listener", "speaker"):
        if getattr(predictions, name) is None:
            raise UserError(
                f"{out / 'predictions.npz'}: holds no {name}; give the directory that evaluate.py "
                "wrote"
            )
    recorded = data if isinstance(data, Split) else None
    if isinstance(data, Path):
        recorded = open_split(data, split or content.get("split") or "val", (COEFFS,))
    if recorded is not None:
        _check_split(out, predictions, recorded)
    return Evaluated(
        out=out,
        predictions=predictions,
        content=content,
        recorded=recorded,
        table=_table(out, predictions, content, recorded, clip_scores),
    )


def _table(
    out: Path,
    predictions: Predictions,
    content: Mapping[str, Any],
    recorded: Split | None,
    clip_scores: metrics.ClipScores | None,
) -> ClipTable | None:
    path, clips = out / clip_table.NAME, names(predictions)
    if clip_scores is None:
        if path.is_file():
            kept = clip_table.read_clip_table(path)
            if kept.fits(clips, numbers(content["scores"])):
                return kept
        if recorded is None:
            return None
        assert predictions.listener is not None
        assert predictions.speaker is not None
        clip_scores = metrics.clipwise(
            predictions.emotion,
            predictions.listener,
            predictions.speaker,
            recorded.neighbours(),
            content["mode"],
            tuple(score for score in metrics.SCORES if score.name in content["scores"]),
            faces=metrics.recorded_faces(recorded, predictions.coeffs),
            period=content.get("period", metrics.PERIOD),
        )
    table = clip_table.table_of(clips, clip_scores)
    if not table.fits(clips, numbers(content["scores"])):
        raise UserError(
            f"{out}: predictions.npz does not give the scores of metrics.json with this data set; "
            "give the --data and --split of the evaluation, or evaluate again"
        )
    clip_table.write_clip_table(path, table)
    return table


def read_metrics(path: Path) -> dict[str, Any]:
    """The metrics.json of an evaluation. Raises `UserError` for anything else."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; give a directory that evaluate.py wrote")
    content = read_json(path, "cannot be read", "evaluate again")
    expected = {"scores": dict, "baselines": dict, "mode": str}
    for name, kind in expected.items():
        if not isinstance(content, dict) or not isinstance(content.get(name), kind):
            raise UserError(f"{path}: no {name}; give a directory that evaluate.py wrote")
    return content


def _check_split(out: Path, predictions: Predictions, recorded: Split) -> None:
    ours = recorded.clips
    if len(ours) != len(predictions.emotion) or predictions.clips not in (None, ours):
        raise UserError(
            f"{out / 'predictions.npz'}: its clips are not those of split {recorded.name} in "
            f"{recorded.data.path}; give the --data and --split of the evaluation"
        )


def numbers(values: Mapping[str, float | None]) -> dict[str, float]:
    """Scores as metrics.json has them, NaN for what is not defined."""
    return {name: _number(value) for name, value in values.items()}


def intervals(content: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Metric -> bounds of its 95 % interval as metrics.json has them, for those that have one."""
    bounds = {
        name: (_number(low), _number(high))
        for name, (low, high) in content.get("intervals", {}).items()
    }
    return {name: pair for name, pair in bounds.items() if not math.isnan(sum(pair))}


def _number(value: float | None) -> float:
    """JSON's null is a value that is not defined."""
    return math.nan if value is None else float(value)


def of_most(shown: Sequence[int] | np.ndarray, count: int) -> str:
    """How many clips of all a figure is about, for its caption."""
    return "all clips" if len(shown) == count else f"{len(shown)} of {count} clips, evenly spread"
