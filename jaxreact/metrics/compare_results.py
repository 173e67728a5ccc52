"""The command `python -m jaxreact.metrics compare` for two files of results, whose clips have
lengths of their own and which hold what they are compared with."""

from pathlib import Path

import numpy as np

from jaxreact.errors import UserError
from jaxreact.metrics.comparing import show_comparison
from jaxreact.metrics.notes import interval_notes
from jaxreact.metrics.options import Options
from jaxreact.metrics.score_results import WITHOUT, groups_of, refuse_options, scored
from jaxreact.metrics.truth import TruthFiles
from jaxreact.predictions import Results, holds_results, read_results
from jaxreact.predictions.sources import open_source


def compare_results(a: Path, b: Path, truth: TruthFiles, options: Options) -> None:
    """Prints how B differs from A on the same clips, and writes --json.

    In mode "react2026" both are compared with the same draws of targets. Raises `UserError` for
    files that cannot be used or are of other clips, and for options that belong to other files.
    """
    for path, other in ((a, b), (b, a)):
        if not holds_results(path):
            open_source(path, None)  # what is wrong with the file itself comes first
            raise UserError(f"{path}: no results of whole clips, which {other} holds; give two")
        refuse_options(path, truth, options, baselines=False)
    first, second = read_results(a), read_results(b)
    _check_same_clips(a, first, b, second)
    (ours, _, of_a), (theirs, _, of_b) = (
        scored(path, results, options) for path, results in ((a, first), (b, second))
    )
    groups, unit = groups_of(first if first.clips is not None else second, options)
    number = len(ours) if groups is None else len({*groups})
    notes = interval_notes(number, unit, options.resamples)
    notes += of_a if of_a == of_b else [*_said_of("A", of_a), *_said_of("B", of_b)]
    notes += [WITHOUT] if first.speaker is None else []
    show_comparison((a, b), (ours, theirs), groups, unit, notes, options)


def _said_of(name: str, notes: list[str]) -> list[str]:
    return [f"{name}: {note}" for note in notes]


def _check_same_clips(path_a: Path, a: Results, path_b: Path, b: Results) -> None:
    """Raises `UserError` where the two cannot be reactions to the same clips."""
    if len(a.predictions) != len(b.predictions):
        raise UserError(
            f"{path_b}: {len(b.predictions)} clips, {path_a} has {len(a.predictions)}; only the"
            " same clips can be compared"
        )
    if (a.speaker is None) != (b.speaker is None):
        raise UserError(
            f"{path_b}: a results.pt and a predictions.npz hold other targets of a clip; compare"
            f" it with what was saved as {path_a} was"
        )
    for clip, (one, other) in enumerate(zip(a.predictions, b.predictions, strict=True)):
        names = [results.clips[clip] for results in (a, b) if results.clips is not None]
        name = names[0] if names else f"clip {clip}"
        if len({*names}) > 1:
            raise UserError(f"{path_b}: clip {clip} is {names[1]}, in {path_a} {names[0]}")
        if one.shape != other.shape:
            raise UserError(
                f"{path_b}: {name} has shape {other.shape}, in {path_a} {one.shape}; only the same"
                " samples and frames can be compared"
            )
        ours, theirs = a.targets[clip], b.targets[clip]
        if len(ours) != len(theirs) or not all(map(_alike, ours, theirs)):
            raise UserError(
                f"{path_b}: {name} has other targets than in {path_a}; only predictions that are"
                " compared with the same can be"
            )


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(np.allclose(one, other, atol=1e-4))
