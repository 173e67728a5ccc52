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

from jaxreact.audio_features.batches import audio_features
from jaxreact.audio_features.load import load_audio_encoder
from jaxreact.errors import UserError
from jaxreact.systems.fiber.generation import Sampling
from jaxreact.systems.fiber.loaded_predictor import load_predictor
from jaxreact.systems.fiber.loaded_tokenizer import load_tokenizer


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


def batch_reactions(
    models: Models,
    speakers: Float[np.ndarray, "batch time 58"],
    waveforms: Float[np.ndarray, "batch sound_samples"],
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
    waveform: Float[np.ndarray, "sound_samples"],
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
