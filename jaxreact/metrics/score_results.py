"""The command `python -m jaxreact.metrics score` for a `results.pt`, whose clips have lengths of
their own and which holds what they are compared with."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from jaxreact.data.split import conversations
from jaxreact.errors import UserError
from jaxreact.files import write_json
from jaxreact.metrics.clipwise import ClipScores, aggregate, clipwise
from jaxreact.metrics.frc import FRC
from jaxreact.metrics.frd import FRD
from jaxreact.metrics.frdiv import FRDIV
from jaxreact.metrics.frdvs import FRDVS
from jaxreact.metrics.frsyn import FRSYN
from jaxreact.metrics.frvar import FRVAR
from jaxreact.metrics.notes import drawn_note, interval_notes, size_note
from jaxreact.metrics.options import Options
from jaxreact.metrics.ragged.challenge import Align, fit
from jaxreact.metrics.ragged.draws import DrawInterval, over_draws
from jaxreact.metrics.ragged.inputs import check_ragged_mode
from jaxreact.metrics.statistics.intervals import intervals
from jaxreact.metrics.table import score_table
from jaxreact.metrics.truth import TruthFiles
from jaxreact.predictions import Results, read_results
from jaxreact.predictions.whole import holds_whole

WITHOUT = "FRSyn needs the speakers, which no such file holds: not scored"
"""Said of a `results.pt`."""
_NOTHING_DRAWN = "nothing was drawn: no clip has more than ten targets"
_SCORES = (FRC, FRD, FRVAR, FRDIV)
_WITH_SPEAKERS = (FRC, FRD, FRDVS, FRVAR, FRDIV, FRSYN)


def score_results(path: Path, truth: TruthFiles, options: Options, baselines: bool) -> None:
    """Prints a table of the scores that need nothing but the file, and writes --json.

    Raises `UserError` for a file that cannot be used, and for options that belong to other files.
    """
    refuse_options(path, truth, options, baselines)
    results = read_results(path)
    scores, spread, notes = scored(path, results, options)
    groups, unit = groups_of(results, options)
    ranges = intervals(
        scores, groups=groups, resamples=options.resamples, level=options.level, seed=options.seed
    )
    print(f"{path}: {size_note(scores)}\n\n{score_table(scores.scores, ranges, {})}\n")
    number = len(scores) if groups is None else len({*groups})
    notes = [*interval_notes(number, unit, options.resamples), *notes]
    notes += [WITHOUT] if results.speaker is None else []
    print("\n".join(notes))
    if options.json is not None:
        content = {
            "predictions": str(path),
            "scores": aggregate(scores),
            "intervals": {name: [each.low, each.high] for name, each in ranges.items()},
            "draws_intervals": {name: [each.low, each.high] for name, each in spread.items()},
            "counts": scores.count(),
            "unit": unit,
            "notes": notes,
        }
        write_json(options.json, {**content, **options.settings()})


def groups_of(results: Results, options: Options) -> tuple[list[str] | None, str]:
    """Every clip's conversation, or None to resample clips; and what to call the unit."""
    if results.clips is None or options.by == "clip":
        return None, "clip"
    return conversations(results.clips), "conversation"


def scored(
    path: Path, results: Results, options: Options
) -> tuple[ClipScores, Mapping[str, DrawInterval], list[str]]:
    """Each clip's scores, how far draws move them, and what there is to say of both."""
    given = results.predictions, results.targets
    wanted = _SCORES if results.speaker is None else _WITH_SPEAKERS
    heard = {"speaker": results.speaker, "scores": wanted}
    if options.mode == "corrected":
        return clipwise(*given, mode="corrected", fps=results.fps, **heard), {}, []
    fits = fit(*given)
    if fits and options.alignment is not None:
        _alignment(path, results, options)  # is one, though it has nothing to do
    if not fits and options.alignment is None:
        lacking = (
            "FRC and FRD of targets that are not as long as their predictions need the challenge's "
            "alignment, --alignment RUN: not scored"
        )
        heard["scores"] = tuple(score for score in wanted if score not in (FRC, FRD))
        return clipwise(*given, mode="react2026", **heard), {}, [lacking]
    align = None if fits else _alignment(path, results, options)
    scores, spread = over_draws(
        *given,
        **heard,
        align=align,
        draws=options.draws,
        level=options.level,
        seed=options.seed,
    )
    what = "ten targets" if fits else "ten targets and of the alignment's noise"
    notes = [drawn_note(name, each, what) for name, each in spread.items()]
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


def refuse_options(path: Path, truth: TruthFiles, options: Options, baselines: bool) -> None:
    """Raises `UserError` for options that such a file leaves no room for."""
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
    unknown = not holds_whole(path)
    given += ["--by conversation"] * (options.by == "conversation" and unknown)
    given += ["--baselines"] * baselines
    if given:
        raise UserError(
            f"{path}: holds clips of their own lengths and what each is compared with; leave out "
            f"{', '.join(given)}"
        )
