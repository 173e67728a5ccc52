"""Series without their means, laid out for products over time."""

import numpy as np
from jaxtyping import Float


def centred(
    series: Float[np.ndarray, "n frames channels"],
) -> tuple[Float[np.ndarray, "n channels"], Float[np.ndarray, "n channels frames"]]:
    """The means over time and what remains without them, float64, time last in memory."""
    rest = series.transpose(0, 2, 1).astype(np.float64, order="C")
    means = rest.mean(axis=-1)
    rest -= means[..., None]
    return means, rest
