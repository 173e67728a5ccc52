"""What lies in the directory of an evaluation of whole clips, each of its own length."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxreact.data.frame_rate import coeffs_at
from jaxreact.data.split import Split, open_split
from jaxreact.errors import UserError
from jaxreact.evaluation.drawing.choice import film_files
from jaxreact.evaluation.report import clip_table
from jaxreact.evaluation.report.clip_table import ClipTable
from jaxreact.evaluation.report.evaluated import intervals, numbers, read_metrics
from jaxreact.evaluation.report.shown import Emotions, Shown
from jaxreact.face import FPS
from jaxreact.predictions.whole import WholePredictions, read_whole


@dataclass(frozen=True)
class EvaluatedWhole:
    """An evaluation: its predictions and scores, and the data set if it is at hand; scores are NaN
    where they are not defined."""

    out: Path
    predictions: WholePredictions
    content: Mapping[str, Any]
    recorded: Split | None
    table: ClipTable

    @property
    def samples(self) -> int:
        """Reactions to each clip."""
        return len(self.predictions.emotion[0])

    @property
    def clips(self) -> tuple[str, ...]:
        return self.predictions.clips

    @property
    def scores(self) -> dict[str, float]:
        return numbers(self.content["scores"])

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """Metric -> bounds of its 95 % interval, for those that have one."""
        return intervals(self.content)

    @property
    def baselines(self) -> dict[str, dict[str, float]]:
        return {name: numbers(values) for name, values in self.content["baselines"].items()}

    @property
    def videos(self) -> dict[int, Path]:
        """Clip -> its video, for those that have one."""
        return film_files(self.out, str(self.content.get("split", "val")), self.clips)

    def emotion(self, clip: int) -> Emotions:
        """The emotion channels of a clip, at the predictions' rate."""
        made = self.predictions
        recorded = {"speaker": made.speaker[clip], "listener": made.listener[clip]}
        return Emotions(recorded, made.emotion[clip])

    def shown(self, clip: int) -> Shown:
        """What is seen in a clip, at the predictions' rate."""
        made, emotion = self.predictions, self.emotion(clip)
        coeffs = {} if self.recorded is None else self.recorded.coeffs(clip)
        return Shown(
            made.rate,
            emotion,
            {
                name: coeffs_at(rows, FPS, made.rate, len(emotion.recorded[name]))
                for name, rows in coeffs.items()
            },
            None if made.coeffs is None else made.coeffs[clip],
        )


def read_whole_evaluation(
    out: Path, data: Path | Split | None = None, split: str | None = None
) -> EvaluatedWhole:
    """Reads an evaluation's directory, with the data set's part if `data` is given, a path or the
    split itself; the split is the one given, else that of metrics.json.

    Raises `UserError` naming a file that is missing, damaged, or does not fit the others.
    """
    content = read_metrics(out / "metrics.json")
    predictions = read_whole(out / "predictions.npz")
    table = clip_table.read_clip_table(out / clip_table.NAME)
    if not table.fits(predictions.clips, numbers(content["scores"])):
        raise UserError(f"{out / clip_table.NAME}: not of these predictions; evaluate again")
    recorded = data if isinstance(data, Split) else None
    if isinstance(data, Path):
        recorded = open_split(data, split or content.get("split") or "val")
    if recorded is not None and recorded.clips != predictions.clips:
        raise UserError(
            f"{out / 'predictions.npz'}: its clips are not those of split {recorded.name} in "
            f"{recorded.data.path}; give the --data and --split of the evaluation"
        )
    return EvaluatedWhole(out, predictions, content, recorded, table)
