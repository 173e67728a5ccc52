"""`results.pt`, as the programs of REACT 2025 and 2026 save it, from reactions to whole clips."""

import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Array, Float

from jaxreact.files import replacing
from jaxreact.metrics.ragged.challenge import as_challenge
from jaxreact.metrics.ragged.inputs import ragged_targets
from jaxreact.metrics.ragged.resampling import resampled
from jaxreact.predictions.whole import WholePredictions


def export_results(path: Path, predictions: WholePredictions, seed: int) -> Path:
    """Writes lists `GT` and `PRED` of a tensor (10, T_i, 25) for each clip, whole or not at all.

    `GT` has the paired listener and nine others of the session by `seed`, all there are where they
    are fewer. Those of another length than the reaction's, which the challenge's network makes
    anew, are stretched here. Needs torch.
    """
    import torch

    def stretched(
        target: Float[np.ndarray, "_ 25"], length: int, key: Array
    ) -> Float[np.ndarray, "{length} 25"]:
        return resampled(target, length)

    clips = predictions.emotion
    drawn = as_challenge(ragged_targets(predictions.targets, clips), clips, stretched, seed)
    suiting = [np.stack([drawn.sequences[n] for n in rows]) for rows in drawn.lists]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        content = {
            name: [torch.from_numpy(np.ascontiguousarray(each)) for each in arrays]
            for name, arrays in (("GT", suiting), ("PRED", clips))
        }
    with replacing(path) as temporary:
        torch.save(content, temporary)
    return path
