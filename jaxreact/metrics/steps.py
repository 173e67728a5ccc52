"""How far a face goes from one frame to the next, for the scores of steadiness."""

import numpy as np
from jaxtyping import Float

_LEAST = 0.01


def steps(
    sequences: Float[np.ndarray, "samples frames channels"],
    scale: Float[np.ndarray, "channels"] | float = 1.0,
) -> Float[np.ndarray, "samples frames-1"]:
    """Mean over the channels of |x[t] - x[t-1]|, each channel in units of its scale; float64."""
    differences = np.diff(sequences.astype(np.float64), axis=-2)
    return np.abs(differences / scale).mean(axis=-1)


def movement(listener: Float[np.ndarray, "clips frames 58"]) -> Float[np.ndarray, "58"]:
    """By how much each coefficient deviates from its mean while people listen, at least 0.01.

    Weights of expressions, radians and translations have scales of their own; in units of how much
    people move it within a clip each channel counts alike. The deviation is within clips: how
    somebody sits is no motion. 0.01, a hundredth of an expression, half a degree, or a hundredth of
    the head's radius, is too little to be seen, and a channel in which people stand still must not
    decide everything.
    """
    variances = np.mean([clip.astype(np.float64).var(axis=0) for clip in listener], axis=0)
    return np.maximum(np.sqrt(variances), _LEAST)
