"""The order of predictions in the original, which mixes clips before scoring."""

import numpy as np
from jaxtyping import Shaped


def reorder_as_original(
    predictions: Shaped[np.ndarray, "clips samples *rest"],
) -> Shaped[np.ndarray, "clips samples *rest"]:
    """Puts every prediction where the original's test loop would have put it (behaviour 1).

    The original runs over all clips once a sample, joins the passes end to end and then cuts the
    K N predictions into N rows of K: entry (n, k) is pass (K n + k) // N of clip (K n + k) % N.
    Its published scores compare these rows with clip n, so that scores of correctly ordered
    predictions are not comparable with them; scores of the reordered ones are.
    """
    passes_first = np.swapaxes(predictions, 0, 1)
    return passes_first.reshape(predictions.shape)
