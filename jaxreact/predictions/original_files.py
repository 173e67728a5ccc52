"""Predictions -> the files that the original's test loop leaves and its compute_metrics.py reads.

    DIR/<split>/render_for_fid/listener_pred_emotion.pt   (N, K, T, 25)
    DIR/<split>/render_for_fid/listener_pred_3dmm.pt      (N, K, T, 58), mean-subtracted
    DIR/<split>/render_for_fid/listener_gt.pt             (N, T, 25)
    DIR/<split>/render_for_fid/speaker_gt.pt              (N, T, 25)
    DIR/<split>/render_for_fid/metrics.txt

Unlike in the original's own files, row n holds reactions to clip n (behaviour 1). So that they can
be told apart, the archives carry a text `clips` with the names of the rows, which torch ignores.
"""

import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError
from jaxreact.files import replacing
from jaxreact.predictions import Predictions
from jaxreact.predictions.sources import CLIPS_RECORD, ORIGINAL_FILE

METRICS = {
    "TLCC": "FRSyn",
    "FRC": "FRC",
    "FRD": "FRD",
    "FRDvs": "FRDvs",
    "FRVar": "FRVar",
    "smse": "FRDiv",
    "FRRea": "FRRea",
}
"""The lines of metrics.txt and our names for them."""


def check_torch(option: str) -> None:
    """Raises `UserError` where torch is missing, before anything is computed for an option."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise UserError(
            f"{option} writes PyTorch's format and needs torch: pip install -e '.[torch]'"
        ) from None


def export_original(
    folder: Path,
    split: str,
    predictions: Predictions,
    mean_face: Float[np.ndarray, "58"],
    scores: Mapping[str, float],
) -> Path:
    """Writes the files above, each whole or not at all, and returns their folder.

    `scores` are those of mode "original", which is what compute_metrics.py would print of these
    files; what is not among them is nan. Files of predictions without coefficients, or without the
    truth, are left out.
    """
    folder = folder / split / "render_for_fid"
    clips = predictions.clips
    arrays = {
        ORIGINAL_FILE: predictions.emotion,
        "listener_gt.pt": predictions.listener,
        "speaker_gt.pt": predictions.speaker,
    }
    for name, array in arrays.items():
        if array is not None:
            _save(folder / name, array, clips)
    if predictions.coeffs is not None:
        with tempfile.TemporaryDirectory(prefix=".", dir=folder) as temporary:
            centred = _centred(Path(temporary) / "x.npy", predictions.coeffs, mean_face)
            _save(folder / "listener_pred_3dmm.pt", centred, clips)
    with replacing(folder / "metrics.txt") as temporary:
        lines = [f"{theirs}: {scores.get(ours, np.nan)}\n" for theirs, ours in METRICS.items()]
        temporary.write_text("".join(lines))
    return folder


def _centred(path: Path, coeffs: np.ndarray, mean_face: np.ndarray) -> np.ndarray:
    """Mean-subtracted coefficients, in a file at `path`: all together they may not fit the
    memory."""
    centred = np.lib.format.open_memmap(path, "w+", np.float32, coeffs.shape)
    for ours, theirs in zip(coeffs, centred, strict=True):
        np.subtract(ours, mean_face, out=theirs)
    return centred


def _save(path: Path, array: np.ndarray, clips: tuple[str, ...] | None) -> None:
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        tensor = torch.from_numpy(np.ascontiguousarray(array))
    with replacing(path) as temporary:
        torch.save(tensor, temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            root = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            names = "\n".join(clips or ())
            archive.writestr(root.replace("data.pkl", CLIPS_RECORD), names)
