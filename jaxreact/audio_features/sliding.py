"""wav2vec2 features of sound that comes in pieces: no feature knows what is said after it.

The encoder normalises a clip by all of it, its future included (behaviour 48). Here features are
normalised by the last seconds before them, the sliding window, as in the original's training,
whose crops are as long: when a step has come, its features are computed by what the window now
holds, and stay. Only the step goes through the convolutions; of the rest of the window its moments
are kept.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxreact.audio_features.wav2vec2 import (
    CONV_NORM_EPS,
    WAVE_NORM_EPS,
    AudioEncoder,
    AudioEncoderConfig,
)
from jaxreact.media.sound import SAMPLES_PER_FRAME


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Moments:
    """Of the steps of a window, the newest last: means, and mean squares of what departs from them.

    Each step counts alike, so that moments of the window follow from them without cancellation.
    """

    mean: Float[Array, "streams steps channels"]
    variance: Float[Array, "streams steps channels"]

    def with_new(self, step: Float[Array, "streams time channels"]) -> "Moments":
        """The oldest step's replaced by those of a new one."""
        mean = step.mean(axis=1, keepdims=True)
        variance = jnp.square(step - mean).mean(axis=1, keepdims=True)
        return Moments(
            jnp.concatenate([self.mean[:, 1:], mean], axis=1),
            jnp.concatenate([self.variance[:, 1:], variance], axis=1),
        )

    def of_newest(self, count: Int[Array, "streams"]) -> tuple[jax.Array, jax.Array]:
        """Mean and variance (streams, 1, channels) of so many of the newest steps, at least one."""
        steps = self.mean.shape[1]
        counts = jnp.clip(count, 1, steps)[:, None]
        weight = ((jnp.arange(steps) >= steps - counts) / counts)[..., None]
        mean = (weight * self.mean).sum(axis=1, keepdims=True)
        spread = self.variance + jnp.square(self.mean - mean)
        return mean, (weight * spread).sum(axis=1, keepdims=True)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Sound:
    """What some streams have heard, between two steps; streams may stand at different ones."""

    last: Float[Array, "streams samples"]
    """The sound that the next features also see; silence before the beginning."""
    waveform: Moments
    first_layer: Moments
    """Of what the first convolution makes of sound as it came; no steps where no norm needs it."""
    steps: Int[Array, "streams"]
    """How many there were."""


def silence(config: AudioEncoderConfig, streams: int, steps: int) -> Sound:
    """Before the first step; windows are of so many steps.

    Raises ValueError for an encoder whose features do not fall into video frames.
    """
    if SAMPLES_PER_FRAME % config.hop:
        raise ValueError(
            f"features every {config.hop} samples do not fall into frames of {SAMPLES_PER_FRAME}"
        )

    def moments(steps: int, channels: int) -> Moments:
        return Moments(*(jnp.zeros((streams, steps, channels)) for _ in range(2)))

    grouped = config.feat_extract_norm == "group"
    return Sound(
        jnp.zeros((streams, lead(config))),
        moments(steps, 1),
        moments(steps if grouped else 0, config.conv_dim[0]),
        jnp.zeros(streams, jnp.int32),
    )


def missing(config: AudioEncoderConfig) -> int:
    """How many features a clip has less than its length over the hop: the last ones would see what
    comes after it (behaviour 49). So many are counted before the first."""
    return -(-(config.receptive_field - config.hop) // config.hop)


def lead(config: AudioEncoderConfig) -> int:
    """Samples before a step that its features see too."""
    return missing(config) * config.hop


def listen(
    encoder: AudioEncoder, sound: Sound, waveform: Float[Array, "streams samples"]
) -> tuple[Sound, Float[Array, "streams frames features"]]:
    """What was heard after the next step of whole video frames, and the features that it brings:
    one every `hop` samples, of which a stream's first `missing` are zeros, as in whole clips."""
    config, (first, *others) = encoder.config, encoder.feature_extractor.conv_layers
    norm: Any = first.layer_norm  # there is one, of either kind
    whole = jnp.concatenate([sound.last, waveform.astype(jnp.float32)], axis=1)
    steps, heard = sound.steps + 1, sound.waveform.with_new(waveform[..., None])
    mean, scale = jnp.zeros(()), jnp.ones(())
    if config.do_normalize:
        mean, variance = heard.of_newest(steps)
        scale = 1 / jnp.sqrt(variance + WAVE_NORM_EPS)
    # What would be done to the sound is done to what the convolution makes of it, which is linear.
    kernel = first.conv.kernel[...]
    raw = _without_bias(first.conv, whole)
    made = sound.first_layer
    if config.feat_extract_norm == "group":
        made = made.with_new(raw[:, -(waveform.shape[1] // config.conv_stride[0]) :])
        centre, variance = made.of_newest(steps)  # in which the sound's mean is contained
        hidden = (raw - centre) * scale / jnp.sqrt(variance * scale**2 + CONV_NORM_EPS)
        hidden = hidden * norm.scale[...] + norm.bias[...]
    else:
        hidden = (raw - mean * kernel.astype(jnp.float32).sum(axis=(0, 1))) * scale
        hidden = hidden if first.conv.bias is None else hidden + first.conv.bias[...]
        hidden = norm(hidden)
    hidden = jax.nn.gelu(hidden, approximate=False).astype(kernel.dtype)
    for layer in others:
        hidden = layer(hidden)
    features = encoder.feature_projection(hidden.astype(jnp.float32))
    there = (steps > 1)[:, None] | (jnp.arange(features.shape[1]) >= missing(config))
    features = jnp.where(there[..., None], features, 0.0)
    return Sound(whole[:, waveform.shape[1] :], heard, made, steps), features


def _without_bias(conv: nnx.Conv, waveform: Float[Array, "streams samples"]) -> jax.Array:
    """A convolution of sound in float32 sums, less its bias."""
    made = conv(waveform[..., None].astype(conv.kernel.dtype)).astype(jnp.float32)
    return made if conv.bias is None else made - conv.bias[...].astype(jnp.float32)
