"""Stage 2: the network that finds the listener's latent in noise, given the speaker's."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxreact.nn.attention import Linear, layer_norm
from jaxreact.nn.diffusion import cosine_schedule, ddim, time_features
from jaxreact.nn.uniform import uniform_linear, within
from jaxreact.systems.belfusion.config import DenoiserConfig

_KAIMING = nnx.initializers.variance_scaling(2.0, "fan_in", "normal")


class Embedding(nnx.Module):
    """Two linear layers with SiLU between them."""

    def __init__(self, inputs: int, outputs: int, *, rngs: nnx.Rngs):
        self.first = uniform_linear(inputs, outputs, rngs)
        self.second = uniform_linear(outputs, outputs, rngs)

    def __call__(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        return self.second(jax.nn.silu(self.first(x)))


class ConditionedLayer(nnx.Module):
    """A linear layer scaled by the condition, then norm and SiLU."""

    def __init__(self, inputs: int, outputs: int, condition: int, *, rngs: nnx.Rngs):
        self.linear = _kaiming_linear(inputs, outputs, rngs)
        self.linear_emb = _kaiming_linear(condition, outputs, rngs)
        self.ln_1 = layer_norm(outputs, True, rngs)

    def __call__(
        self, x: Float[Array, "*batch inputs"], condition: Float[Array, "*#batch condition"]
    ) -> Float[Array, "*batch outputs"]:
        scaled = self.linear(x) * (1 + self.linear_emb(condition))
        return jax.nn.silu(self.ln_1(scaled))


def _kaiming_linear(inputs: int, outputs: int, rngs: nnx.Rngs) -> Linear:
    bias = within(inputs**-0.5)
    return Linear(inputs, outputs, kernel_init=_KAIMING, bias_init=bias, rngs=rngs)


class Denoiser(nnx.Module):
    """Predicts the start, a latent of a listener's window, from what is left of it.

    Every layer sees the noisy latent again beside what the layer before gives.
    """

    def __init__(self, config: DenoiserConfig, *, rngs: nnx.Rngs):
        self.config = config
        width, hidden = config.emb_length, config.num_hid_channels
        self.time_embed = Embedding(config.num_time_emb_channels, width, rngs=rngs)
        self.cond_embed = Embedding(width, width, rngs=rngs)
        inputs = (2 * width, *(hidden + width,) * (config.num_layers - 2))
        self.layers = nnx.List(
            ConditionedLayer(each, hidden, 2 * width, rngs=rngs) for each in inputs
        )
        self.last = uniform_linear(hidden + width, width, rngs)

    def __call__(
        self,
        x: Float[Array, "*batch latent"],
        step: Int[Array, "*#batch"],
        condition: Float[Array, "*#batch latent"],
    ) -> Float[Array, "*batch latent"]:
        """The start, not clipped. `condition` is the speaker's latent.

        Of what several latents share, an axis of one, as much is computed as there is of it.
        """
        features = time_features(step.reshape(-1), self.config.num_time_emb_channels)
        time = self.time_embed(features.reshape(*step.shape, -1))
        condition = self.cond_embed(condition)
        axes = jnp.broadcast_shapes(time.shape[:-1], condition.shape[:-1])
        both = [jnp.broadcast_to(part, (*axes, part.shape[-1])) for part in (time, condition)]
        both = jnp.concatenate(both, axis=-1)
        given = jax.nn.silu(both)
        y = x
        for layer in self.layers:
            y = layer(jnp.concatenate([y, x], axis=-1), given)
        return self.last(jnp.concatenate([y, x], axis=-1))

    def sample(
        self, condition: Float[Array, "*#batch latent"], noise: Float[Array, "*batch latent"]
    ) -> Float[Array, "*batch latent"]:
        """Latents in [-1, 1] of listeners that answer; all randomness is the noise, unit normal."""

        def start(x: jax.Array, step: jax.Array) -> jax.Array:
            return self(x, jnp.full((1,) * (x.ndim - 1), step), condition)

        return ddim(start, noise, cosine_schedule(self.config.diffusion_steps))
