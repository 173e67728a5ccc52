"""The command `python -m jaxreact.react VIDEO`: a listener's reaction to any talking face.

Video -> what the system needs of the speaker: a tracked face, sound, pictures around the face ->
coefficients and emotion -> a video of the two side by side, with the speaker's sound.
"""

import math
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import jax
import numpy as np
import tyro
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.commands import run_command
from jaxreact.data.contents import load_emotion
from jaxreact.data.sense import doubts_of_sound
from jaxreact.errors import Remark, UserError, check_seed
from jaxreact.face import FPS
from jaxreact.files import check_folder, replacing
from jaxreact.media.sound import SAMPLE_RATE, read_audio, read_native_audio
from jaxreact.media.video_writer import write_video
from jaxreact.nn.precision import Precision
from jaxreact.rendering import render_frames
from jaxreact.rendering.compose import Frames, side_by_side
from jaxreact.rendering.options import HeadFiles
from jaxreact.rendering.pirender.load import load_face_generator
from jaxreact.rendering.pirender.photoreal import check_generator, photoreal_frames
from jaxreact.rendering.pirender.portrait import read_portrait
from jaxreact.systems.online import Online
from jaxreact.systems.sampling import Sampling, options_of
from jaxreact.systems.system import MOST_SAMPLES, Reactions, Speaker, System, faces, load
from jaxreact.tracking.face_crop import face_frames
from jaxreact.tracking.timeline import GapPolicy
from jaxreact.tracking.track import Track, track_video
from jaxreact.tracking.view import Turn

MAX_SECONDS = 600.0
"""Longest clip for one call; ten minutes need about 2 GiB at the released size."""

SHOWN = 4
"""Listeners drawn in the video; all are in `reaction.npz`."""

MISSING = 0.5
"""Seconds by which sound and emotion may be shorter than the picture, and emotion longer; sound is
continued by silence."""


Face = Callable[[Float[np.ndarray, "time 58"]], Frames]
"""Draws raw coefficients."""


