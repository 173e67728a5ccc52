"""The whole page of an evaluation, and writing it."""

from pathlib import Path
from time import time
from typing import Any

from jaxreact.data.split import Split
from jaxreact.evaluation.report import (
    clips,
    codebook,
    distributions,
    diversity,
    lags,
    published,
    scores,
)
from jaxreact.evaluation.report.evaluated import Evaluated, read_evaluation
from jaxreact.evaluation.report.evaluated_whole import read_whole_evaluation
from jaxreact.evaluation.report.facts import facts_of_run
from jaxreact.evaluation.report.page_file import write_page
from jaxreact.evaluation.report.whole import write_whole_report
from jaxreact.face import FPS
from jaxreact.metrics import ClipScores
from jaxreact.predictions.whole import holds_whole
from jaxreact.systems.system import Codebook

_SPLITS = {"train": "training split", "val": "validation split", "test": "test split"}


def write_evaluation_report(
    out: str | Path,
    *,
    data: str | Path | Split | None = None,
    split: str | None = None,
    codebook: Codebook | None = None,
    clip_scores: ClipScores | None = None,
) -> Path:
    """Writes `report.html` into the directory of an evaluation, and returns its path.

    Reads predictions.npz, metrics.json and videos/ there. `data` is the root or cache that was
    evaluated and `split` its split (by default that of metrics.json, else "val"), or `data` is that
    split, opened: needed for what
    compares with other clips' listeners. `codebook` turns faces into codes, for the use of these.
    `clip_scores` are `metrics.clipwise`'s if they are at hand; else they come from
    `clip_scores.csv`, which is written where it is missing; of whole clips (MARS) it must be there.
    What cannot be had is said in the page.

    Raises `UserError` naming a file that is missing, damaged, or does not fit the others; then
    nothing is left half-written.
    """
    out, data = Path(out), Path(data) if isinstance(data, str) else data
    if holds_whole(out / "predictions.npz"):
        return write_whole_report(read_whole_evaluation(out, data, split))
    evaluated = read_evaluation(out, data, split, clip_scores=clip_scores)
    return write_page(out, "report.html.j2", contents(evaluated, codebook))


def contents(evaluated: Evaluated, codes: Codebook | None = None) -> dict[str, Any]:
    """Everything that the page shows, for its template."""
    name = evaluated.out.resolve().name
    return {
        "title": f"{name}: evaluation",
        "name": name,
        "what": _what(evaluated),
        "simulated": evaluated.simulated,
        "now": time(),
        "scored": scores.scored(evaluated),
        "facts": _facts(evaluated),
        "scores": scores.section(evaluated),
        "published": published.section(),
        "distributions": distributions.section(evaluated),
        "clips": clips.section(evaluated),
        "lags": lags.section(evaluated),
        "diversity": diversity.section(evaluated),
        "codebook": codebook.section(evaluated, codes),
    }


def _what(evaluated: Evaluated) -> str:
    split = evaluated.content.get("split")
    if split is None and evaluated.recorded is not None:
        split = evaluated.recorded.name
    named = _SPLITS.get(str(split), str(split)) if split else "clips of a data set"
    return f"{named}, simulated conversations" if evaluated.simulated else named


def _facts(evaluated: Evaluated) -> list[tuple[str, str, str]]:
    """The handful of numbers that one looks for first: names, values and notes."""
    content, (count, samples, frames) = evaluated.content, evaluated.shape
    counts = content.get("counts", {})
    alone = counts.get("clips_without_neighbours", 0)
    still = counts.get("samples_without_synchrony", 0)
    facts = [
        ("Clips", str(count), f"{alone} without neighbours" if alone else ""),
        ("Samples of each", str(samples), f"{still} without synchrony" if still else ""),
        ("Frames of each", str(frames), f"{frames / FPS:.4g} s"),
    ]
    return [*facts, *facts_of_run(content)]
