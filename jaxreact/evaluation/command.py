"""The command `evaluate.py`: generate, export, score, and draw."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro
from tqdm import tqdm

from jaxreact import metrics
from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.data.layout import EMOTION, Dyad
from jaxreact.errors import UserError
from jaxreact.evaluation.generate import (
    clip_names,
    common_frames,
    emotions,
    predict,
    video_paths,
)
from jaxreact.evaluation.results import score_table, write_metrics_json
from jaxreact.face import FPS
from jaxreact.generation import Sampling
from jaxreact.predictions import Predictions, read_predictions, write_predictions
from jaxreact.reaction import load_models
from jaxreact.rendering.compose import render_conversation

TOKENIZER_BLOCK = 32
"""Frames are cut to a multiple of this where no tokenizer says otherwise."""


@dataclass(frozen=True)
class Evaluation:
    """Generates reactions to a split, exports them, and scores them beside naive baselines.

    Writes `predictions.npz` and `metrics.json` into `--out`, with `--render` also `videos/`, and
    prints the table. Give --tokenizer and --predictor, or --baseline, or --predictions.
    """

    data: Path
    """Root of a data set in the REACT2024 layout, or a cache made by jaxreact.data.prepare."""
    out: Path
    """Directory for the results; files of an earlier evaluation there are replaced."""
    split: Literal["train", "val", "test"] = "val"
    tokenizer: Path | None = None
    """Directory of a trained or converted tokenizer."""
    predictor: Path | None = None
    """Directory of a trained or converted predictor."""
    baseline: metrics.Baseline | None = None
    """Score this naive baseline instead of a model."""
    predictions: Path | None = None
    """Score somebody else's predictions.npz instead of a model."""
    samples: int = 10
    """Reactions to each clip."""
    frames: int = 736
    """Frames of each clip, from its first (25 a second); shorter clips shorten all."""
    mode: Literal["corrected", "original"] = "corrected"
    """How to score; "original" is what the original program prints for the same predictions."""
    seed: int = 0
    """Fixes the sampled reactions and the random baseline."""
    sampling: Annotated[Sampling, tyro.conf.arg(name="")] = field(default_factory=Sampling)
    render: bool = False
    """Also write videos: the speaker beside the first sample, with the speaker's sound."""
    render_clips: int = 4
    """How many clips to draw with --render, from the first; 0 draws all."""
    size: int = 256
    """Side of each face in the videos, in pixels."""


def evaluate(config: Evaluation) -> str:
    """Runs an evaluation and returns its table. Raises UserError for options that do not fit."""
    _check(config)
    data = open_conversations(config.data)
    dyads = data.dyads(config.split)
    matrix = data.neighbours(config.split, len(dyads))
    name, predictions = _predictions(config, data, dyads)
    if config.render and predictions.coeffs is None:
        raise UserError("--render needs coefficients; these predictions hold emotion alone")
    assert predictions.listener is not None
    assert predictions.speaker is not None
    truth = (predictions.listener, predictions.speaker)
    write_predictions(config.out / "predictions.npz", predictions)
    scores = metrics.evaluate(predictions.emotion, *truth, matrix, config.mode)
    baselines = _baseline_scores(config, data, *truth, matrix, predictions.emotion.shape[1])
    write_metrics_json(
        config.out / "metrics.json",
        scores,
        baselines,
        mode=config.mode,
        counts=metrics.count(predictions.emotion, predictions.speaker, matrix),
    )
    if config.render:
        _render(config, data, dyads, predictions)
    clips, samples, frames, _ = predictions.emotion.shape
    title = f"{clips} clips of {frames} frames, {samples} samples each, mode {config.mode}"
    return f"{title}\n\n{score_table(scores, baselines, name)}"


def _check(config: Evaluation) -> None:
    model = config.tokenizer is not None or config.predictor is not None
    sources = [model, config.baseline is not None, config.predictions is not None]
    if sum(sources) != 1 or (model and None in (config.tokenizer, config.predictor)):
        raise UserError(
            "give both --tokenizer and --predictor, or --baseline, or --predictions; nothing else"
        )
    if config.samples < 1:
        raise UserError(f"--samples {config.samples} is less than 1")
    if config.size % 2:
        raise UserError(f"--size {config.size} is odd; video needs an even number of pixels")


def _predictions(
    config: Evaluation, data: Conversations, dyads: Sequence[Dyad]
) -> tuple[str, Predictions]:
    """The predictions to score, and what to call them in the table."""
    if config.tokenizer is not None and config.predictor is not None:
        models = load_models(config.tokenizer, config.predictor)
        frames = common_frames(dyads, config.frames, models.tokenizer.config.block_size)
        made = predict(models, data, dyads, frames, config.sampling, config.samples, config.seed)
        return "model", made
    frames = common_frames(dyads, config.frames, TOKENIZER_BLOCK)
    names = clip_names(dyads)
    if config.predictions is not None:
        found = read_predictions(config.predictions, clips=names)
        frames = found.emotion.shape[2]
        if frames > min(dyad.frames for dyad in dyads):
            raise UserError(f"{config.predictions}: {frames} frames, more than the clips have")
        listener, speaker = emotions(data, dyads, frames)
        return str(config.predictions), Predictions(
            found.emotion, found.coeffs, listener, speaker, names
        )
    listener, speaker = emotions(data, dyads, frames)
    assert config.baseline is not None
    made = metrics.baseline(
        config.baseline,
        listener,
        speaker,
        config.samples,
        training_mean=_training_mean(data, frames) if "mean" in config.baseline else None,
        seed=config.seed,
    )
    return f"{config.baseline} (scored)", Predictions(made, None, listener, speaker, names)


def _training_mean(data: Conversations, frames: int) -> np.ndarray:
    """The training listeners' mean reaction."""
    dyads = data.dyads("train", modalities=(EMOTION,))
    clips = tqdm(dyads, "mean reaction", unit="clip", delay=2, disable=None)
    return metrics.mean_reaction((data.emotion(dyad.listener) for dyad in clips), frames)


def _baseline_scores(
    config: Evaluation,
    data: Conversations,
    listener: np.ndarray,
    speaker: np.ndarray,
    matrix: np.ndarray,
    samples: int,
) -> dict[str, dict[str, float]]:
    """Scores of all naive baselines on the same clips.

    All but `random` repeat one reaction, so one sample is scored and the two scores that are sums
    over samples are multiplied.
    """
    mean = _training_mean(data, listener.shape[1])
    scores = {}
    for name in tqdm(metrics.BASELINES, "baselines", unit="baseline", disable=None):
        repeated = 1 if name != "random" else samples
        made = metrics.baseline(
            name, listener, speaker, repeated, training_mean=mean, seed=config.seed
        )
        found = metrics.evaluate(made, listener, speaker, matrix, config.mode)
        for sum_over_samples in ("FRC", "FRD"):
            found[sum_over_samples] *= samples / repeated
        scores[name] = found
    return scores


def _render(
    config: Evaluation, data: Conversations, dyads: Sequence[Dyad], predictions: Predictions
) -> None:
    """Videos of the first clips, the first sample of each."""
    assert predictions.coeffs is not None
    assert predictions.clips is not None
    count = config.render_clips or len(dyads)
    frames = predictions.coeffs.shape[2]
    paths = video_paths(config.out, predictions.clips)
    for dyad, coeffs, path in list(zip(dyads, predictions.coeffs, paths, strict=True))[:count]:
        render_conversation(
            path,
            data.coeffs(dyad.speaker)[:frames],
            coeffs[0],
            data.sound(dyad.speaker, frames / FPS),
            size=config.size,
        )
        print(path)
