"""From phrases to the vocal tract's movements: syllables, pitch, formants, lips and jaw over time.

Sound (`voice`) and mouth (`mouth`) are both made from these tracks, so they cannot drift apart.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.face import FPS
from jaxreact.simulation.person import Voice

CONTROLS_PER_FRAME = 9
CONTROL_RATE = FPS * CONTROLS_PER_FRAME
"""Values a second of every track: 225, a whole number both a frame and in 44.1 kHz samples."""

# name: F1-F3 in Hz of a man's vocal tract (Peterson & Barney 1952); jaw, rounding, spreading in
# [0, 1].
_VOWELS = {
    "i": (270, 2290, 3010, 0.2, 0.0, 0.7),
    "ɪ": (390, 1990, 2550, 0.35, 0.0, 0.4),
    "ɛ": (530, 1840, 2480, 0.55, 0.0, 0.3),
    "æ": (660, 1720, 2410, 0.85, 0.0, 0.3),
    "ɑ": (730, 1090, 2440, 1.0, 0.0, 0.0),
    "ɔ": (570, 840, 2410, 0.7, 0.7, 0.0),
    "u": (300, 870, 2240, 0.25, 1.0, 0.0),
    "ʌ": (640, 1190, 2390, 0.7, 0.0, 0.0),
}
_VOWEL_TABLE = np.array(list(_VOWELS.values()))

# name: voicing, noise level, noise centre in Hz, lips closed, teeth on the lip, F2 locus in Hz.
_CONSONANTS = {
    "p": (0.0, 0.5, 1200.0, 1.0, 0.0, 900.0),
    "b": (0.15, 0.2, 1000.0, 1.0, 0.0, 900.0),
    "m": (0.35, 0.0, 1000.0, 1.0, 0.0, 900.0),
    "f": (0.0, 0.25, 6500.0, 0.0, 1.0, 1100.0),
    "t": (0.0, 0.7, 4500.0, 0.0, 0.0, 1800.0),
    "d": (0.15, 0.3, 4000.0, 0.0, 0.0, 1800.0),
    "n": (0.35, 0.0, 4000.0, 0.0, 0.0, 1700.0),
    "s": (0.0, 0.8, 6500.0, 0.0, 0.0, 1800.0),
    "ʃ": (0.0, 0.8, 3000.0, 0.0, 0.0, 1900.0),
    "k": (0.0, 0.6, 2200.0, 0.0, 0.0, 2000.0),
    "l": (0.5, 0.0, 3000.0, 0.0, 0.0, 1300.0),
}
_CONSONANT_TABLE = np.array(list(_CONSONANTS.values()))
_STOPS = np.array([name in "pbtdk" for name in _CONSONANTS])
_F3_LOCUS = 2500.0


@dataclass(frozen=True)
class Utterance:
    """A stretch of sound of one person, seconds. `hum`: an "mm-hm" with closed lips."""

    start: float
    end: float
    rising: bool = False
    hum: bool = False


@dataclass(frozen=True)
class Articulation:
    """Tracks at `CONTROL_RATE`. Hertz for pitch, formants and noise; everything else in [0, 1]."""

    pitch: Float[np.ndarray, "time"]
    formants: Float[np.ndarray, "time 3"]
    voicing: Float[np.ndarray, "time"]
    noise: Float[np.ndarray, "time"]
    noise_centre: Float[np.ndarray, "time"]
    jaw: Float[np.ndarray, "time"]
    rounding: Float[np.ndarray, "time"]
    spreading: Float[np.ndarray, "time"]
    closure: Float[np.ndarray, "time"]
    labiodental: Float[np.ndarray, "time"]
    accents: tuple[float, ...]
    """Seconds: the middles of the syllables that the talker stresses most."""


@dataclass
class _Syllable:
    start: float
    onset: float  # where the consonant ends
    end: float
    vowel: int
    consonant: int
    level: float
    accent: bool


def _syllables(utterance: Utterance, rate: float, rng: np.random.Generator) -> list[_Syllable]:
    """Equal beats with 20 % spread at `rate` Hz; the last one lengthened, one of them accented."""
    count = max(2, round((utterance.end - utterance.start) * rate))
    lengths = np.clip(rng.normal(1, 0.2, count), 0.6, 1.5)
    lengths[-1] *= 1.4
    edges = utterance.start + np.cumsum([0, *lengths]) / lengths.sum() * (
        utterance.end - utterance.start
    )
    accent = int(rng.integers(count // 2, count))
    syllables = []
    for i in range(count):
        level = 1.0 if i == accent else rng.uniform(0.5, 0.85)
        consonant_length = min(0.09, 0.4 * (edges[i + 1] - edges[i])) * rng.uniform(0.8, 1.1)
        syllables.append(
            _Syllable(
                start=edges[i],
                onset=edges[i] + consonant_length,
                end=edges[i + 1],
                vowel=int(rng.integers(len(_VOWEL_TABLE))),
                consonant=int(rng.integers(len(_CONSONANT_TABLE))),
                level=float(level * (1 - 0.25 * i / count)),  # loudness falls with the pitch
                accent=i == accent,
            )
        )
    return syllables


def _smooth(track: np.ndarray, seconds: float) -> np.ndarray:
    """Symmetric smoothing, hence without delay, along axis 0."""
    window = np.hanning(2 * round(seconds * CONTROL_RATE / 2) + 3)
    return np.convolve(track, window / window.sum(), "same")


def _pitch_contour(
    times: np.ndarray, utterance: Utterance, syllables: list[_Syllable]
) -> np.ndarray:
    """Semitones about the voice's mean.

    Declination from +3 to -2 over the phrase, accents of +4, and a final fall or rise of 4-5, all
    within what 't Hart, Collier & Cohen (1990) describe for read speech.
    """
    progress = (times - utterance.start) / (utterance.end - utterance.start)
    contour = 3.0 - 5.0 * progress
    for syllable in syllables:
        if syllable.accent:
            middle = (syllable.onset + syllable.end) / 2
            contour += 4.0 * np.exp(-(((times - middle) / 0.09) ** 2))
    final = np.clip((times - (utterance.end - 0.35)) / 0.35, 0, 1)
    return contour + (8.0 if utterance.rising else -3.0) * final


class _Tracks:
    """Mutable tracks while they are being written, one utterance after the other."""

    def __init__(self, length: int):
        self.semitones = np.zeros(length)
        self.voicing, self.noise = np.zeros(length), np.zeros(length)
        self.noise_centre = np.full(length, 3000.0)
        self.jaw, self.rounding, self.spreading = (np.zeros(length) for _ in range(3))
        self.closure, self.labiodental = np.zeros(length), np.zeros(length)
        self.targets: list[tuple[float, float, float, float]] = []  # second, F1, F2, F3

    def span(self, start: float, end: float) -> slice:
        return slice(max(0, round(start * CONTROL_RATE)), max(0, round(end * CONTROL_RATE)))

    def write_syllable(self, syllable: _Syllable) -> None:
        f1, f2, f3, jaw, rounding, spreading = _VOWEL_TABLE[syllable.vowel]
        voiced, noise, centre, lips, teeth, locus = _CONSONANT_TABLE[syllable.consonant]
        head, body = (
            self.span(syllable.start, syllable.onset),
            self.span(syllable.onset, syllable.end),
        )
        self.voicing[head], self.voicing[body] = voiced * syllable.level, syllable.level
        burst = head
        if _STOPS[syllable.consonant]:  # silence, then a burst of 20 ms as the closure opens
            burst = self.span(syllable.onset - 0.02, syllable.onset + 0.005)
        self.noise[burst], self.noise_centre[head] = noise * syllable.level, centre
        self.noise_centre[burst] = centre
        self.jaw[head], self.jaw[body] = 0.15 * (1 - lips), jaw * (0.5 + 0.5 * syllable.level)
        whole = self.span(syllable.start, syllable.end)
        self.rounding[whole], self.spreading[whole] = rounding, spreading
        self.closure[head], self.labiodental[head] = lips, teeth
        third = (syllable.end - syllable.onset) / 3
        self.targets += [
            (syllable.start + 0.02, 320.0, locus, _F3_LOCUS),
            (syllable.onset + third, f1, f2, f3),
            (syllable.end - third, f1, f2, f3),
        ]

    def write_hum(self, utterance: Utterance) -> None:
        """Two nasal murmurs behind closed lips with a breath between them, the second higher."""
        length = utterance.end - utterance.start
        for part, (begin, end) in enumerate(((0.0, 0.42), (0.55, 1.0))):
            span = self.span(utterance.start + begin * length, utterance.start + end * length)
            self.voicing[span] = 0.4
            self.semitones[span] = -2.0 + 4.0 * part
        self.closure[self.span(utterance.start, utterance.end)] = 1.0
        self.targets += [(utterance.start, 250.0, 1000.0, 2200.0)]
        self.targets += [(utterance.end, 250.0, 1000.0, 2200.0)]


def articulate(
    utterances: list[Utterance], voice: Voice, frames: int, rng: np.random.Generator
) -> Articulation:
    """The tracks of one person's `utterances` over a clip of `frames` video frames.

    Consonants and vowels are drawn at random: it is speech in rhythm, melody and spectrum, in no
    language. Jaw and lips follow the vowel's height and rounding and the consonant's place; the
    mouth's area and the sound's envelope thus rise and fall together at 2-7 Hz, as Chandrasekaran
    et al. (2009) measured in talkers.
    """
    tracks = _Tracks(frames * CONTROLS_PER_FRAME)
    times = np.arange(frames * CONTROLS_PER_FRAME) / CONTROL_RATE
    accents: list[float] = []
    for utterance in sorted(utterances, key=lambda u: u.start):
        if utterance.hum:
            tracks.write_hum(utterance)
            continue
        syllables = _syllables(utterance, voice.syllable_rate, rng)
        for syllable in syllables:
            tracks.write_syllable(syllable)
            if syllable.accent:
                accents.append((syllable.onset + syllable.end) / 2)
        span = tracks.span(utterance.start, utterance.end)
        tracks.semitones[span] = _pitch_contour(times[span], utterance, syllables)
    return _finish(tracks, times, voice, tuple(accents), rng)


def _finish(
    tracks: _Tracks,
    times: np.ndarray,
    voice: Voice,
    accents: tuple[float, ...],
    rng: np.random.Generator,
) -> Articulation:
    """Smooths each track as fast as its organ moves: the source in 20 ms, lips and jaw in 80 ms."""
    targets = np.array(sorted(tracks.targets) or [(0.0, 500.0, 1500.0, _F3_LOCUS)])
    formants = [np.interp(times, targets[:, 0], targets[:, k]) for k in (1, 2, 3)]
    wobble = _smooth(rng.normal(0, 1, len(times)), 0.08)  # no voice holds a pitch exactly
    semitones = _smooth(tracks.semitones, 0.04) * voice.pitch_range + wobble
    return Articulation(
        pitch=voice.pitch * 2 ** (semitones / 12),
        formants=np.stack(formants, axis=1) * voice.formant_scale,
        voicing=_smooth(tracks.voicing, 0.03),
        noise=_smooth(tracks.noise, 0.01),
        noise_centre=tracks.noise_centre,
        jaw=_smooth(tracks.jaw, 0.08),
        rounding=_smooth(tracks.rounding, 0.12),
        spreading=_smooth(tracks.spreading, 0.12),
        closure=_smooth(tracks.closure, 0.05),
        labiodental=_smooth(tracks.labiodental, 0.05),
        accents=accents,
    )