@dataclass(frozen=True)
class Config:
    """Generates a listener's reaction to a video of a talking face.

    Writes `reaction.mp4` (speaker, up to 4 listeners, the speaker's sound) and `reaction.npz` (raw
    coefficients (samples, frames, 58), emotion (samples, frames, 25), the speaker's raw
    coefficients (frames, 58) and whether each of its frames was tracked) into `--out`.
    """

    video: tyro.conf.Positional[Path]
    """A video with sound that shows one talking face; any size and frame rate."""
    out: Path
    """Directory for the results; made if it does not exist."""
    run: Path | None = None
    """Run directory of a trained or converted system."""
    emotion: Path | None = None
    """The speaker's emotion, 25 frames a second, as csv files of the data set hold it: for a system
    that needs it, since no video shows it."""
    tokenizer: Path | None = None
    """With --predictor, of a run that was made before runs held their tokenizer: its directory."""
    predictor: Path | None = None
    """FIBER's run directory; the same as --run."""
    samples: int = 1
    """How many different reactions."""
    seed: int = 0
    """Fixes the reactions."""
    sampling: Annotated[Sampling, tyro.conf.arg(name="")] = field(default_factory=Sampling)
    online: Annotated[Online, tyro.conf.arg(name="")] = field(default_factory=Online)
    precision: Precision = "tensorfloat32"
    """What the system's products are computed in; the speaker's codes are decided in float32
    anyway. tensorfloat32 is float32 where a device has no such thing."""
    size: int = 256
    """Side of each picture in pixels."""
    seconds: float = MAX_SECONDS
    """Use at most so much of the video's beginning (s)."""
    max_gap: float = 0.5
    """A face lost for at most so long (s) is bridged by interpolation."""
    on_gap: GapPolicy = "error"
    """What to do with longer gaps: stop with an error, or hold the last face."""
    turn: Turn = "auto"
    """Degrees by which the pictures are turned clockwise for the face to be upright; auto finds
    out, 0 leaves them."""
    calibrate: bool = False
    """Give the speaker the data set's mean face by shifting all coefficients by a constant. It
    removes what the tracker and the camera add, but also a smile that lasts the whole clip."""
    model: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Another face_landmarker.task for MediaPipe."""
    heads: Annotated[HeadFiles, tyro.conf.arg(name="")] = field(default_factory=HeadFiles)
    pirender: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """PIRender's face generator, converted by convert_weights.py pirender: makes photo-real
    listeners of --portrait."""
    portrait: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """With --pirender: a picture, or a video whose first picture is taken, of the listener's face,
    which fills the middle of it."""


def usable_frames(path: Path, track_frames: int, samples: int, block: int) -> int:
    """How many frames of a clip can be used: whole blocks for which there is sound.

    `samples` are those of the 16 kHz sound; up to `MISSING` seconds may lack at the end.
    Raises `UserError` when not even one block is left, or much of the sound is missing.
    """
    needed = block / FPS
    heard, shown = samples / SAMPLE_RATE, track_frames / FPS
    frames = track_frames // block * block
    if not frames:
        raise UserError(f"{path}: {shown:.2f} s are too short; at least {needed:.2f} s needed")
    if shown - heard > MISSING:
        ends = f"the sound ends {shown - heard:.1f} s before the picture"
        if heard < needed:
            raise UserError(
                f"{path}: {ends}, after {heard:.2f} s; at least {needed:.2f} s needed: give "
                "a video with sound throughout"
            )
        until = math.floor(heard * 100) / 100  # rounded up it would be refused again
        raise UserError(f"{path}: {ends}; cut the video there (--seconds {until:.2f})")
    return frames


def react(system: System, speaker: Speaker, config: Config) -> Reactions:
    """Reactions to one speaker, of a whole number of the system's frames.

    MediaPipe's weights have other means than the data set's fits (browDown 0.03 against 0.5), and
    every camera its own tilt; `config.calibrate` removes both, with whatever else is constant.
    """
    if config.calibrate and speaker.coeffs is not None:
        (seen,) = np.asarray(speaker.coeffs)
        speaker = replace(speaker, coeffs=system.calibrate(seen)[None].astype(np.float32))
    options = options_of(config.sampling, system.options, system.name)
    options |= config.online.options
    return system.react(speaker, config.samples, key=jax.random.key(config.seed), **options)


def save_reaction(
    path: Path, coeffs: np.ndarray, emotion: np.ndarray, speaker: np.ndarray, tracked: np.ndarray
) -> None:
    """Writes `reaction.npz`, whole or not at all."""
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary, coeffs=coeffs, emotion=emotion, speaker=speaker, tracked=tracked, fps=FPS
        )


def check(config: Config) -> None:
    """Refuses what would fail only after minutes of work."""
    for name in ("samples", "size", "seconds"):
        if not getattr(config, name) > 0:
            raise UserError(f"--{name} must be more than 0")
    if (config.run is None) == (config.predictor is None):
        raise UserError("give --run, or --predictor with --tokenizer for runs that lack it")
    if config.run is not None and config.tokenizer is not None:
        raise UserError("--tokenizer belongs to --predictor; a --run holds its own")
    if config.seconds > MAX_SECONDS:
        raise UserError(f"--seconds may be at most {MAX_SECONDS:g}; cut longer videos first")
    if config.size % 2:
        raise UserError(f"--size {config.size} is odd; video needs an even number of pixels")
    if (config.pirender is None) != (config.portrait is None):
        raise UserError("--pirender and --portrait belong together: the network, and whose face")
    if config.samples > MOST_SAMPLES:
        raise UserError(f"--samples {config.samples} is more than {MOST_SAMPLES}")
    check_folder(config.out)
    check_seed(config.seed)


def run(config: Config) -> None:
    """The whole way from `config.video` to the files in `config.out`."""
    check(config)
    waveform = read_audio(config.video, duration=config.seconds)
    for doubt in doubts_of_sound(waveform):
        warnings.warn(f"{config.video}: {doubt.message}", Remark, stacklevel=2)
    system = open_system(config)
    emotion = read_emotion(config, system)
    face = listener_face(config)
    track = track_video(
        config.video,
        max_gap=config.max_gap,
        on_gap=config.on_gap,
        max_seconds=config.seconds,
        turn=config.turn,
        model=config.model,
    )
    if track.stopped:
        of = f" of {track.source_seconds:.1f} s" if track.source_seconds else ""
        used = f"the first {len(track.coeffs) / FPS:.1f} s{of} are used (--seconds)"
        warnings.warn(f"{config.video}: {used}", Remark, stacklevel=2)
    if emotion is not None:
        check_emotion(config, emotion, track)
    usable = len(track.coeffs) if emotion is None else min(len(track.coeffs), len(emotion))
    frames = usable_frames(config.video, usable, len(waveform), system.frame_multiple)
    print(
        generating(config.samples, frames, len(track.coeffs), system.frame_multiple),
        file=sys.stderr,
    )
    speaker = what_it_needs(config, system, track, waveform, emotion, frames)
    reactions = react(system, speaker, config)
    coeffs = np.asarray(faces(system, reactions)[0])
    emotion = np.asarray(reactions.emotion[0])
    tracked = track.coeffs[:frames], track.tracked[:frames]
    save_reaction(config.out / "reaction.npz", coeffs, emotion, *tracked)
    print(config.out / "reaction.npz")
    draw(config, track, coeffs, face)
    print(config.out / "reaction.mp4")


def generating(samples: int, frames: int, tracked: int, block: int) -> str:
    """One line about what is made, of how many frames, and which are left out."""
    line = f"generating {samples} x {frames / FPS:.2f} s"
    if frames < tracked:
        line += f"; the last {(tracked - frames) / FPS:.2f} s fill no block of {block} frames"
    return line


def open_system(config: Config) -> System:
    """The system that the options name.

    Raises `UserError` for one that needs more than they and a video give, or cannot draw codes as
    they ask.
    """
    run = config.predictor if config.run is None else config.run
    assert run is not None
    system = load(run) if config.tokenizer is None else load(run, tokenizer=config.tokenizer)
    if lacking := system.needs - {"coeffs", "audio", "video", "emotion"}:
        raise UserError(
            f"{run}: {system.name} needs the speaker's {', '.join(sorted(lacking))}, which no video"
            " gives"
        )
    if "emotion" in system.needs and config.emotion is None:
        raise UserError(
            f"{run}: {system.name} needs the speaker's emotion, which no video shows; give it by"
            " --emotion FILE.csv, 25 channels at 25 frames a second (docs/real_data.md)"
        )
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


def check_emotion(config: Config, emotion: Float[np.ndarray, "frames 25"], track: Track) -> None:
    """Raises `UserError` for a table that is not of this video at 25 frames a second."""
    given, shown = len(emotion) / FPS, len(track.coeffs) / FPS
    if shown - given > MISSING or (given - shown > MISSING and not track.stopped):
        raise UserError(
            f"{config.emotion}: {len(emotion)} frames are {given:.2f} s at {FPS} a second, and"
            f" {config.video} has {shown:.2f} s; give the emotion of this video at that rate"
        )


def what_it_needs(
    config: Config,
    system: System,
    track: Track,
    waveform: Float[np.ndarray, "sound_samples"],
    emotion: Float[np.ndarray, "emotion_frames 25"] | None,
    frames: int,
) -> Speaker:
    """The first `frames` of a speaker, of whom only what the system needs is gathered."""
    parts: dict[str, np.ndarray] = {}
    if "coeffs" in system.needs:
        parts["coeffs"] = track.coeffs[None, :frames].astype(np.float32)
    if "audio" in system.needs:
        parts["waveform"] = waveform[None]
    if emotion is not None:
        parts["emotion"] = emotion[None, :frames]
    if (side := system.picture_side) is not None:
        pictures = face_frames(config.video, frames, track.centre, side, track.turn)
        parts["video"] = np.stack(list(pictures))[None]
    return Speaker(**parts)


def listener_face(config: Config) -> Face:
    """What draws a listener, by the files that the options name."""
    if config.pirender is None or config.portrait is None:
        head = config.heads.load()
        return lambda coeffs: render_frames(coeffs, head, config.size)
    portrait = read_portrait(config.portrait)
    generator = load_face_generator(config.pirender)
    check_generator(generator)
    return lambda coeffs: photoreal_frames(generator, portrait, coeffs)


def draw(
    config: Config, track: Track, coeffs: Float[np.ndarray, "samples time 58"], face: Face
) -> None:
    """Writes `reaction.mp4`: the speaker's video, cropped to a square around the face, beside the
    first `SHOWN` listeners, with the speaker's sound.
    """
    frames = coeffs.shape[1]
    shown = coeffs[:SHOWN]
    listeners = [f"listener {i + 1}" for i in range(len(shown))] if len(shown) > 1 else ["listener"]
    panels = [
        face_frames(config.video, frames, track.centre, config.size, track.turn),
        *(face(listener) for listener in shown),
    ]
    pictures = side_by_side(panels, ["speaker", *listeners], config.size)
    path = config.out / "reaction.mp4"
    bar = tqdm(pictures, total=frames, desc=f"video {path.name}", unit="frame", disable=None)
    write_video(path, bar, FPS, read_native_audio(config.video, duration=frames / FPS))


def main() -> None:
    """Parses the command line and runs."""
    run(tyro.cli(Config, prog="python -m jaxreact.react"))


if __name__ == "__main__":
    run_command(main)
