"""Evaluating data whose clips are scored whole, each of its own length: MARS, of REACT 2026.

A clip's reaction is as long as its speaker, at the release's own frame rate, and is compared with
all listeners of its session, in their own lengths.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact import metrics
from jaxreact.data.frame_rate import coeffs_at, frames_at
from jaxreact.data.layout import Clip
from jaxreact.data.split import Split
from jaxreact.errors import Remark, UserError
from jaxreact.evaluation.config import Evaluation
from jaxreact.evaluation.drawing.draw import draw
from jaxreact.evaluation.drawing.studio import Studio
from jaxreact.evaluation.evaluated_system import made_by
from jaxreact.evaluation.generate import Generation, predict
from jaxreact.evaluation.report import clip_table
from jaxreact.evaluation.report.evaluated import read_metrics
from jaxreact.evaluation.report.evaluated_whole import EvaluatedWhole
from jaxreact.evaluation.report.whole import write_whole_report
from jaxreact.evaluation.results import write_metrics_json
from jaxreact.evaluation.results_file import export_results
from jaxreact.face import FPS
from jaxreact.metrics.alignment.pieces import lengths_of_pieces
from jaxreact.metrics.notes import drawn_note, size_note
from jaxreact.metrics.ragged.baselines import (
    NAMES,
    mean_training_frame,
    ragged_baseline,
    ragged_baseline_scores,
)
from jaxreact.metrics.table import score_table
from jaxreact.predictions.whole import WholePredictions, read_whole, write_whole
from jaxreact.systems.system import System

LEAST = 2
"""Frames of which anything can be said over time."""

EARLY = 0.1
"""Seconds by which what is known of a speaker may end early without a word."""

STRETCH = 736
"""Frames that are generated at once, 25 a second: about the 30 seconds of a training clip."""

Sequences = list[Float[np.ndarray, "_ 25"]]


def check_whole(config: Evaluation) -> None:
    """Raises `UserError` for options that whole clips do not have."""
    name = str(config.data)
    if config.predictions is not None:
        raise UserError(
            f"{name}: clips of their own lengths; score a results.pt by"
            " `python -m jaxreact.metrics score FILE`, or give --frames"
        )
    if config.baseline is not None and config.baseline not in NAMES:
        raise UserError(f"--baseline {config.baseline}: of whole clips {', '.join(NAMES)}")
    for option, given in (
        (f"--render {config.render}", config.render in ("submit", "fid")),
        ("--export-original", config.export_original is not None),
        ("--mode original", config.mode == "original"),
    ):
        if given:
            raise UserError(f"{name}: clips of their own lengths have no {option}; give --frames")


def evaluate_whole(
    config: Evaluation, split: Split, system: System | None, studio: Studio | None
) -> str:
    """Runs such an evaluation, with films where there is a `studio`, and returns its table; errors
    as `command.evaluate`."""
    align = None if config.alignment is None else metrics.load_alignment(config.alignment)
    mean, truth = mean_training_frame(split.data), _truth(split)
    _remark_on_early_ends(split, truth[1])
    if config.mode == "react2026":
        _check_lengths(split, *truth, aligned=align is not None)
    name, predictions = _predictions(config, split, system, mean, truth)
    targets, fps = predictions.targets, round(predictions.rate)
    given = (predictions.emotion, targets, predictions.speaker)
    spread: Mapping[str, metrics.DrawInterval] = {}
    if config.mode == "react2026":
        scores, spread = metrics.over_draws(*given, align=align, seed=config.seed)
    else:
        scores = metrics.clipwise(*given, None, config.mode, fps=fps, seed=config.seed)
    intervals = metrics.intervals(scores, groups=split.conversations, seed=config.seed)
    baselines = ragged_baseline_scores(
        predictions.listener,
        predictions.speaker,
        targets,
        mean,
        samples=scores.samples,
        mode=config.mode,
        fps=fps,
        scores=scores.scores,
        align=align,
        seed=config.seed,
    )
    made = made_by(config, system)
    write_metrics_json(
        config.out / "metrics.json",
        name,
        intervals,
        baselines,
        split=config.split,
        mode=config.mode,
        seed=config.seed,
        period=None,
        counts=scores.count(),
        made_by=made,
        draws={name: (each.low, each.high) for name, each in spread.items()},
    )
    table = clip_table.table_of(split.clips, scores)
    clip_table.write_clip_table(config.out / clip_table.NAME, table)
    if config.export_results is not None:
        print(export_results(config.export_results, predictions, config.seed, align))
    if studio is not None and config.render is not None:
        coeffs, data = predictions.coeffs, split.data
        assert coeffs is not None
        draw(
            config.render,
            studio,
            config.out,
            data,
            config.split,
            split.dyads,
            lambda row: coeffs_at(coeffs[row][0], predictions.rate),
        )
    content = read_metrics(config.out / "metrics.json")
    report = write_whole_report(EvaluatedWhole(config.out, predictions, content, split, table))
    title = size_note(scores)
    if made is not None:
        title += f"\n{', '.join(f'{key} {value}' for key, value in made.items())}"
    table_text = score_table(scores.scores, intervals, baselines, name)
    notes = [drawn_note(name, each) for name, each in spread.items()]
    return "\n\n".join([title, table_text, *notes, str(report)])


def _check_lengths(split: Split, listener: Sequences, speaker: Sequences, aligned: bool) -> None:
    """Raises `UserError` where a target would need the alignment and there is none, or one that the
    alignment cannot bring to its length, before anything is generated."""
    for clip, row in enumerate(split.neighbours()):
        frames = len(speaker[clip])
        for other in np.flatnonzero(row):
            given = len(listener[other])
            if given == frames:
                continue
            pair = (
                f"{split.clips[clip]}: {frames} frames, {split.clips[other]}'s listener has {given}"
            )
            if not aligned:
                raise UserError(
                    f"{pair}: mode react2026 needs the challenge's alignment; give --alignment RUN,"
                    " or use mode corrected"
                )
            try:
                lengths_of_pieces(given, frames)
            except UserError as error:
                raise UserError(f"{pair}: {error}") from error


def _truth(split: Split) -> tuple[Sequences, Sequences]:
    """What listeners and speakers showed, all of it, at the release's rate; each clip read once."""
    people: dict[Clip, np.ndarray] = {}
    clips = [clip for dyad in split.dyads for clip in (dyad.listener, dyad.speaker)]
    rows = tqdm(dict.fromkeys(clips), f"reading {split.name}", unit="clip", delay=2, disable=None)
    for clip in rows:
        people[clip] = split.data.recorded_emotion(clip)
    for clip, shown in people.items():
        if len(shown) < LEAST:
            raise UserError(f"{clip.name}: {len(shown)} frames cannot be scored; take the pair out")
    listener = [people[dyad.listener] for dyad in split.dyads]
    return listener, [people[dyad.speaker] for dyad in split.dyads]


