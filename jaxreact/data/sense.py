"""Whether numbers that can be read make sense: what a face, its emotion and its sound cannot be.

Each function looks at one array and says what is doubtful about it. The bounds are far from what
the release holds and the simulation makes, and from what a person can do, so that what is beyond
them is nearly always one of the usual mistakes with this data; docs/real_data.md lists them.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.face import (
    ACTION_UNITS,
    EMOTION_PROBABILITIES,
    EMOTIONS,
    EXPRESSION,
    EXPRESSIONS,
    FPS,
    NEUTRAL_ROTATION,
    PITCH,
    ROTATION,
    TRANSLATION,
    VALENCE_AROUSAL,
    degrees_from_upright,
)

UPSIDE_DOWN = 90.0
"""Degrees from upright: a face nearer to this than to 0 shows its chin above its brow. The
release's pitch is 3.19 rad on average, 3 degrees from upright, with a deviation of 10 degrees."""
FULL_TURN = 2 * np.pi
"""Radians of a rotation that nobody goes beyond; degrees soon do."""
JUMP = np.pi
"""Radians that no head turns by in a frame, 40 ms; an angle that is wrapped jumps by 2 pi."""
NEGATIVE, LARGEST = -0.05, 5.0
"""Raw expression weights are clamped to 0 and about 1 at most; percent are above, mean-subtracted
ones below."""
NEAREST, CAMERA = 0.1, 10.0
"""Model units in front of the origin: the release's faces are at 1.84 +- 0.46, the camera at 10."""
STILL = FPS
"""Frames. Of a living face no two are the same to the last bit; a film that is copied to another
rate repeats one or two, a tracker that has lost its face the same one for long."""
MARGIN = 0.05
"""How far an occurrence or a probability may lie beyond [0, 1]: rounding and overshoot."""
STRONGEST = 1.5
"""Valence and arousal come from a regression, which now and then leaves [-1, 1] a little."""
SUM_OF_PROBABILITIES = (0.8, 1.2)
"""Eight probabilities sum to 1 but for rounding: bounds of a clip's mean."""
SILENT = 1e-4
"""Greatest amplitude, of 1, below which nothing was recorded: three steps of 16 bits, while a
microphone in a silent room gives some thirty."""
FULL_SCALE, CLIPPED = 0.999, 0.01
"""More than one sample in a hundred at full scale is distortion; speech has one in thousands."""
ANY_SCALE = 3.0
"""No emotion channel goes beyond 1; what a network or noise makes may, but not so far."""
OTHER_FACE = (0.75, np.pi / 4, 1.5)
"""By how much a data set's mean differs from its mean face at most, in expression weights, radians
and model units: two or three deviations of single frames (0.36, 0.35 and 0.46 in the release), so
that a data set of a few people is not blamed for them."""


@dataclass(frozen=True)
class Doubt:
    """Something that makes little sense: its kind in a word or two, and the figures."""

    kind: str
    message: str


def doubts_of_coeffs(table: Float[np.ndarray, "frames 58"]) -> list[Doubt]:
    """What raw, finite coefficients of one person cannot be."""
    if not len(table):
        return []
    return [*_of_rotation(table), *_of_place(table), *_standing_still(table)]


def _of_rotation(table: np.ndarray) -> list[Doubt]:
    angles = table[:, ROTATION]
    largest = float(np.abs(angles).max())
    if largest > FULL_TURN:
        return [Doubt("units", f"rotations up to {largest:.3g}, radians; are they degrees?")]
    pitch = float(np.median(table[:, PITCH]))
    lowest = float(table[:, EXPRESSION].min())
    if np.median(np.abs(degrees_from_upright(table, PITCH))) > UPSIDE_DOWN:
        message = f"its pitch is {pitch:.3g} (median), an upright face's is pi"
        if lowest < NEGATIVE:
            message += f", and expression weights go down to {lowest:.3g}"
        return [Doubt("mean face", f"{message}; is the mean face already subtracted?")]
    doubts = []
    if lowest < NEGATIVE:
        name = EXPRESSIONS[int(table[:, EXPRESSION].min(axis=0).argmin())]
        message = f"expression weights down to {lowest:.3g} ({name}), raw ones are 0 or more"
        doubts.append(Doubt("range", f"{message}; is a mean subtracted from them?"))
    turns = np.abs(np.diff(angles, axis=0)).max(axis=1, initial=0)
    if turns.max(initial=0) > JUMP:
        message = f"a rotation jumps by {turns.max():.3g} rad at frame {turns.argmax() + 1}"
        doubts.append(Doubt("jump", f"{message}; are angles wrapped? (numpy.unwrap)"))
    elif abs(pitch - NEUTRAL_ROTATION[0]) > np.pi:
        message = f"its pitch is {pitch:.3g} (median), an upright face's is pi"
        doubts.append(Doubt("units", f"{message}; are angles wrapped? add 2 pi"))
    return doubts


def _of_place(table: np.ndarray) -> list[Doubt]:
    doubts = []
    highest = float(table[:, EXPRESSION].max())
    if highest > LARGEST:
        name = EXPRESSIONS[int(table[:, EXPRESSION].max(axis=0).argmax())]
        message = f"expression weights up to {highest:.3g} ({name}), 1 is about the most"
        doubts.append(Doubt("range", f"{message}; are they percent?"))
    where = np.median(table[:, TRANSLATION], axis=0)
    upright = np.median(np.abs(degrees_from_upright(table, PITCH))) <= UPSIDE_DOWN
    if np.abs(where).max() >= CAMERA or (upright and where[2] < NEAREST):
        text = ", ".join(f"{value:.3g}" for value in where)
        message = f"translation ({text}) (median), faces are near (0, 0, 1.84)"
        doubts.append(Doubt("units", f"{message}; is it in other units?"))
    return doubts


