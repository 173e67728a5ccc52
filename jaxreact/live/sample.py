"""A conversation to try the page with where there is no camera: a speaker of the simulation."""

import io
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float

from jaxreact.face import FPS
from jaxreact.media.video_writer import write_sound
from jaxreact.simulation.conversation import perform
from jaxreact.simulation.person import draw_person
from jaxreact.simulation.seeding import stream
from jaxreact.simulation.story import draw_story, tell

SECONDS = 30
RATE = 44100
_SEED, _NAME = 5, "sample"  # somebody who talks all the time, and smiles thrice


@dataclass(frozen=True, eq=False)
class Sample:
    """A speaker's half of a conversation."""

    coeffs: Float[np.ndarray, "time 58"]
    """Raw, 25 a second."""
    sound: bytes
    """AAC in an mp4."""


@cache
def sample() -> Sample:
    """Always the same one."""
    story = tell(draw_story(_SEED, _NAME, float(SECONDS)), stream(_SEED, "telling", _NAME))
    spoken = [sum(p.end - p.start for p in story.phrases if p.role == role) for role in (0, 1)]
    role = int(np.argmax(spoken))  # who talks, and does not listen
    person = draw_person(_SEED, _NAME)
    performance = perform(_SEED, _NAME, story, role, person, SECONDS * FPS)
    file = io.BytesIO()
    write_sound(file, (performance.waveform, RATE))
    return Sample(performance.coeffs, file.getvalue())
