"""The command `evaluate.py`: generate, export, score, and draw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro

from jaxreact import metrics
from jaxreact.data.conversations import Conversations
from jaxreact.data.split import Split, open_split
from jaxreact.errors import UserError, check_seed
from jaxreact.evaluation.drawing.choice import Choice, choose
from jaxreact.evaluation.drawing.draw import draw
from jaxreact.evaluation.drawing.options import CHOICE, FilmOptions
from jaxreact.evaluation.drawing.studio import Studio, open_studio
from jaxreact.evaluation.generate import FIELDS, Generation, predict
from jaxreact.evaluation.report import write_evaluation_report
from jaxreact.evaluation.results import write_metrics_json
from jaxreact.face import FPS
from jaxreact.files import check_folder
from jaxreact.metrics.baselines import mean_training_reaction
from jaxreact.metrics.neighbourhood import check_matrix
from jaxreact.metrics.notes import lacking_notes
from jaxreact.metrics.table import score_table
from jaxreact.nn.precision import Precision
from jaxreact.predictions import (
    Layout,
    OriginalOrder,
    Predictions,
    read_predictions,
    write_predictions,
)
from jaxreact.predictions.original_files import check_torch, export_original
from jaxreact.systems.online import Online
from jaxreact.systems.sampling import Sampling, options_of
from jaxreact.systems.system import MOST_SAMPLES, OnlineSystem, System, load

FRAMES = 736
"""Frames that are generated where --frames does not say: what the original evaluates, 23
patches of 32 (behaviour 54)."""

FRAME_MULTIPLE = 32
"""Frames are cut to a multiple of this where no system says otherwise: the original's patch."""


@dataclass(frozen=True)
class Evaluation:
    """Generates reactions to a split, exports them, and scores them beside naive baselines.

    Writes `predictions.npz`, `metrics.json`, `clip_scores.csv` and `report.html` into `--out`,
    with --render also pictures, and prints the table. Give --run, or --baseline, or --predictions.
    A run that was interrupted is gone on with by the same command.
    """

    data: Path
    """Root of a data set, of REACT2024 or MARS, or a cache made by jaxreact.data.prepare."""
    out: Path
    """Directory for the results; files of an earlier evaluation there are replaced."""
    split: Literal["train", "val", "test"] = "val"
    run: Path | None = None
    """Run directory of a trained or converted system."""
    tokenizer: Path | None = None
    """With --predictor, of a run that was made before runs held their tokenizer: its directory."""
    predictor: Path | None = None
    """FIBER's run directory; the same as --run."""
    baseline: metrics.Baseline | None = None
    """Score this naive baseline instead of a model."""
    predictions: Path | None = None
    """Score somebody's predictions instead of a model: an npz, npy or PyTorch file of emotion in
    any of the orders of --layout, or a folder with CLIP/result-0.pth and so on."""
    layout: Layout | None = None
    """Order of the axes in --predictions, where their sizes do not tell it."""
    original_order: OriginalOrder | None = None
    """The original program mixes clips. Of its own file in --predictions "undo" puts each reaction
    with its clip, "keep" scores the rows as the original did; "mix" mixes any other's likewise."""
    samples: int = 10
    """Reactions to each clip."""
    frames: int | None = None
    """Frames of each clip, from its first (25 a second); shorter clips shorten all. By default 736,
    and all there are of --predictions."""
    mode: Literal["corrected", "original"] = "corrected"
    """How to score; "original" is what the original program prints for the same predictions."""
    period: int = metrics.PERIOD
    """Seams are looked for after every so many frames: the blocks in which a system reacts."""
    seed: int = 0
    """Fixes the sampled reactions and the random baseline."""
    sampling: Annotated[Sampling, tyro.conf.arg(name="")] = field(default_factory=Sampling)
    online: Annotated[Online, tyro.conf.arg(name="")] = field(default_factory=Online)
    precision: Precision = "tensorfloat32"
    """What the system's products are computed in; the speaker's codes are decided in float32
    anyway. tensorfloat32 is float32 where a device has no such thing."""
    binarize: bool = False
    """Round the action units of a system that has this option (BeLFusion, as it was submitted)."""
    batch: int | None = None
    """Clips to generate at once, all devices together; changes speed and memory alone. By default
    1 for a CPU, 8 for each GPU or TPU."""
    render: Annotated[Choice | None, CHOICE] = None
    """Also draw the first sample of clips: speaker, recorded listener, mesh and face beside each
    other, with the speaker's sound. The first N clips (without N: 4), all of them, the four of a
    submission, or pictures for FRRea ("fid", of the clips that the original takes)."""
    drawing: Annotated[FilmOptions, tyro.conf.arg(name="")] = field(default_factory=FilmOptions)
    profile: Path | None = None
    """Trace the generation of a few batches into this folder (docs/speed.md says how to look at
    it)."""
    export_original: Path | None = None
    """Also write the original's files listener_pred_emotion.pt, listener_pred_3dmm.pt,
    listener_gt.pt, speaker_gt.pt and metrics.txt, below this directory. Needs torch."""


