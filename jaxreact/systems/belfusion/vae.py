"""Stage 1: a variational autoencoder of windows of emotion, which also regresses faces.

Behaviours of the original are numbered as in docs/belfusion.md.
"""

from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.nn.gru import GRU, recurrent
from jaxreact.nn.quantizers import Statistics
from jaxreact.nn.uniform import uniform_linear
from jaxreact.systems.belfusion.config import EmotionVAEConfig


class LatentStatistics(nnx.Module):
    """Of the encoder's last states over the training windows, for each dimension.

    They start as those of a latent space that needs no scaling.
    """

    def __init__(self, width: int):
        self.min = Statistics(jnp.full(width, -1.0))
        self.max = Statistics(jnp.ones(width))
        self.mean = Statistics(jnp.zeros(width))
        self.std = Statistics(jnp.ones(width))
        self.var = Statistics(jnp.ones(width))


class Reconstruction(NamedTuple):
    """What the VAE gives for a clip."""

    emotion: Float[Array, "batch time 25"]
    coeffs: Float[Array, "batch time 58"]
    mean: Float[Array, "windows latent"]
    log_variance: Float[Array, "windows latent"]


class EmotionVAE(nnx.Module):
    """Windows of 25 emotion channels <-> latents; 58 mean-subtracted coefficients of an emotion."""

    def __init__(self, config: EmotionVAEConfig, *, rngs: nnx.Rngs):
        self.config = config
        emotion, hidden, latent = config.emotion_dim, config.hidden_dim, config.z_dim
        self.x_rnn = GRU(emotion, hidden, rngs=rngs)
        self.fc_mu_enc = uniform_linear(hidden, latent, rngs)
        self.fc_logvar_enc = uniform_linear(hidden, latent, rngs)
        self.fc_z_dec = uniform_linear(latent, hidden, rngs)
        self.d_rnn = GRU(emotion + hidden, hidden, rngs=rngs)
        widths = (hidden, *config.emb_dims)
        self.d_mlp = nnx.List(
            uniform_linear(before, after, rngs) for before, after in pairwise(widths)
        )
        self.d_out = uniform_linear(widths[-1], emotion, rngs)
        self.coeff_hidden = uniform_linear(emotion, hidden, rngs)
        self.coeff_out = uniform_linear(hidden, config.coeff_3dmm_dim, rngs)
        self.statistics = LatentStatistics(hidden)

    def __call__(
        self,
        emotion: Float[Array, "batch time 25"],
        noise: Float[Array, "windows latent"] | None = None,
    ) -> Reconstruction:
        """Reconstructs clips of whole windows; without noise from the latents' means.

        Windows of one clip stand one after the other. Raises ValueError for other lengths.
        """
        hidden = self.hidden(self.windows(emotion))
        mean, log_variance = self.fc_mu_enc(hidden), self.fc_logvar_enc(hidden)
        latent = mean if noise is None else mean + jnp.exp(log_variance / 2) * noise
        decoded = self.decode(latent).reshape(emotion.shape)
        return Reconstruction(decoded, self.coeffs_of(decoded), mean, log_variance)

    def windows(self, emotion: Float[Array, "batch time 25"]) -> Float[Array, "windows frames 25"]:
        """The windows of clips, one after the other. Raises ValueError for a remainder."""
        frames = self.config.window_size
        if emotion.shape[1] == 0 or emotion.shape[1] % frames:
            raise ValueError(f"{emotion.shape[1]} frames are not whole windows of {frames}")
        return emotion.reshape(-1, frames, emotion.shape[2])

    def hidden(self, windows: Float[Array, "windows frames 25"]) -> Float[Array, "windows hidden"]:
        """The encoder's last state, in which the diffusion lives (B12)."""
        return self.x_rnn.last_state(windows)

    def decode(self, latent: Float[Array, "windows latent"]) -> Float[Array, "windows frames 25"]:
        """Emotion of latents, linear output; each frame is fed back for the next."""
        held = self.d_rnn.held(self.fc_z_dec(latent))

        def step(
            carry: tuple[jax.Array, jax.Array], _: None
        ) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
            state, frame = carry
            state = self.d_rnn.step(state, frame, held)
            frame = self._frame_of(state)
            return (state, frame), frame

        state = self.d_rnn.start(len(latent))
        first = jnp.zeros((len(latent), self.config.emotion_dim), state.dtype)
        frames = jax.lax.scan(recurrent(step), (state, first), length=self.config.window_size)[1]
        return jnp.moveaxis(frames, 0, 1)

    def coeffs_of(self, emotion: Float[Array, "*batch 25"]) -> Float[Array, "*batch 58"]:
        """Mean-subtracted coefficients of an emotion, frame by frame."""
        return self.coeff_out(jnp.tanh(self.coeff_hidden(emotion)))

    def _frame_of(self, state: jax.Array) -> jax.Array:
        for layer in self.d_mlp:
            state = jnp.tanh(layer(state))
        return self.d_out(state)
