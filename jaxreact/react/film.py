"""Reactions as pictures: a film of speaker and listeners."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.face import FPS
from jaxreact.media.sound import read_native_audio
from jaxreact.media.sound_pieces import SoundInPieces
from jaxreact.media.video_writer import write_video
from jaxreact.react.config import Config
from jaxreact.rendering import render_frames
from jaxreact.rendering.compose import Frames, side_by_side
from jaxreact.rendering.pirender.load import load_face_generator
from jaxreact.rendering.pirender.photoreal import check_generator, photoreal_frames
from jaxreact.rendering.pirender.portrait import read_portrait
from jaxreact.tracking.face_crop import face_frames
from jaxreact.tracking.track import Track

SHOWN = 4
"""Listeners drawn in the video; all are in `reaction.npz`."""

Face = Callable[[Float[np.ndarray, "time 58"]], Frames]
"""Draws raw coefficients."""


def listener_face(config: Config) -> Face:
    """What draws a listener, by the files that the options name."""
    if config.pirender is None or config.portrait is None:
        head = config.heads.load()
        return lambda coeffs: render_frames(coeffs, head, config.size)
    portrait = read_portrait(config.portrait)
    generator = load_face_generator(config.pirender)
    check_generator(generator)
    return lambda coeffs: photoreal_frames(generator, portrait, coeffs)


def speaker_pictures(config: Config, track: Track, frames: int) -> Frames:
    """The speaker's video, cropped to a square around the face; without one, a head does what the
    speaker's face did."""
    if config.arkit is not None:
        return render_frames(track.coeffs[:frames], config.heads.load(), config.size)
    return face_frames(config.seen, frames, track.centre, config.size, track.turn)


def draw(
    config: Config,
    track: Track,
    coeffs: Float[np.ndarray, "samples time 58"],
    face: Face,
    long: SoundInPieces | None = None,
) -> None:
    """Writes `reaction.mp4`: the speaker beside the first `SHOWN` listeners, with the speaker's
    sound, which of a long video comes a little at a time. One picture is held at a time.
    """
    frames = coeffs.shape[1]
    shown = coeffs[:SHOWN]
    listeners = [f"listener {i + 1}" for i in range(len(shown))] if len(shown) > 1 else ["listener"]
    panels = [
        speaker_pictures(config, track, frames),
        *(face(listener) for listener in shown),
    ]
    pictures = side_by_side(panels, ["speaker", *listeners], config.size)
    sound = (
        read_native_audio(config.heard, duration=frames / FPS)
        if long is None
        else (long.native(), long.rate)
    )
    path = config.out / "reaction.mp4"
    bar = tqdm(pictures, total=frames, desc=f"video {path.name}", unit="frame", disable=None)
    write_video(path, bar, FPS, sound)
