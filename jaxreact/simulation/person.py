"""Who takes part: a voice, a face at rest and a style of listening, drawn once per person."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.face import COEFFS, INDEX, ROTATION, TRANSLATION
from jaxreact.simulation.seeding import stream


@dataclass(frozen=True)
class Voice:
    """What the vocal organs fix.

    Mean pitch is drawn around 120 Hz (long tract) or 205 Hz (short tract), the usual means for men
    and women; the formants of the latter lie about 15 % higher (Peterson & Barney 1952).
    """

    pitch: float  # Hz
    pitch_range: float  # factor on every pitch movement
    formant_scale: float  # 1 = the table's vocal tract, larger = shorter tract
    syllable_rate: float  # syllables a second while speaking
    breathiness: float  # noise in the source, relative to the pulses
    loudness: float  # factor on the waveform


@dataclass(frozen=True)
class Style:
    """How a person listens and looks. Probabilities are per occasion, durations in seconds."""

    mirror_smile: float
    mirror_negative: float  # concern and distaste
    mirror_surprise: float
    mirror_lag: float
    mirror_duration: float
    expressiveness: float  # factor on every display
    nod: float
    nod_delay: float
    nod_amplitude: float  # radians
    nod_rate: float  # cycles a second
    acknowledge: float  # lips pressed in assent, together with the nod
    backchannel: float  # an audible "mm-hm"
    blinks_listening: float  # a minute
    blinks_talking: float
    away_listening: float  # share of the time
    away_talking: float


@dataclass(frozen=True)
class Person:
    """A participant. `rest` is the face that nothing moves, raw coefficients (58,)."""

    voice: Voice
    style: Style
    rest: Float[np.ndarray, "58"]
    asymmetry: float  # left units are stronger by this share, right ones weaker


def _draw_voice(rng: np.random.Generator) -> Voice:
    short_tract = rng.random() < 0.5
    return Voice(
        pitch=float((205 if short_tract else 120) * 2 ** rng.normal(0, 0.12)),
        pitch_range=float(rng.uniform(0.8, 1.3)),
        formant_scale=float((1.15 if short_tract else 1.0) * rng.uniform(0.96, 1.04)),
        # Speech is modulated most strongly near 5 Hz in every language (Ding et al. 2017).
        syllable_rate=float(rng.uniform(4.2, 5.2)),
        breathiness=float(rng.uniform(0.02, 0.06)),
        loudness=float(rng.uniform(0.6, 1.1)),
    )


def _draw_style(rng: np.random.Generator) -> Style:
    """Draws a style around published means.

    - Mimicry: facial muscles answer a smile after 0.3-0.4 s (Dimberg, Thunberg & Elmehed 2000);
      with the rise of the answer it is *seen* 0.5-1.5 s after the partner's onset. It is common but
      not certain (Chartrand & Bargh 1999; Chovil 1991 on listeners' motor mimicry).
    - Nods: 1-3 cycles at 2-4 Hz (Hadar, Steiner & Rose 1985).
    - Gaze: at the partner for about 75 % of the time when listening, 41 % when talking
      (Argyle & Ingham 1972; the same contrast in Kendon 1967).
    - Blinks: 17 a minute at rest, 26 in conversation (Bentivoglio et al. 1997).
    """
    return Style(
        mirror_smile=float(rng.uniform(0.82, 0.97)),
        mirror_negative=float(rng.uniform(0.8, 0.95)),
        mirror_surprise=float(rng.uniform(0.8, 0.95)),
        mirror_lag=float(rng.uniform(1.0, 1.35)),
        mirror_duration=float(rng.uniform(3.0, 4.2)),
        expressiveness=float(rng.uniform(0.85, 1.15)),
        nod=float(rng.uniform(0.7, 0.95)),
        nod_delay=float(rng.uniform(0.15, 0.4)),
        nod_amplitude=float(rng.uniform(0.06, 0.12)),
        nod_rate=float(rng.uniform(2.0, 3.2)),
        acknowledge=float(rng.uniform(0.55, 0.9)),
        backchannel=float(rng.uniform(0.15, 0.45)),
        blinks_listening=float(rng.uniform(13, 20)),
        blinks_talking=float(rng.uniform(19, 28)),
        away_listening=float(rng.uniform(0.18, 0.3)),
        away_talking=float(rng.uniform(0.5, 0.65)),
    )


def _draw_rest(rng: np.random.Generator) -> Float[np.ndarray, "58"]:
    """A face at rest about the released set's mean pose, with half of its spread of poses.

    The means are data_format section 3's (rotation 3.19, .045, 0; translation -.006, -.018, 1.84).
    Half the spread (.09, .18, .065 rad; .05, .02, .23), because most of the real one is seating and
    camera, which nothing in a conversation explains.
    """
    rest = np.zeros(COEFFS)
    for name, size in (("browDown", 0.04), ("mouthPress", 0.03), ("eyeSquint", 0.03)):
        rest[[INDEX[name + "Left"], INDEX[name + "Right"]]] = abs(rng.normal(0, size))
    rest[INDEX["mouthShrugLower"]] = abs(rng.normal(0, 0.02))
    rest[ROTATION] = np.array([3.19, 0.045, 0.0]) + rng.normal(0, (0.06, 0.13, 0.045))
    rest[TRANSLATION] = np.array([-0.006, -0.018, 1.84]) + rng.normal(0, (0.04, 0.015, 0.18))
    return rest


def draw_person(seed: int, name: str) -> Person:
    """The participant called `name` in the world of `seed`: always the same one."""
    rng = stream(seed, "person", name)
    return Person(
        voice=_draw_voice(rng),
        style=_draw_style(rng),
        rest=_draw_rest(rng),
        asymmetry=float(rng.normal(0, 0.04)),
    )
