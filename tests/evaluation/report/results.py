"""Small evaluations on disk, for the tests of their report."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from jaxreact import metrics
from jaxreact.evaluation.results import write_metrics_json
from jaxreact.predictions import Predictions, write_predictions

NAMES = tuple(f"NoXI/0{n}_2016-03-25_Paris/Expert_video/1" for n in range(9))
NEIGHBOURS = np.eye(9) + np.eye(9, k=1)


def smooth(*shape: int, seed: int = 0) -> np.ndarray:
    """Noise averaged over 9 frames: the axis before the last is time."""
    noise = np.random.default_rng(seed).random((*shape[:-2], shape[-2] + 8, shape[-1]), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(noise, 9, axis=-2)
    return windows.mean(axis=-1, dtype=np.float32)


def some_predictions(
    clips: int = 4, samples: int = 3, frames: int = 80, names: tuple[str, ...] | None = None
) -> Predictions:
    return Predictions(
        emotion=smooth(clips, samples, frames, 25),
        coeffs=smooth(clips, samples, frames, 58, seed=3),
        listener=smooth(clips, frames, 25, seed=1),
        speaker=smooth(clips, frames, 25, seed=2),
        clips=NAMES[:clips] if names is None else names,
    )


def clip_scores(predictions: Predictions, neighbours: np.ndarray | None = None):
    clips = len(predictions.emotion)
    assert predictions.listener is not None
    assert predictions.speaker is not None
    return metrics.clipwise(
        predictions.emotion,
        predictions.listener,
        predictions.speaker,
        NEIGHBOURS[:clips, :clips] if neighbours is None else neighbours,
    )


def evaluate(
    out: Path, predictions: Predictions, neighbours: np.ndarray | None = None, **more: object
) -> metrics.ClipScores:
    """Writes predictions.npz and metrics.json as an evaluation does; `more` goes into the latter.

    Beside the model stands the ground truth. Returns the scores clip by clip.
    """
    scores = clip_scores(predictions, neighbours)
    assert predictions.listener is not None
    truth = metrics.baseline("gt", predictions.listener, predictions.listener, 1)
    best = clip_scores(
        Predictions(truth, None, predictions.listener, predictions.speaker), neighbours
    )
    write_predictions(out / "predictions.npz", predictions)
    path = out / "metrics.json"
    write_metrics_json(
        path,
        "Model",
        metrics.intervals(scores, resamples=100),
        {"gt": metrics.aggregate(best)},
        split="val",
        mode="corrected",
        seed=0,
        period=metrics.PERIOD,
        counts=scores.count(),
    )
    path.write_text(json.dumps(json.loads(path.read_text()) | {"intervals": {}} | more))
    return scores


class TwoCodes:
    """A tokenizer whose code says whether the jaw is open further than in the mean face."""

    codebook_size = 8
    block_size = 32

    def codes_of(self, coeffs: Any) -> Any:
        return (np.asarray(coeffs)[..., 24] > 0.5).astype(int)
