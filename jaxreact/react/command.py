"""The whole way of `python -m jaxreact.react`, from a speaker's files to the reaction's."""

import sys
import warnings
from math import isfinite
from pathlib import Path

import numpy as np
import tyro
from jaxtyping import Float

from jaxreact.data.contents import load_emotion
from jaxreact.data.sense import doubts_of_sound
from jaxreact.errors import Remark, UserError
from jaxreact.face import FPS
from jaxreact.files import replacing
from jaxreact.media.sound import SAMPLE_RATE, read_audio
from jaxreact.media.sound_pieces import SoundInPieces
from jaxreact.react.answer import react, react_in_pieces, what_it_needs
from jaxreact.react.config import Config, check
from jaxreact.react.film import draw, listener_face
from jaxreact.react.lengths import (
    AS_A_STREAM,
    beginning,
    check_emotion,
    check_tracked,
    generating,
    is_long,
    seconds_at_once,
    seconds_to_track,
    usable_frames,
    used,
)
from jaxreact.systems.sampling import options_of
from jaxreact.systems.system import System, faces, load
from jaxreact.tracking.live_link import track_live_link
from jaxreact.tracking.track import Track, track_video


def run(config: Config) -> None:
    """The whole way from the speaker's files to those in `config.out`."""
    check(config)
    waveform = read_audio(config.heard, duration=seconds_at_once(config.seconds))
    for doubt in doubts_of_sound(waveform):
        of = beginning(config.seconds, len(waveform))
        warnings.warn(f"{config.heard}: {of}{doubt.message}", Remark, stacklevel=2)
    system = open_system(config)
    emotion = read_emotion(config, system)
    face = listener_face(config)
    is_film = config.arkit is None
    until = seconds_to_track(config.seen, system, config.seconds, len(waveform), is_film)
    track = track_speaker(config, until)
    if config.emotion is not None and emotion is not None:
        check_emotion(config.emotion, emotion, config.seen, track)
    sound = sound_of_long(config) if is_long(until, len(track.coeffs)) else None
    heard = len(waveform) if sound is None else round(sound.seconds * SAMPLE_RATE)
    usable = len(track.coeffs) if emotion is None else min(len(track.coeffs), len(emotion))
    frames = usable_frames(config.seen, config.heard, usable, heard, system.frame_multiple)
    check_tracked(config.seen, system, config.seconds, until, track)
    if track.stopped:
        warnings.warn(f"{config.seen}: {used(track)}", Remark, stacklevel=2)
    print(
        generating(config.samples, frames, len(track.coeffs), system.frame_multiple),
        file=sys.stderr,
    )
    if sound is None:
        speaker = what_it_needs(config, system, track, waveform, emotion, frames)
        reactions = react(system, speaker, config)
        made = np.asarray(faces(system, reactions)[0]), np.asarray(reactions.emotion[0])
    else:
        speaker = what_it_needs(config, system, track, None, emotion, frames)
        made = react_in_pieces(system, speaker, sound, config)
    tracked = track.coeffs[:frames], track.tracked[:frames]
    save_reaction(config.out / "reaction.npz", *made, *tracked)
    print(config.out / "reaction.npz")
    draw(config, track, made[0], face, sound)
    print(config.out / "reaction.mp4")


def track_speaker(config: Config, until: float) -> Track:
    """The speaker's face in the first `until` seconds."""
    if config.arkit is not None:
        return track_live_link(
            config.arkit, max_gap=config.max_gap, on_gap=config.on_gap, max_seconds=until
        )
    return track_video(
        config.seen,
        max_gap=config.max_gap,
        on_gap=config.on_gap,
        max_seconds=until,
        turn=config.turn,
        model=config.model,
    )


def sound_of_long(config: Config) -> SoundInPieces:
    """The sound of a speaker that is too long to be answered as a whole, which is said."""
    if not config.online.causal:
        warnings.warn(f"{config.seen}: {AS_A_STREAM}", Remark, stacklevel=3)
    return SoundInPieces(config.heard, config.seconds if isfinite(config.seconds) else None)


def open_system(config: Config) -> System:
    """The system that the options name.

    Raises `UserError` for one that needs more than they and a video give, cannot draw codes as they
    ask, or knows nothing of the traits that they name.
    """
    run = config.predictor if config.run is None else config.run
    assert run is not None
    system = load(run) if config.tokenizer is None else load(run, tokenizer=config.tokenizer)
    if lacking := system.needs - {"coeffs", "audio", "video", "emotion"}:
        raise UserError(
            f"{run}: {system.name} needs the speaker's {', '.join(sorted(lacking))}, which no video"
            " gives"
        )
    if "video" in system.needs and config.arkit is not None:
        raise UserError(f"{run}: {system.name} needs pictures of the speaker; give a video")
    if "emotion" in system.needs and config.emotion is None:
        raise UserError(
            f"{run}: {system.name} needs the speaker's emotion, which no video shows; give it by"
            " --emotion FILE.csv, 25 channels at 25 frames a second (docs/real_data.md)"
        )
    if config.traits is not None and "traits" not in system.options:
        raise UserError(f"{run}: {system.name} was not trained with traits; leave --traits out")
    options_of(config.sampling, system.options, f"{run}: {system.name}")
    return config.online.prepared(system, f"{run}: {system.name}").in_precision(config.precision)


def read_emotion(config: Config, system: System) -> Float[np.ndarray, "frames 25"] | None:
    """The speaker's emotion, where the system needs it; else a `Remark` says so of a given one."""
    if config.emotion is None:
        return None
    if "emotion" not in system.needs:
        remark = f"{config.emotion}: not read, {system.name} does not need it"
        warnings.warn(remark, Remark, stacklevel=2)
        return None
    return load_emotion(config.emotion)


def save_reaction(
    path: Path, coeffs: np.ndarray, emotion: np.ndarray, speaker: np.ndarray, tracked: np.ndarray
) -> None:
    """Writes `reaction.npz`, whole or not at all."""
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary, coeffs=coeffs, emotion=emotion, speaker=speaker, tracked=tracked, fps=FPS
        )


def main() -> None:
    """Parses the command line and runs."""
    run(tyro.cli(Config, prog="python -m jaxreact.react"))
