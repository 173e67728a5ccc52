"""Blinks and glances, whose rates differ between talking and listening."""

import numpy as np
from jaxtyping import Bool, Float

from jaxreact.face import COEFFS, FPS, PITCH, YAW
from jaxreact.simulation.displays import pulse, unit_vector
from jaxreact.simulation.person import Style

_LEFT = unit_vector({"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0})
_RIGHT = unit_vector({"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0})
_UP = unit_vector({"eyeLookUp": 1.0})
_DOWN = unit_vector({"eyeLookDown": 1.0, "eyeBlink": 0.25})  # the lid follows the eye down
_CLOSED = unit_vector({"eyeBlink": 0.9, "eyeSquint": 0.08})
_GLANCE_SECONDS = 1.5


def blink(
    talking: Bool[np.ndarray, "time"], style: Style, rng: np.random.Generator
) -> Float[np.ndarray, "time 58"]:
    """Blinks as a renewal process with at least 0.6 s between; each closes for 0.16-0.3 s."""
    frames = len(talking)
    lids = np.zeros(frames)
    time = rng.uniform(0, 3)
    while time < frames / FPS:
        length = rng.uniform(0.16, 0.3)
        lids = np.maximum(lids, pulse(frames, time, length, 0.07, length - 0.07))
        now = talking[min(frames - 1, int(time * FPS))]
        rate = style.blinks_talking if now else style.blinks_listening
        time += 0.6 + rng.exponential(60 / rate - 0.6)
    return lids[:, None] * _CLOSED


def glance(
    talking: Bool[np.ndarray, "time"], style: Style, rng: np.random.Generator
) -> Float[np.ndarray, "time 58"]:
    """Looks away from the partner and back, in eyes and (by a fifth of that) the head.

    Away times last about 1.5 s; the times between make up the style's share for the role of the
    moment (Argyle & Ingham 1972: away 25 % of listening, 59 % of talking).
    """
    frames = len(talking)
    sideways, vertical, head = np.zeros(frames), np.zeros(frames), np.zeros((frames, COEFFS))
    time = rng.uniform(0, 2)
    while time < frames / FPS:
        now = talking[min(frames - 1, int(time * FPS))]
        share = style.away_talking if now else style.away_listening
        time += rng.exponential(_GLANCE_SECONDS * (1 - share) / share)
        length = max(0.5, rng.normal(_GLANCE_SECONDS, 0.4))
        curve = pulse(frames, time, length, 0.12, 0.12)
        across, up = rng.choice((-1, 1)) * rng.uniform(0.3, 0.6), rng.normal(0, 0.2)
        sideways += curve * across
        vertical += curve * up
        slower = pulse(frames, time, length + 0.3, 0.45, 0.5)  # the head follows the eyes
        head[:, YAW] += 0.2 * across * slower
        head[:, PITCH] -= 0.15 * up * slower
        time += length
    moved = (
        np.clip(sideways, 0, None)[:, None] * _LEFT
        + np.clip(-sideways, 0, None)[:, None] * _RIGHT
        + np.clip(vertical, 0, None)[:, None] * _UP
        + np.clip(-vertical, 0, None)[:, None] * _DOWN
    )
    return moved + head
