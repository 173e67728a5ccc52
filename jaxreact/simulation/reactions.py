"""What a listener does because of what the talker can be seen and heard to do."""

from dataclasses import dataclass

import numpy as np

from jaxreact.simulation.person import Style
from jaxreact.simulation.story import ASSENT, SMILE, SURPRISE, Display, Phrase, Story


@dataclass(frozen=True)
class Nod:
    """`cycles` bows from `start` (s) at `rate` (Hz); `amplitude` in radians."""

    start: float
    cycles: int
    rate: float
    amplitude: float


@dataclass(frozen=True)
class Reactions:
    """A person's answers to the partner: displays, nods, start times of audible "mm-hm"."""

    displays: tuple[Display, ...]
    nods: tuple[Nod, ...]
    backchannels: tuple[float, ...]


BACKCHANNEL_SECONDS = 0.5


def _mirrored(display: Display, role: int, style: Style, rng: np.random.Generator) -> Display:
    """The same display 0.5-1.5 s later, somewhat weaker, of the listener's own length."""
    lag = float(np.clip(rng.normal(style.mirror_lag, 0.1), 0.5, 1.5))
    shorter = 0.7 if display.kind == SURPRISE else 1.0  # a surprise is over sooner than a smile
    return Display(
        role=role,
        kind=display.kind,
        start=display.start + lag,
        duration=float(style.mirror_duration * shorter * rng.uniform(0.85, 1.15)),
        strength=float(display.strength * rng.uniform(0.8, 1.0)),
    )


def _at_phrase_end(
    phrase: Phrase, role: int, style: Style, rng: np.random.Generator
) -> tuple[list[Display], list[Nod], list[float]]:
    """A nod, perhaps with pressed lips or an "mm-hm"; raised brows instead after a question.

    Listeners answer at the talker's grammatical and prosodic completions: 0.7 s after a stretch of
    low pitch, by the rule of Ward & Tsukahara (2000), which begins before the phrase ends.
    """
    start = phrase.end + float(np.clip(rng.normal(style.nod_delay, 0.06), 0.1, 0.6))
    nods = [
        Nod(
            start,
            int(rng.integers(1, 4)),
            style.nod_rate * float(rng.uniform(0.9, 1.1)),
            style.nod_amplitude * float(rng.uniform(0.8, 1.2)),
        )
    ]
    displays: list[Display] = []
    if phrase.rising:
        displays.append(Display(role, SURPRISE, start, 1.0, 0.45))
    elif rng.random() < style.acknowledge:
        displays.append(Display(role, ASSENT, start, float(rng.uniform(1.8, 2.6)), 1.0))
    backchannels = [start] if rng.random() < style.backchannel else []
    return displays, nods, backchannels


def plan_reactions(telling: Story, role: int, style: Style, rng: np.random.Generator) -> Reactions:
    """How the person in `role` answers everything the partner says and shows in `telling`."""
    displays: list[Display] = []
    nods: list[Nod] = []
    backchannels: list[float] = []
    chance = {SMILE: style.mirror_smile, SURPRISE: style.mirror_surprise}
    for display in telling.displays:
        answers = rng.random() < chance.get(display.kind, style.mirror_negative)
        if display.role != role and answers:
            displays.append(_mirrored(display, role, style, rng))
    own = [phrase for phrase in telling.phrases if phrase.role == role]
    for phrase in telling.phrases:
        # A partner who is about to speak answers with words, not with a nod.
        taken = any(abs(other.start - phrase.end) < 0.6 for other in own)
        if phrase.role == role or taken or rng.random() > style.nod:
            continue
        more = _at_phrase_end(phrase, role, style, rng)
        displays += more[0]
        nods += more[1]
        backchannels += more[2]
    return Reactions(tuple(displays), tuple(nods), tuple(backchannels))
