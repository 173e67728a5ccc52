"""Simulated conversations in the MARS layout: sessions that several pairs of persons recorded.

A story is a session here: its first talker is the speaker, whose words the session fixes, and every
listener of the session answers them. Clips have 30 frames a second, sessions their own lengths, and
every third listener is a frame shorter than the speaker, as the release has it.
"""

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float

from jaxreact.data.frame_rate import coeffs_at, emotion_at
from jaxreact.data.layout import AUDIO, COEFFS, EMOTION, MARS, VIDEO
from jaxreact.data.mars.eeg import CHANNELS
from jaxreact.data.mars.files import FOLDERS, LISTENER, SPEAKER
from jaxreact.data.mars.personality import BIG_FIVE
from jaxreact.face import FPS
from jaxreact.media.video_writer import write_video
from jaxreact.simulation.cast import ROLES, Session
from jaxreact.simulation.config import SPLITS, SimulateConfig
from jaxreact.simulation.conversation import Performance, perform
from jaxreact.simulation.person import Person, Style, draw_person
from jaxreact.simulation.seeding import stream
from jaxreact.simulation.story import draw_story, tell
from jaxreact.simulation.voice import SAMPLE_RATE

_LENGTHS = (0.6, 1.4)
"""Of the configured seconds: from the shortest session to the longest."""
_SHORTER_EVERY = 3
_UNMEASURED_EVERY = 7
"""Cells of the EEG."""
_APPLE_DOUBLE = bytes.fromhex("00051607") + bytes(60)
"""Begins as what macOS writes beside a file on other file systems."""

_TRAITS = {
    "Extraversion": ("expressiveness", 0.85, 1.15),
    "Agreeableness": ("nod", 0.7, 0.95),
    "Conscientiousness": ("acknowledge", 0.55, 0.9),
    "Neuroticism": ("blinks_listening", 13.0, 20.0),
    "Openness": ("backchannel", 0.15, 0.45),
}
"""Of each of the Big Five: the trait of a style that it is told by, and that trait's range."""
_LIVELINESS = 4.0
"""How many times as much the liveliness of faces differs as between `draw_person`'s: the
extraverted make every display 1.6 times as strong, their opposites 0.4 times, so that it can be
learned from a hundred clips that persons differ."""


def seconds_of(session: Session, config: SimulateConfig) -> float:
    """How long a session lasts, the same for all who record it."""
    share = stream(config.seed, "length", session.story).uniform(*_LENGTHS)
    return round(config.seconds * share * FPS) / FPS


def write_session(session: Session, config: SimulateConfig, root: Path) -> list[Performance]:
    """Plays one pair of a session and writes all its files; returns both performances."""
    seconds = seconds_of(session, config)
    frames = round(seconds * FPS)
    story = draw_story(config.seed, session.story, seconds)
    speaker = story.phrases[0].role if story.phrases else 0
    telling = tell(story, stream(config.seed, "telling", f"{session.chat}/{session.clip}"))
    clip = clip_name(session)
    performances = []
    for role in range(len(ROLES)):
        person = _livelier_or_less(draw_person(config.seed, session.person(role)))
        name = f"{session.chat}/{session.clip}"
        performance = perform(config.seed, name, telling, role, person, frames)
        part = SPEAKER if role == speaker else LISTENER
        shorter = part == LISTENER and _number(session.chat) % _SHORTER_EVERY == 0
        _write_clip(root, session, part, clip, performance, config, shorter)
        performances.append(performance)
    return performances


def clip_name(session: Session) -> str:
    """A name such as the release's, which end in the times of day."""
    number = _number(session.chat)
    begin = f"{9 + number % 8:02d}{number % 60:02d}{int(session.clip):02d}"
    return f"Camera-2024-03-{1 + number % 28:02d}-{begin}-{int(begin) + 100:06d}"


def session_name(session: Session) -> str:
    """`session0` and so on, by the number of its story."""
    return f"session{_number(session.story)}"


