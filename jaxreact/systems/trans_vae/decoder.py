"""From a latent to the listener's face, and how its own past goes on."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from jaxreact.face import COEFFS, EMOTION_CHANNELS
from jaxreact.nn.dropout import Seed, dropout, split
from jaxreact.nn.lstm import LSTM
from jaxreact.nn.positions import positions
from jaxreact.nn.post_norm import DecoderLayer
from jaxreact.nn.uniform import uniform_linear
from jaxreact.systems.trans_vae.config import TransVAEConfig
from jaxreact.systems.trans_vae.latent import LatentEncoder


class Past(NamedTuple):
    """What the listener did before."""

    coeffs: Float[Array, "rows past 58"]
    """Mean-subtracted; zero where it is not yet."""
    is_past: Bool[Array, "past"]
    """The first frames are, the others are only room."""


class Face(NamedTuple):
    """A listener's face."""

    coeffs: Float[Array, "*rows time 58"]
    """Mean-subtracted."""
    emotion: Float[Array, "*rows time 25"]


class ReactionDecoder(nnx.Module):
    """Two layers from the latent to the frames' features; online a third looks at the past."""

    def __init__(self, config: TransVAEConfig, *, rngs: nnx.Rngs):
        n = config.features

        def layer() -> DecoderLayer:
            return DecoderLayer(n, config.heads, 2 * n, config.dropout, rngs=rngs)

        self.vae_model = LatentEncoder(config, rngs=rngs)
        self.listener_reaction_decoder_1 = layer()
        # The original copies one layer into both, which thus begin equal (behaviour B20).
        self.listener_reaction_decoder_2 = nnx.clone(self.listener_reaction_decoder_1)
        self.listener_reaction_3dmm_map_layer = uniform_linear(n, COEFFS, rngs)
        self.emotion_1 = uniform_linear(n + COEFFS, n, rngs)
        self.emotion_2 = uniform_linear(n, EMOTION_CHANNELS, rngs)
        if config.online:
            self.linear_3d = uniform_linear(COEFFS, n, rngs)
            self.linear_reaction = uniform_linear(n, n, rngs)
            self.listener_reaction_decoder_3d = layer()
            self.lstm = LSTM(n, rngs=rngs)
        self.features, self.dropout = n, config.dropout

    def __call__(
        self,
        latent: Float[Array, "rows features"],
        frames: int,
        past: Past | None = None,
        seed: Seed = None,
    ) -> Face:
        """The next frames; without a past, those of a whole clip."""
        place, first, second, third = split(seed, 4)
        rows, memory = latent.shape[0], latent[:, None]
        x = jnp.broadcast_to(positions(frames, self.features), (rows, frames, self.features))
        x = dropout(x, self.dropout, place)
        x = self.listener_reaction_decoder_1(x, x, memory, seed=first)
        x = self.listener_reaction_decoder_2(x, x, x, seed=second)
        moving = x if past is None else self._going_on(x, past, third)
        coeffs = self.listener_reaction_3dmm_map_layer(moving)
        emotion = self.emotion_2(self.emotion_1(jnp.concatenate([coeffs, x], axis=-1)))
        return Face(coeffs.astype(jnp.float32), emotion.astype(jnp.float32))

    def _going_on(self, x: jax.Array, past: Past, seed: Seed) -> jax.Array:
        """The frames' features in the light of the past; x itself where there is none yet."""
        before, now = self.linear_3d(past.coeffs), self.linear_reaction(x)
        both = jnp.concatenate([before, now], axis=1)
        seen = jnp.pad(past.is_past, (0, x.shape[1]), constant_values=True)
        seen = jnp.broadcast_to(seen, both.shape[:2])
        # Of the past no outputs are used, and these positions' depend on none.
        now = self.listener_reaction_decoder_3d(now, both, both, seen, seen, seed)
        number = past.is_past.sum()
        last = jax.lax.dynamic_index_in_dim(before, jnp.maximum(number - 1, 0), 1, keepdims=False)
        return jnp.where(number == 0, x, self.lstm(now, last))
