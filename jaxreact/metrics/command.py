"""The commands `python -m jaxreact.metrics score` and `compare`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from tyro.conf import Positional, arg

from jaxreact.data.split import Split, conversations
from jaxreact.errors import UserError
from jaxreact.files import write_json
from jaxreact.metrics.baseline_scores import baseline_scores
from jaxreact.metrics.clipwise import ClipScores, aggregate, clipwise
from jaxreact.metrics.compare_results import compare_results
from jaxreact.metrics.comparing import show_comparison
from jaxreact.metrics.faces import Faces
from jaxreact.metrics.notes import (
    interval_notes,
    lacking_notes,
    left_out_notes,
    size_note,
    truth_note,
)
from jaxreact.metrics.options import Options
from jaxreact.metrics.recorded_faces import recorded_faces
from jaxreact.metrics.score_results import score_results
from jaxreact.metrics.statistics.intervals import intervals
from jaxreact.metrics.table import score_table
from jaxreact.metrics.truth import (
    Truth,
    TruthFiles,
    check_same_clips,
    find_truth,
    number_of_clips,
    split_of,
)
from jaxreact.predictions import (
    OriginalOrder,
    Predictions,
    by_original,
    holds_results,
    read_predictions,
)

_ORDER_NOTE = "clips are mixed as in the original: comparable with its published rows only"


@dataclass(frozen=True)
class Score:
    """Scores predictions, with bootstrap confidence intervals.

    The intervals say where the scores might lie on other clips of the same kind; they do not cover
    another training of the same model. The truth comes from --data, or from --neighbours and, where
    the predictions' file lacks them, --listener and --speaker. Scores of the face need --data, and
    predictions with coefficients. A results.pt of REACT 2025/2026 (GT and PRED, lists with a tensor
    for each clip) needs none of these: it holds what its clips are compared with.
    """

    predictions: Annotated[Positional[Path], arg(metavar="PREDICTIONS")]
    """Predicted emotion (clips, samples, frames, 25)."""
    truth: Annotated[TruthFiles, arg(name="")] = field(default_factory=TruthFiles)
    options: Annotated[Options, arg(name="")] = field(default_factory=Options)
    baselines: bool = False
    """Score the naive baselines gt (the truth itself), mime (the speaker) and random too."""

    def run(self) -> None:
        """Prints the table, and writes --json."""
        options = self.options
        options.check()
        if holds_results(self.predictions):
            return score_results(self.predictions, self.truth, options, self.baselines)
        _refuse_react2026(self.predictions, options)
        split = _split(self.predictions, self.truth, options)
        predictions = _read(self.predictions, split, self.truth, options, options.original_order)
        truth = find_truth(self.truth, split, self.predictions, predictions, options.frames)
        groups, unit = _groups(options, truth, self.predictions)
        faces = recorded_faces(split, predictions.coeffs)
        scores = _scores(predictions, truth, options, faces)
        ranges = intervals(
            scores,
            groups=groups,
            resamples=options.resamples,
            level=options.level,
            seed=options.seed,
        )
        others = {}
        if self.baselines:
            recorded = (truth.listener, truth.speaker, truth.neighbours)
            others = baseline_scores(
                *recorded,
                samples=scores.samples,
                seed=options.seed,
                mode=options.mode,
                scores=scores.scores,
                faces=faces,
                period=options.period,
            )
        table = score_table(scores.scores, ranges, others)
        print(f"{self.predictions}: {size_note(scores)}\n\n{table}\n")
        notes = _notes(scores, options, groups, unit)
        print("\n".join(notes))
        if options.json is not None:
            _write(
                options,
                predictions=str(self.predictions),
                scores=aggregate(scores),
                intervals={name: [each.low, each.high] for name, each in ranges.items()},
                baselines=others,
                counts=scores.count(),
                unit=unit,
                notes=notes,
            )


@dataclass(frozen=True)
class Compare:
    """Tests whether system B differs from system A, both scored on the same clips.

    For each score: the difference with its bootstrap interval, a p-value from exchanging the two
    systems' predictions of random clips (or conversations), and the p-value corrected for the
    number of scores, those of the challenge and ours apart, by which the verdict is drawn. Both may
    be of whole clips, or a results.pt each, which hold what they are compared with.
    """

    a: Annotated[Positional[Path], arg(metavar="A")]
    """Predictions of the first system."""
    b: Annotated[Positional[Path], arg(metavar="B")]
    """Predictions of the second, for the same clips in the same order."""
    truth: Annotated[TruthFiles, arg(name="")] = field(default_factory=TruthFiles)
    options: Annotated[Options, arg(name="")] = field(default_factory=Options)

    def run(self) -> None:
        """Prints the table, and writes --json."""
        options = self.options
        options.check()
        if holds_results(self.a) or holds_results(self.b):
            return compare_results(self.a, self.b, self.truth, options)
        _refuse_react2026(self.a, options)
        split = _split(self.a, self.truth, options)
        first, second = (
            _read(path, split, self.truth, options, _order_of_one(path, options))
            for path in (self.a, self.b)
        )
        truth = find_truth(self.truth, split, self.a, first, options.frames)
        check_same_clips(self.b, second, self.a, truth.clips)
        _check_pair(self.a, first, self.b, second)
        groups, unit = _groups(options, truth, self.a)
        faces = None if second.coeffs is None else recorded_faces(split, first.coeffs)
        scores = _scores(first, truth, options, faces)
        others = _scores(second, truth, options, faces)
        notes = _notes(scores, options, groups, unit)
        notes.append(truth_note(truth, scores, faces, options.period))
        show_comparison((self.a, self.b), (scores, others), groups, unit, notes, options)


def _refuse_react2026(path: Path, options: Options) -> None:
    if options.mode == "react2026":
        raise UserError(f"{path}: --mode react2026 is for a results.pt, with GT and PRED in it")


def _split(path: Path, truth: TruthFiles, options: Options) -> Split | None:
    """As `split_of`; without any truth, what is wrong with the predictions comes first."""
    if truth.data is None and truth.neighbours is None:
        _read(path, None, truth, options, _order_of_one(path, options))
        raise UserError(f"{path}: give --data, or --neighbours with the split's neighbour matrix")
    return split_of(truth)


def _read(
    path: Path,
    split: Split | None,
    truth: TruthFiles,
    options: Options,
    order: OriginalOrder | None,
) -> Predictions:
    """The predictions in a file, after one line about how it was understood."""
    return read_predictions(
        path,
        clips=None if split is None else split.clips,
        number=number_of_clips(truth),
        frames=options.frames,
        layout=options.layout,
        original_order=order,
        report=print,
    )


def _order_of_one(path: Path, options: Options) -> OriginalOrder | None:
    """Of two files, what `--original-order` means for this one."""
    if options.original_order == "mix" or by_original(path):
        return options.original_order
    return None


def _scores(
    predictions: Predictions, truth: Truth, options: Options, faces: Faces | None
) -> ClipScores:
    """Of `faces` only the recorded persons count."""
    recorded = (truth.listener, truth.speaker, truth.neighbours)
    if faces is not None and predictions.coeffs is not None:
        faces = faces.of(predictions.coeffs)
    return clipwise(
        predictions.emotion, *recorded, options.mode, faces=faces, period=options.period
    )


def _groups(options: Options, truth: Truth, path: Path) -> tuple[list[str] | None, str]:
    """Every clip's conversation, or None to resample clips; and what to call the unit."""
    if options.by == "clip" or (options.by is None and truth.clips is None):
        return None, "clip"
    if truth.clips is None:
        raise UserError(
            f"{path}: holds no names of clips, so that conversations are not known; "
            "give --data, or --by clip"
        )
    return conversations(truth.clips), "conversation"


