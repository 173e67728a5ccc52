"""Whether a listener reacts: when it nods, whom it smiles back at, how it blinks and looks.

The challenge's scores compare emotion channels with a ground truth. These measures look for cause
and effect instead, in raw or mean-subtracted coefficients at 25 frames a second. Arrays are
(time, 58) for one clip or (clips, time, 58), which are pooled.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxreact.errors import UserError
from jaxreact.face import COEFFS, FPS, INDEX, PITCH
from jaxreact.metrics.correlations import pooled

_NOD_SECONDS = (0.12, 0.8)
"""Band: slower than the shorter average, faster than the longer, about 1.5-4 Hz, where listeners'
nods are (Hadar, Steiner & Rose 1985)."""
_NOD_RADIANS = 0.035
_PAUSE_SECONDS, _SPEECH_SECONDS = 0.3, 0.7
"""A pause that invites an answer: it lasts, after speech of some length (Ward & Tsukahara 2000)."""
ANSWER_SECONDS = 1.0
"""For how long after a pause has begun a nod counts as an answer to it."""
_LOUDNESS_RANGE, _AUDIBLE = 12.0, -55.0  # dB between speech and background; dB of full scale


@dataclass(frozen=True)
class NodTiming:
    """Nods that begin within a second after the speaker pauses, against nods at any time.

    Rates are nods a minute. `chance` is the mean rate after the same pauses moved in time, `ratio`
    = rate / chance (0 without any nod), `p_value` the share of such moves that do as well.
    """

    rate: float
    chance: float
    ratio: float
    p_value: float
    pauses: int


@dataclass(frozen=True)
class SmileMirroring:
    """`lag` in seconds (>= 0) at which the listener's smile best follows the speaker's.

    `correlation` is Pearson's there, `simultaneous` at lag 0. All are nan if nobody smiles.
    """

    lag: float
    correlation: float
    simultaneous: float


def _clips(coeffs: np.ndarray) -> np.ndarray:
    """(clips, time, 58) from one clip or many."""
    if coeffs.ndim not in (2, 3) or coeffs.shape[-1] != COEFFS:
        raise UserError(f"coefficients of shape {coeffs.shape}; expected (time, 58) or clips of it")
    return coeffs.reshape(-1, *coeffs.shape[-2:])


def _track(coeffs: np.ndarray, *channels: int) -> np.ndarray:
    """(clips, time) float64, the mean of some channels."""
    return _clips(coeffs)[..., list(channels)].astype(np.float64).mean(axis=-1)


def _average(tracks: np.ndarray, seconds: float) -> np.ndarray:
    """Moving average along the last axis, centred, ends continued."""
    half = max(1, round(seconds * FPS / 2))
    padded = np.pad(tracks, [(0, 0)] * (tracks.ndim - 1) + [(half + 1, half)], mode="edge")
    sums = np.cumsum(padded, axis=-1)
    return (sums[..., 2 * half + 1 :] - sums[..., : -2 * half - 1]) / (2 * half + 1)


def _starts(on: np.ndarray) -> np.ndarray:
    """True where a run of True begins, along the last axis; the first frame never counts."""
    return on & ~np.concatenate([np.ones_like(on[..., :1]), on[..., :-1]], axis=-1)


def _runs(on: np.ndarray) -> list[tuple[int, int]]:
    """Half-open (start, end) of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def voice_activity(waveform: Float[np.ndarray, "..."], rate: int) -> Bool[np.ndarray, "frames"]:
    """Who speaks when: one value a video frame, from the sound's energy.

    `waveform` (samples,) or (samples, channels) in [-1, 1], `rate` in Hz. A frame is active above
    a level a third of the way (in dB) from the background to loud speech; gaps under 0.2 s count
    as speech.
    """
    mono = waveform.mean(axis=1) if waveform.ndim == 2 else waveform
    count = int(len(mono) * FPS / rate + 1e-6)
    edges = np.round(np.arange(count + 1) * rate / FPS).astype(int)
    if count == 0:
        return np.zeros(0, bool)
    energy = np.add.reduceat(np.square(mono, dtype=np.float64), edges[:-1])
    # The last sum runs to the end of the sound, which may lie beyond the last whole frame.
    energy[-1] = np.square(mono[edges[-2] : edges[-1]], dtype=np.float64).sum()
    level = 10 * np.log10(energy / np.diff(edges) + 1e-10)
    background, loud = np.percentile(level, (10, 95))
    if loud < _AUDIBLE:
        return np.zeros(count, bool)
    if loud - background < _LOUDNESS_RANGE:
        return np.ones(count, bool)
    active = level > background + (loud - background) / 3
    for start, end in _runs(~active):
        if start > 0 and end < count and end - start < 0.2 * FPS:
            active[start:end] = True
    return active


def nod_starts(coeffs: Float[np.ndarray, "*clips time 58"]) -> Bool[np.ndarray, "*clips time"]:
    """True at the frames where a nod (a quick up and down of the head's pitch) begins."""
    pitch = _track(coeffs, PITCH)
    quick = _average(pitch, _NOD_SECONDS[0]) - _average(pitch, _NOD_SECONDS[1])
    # The mean absolute swing over a cycle, so that the turning points do not split a nod in two.
    swing = _average(np.abs(quick), 0.4)
    return _starts(swing > _NOD_RADIANS / np.pi).reshape(coeffs.shape[:-1])


def nods_soon(nods: Bool[np.ndarray, "*clips time"]) -> Int[np.ndarray, "*clips time"]:
    """How many nods begin within a second after each frame, around the clip's end."""
    window = range(round(ANSWER_SECONDS * FPS))
    return np.stack([np.roll(nods, -offset, axis=-1) for offset in window]).sum(axis=0)


