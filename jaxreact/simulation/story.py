"""What is told: turns, phrases and displays of a story, and one dyad's telling of it.

Several dyads tell the same story, each with its own timing. That is what makes a listener's
reaction in one clip an appropriate one in another, and so gives the neighbour matrices a meaning.
"""

from dataclasses import dataclass, replace

import numpy as np

from jaxreact.simulation.seeding import stream

SMILE, CONCERN, SURPRISE, DISTASTE, ASSENT = "smile", "concern", "surprise", "distaste", "assent"

_KINDS = (SMILE, CONCERN, SURPRISE, DISTASTE)
_KIND_WEIGHTS = (0.46, 0.2, 0.2, 0.14)
_TURN_CHANGE_PROBABILITY = 0.6
_BY_LISTENER = 0.25
_GAP = 0.2
"""Seconds between two talkers: ten languages' mean is 208 ms (Stivers et al. 2009)."""


@dataclass(frozen=True)
class Phrase:
    """One breath group; seconds. `rising`: it ends on a rise, as a question does."""

    role: int
    start: float
    end: float
    rising: bool = False


@dataclass(frozen=True)
class Display:
    """A facial display of some kind from `start` for `duration` seconds; strength about 1."""

    role: int
    kind: str
    start: float
    duration: float
    strength: float


@dataclass(frozen=True)
class Story:
    """Times are seconds from the clip's start; roles are 0 (Expert) and 1 (Novice)."""

    seconds: float
    phrases: tuple[Phrase, ...]
    displays: tuple[Display, ...]


def _turns(seconds: float, rng: np.random.Generator) -> list[tuple[int, float, float]]:
    role = int(rng.integers(2))
    change = seconds * rng.uniform(0.35, 0.7)
    if rng.random() > _TURN_CHANGE_PROBABILITY:
        return [(role, 0.0, seconds)]
    return [(role, 0.0, change), (1 - role, change, seconds)]


def _phrases(role: int, start: float, end: float, rng: np.random.Generator) -> list[Phrase]:
    """Phrases of 1.6-3.4 s with pauses of 0.5-1.1 s between; the last one ends near `end`."""
    phrases: list[Phrase] = []
    time = start + (_GAP if start > 0 else rng.uniform(0.2, 0.7))
    while end - time > 0.8:
        length = rng.uniform(1.6, 3.4)
        if end - (time + length) < 1.2:
            length = end - time
        phrases.append(Phrase(role, time, time + length, bool(rng.random() < 0.25)))
        time += length + rng.uniform(0.5, 1.1)
    return phrases


def _displays(phrases: list[Phrase], rng: np.random.Generator) -> list[Display]:
    """A display near the end of a phrase (its point), with at least 4.6 s from one to the next.

    Most are the talker's; some are begun by the listener, who is a participant too (Chovil 1991).
    """
    displays: list[Display] = []
    free_from = 0.0
    for phrase in phrases:
        start = max(phrase.start + 0.2, phrase.end - rng.uniform(0.5, 1.1))
        if start < free_from or rng.random() < 0.1:
            continue
        kind = str(rng.choice(_KINDS, p=_KIND_WEIGHTS))
        by_listener = rng.random() < _BY_LISTENER
        role = 1 - phrase.role if by_listener else phrase.role
        displays.append(Display(role, kind, start, rng.uniform(1.8, 2.4), rng.uniform(0.8, 1.1)))
        free_from = start + 4.6
    return displays


def draw_story(seed: int, name: str, seconds: float) -> Story:
    """The story called `name`: one main talker, in some stories one change of turn."""
    rng = stream(seed, "story", name)
    phrases: list[Phrase] = []
    for role, start, end in _turns(seconds, rng):
        phrases += _phrases(role, start, end, rng)
    if len({phrase.role for phrase in phrases}) == 2:
        last = max(i for i, phrase in enumerate(phrases) if phrase.role == phrases[0].role)
        phrases[last] = replace(phrases[last], rising=True)  # the turn is handed over by a question
    return Story(seconds, tuple(phrases), tuple(_displays(phrases, rng)))


def tell(story: Story, rng: np.random.Generator) -> Story:
    """One telling of `story`: boundaries move by about 0.1 s, displays by 0.15 s and by 10 %."""
    edges = np.array([edge for phrase in story.phrases for edge in (phrase.start, phrase.end)])
    edges = np.clip(edges + np.clip(rng.normal(0, 0.08, edges.shape), -0.2, 0.2), 0, story.seconds)
    # Neighbouring edges lie at least 0.2 s apart, so only a change of turn can be overtaken; there
    # the speakers overlap for a moment, as two in five changes of turn do (Heldner & Edlund 2010).
    phrases = tuple(
        replace(phrase, start=float(start), end=float(end))
        for phrase, start, end in zip(story.phrases, edges[::2], edges[1::2], strict=True)
    )
    displays = tuple(
        replace(
            display,
            start=float(max(0.0, display.start + np.clip(rng.normal(0, 0.15), -0.3, 0.3))),
            strength=float(display.strength * rng.uniform(0.9, 1.1)),
        )
        for display in story.displays
    )
    return Story(story.seconds, phrases, displays)
