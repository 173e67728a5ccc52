"""Reactions to one speaker."""

from dataclasses import replace
from typing import Any

import jax
import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.face import COEFFS, EMOTION_CHANNELS
from jaxreact.media.sound_pieces import SoundInPieces
from jaxreact.react.config import Config
from jaxreact.streaming.long_clip import answers, can_stream
from jaxreact.systems.sampling import options_of
from jaxreact.systems.system import Reactions, Speaker, System, without_faces
from jaxreact.tracking.face_crop import face_frames
from jaxreact.tracking.track import Track


def react(system: System, speaker: Speaker, config: Config) -> Reactions:
    """Reactions to one speaker, of a whole number of the system's frames.

    MediaPipe's weights have other means than the data set's fits (browDown 0.03 against 0.5), and
    every camera its own tilt; `config.calibrate` removes both, with whatever else is constant.
    """
    if config.calibrate and speaker.coeffs is not None:
        (seen,) = np.asarray(speaker.coeffs)
        speaker = replace(speaker, coeffs=system.calibrate(seen)[None].astype(np.float32))
    options = _options(config, system) | config.online.options
    return system.react(speaker, config.samples, key=jax.random.key(config.seed), **options)


def react_in_pieces(
    system: System, speaker: Speaker, sound: SoundInPieces, config: Config
) -> tuple[Float[np.ndarray, "samples time 58"], Float[np.ndarray, "samples time 25"]]:
    """Coefficients and emotion that answer one speaker, whose `sound` is read a little at a time.

    They are those of `react` with --causal. Rows are held, 30 MB an hour and sample. Raises
    `UserError` where the system gives no faces, or the sound cannot be read.
    """
    assert can_stream(system)
    parts = {"coeffs": speaker.coeffs, "emotion": speaker.emotion}
    rows = {name: np.asarray(part)[0] for name, part in parts.items() if part is not None}
    if config.calibrate and "coeffs" in rows:
        rows["coeffs"] = system.calibrate(rows["coeffs"]).astype(np.float32)
    key, options = jax.random.key(config.seed), _options(config, system)
    made = answers(system, rows, sound.resampled(), config.samples, key=key, **options)
    frames = len(next(iter(rows.values())))
    coeffs = np.empty((config.samples, frames, COEFFS), np.float32)
    emotion = np.empty((config.samples, frames, EMOTION_CHANNELS), np.float32)
    bar = tqdm(made, total=frames, desc="generating", unit="frame", disable=None)
    for number, reaction in enumerate(bar):
        if reaction.coeffs is None:
            raise without_faces(system)
        coeffs[:, number], emotion[:, number] = reaction.coeffs, reaction.emotion
    return coeffs, emotion


def _options(config: Config, system: System) -> dict[str, Any]:
    listener = {} if config.traits is None else {"traits": np.array(config.traits, np.float32)}
    return options_of(config.sampling, system.options, system.name) | listener


def what_it_needs(
    config: Config,
    system: System,
    track: Track,
    waveform: Float[np.ndarray, "sound_samples"] | None,
    emotion: Float[np.ndarray, "emotion_frames 25"] | None,
    frames: int,
) -> Speaker:
    """The first `frames` of a speaker, of whom only what the system needs is gathered.

    Without a waveform, of which a stream is given a little at a time, all but that.
    """
    parts: dict[str, np.ndarray] = {}
    if "coeffs" in system.needs:
        parts["coeffs"] = track.coeffs[None, :frames].astype(np.float32)
    if "audio" in system.needs and waveform is not None:
        parts["waveform"] = waveform[None]
    if emotion is not None:
        parts["emotion"] = emotion[None, :frames]
    if (side := system.picture_side) is not None:
        pictures = face_frames(config.seen, frames, track.centre, side, track.turn)
        parts["video"] = np.stack(list(pictures))[None]
    return Speaker(**parts)
