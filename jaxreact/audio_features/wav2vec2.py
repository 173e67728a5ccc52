"""wav2vec2's convolutional feature encoder: a waveform -> 512 features every 20 ms.

Why this is our own module. The original calls `transformers`' `Wav2Vec2Model` and keeps only
`extract_features`: the output of the convolutions after `feature_projection.layer_norm`
(behaviour 47). The Flax classes of `transformers` refuse the very model it uses
(wav2vec2-base: group norm, `do_stable_layer_norm=False`) and no longer exist in transformers 5.
And the 12 transformer layers, nine tenths of the model's weights, are computed by the original
only to be thrown away; here they do not exist.

Parameter paths follow the torch names, so that conversion is a table. The convolutions are plain
`nnx.Conv` (layout batch, time, channel): on two CPU cores none of five other exact formulations was
clearly faster, see `benchmarks/audio_encoder.py`.

Source: Baevski et al. 2020, "wav2vec 2.0", arXiv:2006.11477, section 2.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.errors import UserError
from jaxreact.media.sound import SAMPLE_RATE

if TYPE_CHECKING:
    from transformers import Wav2Vec2Config

CONV_NORM_EPS = 1e-5
"""Epsilon of the norms between the convolutions; torch's default, not configurable there."""

WAVE_NORM_EPS = 1e-7
"""Added to the variance of a waveform before the square root, as in `Wav2Vec2FeatureExtractor`."""


@dataclass(frozen=True)
class AudioEncoderConfig:
    """What `transformers.Wav2Vec2Config` says of the convolutions; the defaults are wav2vec2-base.

    `feat_extract_norm="group"`: layer 0 is normalised per channel over the whole clip, the others
    not at all. `"layer"`: each layer is normalised per frame over its channels. `do_normalize`:
    each waveform is brought to mean 0 and variance 1 first (`preprocessor_config.json`).
    Raises UserError where the fields contradict each other.
    """

    conv_dim: tuple[int, ...] = (512,) * 7
    conv_kernel: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_stride: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    conv_bias: bool = False
    feat_extract_norm: Literal["group", "layer"] = "group"
    feat_extract_activation: Literal["gelu"] = "gelu"
    layer_norm_eps: float = 1e-5
    do_normalize: bool = True

    def __post_init__(self) -> None:
        for name in ("conv_dim", "conv_kernel", "conv_stride"):  # lists, where read from JSON
            object.__setattr__(self, name, tuple(getattr(self, name)))
        lengths = {len(self.conv_dim), len(self.conv_kernel), len(self.conv_stride)}
        if len(lengths) != 1 or 0 in lengths:
            raise UserError(
                "audio encoder configuration: conv_dim, conv_kernel and conv_stride must be "
                f"equally long and not empty, not {len(self.conv_dim)}, {len(self.conv_kernel)} "
                f"and {len(self.conv_stride)}"
            )
        if self.feat_extract_norm not in ("group", "layer"):
            raise UserError(
                "audio encoder configuration: feat_extract_norm must be 'group' or 'layer', "
                f"not {self.feat_extract_norm!r}"
            )
        if self.feat_extract_activation != "gelu":
            raise UserError(
                "audio encoder configuration: feat_extract_activation must be 'gelu', "
                f"not {self.feat_extract_activation!r}"
            )

    @classmethod
    def from_wav2vec2(
        cls, config: "Wav2Vec2Config", *, do_normalize: bool = True
    ) -> "AudioEncoderConfig":
        """The part of a `transformers` configuration that concerns the convolutions."""
        return cls(
            conv_dim=tuple(config.conv_dim),
            conv_kernel=tuple(config.conv_kernel),
            conv_stride=tuple(config.conv_stride),
            conv_bias=config.conv_bias,
            feat_extract_norm=config.feat_extract_norm,  # pyright: ignore[reportArgumentType]
            feat_extract_activation=config.feat_extract_activation,  # pyright: ignore[reportArgumentType]
            layer_norm_eps=config.layer_norm_eps,
            do_normalize=do_normalize,
        )

    @property
    def features(self) -> int:
        """Features per frame."""
        return self.conv_dim[-1]

    @property
    def hop(self) -> int:
        """Samples from one frame to the next (320: 20 ms)."""
        return math.prod(self.conv_stride)

    @property
    def receptive_field(self) -> int:
        """Samples that one frame sees (400), hence the shortest waveform."""
        field = 1
        for kernel, stride in zip(
            reversed(self.conv_kernel), reversed(self.conv_stride), strict=True
        ):
            field = (field - 1) * stride + kernel
        return field

    def frames(self, samples: int) -> int:
        """Frames of so many samples: 10.24 s -> 511 (behaviour 49); 0 where too short."""
        for kernel, stride in zip(self.conv_kernel, self.conv_stride, strict=True):
            samples = (samples - kernel) // stride + 1 if samples >= kernel else 0
        return samples


