"""`results.pt`, as the programs of REACT 2025 and 2026 save it, from reactions to whole clips."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxreact.files import replacing
from jaxreact.metrics.ragged.challenge import DRAWN, Align, as_challenge, drawn
from jaxreact.metrics.ragged.inputs import ragged_targets
from jaxreact.metrics.targets import Targets
from jaxreact.predictions.whole import WholePredictions


def export_results(
    path: Path, predictions: WholePredictions, seed: int, align: Align | None = None
) -> str:
    """Writes lists `GT` and `PRED` of a tensor (10, T_i, 25) for each clip, whole or not at all,
    and returns a line about the file.

    `GT` has the paired listener and nine others of the session by `seed`, some of them again where
    the session has fewer, as the challenge's programs have it. `align` makes those of another
    length than the reaction's, which `as_challenge` does with the same seed. Without it they are
    kept in their own lengths: a clip that has such a target gets a list of tensors (L, 25) instead.
    Needs torch. Raises `UserError` where `align` does.
    """
    import torch

    clips = predictions.emotion
    targets = ragged_targets(predictions.targets, clips)
    if align is None:
        targets = Targets(targets.sequences, drawn(targets, seed))
    else:
        targets = as_challenge(targets, clips, align, seed)
    suiting = [
        _ten([targets.sequences[other] for other in others], seed, clip)
        for clip, others in enumerate(targets.lists)
    ]
    fit = [
        all(len(rows) == clip.shape[1] for rows in ten)
        for clip, ten in zip(clips, suiting, strict=True)
    ]

    def tensor(rows: Any) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(rows))

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        recorded = [
            tensor(np.stack(ten)) if alike else [tensor(rows) for rows in ten]
            for ten, alike in zip(suiting, fit, strict=True)
        ]
        content = {"GT": recorded, "PRED": [tensor(each) for each in clips]}
    with replacing(path) as temporary:
        torch.save(content, temporary)
    if all(fit):
        return str(path)
    others = len(fit) - sum(fit)
    return (
        f"{path}: targets of {others} clips keep lengths of their own, as lists; the challenge's "
        "programs save them in the reaction's, made by its network: --mode react2026 --alignment"
    )


def _ten(
    sequences: Sequence[Float[np.ndarray, "_ 25"]], seed: int, clip: int
) -> list[Float[np.ndarray, "_ 25"]]:
    """The paired listener's and nine others, some of them again where there are fewer."""
    if len(sequences) >= DRAWN:
        return list(sequences)
    others = range(min(1, len(sequences) - 1), len(sequences))
    more = np.random.default_rng([seed, clip]).choice(others, DRAWN - len(sequences))
    return [*sequences, *(sequences[other] for other in more)]