def evaluate(config: Evaluation) -> str:
    """Runs an evaluation and returns its table.

    Raises UserError for options and files that do not fit, before anything is generated.
    """
    _check(config)
    split = open_split(config.data, config.split)
    data, matrix = split.data, split.neighbours()
    check_matrix(matrix, config.mode)
    studio = _studio(config, split)
    system = _system(config)
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
        made_by=_made_by(config, system),
    )
    write()
    realism = None
    if studio is not None and config.render is not None:
        assert predictions.coeffs is not None
        realism = draw(
            config.render, studio, config.out, data, config.split, split.dyads, predictions.coeffs
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
    if (made_by := _made_by(config, system)) is not None:
        title += f"\n{', '.join(f'{key} {value}' for key, value in made_by.items())}"
    table = score_table(scores.scores, intervals, baselines, name)
    return "\n\n".join([title, table, *lacking_notes(scores), str(report)])


def _check(config: Evaluation) -> None:
    check_folder(config.out)
    check_seed(config.seed)
    model = _run(config)
    sources = [model is not None, config.baseline is not None, config.predictions is not None]
    if sum(sources) != 1 or (config.tokenizer is not None and config.predictor is None):
        raise UserError(
            "give --run (or --predictor, with --tokenizer where its run does not hold it), or"
            " --baseline, or --predictions; nothing else"
        )
    if config.run is not None and config.predictor is not None:
        raise UserError("--run and --predictor name the same; give one of them")
    for name, least in (("samples", 1), ("frames", 2), ("batch", 1)):
        value = getattr(config, name)
        if value is not None and value < least:
            raise UserError(f"--{name} {value} is less than {least}")
    if config.samples > MOST_SAMPLES:
        raise UserError(f"--samples {config.samples} is more than {MOST_SAMPLES}")
    metrics.check_period(config.period)
    if config.render is not None and config.baseline is not None:
        raise UserError("--render needs coefficients; baselines are emotion alone")
    if config.online != Online() and model is None:
        raise UserError("--causal and --step are for a --run")
    if config.binarize and model is None:
        raise UserError("--binarize is for a --run that has it")
    if config.predictions is None and (config.layout or config.original_order):
        raise UserError("--layout and --original-order are for --predictions")
    if config.export_original is not None:
        check_torch()


def _run(config: Evaluation) -> Path | None:
    return config.predictor if config.run is None else config.run


def _system(config: Evaluation) -> System | None:
    """The system to evaluate, if it is one; its options fit it."""
    run = _run(config)
    if run is None:
        return None
    system = load(run) if config.tokenizer is None else load(run, tokenizer=config.tokenizer)
    options_of(config.sampling, system.options, f"{run}: {system.name}")
    if config.binarize and "binarize" not in system.options:
        raise UserError(f"{run}: {system.name} has no --binarize; leave it out")
    if lacking := system.needs - FIELDS.keys():
        raise UserError(
            f"{run}: {system.name} needs the speaker's {', '.join(sorted(lacking))}, which this"
            " data does not have; it cannot be scored here"
        )
    return config.online.prepared(system, f"{run}: {system.name}").in_precision(config.precision)


def _made_by(config: Evaluation, system: System | None) -> dict[str, str | int | bool] | None:
    """What the scores have to say of the system that they are of."""
    if system is None:
        return None
    binarized = {"binarize": config.binarize} if "binarize" in system.options else {}
    causal = {}
    if config.online.causal and isinstance(system, OnlineSystem):
        causal = {"causal": True, "step": system.step}
    made = {"system": system.name, **system.settings, **binarized, **causal}
    return {**made, "precision": config.precision}


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