def _remark_on_early_ends(split: Split, speaker: Sequences) -> None:
    """Says of how many speakers less is known than their emotion, by `EARLY` seconds or more."""
    lacking = {
        dyad.speaker.name: frames_at(len(rows), split.data.release.rate) - dyad.speaker.frames
        for dyad, rows in zip(split.dyads, speaker, strict=True)
    }
    early = {name: frames for name, frames in lacking.items() if frames / FPS >= EARLY}
    if early:
        name, frames = max(early.items(), key=lambda each: each[1])
        warnings.warn(
            f"{split.data.path}, {split.name}: sound or coefficients of {len(early)} speakers end"
            f" before their emotion, {name} by {frames / FPS:.1f} s; there they are silent and"
            " stand still",
            Remark,
            stacklevel=3,
        )


def _predictions(
    config: Evaluation,
    split: Split,
    system: System | None,
    mean: Float[np.ndarray, "25"],
    truth: tuple[Sequences, Sequences],
) -> tuple[str, WholePredictions]:
    path: Path = config.out / "predictions.npz"
    if system is None:
        assert config.baseline is not None
        made = ragged_baseline(config.baseline, *truth, config.samples, mean, config.seed)
        suits, rate = split.neighbours() > 0, split.data.release.rate
        write_whole(path, WholePredictions(made, None, *truth, suits, rate, split.clips))
        return f"{config.baseline} (scored)", read_whole(path)
    multiple = system.frame_multiple
    request = Generation(
        config.split,
        -(-STRETCH // multiple) * multiple,
        config.samples,
        config.seed,
        config.sampling,
        config.precision,
        config.binarize,
        config.online,
        whole=True,
    )
    dyads, out = split.dyads, config.out
    predict(system, split.data, dyads, request, out, truth, config.batch, config.profile)
    return "model", read_whole(path)
