"""The command `evaluate.py`: generate, export, score, and draw."""

import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from jaxreact import metrics
from jaxreact.data.conversations import Conversations
from jaxreact.data.split import Split, open_split
from jaxreact.errors import Remark, UserError
from jaxreact.evaluation.config import Evaluation, check
from jaxreact.evaluation.drawing.choice import choose
from jaxreact.evaluation.drawing.draw import draw
from jaxreact.evaluation.drawing.studio import Studio, open_studio
from jaxreact.evaluation.evaluated_system import evaluated_system, made_by
from jaxreact.evaluation.generate import Generation, predict
from jaxreact.evaluation.report import write_evaluation_report
from jaxreact.evaluation.results import write_metrics_json
from jaxreact.evaluation.whole_clips import check_whole, evaluate_whole
from jaxreact.face import FPS
from jaxreact.metrics.baselines import mean_training_reaction
from jaxreact.metrics.neighbourhood import check_matrix
from jaxreact.metrics.notes import lacking_notes
from jaxreact.metrics.table import score_table
from jaxreact.predictions import (
    Predictions,
    read_predictions,
    write_predictions,
)
from jaxreact.predictions.original_files import export_original
from jaxreact.systems.system import System

FRAMES = 736
"""Frames that are generated where --frames does not say: what the original evaluates, 23
patches of 32 (behaviour 54)."""

FRAME_MULTIPLE = 32
"""Frames are cut to a multiple of this where no system says otherwise: the original's patch."""


def evaluate(config: Evaluation) -> str:
    """Runs an evaluation and returns its table.

    Raises UserError for options and files that do not fit, before anything is generated.
    """
    check(config)
    split = open_split(config.data, config.split)
    data, matrix = split.data, split.neighbours()
    if config.mode == "react2026" and not (data.release.whole and config.frames is None):
        raise UserError("--mode react2026 is for whole clips of MARS; leave it or --frames out")
    if left_out := data.left_out(config.split):
        remark = f"{data.path}: {left_out} pairs of {config.split} were left out of this cache"
        warnings.warn(f"{remark}: scores are of the others", Remark, stacklevel=2)
    check_matrix(matrix, config.mode)
    if config.export_results is not None and not (data.release.whole and config.frames is None):
        raise UserError("--export-results is for whole clips of MARS; leave it or --frames out")
    if config.alignment is not None and config.mode != "react2026":
        raise UserError("--alignment is for --mode react2026")
    if data.release.whole and config.frames is None:
        check_whole(config)
        studio = _studio(config, split)
        return evaluate_whole(config, split, evaluated_system(config), studio)
    studio, system = _studio(config, split), evaluated_system(config)
    name, predictions, mean = _predictions(config, system, split)
    assert predictions.listener is not None
    assert predictions.speaker is not None
    truth = (predictions.listener, predictions.speaker)
    clips, samples, frames, _ = predictions.emotion.shape
    faces = metrics.recorded_faces(split, predictions.coeffs)
    scores = metrics.clipwise(
        predictions.emotion, *truth, matrix, config.mode, faces=faces, period=config.period
    )
    intervals = metrics.intervals(scores, groups=split.conversations, seed=config.seed)
    baselines = metrics.baseline_scores(
        *truth,
        matrix,
        mean,
        samples=samples,
        seed=config.seed,
        mode=config.mode,
        scores=scores.scores,
        faces=faces,
        period=config.period,
    )
    write = partial(
        write_metrics_json,
        config.out / "metrics.json",
        name,
        intervals,
        baselines,
        split=config.split,
        mode=config.mode,
        seed=config.seed,
        period=config.period,
        counts=scores.count(),
        made_by=made_by(config, system),
    )
    write()
    realism = None
    if studio is not None and config.render is not None:
        assert predictions.coeffs is not None
        coeffs, dyads = predictions.coeffs, split.dyads
        realism = draw(
            config.render, studio, config.out, data, config.split, dyads, lambda row: coeffs[row, 0]
        )
    if realism is not None:
        write(realism=realism.content())
    if config.export_original is not None:
        extra = {} if realism is None else {"FRRea": realism.value}
        _export(config, config.export_original, data, predictions, matrix, scores, extra)
    report = write_evaluation_report(
        config.out,
        data=split,
        codebook=None if system is None else system.codebook,
        clip_scores=scores,
    )
    title = f"{clips} clips of {frames} frames, {samples} samples each, mode {config.mode}"
    if (made := made_by(config, system)) is not None:
        title += f"\n{', '.join(f'{key} {value}' for key, value in made.items())}"
    table = score_table(scores.scores, intervals, baselines, name)
    return "\n\n".join([title, table, *lacking_notes(scores), str(report)])


