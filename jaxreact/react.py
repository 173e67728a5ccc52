"""The command `python -m jaxreact.react VIDEO`: a listener's reaction to any talking face.

Video -> face tracking and sound -> speaker's codes and audio features -> listener's codes ->
coefficients and emotion -> a video of the two side by side, with the speaker's sound.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import jax
import numpy as np
import tyro
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.data.audio import SAMPLE_RATE, read_audio, read_native_audio
from jaxreact.errors import UserError, run_command
from jaxreact.face import FPS
from jaxreact.files import replacing
from jaxreact.inference import load_audio_encoder, load_predictor, load_tokenizer
from jaxreact.rendering import render_frames
from jaxreact.rendering.compose import side_by_side
from jaxreact.rendering.video import write_video
from jaxreact.tracking.timeline import GapPolicy
from jaxreact.tracking.track import Track, track_video
from jaxreact.tracking.video import face_frames

SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
STRETCH = 736
"""Frames whose sound is encoded at once (29.44 s): the clip length of the original's evaluation.

The encoder normalises over all that it is given and holds it in memory at 100 times its size, so
longer clips are encoded in stretches of this length.
"""

MAX_SECONDS = 600.0
"""Longest clip for one call; ten minutes need about 2 GiB at the released size."""

SHOWN = 4
"""Listeners drawn in the video; all are in `reaction.npz`."""

MISSING_SOUND = 0.5
"""Seconds by which the sound may be shorter than the picture; it is continued by silence."""


@dataclass(frozen=True)
class Config:
    """Generates a listener's reaction to a video of a talking face.

    Writes `reaction.mp4` (speaker, up to 4 listeners, the speaker's sound) and `reaction.npz` (raw
    coefficients (samples, frames, 58), emotion (samples, frames, 25), the speaker's raw
    coefficients (frames, 58) and whether each of its frames was tracked) into `--out`.
    """

    video: tyro.conf.Positional[Path]
    """A video with sound that shows one talking face; any size and frame rate."""
    tokenizer: Path
    """Directory of a trained or converted tokenizer."""
    predictor: Path
    """Directory of a trained or converted predictor."""
    out: Path
    """Directory for the results; made if it does not exist."""
    samples: int = 1
    """How many different reactions."""
    seed: int = 0
    """Fixes the reactions."""
    temperature: float = 1.0
    """Of the sampling; less is more cautious."""
    top_k: int = 512
    """Sample among so many most likely codes; 1 takes the most likely one."""
    size: int = 256
    """Side of each picture in pixels."""
    seconds: float = MAX_SECONDS
    """Use at most so much of the video's beginning (s)."""
    max_gap: float = 0.5
    """A face lost for at most so long (s) is bridged by interpolation."""
    on_gap: GapPolicy = "error"
    """What to do with longer gaps: stop with an error, or hold the last face."""
    calibrate: bool = False
    """Give the speaker the data set's mean face by shifting all coefficients by a constant. It
    removes what the tracker and the camera add, but also a smile that lasts the whole clip."""
    model: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Another face_landmarker.task for MediaPipe."""


@dataclass(frozen=True)
class Models:
    """The loaded models, and the mean face (58,) that they subtract from coefficients."""

    tokenizer: Any
    predictor: Any
    audio_encoder: Any
    mean_face: Float[np.ndarray, "58"]


def load_models(tokenizer_run: Path, predictor_run: Path) -> Models:
    """Loads a tokenizer's and a predictor's directory, the latter with its audio encoder.

    The predictor is bound to the tokenizer's codes. Raises `UserError` where a directory is none,
    or the two do not fit each other.
    """
    tokenizer = load_tokenizer(tokenizer_run)
    predictor = load_predictor(predictor_run)
    known = min(predictor.config.vocab_size, predictor.config.vocab_face_size)
    if tokenizer.codebook_size > known:
        raise UserError(
            f"{predictor_run}: knows {known} codes, the tokenizer "
            f"{tokenizer_run} has {tokenizer.codebook_size}; give the one that it was trained with"
        )
    if tokenizer.codebook_size < predictor.config.codes:
        predictor = load_predictor(predictor_run, codebook_size=tokenizer.codebook_size)
    encoder = load_audio_encoder(predictor_run)
    return Models(tokenizer, predictor, encoder, tokenizer.mean_face)


def usable_frames(path: Path, track_frames: int, samples: int, block: int) -> int:
    """How many frames of a clip can be used: whole blocks for which there is sound.

    `samples` are those of the 16 kHz sound; up to `MISSING_SOUND` seconds may lack at the end.
    Raises `UserError` when not even one block is left, or much of the sound is missing.
    """
    missing = track_frames / FPS - samples / SAMPLE_RATE
    if missing > MISSING_SOUND:
        raise UserError(
            f"{path}: the sound ends {missing:.1f} s before the picture; cut the video there "
            f"(--seconds {samples / SAMPLE_RATE:.1f})"
        )
    frames = track_frames // block * block
    if not frames:
        raise UserError(
            f"{path}: {track_frames / FPS:.2f} s are too short; at least {block / FPS:.2f} s needed"
        )
    return frames


def audio_features(
    encoder: Callable[[Any], Any], waveform: Float[np.ndarray, "samples"], frames: int
) -> Float[np.ndarray, "1 steps 512"]:
    """Features of exactly `frames` / 25 s of 16 kHz sound: 2 `frames` - 1 steps of 20 ms.

    Sound that is too short is continued by silence. Clips of up to `STRETCH` frames are encoded
    as a whole; longer ones in stretches that overlap by one frame, so that the steps are the same
    but for the encoder's normalisation, which is then over each stretch.
    """
    waveform = waveform[: frames * SAMPLES_PER_FRAME]
    waveform = np.pad(waveform, (0, frames * SAMPLES_PER_FRAME - len(waveform)))
    parts = []
    for first in range(0, frames, STRETCH):
        begin = max(first - 1, 0) * SAMPLES_PER_FRAME
        end = min(first + STRETCH, frames) * SAMPLES_PER_FRAME
        steps = np.asarray(encoder(waveform[None, begin:end]))
        parts.append(steps if first == 0 else steps[:, 1:])
    return np.concatenate(parts, axis=1)


def speaker_input(
    coeffs: Float[np.ndarray, "time 58"], mean_face: Float[np.ndarray, "58"], calibrate: bool
) -> Float[np.ndarray, "1 time 58"]:
    """What the tokenizer takes: raw coefficients minus `mean_face`, or minus their own mean.

    MediaPipe's weights have other means than the data set's fits (browDown 0.03 against 0.5), and
    every camera its own tilt; `calibrate` removes both, with whatever else is constant.
    """
    return (coeffs - (coeffs.mean(axis=0) if calibrate else mean_face))[None].astype(np.float32)


def react(
    models: Models,
    coeffs: Float[np.ndarray, "time 58"],
    waveform: Float[np.ndarray, "samples"],
    config: Config,
) -> tuple[Float[np.ndarray, "samples time 58"], Float[np.ndarray, "samples time 25"]]:
    """Reactions to a speaker's raw coefficients, whole blocks of frames, and 16 kHz sound.

    Returns raw coefficients and emotion of `config.samples` listeners.
    """
    features = audio_features(models.audio_encoder, waveform, len(coeffs))
    speaker = models.tokenizer.encode(speaker_input(coeffs, models.mean_face, config.calibrate))
    codes = models.predictor.generate(
        features,
        speaker,
        num_samples=config.samples,
        temperature=config.temperature,
        top_k=config.top_k,
        key=jax.random.key(config.seed),
    )
    decoded, emotion = models.tokenizer.decode(codes[0])
    return np.asarray(decoded) + models.mean_face, np.asarray(emotion)


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
    for name in ("samples", "top_k", "size", "temperature", "seconds"):
        if not getattr(config, name) > 0:
            raise UserError(f"--{name.replace('_', '-')} must be more than 0")
    if config.seconds > MAX_SECONDS:
        raise UserError(f"--seconds may be at most {MAX_SECONDS:g}; cut longer videos first")
    if config.size % 2:
        raise UserError(f"--size {config.size} is odd; video needs an even number of pixels")
    if config.out.exists() and not config.out.is_dir():
        raise UserError(f"{config.out}: is a file; give --out a directory")


def run(config: Config) -> None:
    """The whole way from `config.video` to the files in `config.out`."""
    check(config)
    waveform = read_audio(config.video, duration=config.seconds)
    models = load_models(config.tokenizer, config.predictor)
    track = track_video(
        config.video,
        max_gap=config.max_gap,
        on_gap=config.on_gap,
        max_seconds=config.seconds,
        model=config.model,
    )
    if warning := track.warning():
        print(f"warning: {config.video}: {warning}", file=sys.stderr)
    block = models.tokenizer.config.block_size
    frames = usable_frames(config.video, len(track.coeffs), len(waveform), block)
    speaker = track.coeffs[:frames]
    print(f"generating {config.samples} x {frames / FPS:.1f} s", file=sys.stderr)
    coeffs, emotion = react(models, speaker, waveform, config)
    save_reaction(config.out / "reaction.npz", coeffs, emotion, speaker, track.tracked[:frames])
    print(config.out / "reaction.npz")
    draw(config, track, coeffs)
    print(config.out / "reaction.mp4")


def draw(config: Config, track: Track, coeffs: Float[np.ndarray, "samples time 58"]) -> None:
    """Writes `reaction.mp4`: the speaker's video, cropped to a square around the face, beside the
    first `SHOWN` listeners, with the speaker's sound.
    """
    frames = coeffs.shape[1]
    shown = coeffs[:SHOWN]
    listeners = [f"listener {i + 1}" for i in range(len(shown))] if len(shown) > 1 else ["listener"]
    panels = [
        face_frames(config.video, frames, track.centre, config.size),
        *(render_frames(listener, size=config.size) for listener in shown),
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
