"""Head movement: nods, the beats of one's own speech, and the drift of posture."""

import numpy as np
from jaxtyping import Float

from jaxreact.face import COEFFS, FPS, PITCH, ROLL, ROTATION, TRANSLATION, YAW
from jaxreact.simulation.reactions import Nod


def nod(nods: list[Nod], frames: int) -> Float[np.ndarray, "time 58"]:
    """Bows by `amplitude` and back, `cycles` times at `rate`, each cycle weaker than the last."""
    moved = np.zeros((frames, COEFFS))
    times = np.arange(frames) / FPS
    for motion in nods:
        phase = (times - motion.start) * motion.rate
        inside = (phase >= 0) & (phase < motion.cycles)
        fading = 1 - 0.5 * np.clip(phase / motion.cycles, 0, 1)
        bow = motion.amplitude * fading * (1 - np.cos(2 * np.pi * phase)) / 2
        moved[:, PITCH] += np.where(inside, bow, 0)
    return moved


def beat(
    accents: tuple[float, ...], loudness: Float[np.ndarray, "time"], rng: np.random.Generator
) -> Float[np.ndarray, "time 58"]:
    """Bows at the talker's accents, and wanders while the voice sounds.

    The head follows the voice's pitch and loudness (Yehia, Kuratate & Vatikiotis-Bateson 2002;
    Munhall et al. 2004).
    """
    frames = len(loudness)
    moved = np.zeros((frames, COEFFS))
    times = np.arange(frames) / FPS
    for accent in accents:
        moved[:, PITCH] += rng.uniform(0.02, 0.05) * np.exp(-(((times - accent) / 0.16) ** 2))
    talking = _wander(np.minimum(1, 2 * loudness), 0.8)
    for axis, size in ((PITCH, 0.015), (YAW, 0.03), (ROLL, 0.02)):
        moved[:, axis] += size * talking * _standard(_wander(rng.normal(0, 1, frames), 0.5))
    return moved


def drift(frames: int, rng: np.random.Generator) -> Float[np.ndarray, "time 58"]:
    """Slow changes of posture, over several seconds, in all six degrees of freedom."""
    moved = np.zeros((frames, COEFFS))
    noise = rng.normal(0, 1, (frames + 8 * FPS, 6))
    slow = np.stack([_standard(_wander(column, 4.0))[4 * FPS : -4 * FPS] for column in noise.T], 1)
    moved[:, ROTATION] = slow[:, :3] * (0.015, 0.03, 0.015)
    moved[:, TRANSLATION] = slow[:, 3:] * (0.012, 0.008, 0.04)
    return moved


def _wander(track: np.ndarray, seconds: float) -> np.ndarray:
    window = np.hanning(2 * round(seconds * FPS / 2) + 3)
    return np.convolve(track, window / window.sum(), "same")


def _standard(track: np.ndarray) -> np.ndarray:
    return track / max(track.std(), 1e-9)
