"""From a speaker's coefficients and sound to listeners' coefficients and emotion.

What the commands share: the three models together, and the way through them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from jaxreact.data.audio import SAMPLE_RATE
from jaxreact.errors import UserError
from jaxreact.face import FPS
from jaxreact.generation import Sampling
from jaxreact.inference import load_audio_encoder, load_predictor, load_tokenizer

SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
STRETCH = 736
"""Frames whose sound is encoded at once (29.44 s): the clip length of the original's evaluation.

The encoder normalises over all that it is given and holds it in memory at 100 times its size, so
longer clips are encoded in stretches of this length.
"""


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


def audio_features(
    encoder: Callable[[Any], Any],
    waveforms: Float[np.ndarray, "*batch samples"],
    frames: int,
    place: Callable[[Any], jax.Array] = jnp.asarray,
) -> Float[jax.Array, "batch steps 512"]:
    """Features of exactly `frames` / 25 s of 16 kHz sound: 2 `frames` - 1 steps of 20 ms.

    Sound that is too short is continued by silence. Clips of up to `STRETCH` frames are encoded
    as a whole; longer ones in stretches that overlap by one frame, so that the steps are the same
    but for the encoder's normalisation, which is then over each stretch.
    """
    waveforms = np.atleast_2d(waveforms)[:, : frames * SAMPLES_PER_FRAME]
    missing = frames * SAMPLES_PER_FRAME - waveforms.shape[1]
    waveforms = np.pad(waveforms, ((0, 0), (0, missing)))
    parts = []
    for first in range(0, frames, STRETCH):
        begin = max(first - 1, 0) * SAMPLES_PER_FRAME
        end = min(first + STRETCH, frames) * SAMPLES_PER_FRAME
        steps = jnp.asarray(encoder(place(waveforms[:, begin:end])))
        parts.append(steps if first == 0 else steps[:, 1:])
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=1)


def batch_reactions(
    models: Models,
    speakers: Float[np.ndarray, "batch time 58"],
    waveforms: Float[np.ndarray, "batch samples"],
    sampling: Sampling,
    samples: int,
    keys: jax.Array,
    place: Callable[[Any], jax.Array] = jnp.asarray,
) -> tuple[Float[jax.Array, "batch samples time 58"], Float[jax.Array, "batch samples time 25"]]:
    """Mean-subtracted coefficients and emotion of `samples` listeners to each speaker.

    `speakers` are mean-subtracted and whole numbers of the tokenizer's blocks long; `waveforms` is
    their 16 kHz sound, `keys` (batch,) a key for each, so that its reactions do not depend on the
    others. `place` puts an array whose first axis is the batch on the devices.
    """
    features = audio_features(models.audio_encoder, waveforms, speakers.shape[1], place)
    codes = models.predictor.generate(
        features,
        models.tokenizer.encode(place(speakers)),
        num_samples=samples,
        temperature=sampling.temperature,
        top_k=sampling.top_k,
        vocabulary=sampling.vocabulary,
        key=place(keys),
    )
    batch, _, time = codes.shape
    coeffs, emotion = models.tokenizer.decode(codes.reshape(batch * samples, time))
    return coeffs.reshape(batch, samples, time, -1), emotion.reshape(batch, samples, time, -1)


def reactions(
    models: Models,
    speaker: Float[np.ndarray, "time 58"],
    waveform: Float[np.ndarray, "samples"],
    sampling: Sampling,
    samples: int,
    key: jax.Array,
) -> tuple[Float[np.ndarray, "samples time 58"], Float[np.ndarray, "samples time 25"]]:
    """Raw coefficients and emotion of `samples` listeners to one speaker.

    `speaker` is mean-subtracted and a whole number of the tokenizer's blocks long; `waveform` is
    its 16 kHz sound.
    """
    keys = jax.random.fold_in(key, 0)[None]
    coeffs, emotion = batch_reactions(
        models, speaker[None], waveform[None], sampling, samples, keys
    )
    return np.asarray(coeffs[0]) + models.mean_face, np.asarray(emotion[0])
