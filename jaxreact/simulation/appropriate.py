"""Which listeners' reactions would be appropriate to whose behaviour."""

import numpy as np
from jaxtyping import Float

from jaxreact.face import EMOTIONS, FPS
from jaxreact.simulation.conversation import Performance

_BIN_FRAMES = 5
_SHOWN = (("AU12",), ("AU4", "AU15"), ("AU1", "AU2"), ("AU9",))
_AUDIBLE = 0.01
"""Root mean square above which somebody is talking; the room's noise is a hundredth of that."""
_SMOOTH_BINS = 2 * FPS // _BIN_FRAMES + 1
"""Two seconds, raised cosine: one telling's time may differ from another's by half a second."""
_SIMILAR = 0.5
_MOST = 8


def behaviour(performance: Performance) -> Float[np.ndarray, "bins 5"]:
    """What can be seen and heard of a person, five times a second: smile, concern, surprise,
    distaste and talking, each in [0, 1] and smoothed over about a second."""
    bins = len(performance.emotion) // _BIN_FRAMES
    samples = len(performance.waveform) // (len(performance.coeffs) // _BIN_FRAMES)
    sound = performance.waveform[: bins * samples, 0].reshape(bins, samples)
    tracks = [(np.sqrt((sound**2).mean(axis=1)) > _AUDIBLE).astype(float)]
    for names in _SHOWN:
        columns = performance.emotion[:, [EMOTIONS.index(name) for name in names]]
        tracks.append(columns[: bins * _BIN_FRAMES].mean(axis=1).reshape(bins, -1).mean(axis=1))
    window = np.hanning(_SMOOTH_BINS + 2)[1:-1]
    smooth = [np.convolve(track, window / window.sum(), "same") for track in tracks]
    return np.stack(smooth, axis=1)


def appropriate(
    behaviours: Float[np.ndarray, "rows bins 5"],
) -> Float[np.ndarray, "rows rows"]:
    """The 0/1 matrix of `Approprirate_facial_reaction.npy`: row k marks whom k's speaker resembles.

    Two speakers are alike if their behaviours over time correlate by 0.5 or more: they then give
    a listener the same occasions at nearly the same moments. A row has at most eight ones, its own
    among them, and the relation is symmetric.
    """
    flat = (behaviours - behaviours.mean(axis=1, keepdims=True)).reshape(len(behaviours), -1)
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    # Rounded, so that the last bit of a matrix product decides no tie.
    alike = np.round(flat @ flat.T, 6)
    np.fill_diagonal(alike, 2.0)
    rank = np.argsort(np.argsort(-alike, axis=1, kind="stable"), axis=1, kind="stable")
    chosen = (alike >= _SIMILAR) & (rank < _MOST)
    return (chosen & chosen.T).astype(np.float64)