def write_persons(root: Path, sessions: list[Session], config: SimulateConfig) -> None:
    """Writes the listeners' Big Five of every split, in UTF-8 with a byte order mark."""
    for split in SPLITS:
        path = root / split / "personality" / "listener.csv"
        path.parent.mkdir(parents=True)
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["video_name", "session", *BIG_FIVE])
            for session in (each for each in sessions if each.split == split):
                story = draw_story(config.seed, session.story, seconds_of(session, config))
                speaker = story.phrases[0].role if story.phrases else 0
                person = draw_person(config.seed, session.person(1 - speaker))
                scores = [f"{score:.2f}" for score in big_five(person.style)]
                table.writerow([f"{clip_name(session)}.mp4", session_name(session), *scores])


def big_five(style: Style) -> list[float]:
    """Scores of 1 to 5, in the order of `BIG_FIVE`."""
    shares = (
        (getattr(style, trait) - low) / (high - low)
        for trait, low, high in (_TRAITS[name] for name in BIG_FIVE)
    )
    return [float(np.clip(1 + 4 * share, 1, 5)) for share in shares]


def write_litter(root: Path) -> None:
    """Leaves behind what archives of other systems do."""
    for split in SPLITS:
        for modality in (COEFFS, EMOTION):
            folder = root / split / FOLDERS[modality][0]
            (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
            file = next(folder.glob(f"*/*/*{FOLDERS[modality][1]}"))
            (file.parent / f"._{file.name}").write_bytes(_APPLE_DOUBLE)
        below = root / split / "__MACOSX" / FOLDERS[AUDIO][0]
        below.mkdir(parents=True)
        (below / "._audio").write_bytes(_APPLE_DOUBLE)


def _livelier_or_less(person: Person) -> Person:
    strength = 1 + _LIVELINESS * (person.style.expressiveness - 1)
    return replace(person, style=replace(person.style, expressiveness=strength))


def _number(name: str) -> int:
    found = re.search(r"\d+", name)
    assert found is not None, name
    return int(found[0])


def _write_clip(
    root: Path,
    session: Session,
    role: str,
    clip: str,
    performance: Performance,
    config: SimulateConfig,
    shorter: bool,
) -> None:
    def place(folder: str, suffix: str) -> Path:
        path = root / session.split / folder / role / session_name(session) / f"{clip}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    frames = round(len(performance.coeffs) / FPS * MARS.rate) - shorter
    coeffs = coeffs_at(performance.coeffs, FPS, MARS.rate, frames)
    emotion = emotion_at(performance.emotion.astype(np.float32), FPS, MARS.rate, frames)
    np.save(place(*FOLDERS[COEFFS]), coeffs[:, None])
    np.save(place(*FOLDERS[EMOTION]), emotion)
    samples = np.round(performance.waveform * 32767).astype(np.int16)
    soundfile.write(place(*FOLDERS[AUDIO]), samples, SAMPLE_RATE, subtype="PCM_16")
    if config.picture_size is not None:
        from jaxreact.rendering import render_frames  # most simulations never need it

        pictures = render_frames(coeffs, size=config.picture_size)
        write_video(place(*FOLDERS[VIDEO]), pictures, int(MARS.rate))
    rng = stream(config.seed, "eeg", clip, role)
    _write_eeg(place("eeg_processed", ".csv"), int(frames / MARS.rate) + 1, rng)


def _write_eeg(path: Path, seconds: int, rng: np.random.Generator) -> None:
    values: Float[np.ndarray, "seconds 14"] = rng.normal(0, 1, (seconds, len(CHANNELS)))
    values[:, :4] = 800 + 50 * values[:, :4]  # raw electrodes, about the headband's middle
    cells = [f"{value:.4f}" for value in values.ravel()]
    cells[::_UNMEASURED_EVERY] = [""] * len(cells[::_UNMEASURED_EVERY])
    rows = np.array(cells).reshape(seconds, -1)
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["TimeStamp", *CHANNELS])
        table.writerows([str(second), *row] for second, row in enumerate(rows))
