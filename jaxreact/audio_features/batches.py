"""Features of many clips, and of long ones: how much sound goes through an encoder at once."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxreact.audio_features.wav2vec2 import AudioEncoder
from jaxreact.media.sound import SAMPLES_PER_FRAME
from jaxreact.sharding import cut, joined

CLIPS_AT_ONCE = {"cpu": 1}
"""Clips that each device takes through the audio encoder at once, by backend; elsewhere 16. A clip
of ten seconds fills 67 MB a layer, several times over: one is enough to keep a processor busy."""

STRETCH = 736
"""Frames whose sound is encoded at once (29.44 s): the clip length of the original's evaluation.

The encoder normalises over all that it is given and holds it in memory at 100 times its size, so
longer clips are encoded in stretches of this length.
"""


def encode_waveforms(
    encoder: AudioEncoder, waveforms: Float[Array, "rows samples"]
) -> Float[Array, "rows frames features"]:
    """The encoder's features of each waveform, computed a few waveforms at a time."""
    rows, devices = len(waveforms), jax.device_count()
    share = rows // devices if rows % devices == 0 else rows
    most = CLIPS_AT_ONCE.get(jax.default_backend(), 16)
    parts = next(n for n in range(1, share + 1) if share % n == 0 and share // n <= most)
    if parts == 1:
        return encoder(waveforms)
    return joined(jax.lax.map(encoder, cut(waveforms, parts)))


def audio_features(
    encoder: Callable[[Any], Any],
    waveforms: Float[np.ndarray, "*batch samples"],
    frames: int,
    place: Callable[[Any], jax.Array] = jnp.asarray,
) -> Float[jax.Array, "batch steps 512"]:
    """Features of exactly `frames` / 25 s of 16 kHz sound: 2 `frames` - 1 steps of 20 ms.

    Sound that is too short is continued by silence. Clips of up to `STRETCH` frames are encoded
    as a whole; longer ones in stretches that overlap by one frame, so that the steps are the same
    but for the encoder's normalisation, which is then over each stretch. The last one begins as
    early as it must to be as long as the others: a moment alone is no measure of a voice.
    """
    waveforms = np.atleast_2d(waveforms)[:, : frames * SAMPLES_PER_FRAME]
    missing = frames * SAMPLES_PER_FRAME - waveforms.shape[1]
    waveforms = np.pad(waveforms, ((0, 0), (0, missing)))
    parts = []
    for first in range(0, frames, STRETCH):
        end = min(first + STRETCH, frames)
        begin = max(end - STRETCH - 1, 0) if first else 0
        heard = waveforms[:, begin * SAMPLES_PER_FRAME : end * SAMPLES_PER_FRAME]
        steps = jnp.asarray(encoder(place(heard)))
        parts.append(steps[:, -2 * (end - first) :])
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=1)