def _standing_still(table: np.ndarray) -> list[Doubt]:
    frames, first = longest_still(table)
    if frames < min(STILL, len(table)) or len(table) < 2:
        return []
    message = f"the same numbers in {frames} of {len(table)} frames, from frame {first} on"
    return [Doubt("stands still", f"{message}; was the face lost?")]


def longest_still(table: Float[np.ndarray, "frames channels"]) -> tuple[int, int]:
    """(frames of the longest stretch without any change, its first frame)."""
    changes = np.flatnonzero((np.diff(table, axis=0) != 0).any(axis=1)) + 1
    bounds = np.concatenate([[0], changes, [len(table)]])
    lengths = np.diff(bounds)
    longest = int(lengths.argmax())
    return int(lengths[longest]), int(bounds[longest])


def doubts_of_emotion(table: Float[np.ndarray, "frames 25"]) -> list[Doubt]:
    """What finite emotion channels cannot be."""
    if not len(table):
        return []
    doubts = []
    for part, low, high, what in (
        (ACTION_UNITS, -MARGIN, 1 + MARGIN, "an occurrence, 0 to 1"),
        (VALENCE_AROUSAL, -STRONGEST, STRONGEST, "-1 to 1"),
        (EMOTION_PROBABILITIES, -MARGIN, 1 + MARGIN, "a probability, 0 to 1"),
    ):
        least, most = table[:, part].min(axis=0), table[:, part].max(axis=0)
        beyond = np.maximum(low - least, most - high)
        channel = int(beyond.argmax())
        if beyond[channel] > 0:
            name = EMOTIONS[part.start + channel]
            message = f"{name} from {least[channel]:.3g} to {most[channel]:.3g}, it is {what}"
            doubts.append(Doubt("range", f"{message}; are columns shifted, or units others?"))
    total = float(table[:, EMOTION_PROBABILITIES].sum(axis=1).mean())
    if not doubts and not SUM_OF_PROBABILITIES[0] <= total <= SUM_OF_PROBABILITIES[1]:
        message = f"the eight expressions sum to {total:.3g} on average, probabilities sum to 1"
        doubts.append(Doubt("range", f"{message}; are columns shifted?"))
    if len(table) >= STILL and longest_still(table)[0] == len(table):
        message = f"the same numbers in all {len(table)} frames"
        doubts.append(Doubt("stands still", f"{message}; was the face lost?"))
    return doubts


def doubts_of_sound(waveform: Float[np.ndarray, "samples"]) -> list[Doubt]:
    """What the sound of a person who talks cannot be."""
    if not waveform.size:
        return []
    centre = float(waveform.mean(dtype=np.float64))
    swing = float(np.abs(waveform - np.float32(centre)).max())
    if swing < SILENT:
        at = "" if abs(centre) < SILENT else f", it stands at {centre:.3g}"
        message = f"no sound: its amplitude is {swing:.2g}, full scale being 1{at}"
        return [Doubt("silent", f"{message}; was the microphone on?")]
    share = float(np.mean(np.abs(waveform) >= FULL_SCALE))
    if share > CLIPPED:
        message = f"{share:.1%} of the samples are at full scale"
        return [Doubt("clipped", f"{message}; was it recorded, or made, too loud?")]
    return []


def doubts_of_mean_face(
    face: Float[np.ndarray, "58"], mean: Float[np.ndarray, "58"] | None
) -> list[Doubt]:
    """What a mean face cannot be, beside the mean of a data set's raw coefficients, if known."""
    if not face.any():
        return [Doubt("mean face", "zero in all 58 numbers: nothing would be subtracted")]
    if np.abs(degrees_from_upright(face, PITCH)) > UPSIDE_DOWN:
        return [Doubt("mean face", f"its pitch is {face[PITCH]:.3g}, an upright face's is pi")]
    if mean is None:
        return []
    doubts = []
    for part, most, what in zip(
        (EXPRESSION, ROTATION, TRANSLATION),
        OTHER_FACE,
        ("expression weights", "rotations", "translations"),
        strict=True,
    ):
        apart = float(np.abs(face[part] - mean[part]).max())
        if apart > most:
            message = f"{what} are up to {apart:.3g} away from the mean of the data"
            doubts.append(Doubt("mean face", f"{message}; is it that of another data set?"))
    return doubts


def doubts_of_scale(emotion: Float[np.ndarray, "*rows 25"]) -> list[Doubt]:
    """What emotion cannot be that somebody predicted: unlike recorded one it may leave its bounds,
    or stand still. Of an array that is mapped, at most eight rows of the first axis are read."""
    rows = emotion[:: max(1, -(-len(emotion) // 8))]
    largest = max((float(np.abs(row).max(initial=0)) for row in rows), default=0.0)
    if largest <= ANY_SCALE:
        return []
    return [Doubt("units", f"emotion up to {largest:.3g}, channels end at 1; is it percent?")]


def doubts_of_predicted_coeffs(coeffs: Float[np.ndarray, "*rows 58"]) -> list[Doubt]:
    """What raw coefficients cannot be that somebody predicted, as `doubts_of_scale`."""
    rows = coeffs[:: max(1, -(-len(coeffs) // 8))]
    angles = [np.abs(degrees_from_upright(np.asarray(row), PITCH)).ravel() for row in rows]
    if not angles or np.median(np.concatenate(angles)) <= UPSIDE_DOWN:
        return []
    message = "faces are upside down, an upright one's pitch is pi"
    return [Doubt("mean face", f"{message}; is the mean face subtracted from coeffs?")]
