"""REACT 2026's alignment network: a listener's emotion as a few latent tokens, and out of them
again in any number of frames. Its authors call it an emotion autoencoder, or post-processor.

A Transformer VAE. The encoder reads learnt tokens and, behind them, the frames' 25 channels by a
linear layer with their positions added; what half of the tokens become is the latent's mean, what
the others become the logarithm of its variance. The decoder's queries are positions and nothing
else, which look at each other and at the latent's tokens; three linear layers make action units,
valence and arousal, and expressions of them. Layers are torch.nn's by default: normed after each
sum, ReLU, biases everywhere, no norm at the end. Frames behind the end of a piece are not attended
to on either side.

What one would not guess: both sides number frames from 0 and the length of a reaction is known
by nothing but the number of queries; the decoder has eight heads, and all layers 2048 inner
features, whatever the configuration says (the released one says the same).

Source: the REACT 2026 challenge's program, read and run in the public copy
github.com/smu-ivpl/CaReDiff (MIT); no paper describes the network.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from jaxreact.face import ACTION_UNITS, EMOTION_CHANNELS, EMOTION_PROBABILITIES, VALENCE_AROUSAL
from jaxreact.nn.layers import Layers
from jaxreact.nn.positions import positions
from jaxreact.nn.post_norm import DecoderLayer, EncoderLayer
from jaxreact.nn.uniform import uniform_linear

HEADS = 8

LONGEST = 1000
"""Frames of a piece at most."""


@dataclass(frozen=True)
class AlignmentConfig:
    """Sizes; the defaults are the released network's. `deterministic`: the latent is its mean, and
    nothing is drawn, which is not what the challenge does."""

    features: int = 512
    inner: int = 2048
    encoder_layers: int = 6
    decoder_layers: int = 6
    tokens: int = 64
    """Of the latent, for each piece of at most 1000 frames."""
    positions: int = 5000
    """Kept, of which the first 1000 are used."""
    deterministic: bool = False

    def __post_init__(self):
        for name in ("features", "inner", "encoder_layers", "decoder_layers", "tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} is not 1 or more")
        if self.features % (2 * HEADS):
            raise ValueError(f"features {self.features} is no multiple of {2 * HEADS}")
        if self.positions < LONGEST:
            raise ValueError(f"positions {self.positions} are fewer than {LONGEST}")


class Gaussian(NamedTuple):
    """The latent's distribution, of independent normal numbers; float32."""

    mean: Float[Array, "pieces tokens features"]
    deviation: Float[Array, "pieces tokens features"]


class Encoder(nnx.Module):
    """Learnt tokens that look at all frames."""

    def __init__(self, config: AlignmentConfig, *, rngs: nnx.Rngs):
        n = config.features
        start = 0.04 * jax.random.normal(rngs.params(), (2 * config.tokens, n))
        self.global_tokens = nnx.Param(start)
        self.transformer_encoder = Layers(
            [
                EncoderLayer(n, HEADS, config.inner, 0.0, rngs=rngs)
                for _ in range(config.encoder_layers)
            ]
        )

    def __call__(
        self, x: Float[Array, "pieces frames features"], mask: Bool[Array, "pieces frames"]
    ) -> Float[Array, "pieces tokens features"]:
        """What the tokens, twice as many as the latent has, become."""
        learnt = self.global_tokens[...]
        count = len(learnt)
        learnt = jnp.broadcast_to(learnt, (len(x), *learnt.shape))
        mask = jnp.pad(mask, ((0, 0), (count, 0)), constant_values=True)

        def step(layer: EncoderLayer, x: jax.Array, seed: None, mask: jax.Array) -> jax.Array:
            return layer(x, x, mask)

        def final(layer: EncoderLayer, x: jax.Array, seed: None, mask: jax.Array) -> jax.Array:
            return layer(x[:, :count], x, mask)  # nothing else of it is used

        x = jnp.concatenate([learnt, x], axis=1)
        return self.transformer_encoder(step, x, mask, final=final)


class Decoder(nnx.Module):
    """Positions that look at each other and at the latent."""

    def __init__(self, config: AlignmentConfig, *, rngs: nnx.Rngs):
        n, inner = config.features, config.inner
        self.transformer_decoder = Layers(
            [
                DecoderLayer(n, HEADS, inner, 0.0, causal=False, rngs=rngs)
                for _ in range(config.decoder_layers)
            ]
        )

    def __call__(
        self,
        queries: Float[Array, "pieces frames features"],
        latent: Float[Array, "pieces tokens features"],
        mask: Bool[Array, "pieces frames"],
    ) -> Float[Array, "pieces frames features"]:
        """What the queries become."""

        def step(layer: DecoderLayer, x: jax.Array, seed: None, *given: jax.Array) -> jax.Array:
            latent, mask = given
            return layer(x, x, latent, mask)

        return self.transformer_decoder(step, queries, latent, mask)


class AlignmentNetwork(nnx.Module):
    """Both sides, for pieces of at most 1000 frames; names follow the original's."""

    def __init__(self, config: AlignmentConfig, *, rngs: nnx.Rngs):
        n = config.features
        self.config = config
        self.positions = nnx.Param(jnp.asarray(positions(config.positions, n)))
        self.in_proj = uniform_linear(EMOTION_CHANNELS, n, rngs)
        self.encoder = Encoder(config, rngs=rngs)
        self.decoder = Decoder(config, rngs=rngs)
        self.au_out_proj = uniform_linear(n, 15, rngs)
        self.va_out_proj = uniform_linear(n, 2, rngs)
        self.emo_out_proj = uniform_linear(n, 8, rngs)

    def encode(
        self, emotion: Float[Array, "pieces frames 25"], mask: Bool[Array, "pieces frames"]
    ) -> Gaussian:
        """The latent of each piece; its frames are those that are True in `mask`, the first."""
        x = self.in_proj(emotion) + self.positions[: emotion.shape[1]]
        mean, log_variance = jnp.split(self.encoder(x, mask), 2, axis=1)
        return Gaussian(mean, jnp.sqrt(jnp.exp(log_variance)))

    def decode(
        self, latent: Float[Array, "pieces tokens features"], mask: Bool[Array, "pieces frames"]
    ) -> Float[Array, "pieces frames 25"]:
        """As many frames of each piece as are True in `mask`, the first; what stands in the others
        means nothing. Action units and expressions are logits."""
        queries = self.positions[: mask.shape[1]]
        queries = jnp.broadcast_to(queries, (len(latent), *queries.shape))
        x = self.decoder(queries, latent, mask)
        heads = (self.au_out_proj, self.va_out_proj, self.emo_out_proj)
        return jnp.concatenate([head(x) for head in heads], axis=-1)


def emotion_of(outputs: Float[Array, "*rows 25"]) -> Float[Array, "*rows 25"]:
    """The network's outputs as emotion: action units 0 or 1, which a probability of one half is,
    valence and arousal as they come, not bounded, and the expressions' probabilities."""
    units = jax.nn.sigmoid(outputs[..., ACTION_UNITS]) >= 0.5
    feeling = outputs[..., VALENCE_AROUSAL]
    shares = jax.nn.softmax(outputs[..., EMOTION_PROBABILITIES], axis=-1)
    return jnp.concatenate([units.astype(jnp.float32), feeling, shares], axis=-1)
