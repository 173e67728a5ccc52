"""The speaker's film and sound as the model takes them: a square of each picture, and cepstra."""

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from jaxreact.audio_features.mfcc import mfcc_features
from jaxreact.media.sound import SAMPLE_RATE, SAMPLES_PER_FRAME, resample

AROUND = 8 / 7
"""The picture's shorter side over that of the square: 256 pixels, of which 224 are seen."""


def shorter_side(seen: int) -> int:
    """Pixels of a picture's shorter side, of which the middle `seen` are cut out."""
    return round(seen * AROUND)


def squares(
    video: UInt8[np.ndarray, "batch time height width 3"], side: int
) -> UInt8[np.ndarray, "batch time side side 3"]:
    """The middle of each picture after its shorter side has been resized, as the original's data
    loader does: bilinear, smoothed where it becomes smaller. Pictures of just that size are taken
    to be cut out already."""
    if video.shape[2:4] == (side, side):
        return np.asarray(video)
    height, width = video.shape[2:4]
    shorter = shorter_side(side)
    if min(height, width) != shorter:
        scale = shorter / min(height, width)
        # The longer side is rounded down, as torchvision does.
        height, width = (max(shorter, int(length * scale + 1e-6)) for length in (height, width))
        frames = video.reshape(-1, *video.shape[2:])
        size = (width, height)
        resized = [np.asarray(_picture(frame).resize(size, _BILINEAR)) for frame in frames]
        video = np.array(resized, np.uint8).reshape(*video.shape[:2], height, width, 3)
    top, left = (round((length - side) / 2) for length in (height, width))
    return np.ascontiguousarray(video[:, :, top : top + side, left : left + side])


_BILINEAR = Image.Resampling.BILINEAR


def _picture(frame: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(frame))


def heard(
    waveform: Float[np.ndarray, "batch samples"], frames: int, rate: int, stretch: int | None = None
) -> Float[np.ndarray, "batch frames 78"]:
    """Audio features at `rate` of 16 kHz sound, continued by silence where it is too short.

    The sound is brought to that rate in stretches of so many frames, by themselves, as a stream
    hears it; None: all at once.
    """
    stretch = stretch or max(frames, 1)
    missing = frames * SAMPLES_PER_FRAME - waveform.shape[1]
    waveform = np.pad(np.asarray(waveform), ((0, 0), (0, max(0, missing))))
    parts = []
    for begin in range(0, frames, stretch):
        end = min(begin + stretch, frames)
        sound = waveform[:, begin * SAMPLES_PER_FRAME : end * SAMPLES_PER_FRAME]
        at_rate = [resample(row, SAMPLE_RATE, rate) for row in sound]
        parts.append(np.stack([mfcc_features(row, rate, end - begin) for row in at_rate]))
    return np.concatenate(parts, axis=1)
