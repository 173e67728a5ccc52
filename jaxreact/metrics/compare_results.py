"""The command `python -m jaxreact.metrics compare` for two files of results, whose clips have
lengths of their own and which hold what they are compared with."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from jaxreact.errors import UserError
from jaxreact.files import write_json
from jaxreact.metrics.notes import interval_notes, size_note
from jaxreact.metrics.options import Options
from jaxreact.metrics.score_results import groups_of, refuse_options, scored
from jaxreact.metrics.statistics.comparison import compare, smallest_p
from jaxreact.metrics.table import comparison_table
from jaxreact.metrics.truth import TruthFiles
from jaxreact.predictions import Results, holds_results, read_results


def compare_results(a: Path, b: Path, truth: TruthFiles, options: Options) -> None:
    """Prints how B differs from A on the same clips, and writes --json.

    In mode "react2026" both are compared with the same draws of targets. Raises `UserError` for
    files that cannot be used or are of other clips, and for options that belong to other files.
    """
    for path in (a, b):
        if not holds_results(path):
            other = b if path is a else a
            raise UserError(f"{path}: no results of whole clips, which {other} holds; give two")
        refuse_options(path, truth, options, baselines=False)
    first, second = read_results(a), read_results(b)
    _check_same_clips(a, first, b, second)
    (ours, _, notes), (theirs, _, _) = (
        scored(path, results, options) for path, results in ((a, first), (b, second))
    )
    groups, unit = groups_of(first if first.clips is not None else second, options)
    differences = compare(
        ours,
        theirs,
        groups=groups,
        resamples=options.resamples,
        level=options.level,
        seed=options.seed,
    )
    print(f"A {a}\nB {b}\n{size_note(ours)}\n\n{comparison_table(ours.scores, differences)}\n")
    number = len(ours) if groups is None else len({*groups})
    notes = [*interval_notes(number, unit, options.resamples), *notes]
    if smallest_p(number, ours.scores) > 1 - options.level:
        notes.append(f"{number} {unit}s are too few to show any difference at this level")
    print("\n".join(notes))
    if options.json is not None:
        content = {
            "a": str(a),
            "b": str(b),
            "differences": {name: asdict(each) for name, each in differences.items()},
            "counts": {"a": ours.count(), "b": theirs.count()},
            "unit": unit,
            "notes": notes,
        }
        write_json(options.json, {**content, **options.settings()})


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
