"""The reactions to one clip that a file of predictions holds, and what was recorded of it."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from tyro.conf import arg

from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.data.frame_rate import coeffs_at, emotion_at, frames_at
from jaxreact.data.layout import Dyad
from jaxreact.data.split import clip_names
from jaxreact.errors import UserError
from jaxreact.face import COEFFS, EMOTION_CHANNELS, FPS
from jaxreact.media.sound import read_native_audio
from jaxreact.media.video_writer import Sound
from jaxreact.predictions import Predictions, read_predictions
from jaxreact.predictions.npz import map_npz
from jaxreact.predictions.whole import holds_whole, read_whole


@dataclass(frozen=True)
class Recording:
    """Which clip, and what was recorded of it."""

    clip: Annotated[str, arg(metavar="NAME|INDEX")] = "0"
    """The clip: its name, or its number in the file from 0."""
    data: Path | None = None
    """The data set that was predicted (root or cache): shows the recorded persons, and has the
    speaker's sound."""
    split: Literal["train", "val", "test"] = "val"
    """The split of --data that was predicted."""
    sound: Annotated[Path | None, arg(metavar="FILE")] = None
    """Sound from this file (wav, mp4, ...) instead: reaction.mp4, where --data is not."""


@dataclass(frozen=True, eq=False)
class Person:
    """What one face does, 25 frames a second; what is not known is None."""

    coeffs: Float[np.ndarray, "frames 58"] | None = None
    """Raw coefficients (the mean is in them)."""
    emotion: Float[np.ndarray, "frames 25"] | None = None


@dataclass(frozen=True, eq=False)
class Reactions:
    """K reactions to one clip, raw coefficients and emotion, and the recorded persons.

    All are equally long. `path` is the file they come from, `clips` are all it holds (None where it
    does not say), `clip` is the name of the one that is shown.
    """

    path: Path
    clips: tuple[str, ...] | None
    clip: str
    coeffs: Float[np.ndarray, "samples frames 58"]
    emotion: Float[np.ndarray, "samples frames 25"] | None
    speaker: Person = Person()
    listener: Person = Person()
    sound: Sound | None = None

    @property
    def frames(self) -> int:
        """Length of every sequence."""
        return self.coeffs.shape[1]


def read_reactions(path: Path, recording: Recording) -> Reactions:
    """Reads `predictions.npz` of an evaluation, or `reaction.npz` of `jaxreact.react`.

    Raises `UserError` for files that are missing, damaged or without coefficients, for a clip that
    is not there, and for recordings that do not fit.
    """
    reactions = _of_whole(path, recording) if holds_whole(path) else _of_one_length(path, recording)
    if recording.sound is None:
        return reactions
    return replace(
        reactions, sound=read_native_audio(recording.sound, duration=reactions.frames / FPS)
    )


def _of_one_length(path: Path, recording: Recording) -> Reactions:
    arrays = _arrays(path)
    alone = arrays["coeffs"].ndim == 3
    return _of_reaction(path, arrays, recording) if alone else _of_predictions(path, recording)


def _of_whole(path: Path, recording: Recording) -> Reactions:
    """Of whole clips, brought to 25 frames a second."""
    made = read_whole(path)
    if made.coeffs is None:
        raise UserError(_no_face(path))
    data = None if recording.data is None else open_conversations(recording.data)
    dyads = [] if data is None else data.dyads(recording.split)
    if data is not None and made.clips != clip_names(dyads):
        raise UserError(f"{path}: its clips are not those of {recording.split} in {recording.data}")
    index = find_clip(path, recording.clip, len(made.clips), made.clips)
    emotion, coeffs = made.emotion[index], made.coeffs[index]
    frames = frames_at(coeffs.shape[1], made.rate)
    speaker, listener = (
        Person(emotion=emotion_at(rows[index], made.rate)[:frames])
        for rows in (made.speaker, made.listener)
    )
    reactions = Reactions(
        path,
        made.clips,
        made.clips[index],
        coeffs_at(coeffs, made.rate),
        emotion_at(emotion, made.rate),
        speaker,
        listener,
    )
    return reactions if data is None else with_recorded(reactions, data, dyads[index])


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise UserError(f"{path}: no such file; give predictions.npz or reaction.npz")
    arrays = map_npz(path)
    coeffs = arrays.get("coeffs")
    if coeffs is None:
        raise UserError(_no_face(path))
    if coeffs.ndim not in (3, 4) or coeffs.shape[-1] != COEFFS:
        raise UserError(
            f"{path}: coeffs of shape {coeffs.shape}; expected (clips, samples, frames, {COEFFS}),"
            f" or (samples, frames, {COEFFS}) of one clip"
        )
    return arrays


