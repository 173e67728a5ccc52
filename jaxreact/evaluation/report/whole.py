"""The page of an evaluation of whole clips, each of its own length."""

import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import time
from typing import Any

import numpy as np

from jaxreact.data.layout import MARS, Dyad
from jaxreact.data.mars.data_set import Mars
from jaxreact.data.mars.eeg import EegTables
from jaxreact.data.mars.personality import BIG_FIVE
from jaxreact.data.split import Split
from jaxreact.data.traits import traits_of_listeners
from jaxreact.errors import Remark, UserError
from jaxreact.evaluation.report import clips, distributions, lags, published, scores
from jaxreact.evaluation.report.evaluated_whole import EvaluatedWhole
from jaxreact.evaluation.report.facts import facts_of_run
from jaxreact.evaluation.report.page_file import write_page
from jaxreact.metrics.scores import labelled
from jaxreact.predictions.whole import WholePredictions

_NAIVE = (
    "Ground truth repeats the listener's own reaction, Mime the speaker's behaviour; Random tosses"
    " a coin for every action unit of every frame, Mean frame is the mean of all training"
    " listeners' frames, a motionless face. FRD grows with a clip's length."
)


def write_whole_report(evaluated: EvaluatedWhole) -> Path:
    """Writes `report.html` into the directory of an evaluation of whole clips; returns its path."""
    out, content, predictions = evaluated.out, evaluated.content, evaluated.predictions
    recorded, table = evaluated.recorded, evaluated.table
    persons = {} if recorded is None else _persons(recorded)
    release = MARS if recorded is None else recorded.data.release
    simulated = recorded is not None and (recorded.data.path / "simulation.json").is_file()
    lengths = [len(rows) for rows in predictions.speaker]
    shown = clips.section(evaluated)
    assert shown is not None
    values = {
        "title": f"{out.resolve().name}: evaluation",
        "name": out.resolve().name,
        "what": f"{content['split']} split"
        + (", simulated conversations" if simulated else f" of {release.name}"),
        "simulated": simulated,
        "now": time(),
        "scored": scores.scored(evaluated),
        "facts": _facts(predictions, lengths, content),
        "scores": scores.section(evaluated, round(predictions.rate), _NAIVE),
        "published": published.section(release.name),
        "distributions": distributions.section(evaluated),
        "lags": lags.section(evaluated, round(predictions.rate)),
        "persons": None if recorded is None else bool(persons),
        "clips": {
            **shown,
            "labels": ["clip", "frames", *map(labelled, table.values), *persons],
            "rows": [
                [
                    name,
                    float(lengths[clip]),
                    *(float(values[clip]) for values in table.values.values()),
                    *(column[clip] for column in persons.values()),
                ]
                for clip, name in enumerate(table.clips)
            ],
        },
    }
    return write_page(out, "whole.html.j2", values)


def _facts(
    predictions: WholePredictions, lengths: Sequence[int], content: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    targets = [int(row.sum()) for row in predictions.neighbours]
    seconds = [length / predictions.rate for length in lengths]
    return [
        ("Clips", str(len(lengths)), f"{_between(targets)} listeners suit one"),
        ("Samples of each", str(len(predictions.emotion[0])), ""),
        ("Frames", _between(lengths), f"{_between(seconds)} s"),
        *facts_of_run(content),
    ]


def _between(numbers: Sequence[float]) -> str:
    """The least and the greatest, or the one there is."""
    ends = dict.fromkeys((min(numbers), max(numbers)))
    return " to ".join(f"{number:.4g}" if number % 1 else str(int(number)) for number in ends)


def _persons(split: Split) -> dict[str, list[float]]:
    """Columns of what is known of the listeners, NaN where it is not; none where nothing is."""
    return _traits(split) | _eeg(split)


def _traits(split: Split) -> dict[str, list[float]]:
    scores = traits_of_listeners(split.data, split.dyads)
    if np.isnan(scores).all():
        return {}
    columns = (1 + 4 * scores.T.astype(np.float64)).tolist()
    return dict(zip(BIG_FIVE, columns, strict=True))


def _eeg(split: Split) -> dict[str, list[float]]:
    if not isinstance(split.data, Mars):
        return {}
    try:
        eeg = EegTables(split.data.path, split.name)
    except UserError as error:
        _leave_out(error)
        return {}
    shares = [_measured(eeg, dyad) for dyad in split.dyads]
    return {} if all(map(math.isnan, shares)) else {"EEG measured, %": shares}


def _measured(eeg: EegTables, dyad: Dyad) -> float:
    try:
        found = eeg.of(dyad.listener.name)
    except UserError as error:
        _leave_out(error)
        return math.nan
    if found is None or not found.measured.size:
        return math.nan
    return 100 * float(found.measured.mean())


def _leave_out(error: UserError) -> None:
    """What cannot be read: no score depends on it."""
    warnings.warn(f"{error}; left out of the report", Remark, stacklevel=2)
