"""What an evaluation leaves behind: predictions.npz, metrics.json and the printed table."""

import json
import math
import platform
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError
from jaxreact.face import COEFFS, EMOTION_CHANNELS
from jaxreact.files import replacing
from jaxreact.metrics.inputs import as_predictions

Scores = Mapping[str, float]
"""Metric -> value; NaN where a metric is not defined."""

DIRECTIONS = {"FRC": "↑", "FRD": "↓", "FRDvs": "↑", "FRVar": "↑", "FRDiv": "↑", "FRSyn": "↓"}
"""Where better is: appropriateness (FRC, FRD), diversity (FRDvs, FRVar, FRDiv), synchrony."""

_PACKAGES = ("jaxreact", "jax", "jaxlib", "flax", "numpy")


@dataclass(frozen=True)
class Predictions:
    """What `predictions.npz` holds; the file of another program may hold `emotion` alone.

    emotion (N, K, T, 25); coeffs (N, K, T, 58) raw; listener and speaker (N, T, 25), the emotion
    of the recorded persons; clips (N,) the speakers' clip names.
    """

    emotion: Float[np.ndarray, "..."]  # the shapes are checked below, with messages for users
    coeffs: Float[np.ndarray, "..."] | None = None
    listener: Float[np.ndarray, "..."] | None = None
    speaker: Float[np.ndarray, "..."] | None = None
    clips: tuple[str, ...] | None = None

    def __post_init__(self):
        as_predictions(self.emotion)
        clips, samples, frames, _ = self.emotion.shape
        expected = {
            "coeffs": (clips, samples, frames, COEFFS),
            "listener": (clips, frames, EMOTION_CHANNELS),
            "speaker": (clips, frames, EMOTION_CHANNELS),
        }
        for name, shape in expected.items():
            array = getattr(self, name)
            if array is not None and array.shape != shape:
                raise UserError(
                    f"{name}: shape {array.shape} does not fit emotion of shape "
                    f"{self.emotion.shape}; expected {shape}"
                )
        if self.clips is not None and len(self.clips) != clips:
            raise UserError(f"clips: {len(self.clips)} names for {clips} clips")


def write_predictions_npz(path: str | Path, predictions: Predictions) -> None:
    """Writes `predictions.npz`, uncompressed since noise does not compress, whole or not at all."""
    arrays = {
        name: value
        for name, value in vars(predictions).items()
        if value is not None and name != "clips"
    }
    if predictions.clips is not None:
        arrays["clips"] = np.array(predictions.clips, dtype=np.str_)
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)


def read_predictions(
    path: str | Path, *, clips: Sequence[str] | None = None, frames: int | None = None
) -> Predictions:
    """Reads a `predictions.npz`, ours or another program's (then `emotion` suffices).

    With `clips` and `frames` the file must hold exactly these clips, in this order if it names
    them, of this many frames. Raises `UserError` for a file that is no npz, holds pickled
    objects, or does not fit; both shapes are named.
    """
    path = Path(path)
    arrays = _load(path)
    if "emotion" not in arrays:
        held = ", ".join(sorted(arrays)) or "nothing"
        raise UserError(f"{path}: holds {held} but no array emotion (clips, samples, frames, 25)")
    names = arrays.pop("clips", None)
    fields = ("emotion", "coeffs", "listener", "speaker")
    known = {name: arrays[name] for name in fields if name in arrays}
    try:
        found = Predictions(**known, clips=None if names is None else tuple(map(str, names)))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    _check_fit(path, found, clips, frames)
    return found


def _load(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        file = np.load(path, allow_pickle=False)
        if isinstance(file, np.ndarray):
            raise UserError(f"{path}: one npy array; expected an npz file with emotion")
        with file:
            return {name: file[name] for name in file.files}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not an npz file of plain arrays ({error})") from None


def _check_fit(
    path: Path, found: Predictions, clips: Sequence[str] | None, frames: int | None
) -> None:
    shape = found.emotion.shape
    wanted = (
        shape[0] if clips is None else len(clips),
        shape[1],
        shape[2] if frames is None else frames,
        EMOTION_CHANNELS,
    )
    if shape != wanted:
        raise UserError(
            f"{path}: emotion has shape {shape}, the data set needs {wanted} "
            "(clips, samples, frames, channels)"
        )
    if clips is None or found.clips is None:
        return
    for index, (ours, theirs) in enumerate(zip(clips, found.clips, strict=True)):
        if ours != theirs:
            raise UserError(f"{path}: clip {index} is {theirs}, in the data set it is {ours}")


def write_metrics_json(
    path: str | Path,
    scores: Scores,
    baselines: Mapping[str, Scores],
    *,
    mode: str,
    counts: Mapping[str, int],
) -> None:
    """Writes `metrics.json`, whole or not at all; NaN becomes null, which JSON can say.

    Keys: `scores` {metric: value}, `baselines` {name: {metric: value}}, `mode`, `counts`, and
    `versions` of Python and of the packages that the numbers depend on.
    """
    content = {
        "scores": _without_nan(scores),
        "baselines": {name: _without_nan(values) for name, values in baselines.items()},
        "mode": mode,
        "counts": dict(counts),
        "versions": _versions(),
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def _without_nan(scores: Scores) -> dict[str, float | None]:
    return {name: float(value) if math.isfinite(value) else None for name, value in scores.items()}


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # run from a checkout that was not installed
            versions[package] = "not installed"
    return versions


def score_table(scores: Scores, baselines: Mapping[str, Scores], name: str = "model") -> str:
    """An aligned text table, the model first and the baselines below it.

    Arrows tell where better is; "-" stands for a value that is not defined.
    """
    rows = [["", *(f"{metric} {DIRECTIONS.get(metric, '')}".strip() for metric in scores)]]
    for label, values in {name: scores, **baselines}.items():
        rows.append([label, *(_number(values.get(metric, math.nan)) for metric in scores)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"