def pause_starts(active: Bool[np.ndarray, "time"]) -> Int[np.ndarray, "pauses"]:
    """Frames at which a pause begins that is long enough, after speech that is long enough."""
    runs = _runs(active)
    nexts = [*(start for start, _ in runs), len(active)][1:]
    return np.array(
        [
            end
            for (start, end), following in zip(runs, nexts, strict=True)
            if end - start >= _SPEECH_SECONDS * FPS and following - end >= _PAUSE_SECONDS * FPS
        ],
        int,
    )


def nod_rate_after_pauses(
    coeffs: Float[np.ndarray, "*clips time 58"],
    speech_activity: Bool[np.ndarray, "*clips time"],
    rng: np.random.Generator,
    shifts: int = 500,
) -> NodTiming:
    """How often the listener of `coeffs` nods just after the speaker pauses, and if by chance.

    Chance is the same with every clip's pauses moved by a random time around the clip (a circle),
    which keeps how often each of the two acts and breaks only their relation. Raises `UserError` if
    the two arrays do not fit.
    """
    nods = nod_starts(_clips(coeffs))
    active = speech_activity.reshape(-1, speech_activity.shape[-1])
    if active.shape != nods.shape:
        raise UserError(f"speech activity of shape {active.shape} for {nods.shape} frames of faces")
    pauses = [pause_starts(clip) for clip in active]
    total = sum(len(starts) for starts in pauses)
    soon = nods_soon(nods)

    def rate(moves: np.ndarray) -> float:
        counts = [
            nodding[(starts + move) % len(nodding)].sum()
            for nodding, starts, move in zip(soon, pauses, moves, strict=True)
        ]
        return 60 * float(sum(counts)) / max(1.0, total * ANSWER_SECONDS)

    observed = rate(np.zeros(len(soon), int))
    moved = [rate(rng.integers(0, nods.shape[1], len(soon))) for _ in range(shifts)]
    by_chance = float(np.mean(moved))
    return NodTiming(
        rate=observed,
        chance=by_chance,
        ratio=observed / by_chance if by_chance > 0 else 0.0,
        p_value=(1 + sum(chance >= observed for chance in moved)) / (1 + shifts),
        pauses=total,
    )


def _smile(coeffs: np.ndarray) -> np.ndarray:
    tracks = _track(coeffs, INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"])
    return tracks - tracks.mean(axis=-1, keepdims=True)


def smile_products(
    listener_coeffs: Float[np.ndarray, "*clips time 58"],
    speaker_coeffs: Float[np.ndarray, "*clips time 58"],
    longest: float = 3.0,
) -> Float[np.ndarray, "3 lags"]:
    """Sums of the smiles' product, the listener's square and the speaker's, over clips and time.

    A lag is so many frames by which the listener comes later, from 0 to `longest` seconds or as far
    as two frames are left. Smiles are less their mean over the clip. Raises `UserError` if the two
    arrays do not fit.
    """
    listener, speaker = _smile(listener_coeffs), _smile(speaker_coeffs)
    if listener.shape != speaker.shape:
        raise UserError(f"listener has {listener.shape} clips and frames, speaker {speaker.shape}")
    frames = listener.shape[1]
    lags = range(min(round(longest * FPS), frames - 2) + 1)
    pairs = [(listener[:, lag:], speaker[:, : frames - lag]) for lag in lags]
    sums = [((a * b).sum(), np.square(a).sum(), np.square(b).sum()) for a, b in pairs]
    return np.array(sums).T


def smile_mirroring(
    listener_coeffs: Float[np.ndarray, "*clips time 58"],
    speaker_coeffs: Float[np.ndarray, "*clips time 58"],
    longest: float = 3.0,
) -> SmileMirroring:
    """How long after the speaker's smile the listener smiles, and how reliably.

    The cross-correlation of both smiles, pooled over clips, at lags from 0 to `longest` seconds.
    """
    curve = pooled(smile_products(listener_coeffs, speaker_coeffs, longest))
    if np.isnan(curve).any():
        return SmileMirroring(float("nan"), float("nan"), float("nan"))
    best = int(np.argmax(curve))
    return SmileMirroring(best / FPS, float(curve[best]), float(curve[0]))


def blink_rate(coeffs: Float[np.ndarray, "*clips time 58"]) -> float:
    """Blinks a minute: closings of both lids together to half, from wherever they rest."""
    lids = _track(coeffs, INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"])
    closed = lids - np.median(lids, axis=-1, keepdims=True) > 0.4
    return float(60 * FPS * _starts(closed).sum() / closed.size)


def gaze_away_fraction(
    coeffs: Float[np.ndarray, "*clips time 58"], threshold: float = 0.2
) -> float:
    """Share of the frames in which the eyes are turned by more than `threshold` (in face units)
    from where they look in the clip's median frame, which is taken to be the partner."""
    units = _clips(coeffs)

    def eyes(name: str) -> np.ndarray:
        return units[..., INDEX[name]].astype(np.float64)

    sideways = (
        eyes("eyeLookOutLeft")
        + eyes("eyeLookInRight")
        - eyes("eyeLookInLeft")
        - eyes("eyeLookOutRight")
    ) / 2
    upwards = (
        eyes("eyeLookUpLeft")
        + eyes("eyeLookUpRight")
        - eyes("eyeLookDownLeft")
        - eyes("eyeLookDownRight")
    ) / 2
    away = np.hypot(
        sideways - np.median(sideways, axis=-1, keepdims=True),
        upwards - np.median(upwards, axis=-1, keepdims=True),
    )
    return float((away > threshold).mean())
