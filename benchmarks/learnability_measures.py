"""Variety in predicted reactions, beside the truth and chance."""

from pathlib import Path

import numpy as np

from jaxreact.data.conversations import open_conversations
from jaxreact.predictions import read_predictions

SPLIT = "val"


def variety(data: Path, predictions: Path, seed: int) -> dict[str, float]:
    """Mean squared difference of two reactions' emotion, as FRDiv counts it.

    "model": two samples for one clip; "truth": two listeners who suit the same clip; "chance": two
    listeners of any clips.
    """
    source, made = open_conversations(data), read_predictions(predictions)
    dyads = source.dyads(SPLIT)
    matrix = source.neighbours(SPLIT, len(dyads)) == 1
    listener = made.listener
    assert listener is not None
    pairs = [(i, j) for i, row in enumerate(matrix) for j in np.flatnonzero(row).tolist() if i != j]
    rng = np.random.default_rng(seed)
    others = [(i, int(j)) for i in range(len(dyads)) for j in rng.permutation(len(dyads)) if i != j]

    def apart(which: list[tuple[int, int]]) -> float:
        one, other = np.array(which).T
        return float(np.mean((listener[one] - listener[other]) ** 2))

    emotion = made.emotion.astype(np.float64)
    return {
        "model": float(2 * np.var(emotion, axis=1, ddof=1).mean()),
        "truth": apart(pairs),
        "chance": apart(others),
    }