def _no_face(path: Path) -> str:
    return (
        f"{path}: holds no face coefficients (array coeffs), without which there is no face to"
        " draw; evaluate.py writes them where it generates (--run)"
    )


def _of_predictions(path: Path, recording: Recording) -> Reactions:
    data = None if recording.data is None else open_conversations(recording.data)
    dyads = [] if data is None else data.dyads(recording.split)
    names = tuple(dyad.speaker.name for dyad in dyads) or None
    predictions = read_predictions(path, clips=names)
    assert predictions.coeffs is not None
    clips = names or predictions.clips
    index = find_clip(path, recording.clip, len(predictions.coeffs), clips)
    speaker, listener = (
        Person(emotion=None if emotion is None else emotion[index])
        for emotion in (predictions.speaker, predictions.listener)
    )
    reactions = Reactions(
        path,
        clips,
        clips[index] if clips else f"clip {index}",
        predictions.coeffs[index],
        predictions.emotion[index],
        speaker,
        listener,
    )
    return reactions if data is None else with_recorded(reactions, data, dyads[index])


def with_recorded(reactions: Reactions, data: Conversations, dyad: Dyad) -> Reactions:
    """The same with both persons as they were recorded, and the speaker's sound; all are cut to the
    shortest."""
    frames = min(reactions.frames, dyad.frames)
    speaker, listener = (
        Person(data.coeffs(clip)[:frames], data.emotion(clip)[:frames])
        for clip in (dyad.speaker, dyad.listener)
    )
    emotion = None if reactions.emotion is None else reactions.emotion[:, :frames]
    return replace(
        reactions,
        coeffs=reactions.coeffs[:, :frames],
        emotion=emotion,
        speaker=speaker,
        listener=listener,
        sound=data.sound(dyad.speaker, frames / FPS),
    )


def _of_reaction(path: Path, arrays: dict[str, np.ndarray], recording: Recording) -> Reactions:
    if recording.data is not None:
        raise UserError(f"{path}: holds its own speaker; leave out --data")
    find_clip(path, recording.clip, 1, None)
    coeffs, emotion, speaker = (arrays.get(name) for name in ("coeffs", "emotion", "speaker"))
    assert coeffs is not None
    silent = np.zeros((1, *coeffs.shape[:2], EMOTION_CHANNELS), np.float32)
    try:
        Predictions(silent if emotion is None else emotion[None], coeffs[None])
        if speaker is not None:
            Predictions(silent[:, :1], speaker[None, None])
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return Reactions(path, None, path.resolve().parent.name, coeffs, emotion, Person(speaker))


def find_clip(path: Path, clip: str, count: int, clips: Sequence[str] | None) -> int:
    """Which of the `count` clips of `path` is meant by a name or a number; UserError for none."""
    if clips is not None and clip in clips:
        return clips.index(clip)
    if clip.isdecimal() and int(clip) < count:
        return int(clip)
    numbers = f"its clips are 0 to {count - 1}" if count > 1 else "its one clip is 0"
    near = difflib.get_close_matches(clip, clips or (), 1, 0.3) or (clips or ())[:1]
    raise UserError(
        f"--clip {clip}: not in {path}; {numbers}{f', such as {near[0]}' if near else ''}"
    )
