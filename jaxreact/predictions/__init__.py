"""Predicted reactions: what they are, and the files in which people keep them.

    predictions = read_predictions("predictions.npz", clips=names)
    predictions.emotion                                  # (N, K, T, 25), mapped, not loaded
    write_predictions("again.npz", predictions)

    results = read_results("results.pt")                 # of clips of any lengths, with targets

Needs no model and no torch.
"""

from jaxreact.predictions.layout import LAYOUTS, Layout, OriginalOrder, undo_original_order
from jaxreact.predictions.predictions import Predictions
from jaxreact.predictions.reading import read_predictions
from jaxreact.predictions.results import Results, holds_results, read_results
from jaxreact.predictions.sources import by_original
from jaxreact.predictions.writing import write_predictions

__all__ = [
    "LAYOUTS",
    "Layout",
    "OriginalOrder",
    "Predictions",
    "Results",
    "by_original",
    "holds_results",
    "read_predictions",
    "read_results",
    "undo_original_order",
    "write_predictions",
]
