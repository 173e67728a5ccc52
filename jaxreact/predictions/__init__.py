"""Predicted reactions: what they are, and the files in which people keep them.

    predictions = read_predictions("predictions.npz", clips=names)
    predictions.emotion                                  # (N, K, T, 25), mapped, not loaded
    write_predictions("again.npz", predictions)

Needs no model and no torch.
"""

from jaxreact.predictions.layout import LAYOUTS, Layout, OriginalOrder, undo_original_order
from jaxreact.predictions.predictions import Predictions
from jaxreact.predictions.reading import read_predictions
from jaxreact.predictions.sources import by_original
from jaxreact.predictions.writing import write_predictions

__all__ = [
    "LAYOUTS",
    "Layout",
    "OriginalOrder",
    "Predictions",
    "by_original",
    "read_predictions",
    "undo_original_order",
    "write_predictions",
]