def _check_pair(path_a: Path, a: Predictions, path_b: Path, b: Predictions) -> None:
    """Raises `UserError` where the arrays of the two files cannot be of the same clips."""
    if a.emotion.shape != b.emotion.shape:
        raise UserError(
            f"{path_b}: shape {b.emotion.shape}, {path_a} has {a.emotion.shape}; only the same "
            "clips, samples and frames can be compared"
        )
    for name in ("listener", "speaker"):
        in_a, in_b = getattr(a, name), getattr(b, name)
        if in_a is None or in_b is None:
            continue
        differ = ~np.isclose(in_a, in_b, atol=1e-4).all(axis=(1, 2))
        if differ.any():
            raise UserError(
                f"{path_b}: the {name} of clip {differ.argmax()} is another than in {path_a}; "
                "only predictions of the same clips can be compared"
            )


def _notes(
    scores: ClipScores, options: Options, groups: Sequence[str] | None, unit: str
) -> list[str]:
    """What a reader of the table has to know."""
    number = len(scores) if groups is None else len({*groups})
    lines = interval_notes(number, unit, options.resamples)
    lines += left_out_notes(scores) + lacking_notes(scores)
    if options.original_order in ("keep", "mix"):
        lines.append(_ORDER_NOTE)
    return lines


def _write(options: Options, **content: Any) -> None:
    """Writes --json, with the settings that the numbers depend on."""
    assert options.json is not None
    write_json(options.json, {**content, **options.settings()})
