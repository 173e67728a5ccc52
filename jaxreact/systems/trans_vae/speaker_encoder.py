"""What the speaker shows and says, as one token a frame."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from jaxreact.audio_features.mfcc import MFCC_FEATURES
from jaxreact.nn.uniform import uniform_linear
from jaxreact.systems.trans_vae.video_encoder import Given, Seen, VideoEncoder


class Perceived(NamedTuple):
    """What is kept of the speaker, whichever frames are encoded with it."""

    seen: Seen
    audio: Float[Array, "batch time features"]


class SpeakerEncoder(nnx.Module):
    """Pictures and sound, each through a map of its own, then fused."""

    def __init__(self, features: int, *, rngs: nnx.Rngs):
        self.video_encoder = VideoEncoder(features, rngs=rngs)
        self.audio_feature_map = uniform_linear(MFCC_FEATURES, features, rngs)
        self.fusion_layer = uniform_linear(2 * features, features, rngs)

    def perceive(
        self,
        video: UInt8[Array, "batch time height width 3"]
        | Float[Array, "batch time height width 3"],
        audio: Float[Array, "batch time 78"],
    ) -> Perceived:
        """What each frame gives by itself. Pictures are bytes, or numbers in [-1, 1]."""
        return Perceived(self.video_encoder.see(video), self.audio_feature_map(audio))

    def __call__(
        self, perceived: Perceived, given: Given | None = None, remat: bool = False
    ) -> Float[Array, "batch time features"]:
        """Tokens of the frames, encoded together; of those that are not `given`, nothing that
        means anything, and nothing that the others depend on. With `remat` nothing in between is
        kept for the way back."""

        def tokens(perceived: Perceived) -> jax.Array:
            video = self.video_encoder(perceived.seen, given)
            return self.fusion_layer(jnp.concatenate([video, perceived.audio], axis=-1))

        return (jax.checkpoint(tokens) if remat else tokens)(perceived)


def beginning(perceived: Perceived, frames: int) -> Perceived:
    """The first frames, padded with zeros where there are fewer."""

    def cut(x: jax.Array) -> jax.Array:
        missing = max(0, frames - x.shape[1])
        return jnp.pad(x[:, :frames], ((0, 0), (0, missing)) + ((0, 0),) * (x.ndim - 2))

    pooled, moments, size = perceived.seen
    seen = Seen(cut(pooled), jax.tree.map(cut, moments), size)
    return Perceived(seen, cut(perceived.audio))
