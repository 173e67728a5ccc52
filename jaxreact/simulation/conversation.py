"""One clip of a dyad: from a story and two persons to two faces, voices and emotion tracks."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.face import EXPRESSION, FPS
from jaxreact.simulation.articulation import CONTROLS_PER_FRAME, Articulation, Utterance, articulate
from jaxreact.simulation.displays import pulse, show, unit_vector
from jaxreact.simulation.emotion import emotion_from_coefficients
from jaxreact.simulation.eyes import blink, glance
from jaxreact.simulation.head import beat, drift, nod
from jaxreact.simulation.mouth import speak
from jaxreact.simulation.person import Person
from jaxreact.simulation.reactions import BACKCHANNEL_SECONDS, Reactions, plan_reactions
from jaxreact.simulation.seeding import stream
from jaxreact.simulation.story import Story
from jaxreact.simulation.voice import synthesise

_BROW_BATON = {"browInnerUp": 0.18, "browOuterUp": 0.18}
"""Raised brows underline an accent: Ekman's (1979) batons."""


@dataclass(frozen=True)
class Performance:
    """What one person's camera and microphone recorded."""

    coeffs: Float[np.ndarray, "time 58"]
    """Raw coefficients, float32, 25 a second; expression >= 0."""
    emotion: Float[np.ndarray, "time 25"]
    waveform: Float[np.ndarray, "samples 2"]
    """44.1 kHz stereo in [-1, 1], exactly as long as the coefficients."""


def _utterances(telling: Story, role: int, reactions: Reactions) -> list[Utterance]:
    talk = [Utterance(p.start, p.end, p.rising) for p in telling.phrases if p.role == role]
    hums = [
        Utterance(time, time + BACKCHANNEL_SECONDS, hum=True)
        for time in reactions.backchannels
        if all(time + BACKCHANNEL_SECONDS < t.start or time > t.end for t in talk)
    ]
    return sorted(talk + hums, key=lambda utterance: utterance.start)


def _talking(telling: Story, role: int, frames: int) -> np.ndarray:
    """Who has the turn, frame by frame: pauses between one's own phrases belong to it."""
    middles = np.array([(p.start + p.end) / 2 for p in telling.phrases])
    roles = np.array([p.role for p in telling.phrases])
    if not len(roles):
        return np.zeros(frames, bool)
    nearest = np.abs(np.arange(frames)[:, None] / FPS - middles).argmin(axis=1)
    return roles[nearest] == role


def _face(
    telling: Story,
    role: int,
    person: Person,
    reactions: Reactions,
    articulation: Articulation,
    rng: np.random.Generator,
) -> np.ndarray:
    frames = len(articulation.pitch) // CONTROLS_PER_FRAME
    own = [display for display in telling.displays if display.role == role]
    talking = _talking(telling, role, frames)
    loudness = articulation.voicing.reshape(frames, -1).mean(axis=1)
    face = (
        person.rest
        + show([*own, *reactions.displays], frames, person.style.expressiveness, person.asymmetry)
        + speak(articulation, person.asymmetry)
        + blink(talking, person.style, rng)
        + glance(talking, person.style, rng)
        + nod(list(reactions.nods), frames)
        + beat(articulation.accents, loudness, rng)
        + drift(frames, rng)
    )
    for accent in articulation.accents:
        if rng.random() < 0.5:
            brows = pulse(frames, accent - 0.2, 0.6, 0.2, 0.3)
            face += brows[:, None] * unit_vector(_BROW_BATON, person.asymmetry)
    face += rng.normal(0, 0.004, face.shape)  # a face tracker's noise
    face[:, EXPRESSION] = np.clip(face[:, EXPRESSION], 0, 1)
    return face.astype(np.float32)


def perform(
    seed: int, name: str, telling: Story, role: int, person: Person, frames: int
) -> Performance:
    """Plays `role` of `telling`; `name` (of the clip) and `seed` fix every random number."""
    names = (name, str(role))
    reactions = plan_reactions(telling, role, person.style, stream(seed, "reactions", *names))
    articulation = articulate(
        _utterances(telling, role, reactions),
        person.voice,
        frames,
        stream(seed, "articulation", *names),
    )
    coeffs = _face(telling, role, person, reactions, articulation, stream(seed, "face", *names))
    return Performance(
        coeffs=coeffs,
        emotion=emotion_from_coefficients(coeffs.astype(np.float64)),
        waveform=synthesise(articulation, person.voice, stream(seed, "voice", *names)),
    )