def _studio(config: Evaluation, split: Split) -> Studio | None:
    """What draws, if anything is to be drawn, loaded before hours of generation."""
    if config.render is None:
        return None
    choose(config.render, split.clips, config.out, config.split)
    return open_studio(config.drawing)


def _predictions(
    config: Evaluation, system: System | None, split: Split
) -> tuple[str, Predictions, np.ndarray]:
    """What to call the predictions in the table, they themselves, now also in `--out`, and the
    training split's mean reaction of the same length, which is read first: nothing that could be
    wrong is left for after hours of generation."""
    data, names = split.data, split.clips
    if system is not None:
        frames = split.common_frames(config.frames or FRAMES, system.frame_multiple)
        mean, truth = mean_training_reaction(data, frames), split.emotions(frames)
        request = Generation(
            config.split,
            frames,
            config.samples,
            config.seed,
            config.sampling,
            config.precision,
            config.binarize,
            config.online,
        )
        path = predict(
            system,
            data,
            split.dyads,
            request,
            config.out,
            truth,
            config.batch,
            config.profile,
        )
        return "model", read_predictions(path, clips=names), mean
    if config.predictions is not None:
        name, theirs = str(config.predictions), _read(config, split)
        frames = theirs.emotion.shape[2]
        mean, truth = mean_training_reaction(data, frames), split.emotions(frames)
        predictions = Predictions(theirs.emotion, theirs.coeffs, *truth, names)
    else:
        assert config.baseline is not None
        frames = split.common_frames(config.frames or FRAMES, FRAME_MULTIPLE)
        mean, truth = mean_training_reaction(data, frames), split.emotions(frames)
        name, number, seed = f"{config.baseline} (scored)", config.samples, config.seed
        emotion = metrics.baseline(config.baseline, *truth, number, training_mean=mean, seed=seed)
        predictions = Predictions(emotion, None, *truth, names)
    write_predictions(config.out / "predictions.npz", predictions)
    return name, predictions, mean


def _read(config: Evaluation, split: Split) -> Predictions:
    """Somebody's predictions, which fit the clips."""
    assert config.predictions is not None
    theirs = read_predictions(
        config.predictions,
        clips=split.clips,
        frames=config.frames,
        layout=config.layout,
        original_order=config.original_order,
        report=print,
    )
    frames, common = theirs.emotion.shape[2], split.shortest.frames
    if frames > common:
        raise UserError(
            f"{config.predictions}: {frames} frames ({frames / FPS:g} s), the clips have {common} "
            f"in common; --frames {common} leaves the rest out"
        )
    if config.render is not None and theirs.coeffs is None:
        raise UserError("--render needs coefficients; these predictions hold emotion alone")
    return theirs


def _export(
    config: Evaluation,
    folder: Path,
    data: Conversations,
    predictions: Predictions,
    matrix: np.ndarray,
    scores: metrics.ClipScores,
    extra: Mapping[str, float],
) -> None:
    """The original's files; its metrics.txt holds what its own program would print, and `extra`."""
    if scores.mode != "original":
        assert predictions.listener is not None
        assert predictions.speaker is not None
        truth = (predictions.listener, predictions.speaker)
        scores = metrics.clipwise(
            predictions.emotion, *truth, matrix, "original", metrics.CHALLENGE
        )
    printed = {**metrics.aggregate(scores), **extra}
    print(export_original(folder, config.split, predictions, data.mean_face(), printed))
