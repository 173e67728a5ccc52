"""The command `python -m jaxreact.metrics score` for a `results.pt`, whose clips have lengths of
their own and which holds what they are compared with."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from jaxreact.errors import UserError
from jaxreact.files import write_json
from jaxreact.metrics.clipwise import ClipScores, aggregate, clipwise
from jaxreact.metrics.frc import FRC
from jaxreact.metrics.frd import FRD
from jaxreact.metrics.frdiv import FRDIV
from jaxreact.metrics.frvar import FRVAR
from jaxreact.metrics.notes import interval_notes, size_note
from jaxreact.metrics.options import Options
from jaxreact.metrics.ragged.challenge import Align, fit
from jaxreact.metrics.ragged.draws import DrawInterval, over_draws
from jaxreact.metrics.ragged.inputs import check_ragged_mode
from jaxreact.metrics.statistics.intervals import intervals
from jaxreact.metrics.table import score_table
from jaxreact.metrics.truth import TruthFiles
from jaxreact.predictions import Results, read_results

_WITHOUT = "FRSyn needs the speakers, which no such file holds: not scored"
_NOTHING_DRAWN = "nothing was drawn: no clip has more than ten targets"
_SCORES = (FRC, FRD, FRVAR, FRDIV)


def score_results(path: Path, truth: TruthFiles, options: Options, baselines: bool) -> None:
    """Prints a table of the scores that need nothing but the file, and writes --json.

    Raises `UserError` for a file that cannot be used, and for options that belong to other files.
    """
    _refuse_options(path, truth, options, baselines)
    results = read_results(path)
    scores, spread, notes = _scored(path, results, options)
    ranges = intervals(scores, resamples=options.resamples, level=options.level, seed=options.seed)
    print(f"{path}: {size_note(scores)}\n\n{score_table(scores.scores, ranges, {})}\n")
    notes = [*interval_notes(len(scores), "clip", options.resamples), *notes, _WITHOUT]
    print("\n".join(notes))
    if options.json is not None:
        content = {
            "predictions": str(path),
            "scores": aggregate(scores),
            "intervals": {name: [each.low, each.high] for name, each in ranges.items()},
            "draws_intervals": {name: [each.low, each.high] for name, each in spread.items()},
            "counts": scores.count(),
            "unit": "clip",
            "notes": notes,
        }
        write_json(options.json, {**content, **options.settings()})


def _scored(
    path: Path, results: Results, options: Options
) -> tuple[ClipScores, Mapping[str, DrawInterval], list[str]]:
    """Each clip's scores, how far draws move them, and what there is to say of both."""
    given = results.predictions, results.targets
    if options.mode == "corrected":
        return clipwise(*given, mode="corrected", scores=_SCORES), {}, []
    fits = fit(*given)
    if not fits and options.alignment is None:
        lacking = (
            "FRC and FRD of targets that are not as long as their predictions need the challenge's "
            "alignment, --alignment RUN: not scored"
        )
        return clipwise(*given, mode="react2026", scores=(FRVAR, FRDIV)), {}, [lacking]
    align = None if fits else _alignment(path, results, options)
    scores, spread = over_draws(
        *given,
        scores=_SCORES,
        align=align,
        draws=options.draws,
        level=options.level,
        seed=options.seed,
    )
    what = "ten targets" if fits else "ten targets and of the alignment's noise"
    notes = [_drawn(name, what, each) for name, each in spread.items()]
    if fits and options.alignment is not None:
        notes.append("all targets are as long as their predictions: --alignment has nothing to do")
    return scores, spread, notes if spread else [*notes, _NOTHING_DRAWN]


def _alignment(path: Path, results: Results, options: Options) -> Align:
    """The network, once it is known that no target will be refused after hours."""
    from jaxreact.metrics.alignment.load import load_alignment  # the others need no network
    from jaxreact.metrics.alignment.pieces import lengths_of_pieces

    assert options.alignment is not None
    for index, targets in enumerate(results.targets):
        frames = results.predictions[index].shape[1]
        for number, target in enumerate(targets):
            try:
                lengths_of_pieces(len(target), frames)
            except UserError as error:
                raise UserError(f"{path}: GT[{index}][{number}]: {error}") from error
    return load_alignment(options.alignment)


def _drawn(name: str, what: str, interval: DrawInterval) -> str:
    return (
        f"{name} of another draw of {what}: {interval.low:.4f} to {interval.high:.4f} "
        f"({interval.draws} draws, {100 * interval.level:g} %)"
    )


def _refuse_options(path: Path, truth: TruthFiles, options: Options, baselines: bool) -> None:
    check_ragged_mode(options.mode)
    given = [
        f"--{each.name}"
        for each in fields(truth)
        if each.name != "split" and getattr(truth, each.name) is not None
    ]
    given += [
        f"--{name.replace('_', '-')}"
        for name in ("layout", "original_order", "frames")
        if getattr(options, name) is not None
    ]
    given += ["--by conversation"] * (options.by == "conversation") + ["--baselines"] * baselines
    if given:
        raise UserError(
            f"{path}: holds GT and PRED of clips without names, which alone are scored; leave out "
            f"{', '.join(given)}"
        )