class ConvLayer(nnx.Module):
    """Convolution, norm where the model has one, exact GELU."""

    def __init__(self, config: AudioEncoderConfig, index: int, *, rngs: nnx.Rngs):
        channels = config.conv_dim[index]
        self.conv = nnx.Conv(
            1 if index == 0 else config.conv_dim[index - 1],
            channels,
            kernel_size=(config.conv_kernel[index],),
            strides=(config.conv_stride[index],),
            padding="VALID",
            use_bias=config.conv_bias,
            # He: the variance survives the GELUs, so that even untrained features carry the sound.
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        # use_fast_variance=False: E[x^2] - E[x]^2 would cancel in float32.
        if config.feat_extract_norm == "layer":
            self.layer_norm = nnx.LayerNorm(
                channels, epsilon=CONV_NORM_EPS, use_fast_variance=False, rngs=rngs
            )
        elif index == 0:
            self.layer_norm = nnx.GroupNorm(
                channels,
                num_groups=channels,
                epsilon=CONV_NORM_EPS,
                use_fast_variance=False,
                rngs=rngs,
            )
        else:
            self.layer_norm = None

    def __call__(
        self, hidden: Float[Array, "batch time channels"]
    ) -> Float[Array, "batch shorter channels_out"]:
        """Valid convolution over time, so `(time - kernel) // stride + 1` steps remain."""
        hidden = self.conv(hidden)
        if self.layer_norm is not None:
            hidden = self.layer_norm(hidden.astype(jnp.float32)).astype(hidden.dtype)
        return jax.nn.gelu(hidden, approximate=False)


class FeatureExtractor(nnx.Module):
    """The stack of convolutions."""

    def __init__(self, config: AudioEncoderConfig, *, rngs: nnx.Rngs):
        self.conv_layers = nnx.List(
            [ConvLayer(config, index, rngs=rngs) for index in range(len(config.conv_dim))]
        )

    def __call__(
        self, waveform: Float[Array, "batch samples"]
    ) -> Float[Array, "batch frames features"]:
        """A waveform, normalised if the model wants that -> features before the last norm."""
        # The weights say what to compute in.
        kind = self.conv_layers[0].conv.kernel.dtype
        hidden = waveform[:, :, None].astype(kind)  # (batch, samples, 1)
        for layer in self.conv_layers:
            hidden = layer(hidden)
        return hidden


class FeatureProjection(nnx.Module):
    """Of wav2vec2's feature projection only its layer norm, the last thing that is used."""

    def __init__(self, config: AudioEncoderConfig, *, rngs: nnx.Rngs):
        self.layer_norm = nnx.LayerNorm(
            config.features, epsilon=config.layer_norm_eps, use_fast_variance=False, rngs=rngs
        )

    def __call__(
        self, hidden: Float[Array, "batch frames features"]
    ) -> Float[Array, "batch frames features"]:
        """Normalises each frame over its features."""
        return self.layer_norm(hidden)


class AudioEncoder(nnx.Module):
    """Waveform at 16 kHz -> the features that the original calls `extract_features`.

    With `feat_extract_norm="group"` and `do_normalize` a feature depends on the whole clip, its
    future and its length included (behaviour 48).
    """

    def __init__(self, config: AudioEncoderConfig, *, rngs: nnx.Rngs):
        self.config = config
        self.feature_extractor = FeatureExtractor(config, rngs=rngs)
        self.feature_projection = FeatureProjection(config, rngs=rngs)

    def __call__(
        self, waveform: Float[Array, "batch samples"]
    ) -> Float[Array, "batch frames features"]:
        """Clips in [-1, 1] at 16 kHz, one a row -> `config.frames(samples)` features each.

        Raises UserError if the waveform is shorter than the receptive field (400 samples, 25 ms).
        """
        shortest = self.config.receptive_field
        if waveform.shape[1] < shortest:
            raise UserError(
                f"the waveform has {waveform.shape[1]} samples, but the audio encoder needs at "
                f"least {shortest} ({1000 * shortest / SAMPLE_RATE:g} ms at {SAMPLE_RATE} Hz)"
            )
        waveform = waveform.astype(jnp.float32)
        if self.config.do_normalize:
            waveform = normalize_waveform(waveform)
        hidden = self.feature_extractor(waveform)
        return self.feature_projection(hidden.astype(jnp.float32))


def normalize_waveform(
    waveform: Float[Array, "batch samples"],
) -> Float[Array, "batch samples"]:
    """Each clip to mean 0 and variance 1 over its whole length (behaviour 48); silence stays 0."""
    centred = waveform - waveform.mean(axis=1, keepdims=True)
    variance = jnp.square(centred).mean(axis=1, keepdims=True)
    return centred / jnp.sqrt(variance + WAVE_NORM_EPS)
