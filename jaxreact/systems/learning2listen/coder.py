"""Stage 1: a VQ-VAE of the listener's motion, 32 frames <-> 4 codes.

(Learning2Listen, vqgan/vqmodules/gan_models.py and quantizer.py, modules/base_models.py.) Motion is
normalised; behaviours of the original are numbered as in docs/learning2listen.md.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxreact.nn.dropout import Seed
from jaxreact.nn.normalisation import Normalisation
from jaxreact.nn.precision import products_in
from jaxreact.nn.quantizers import Quantized
from jaxreact.systems.learning2listen.blocks import Block, PositionTable, blocks, through, uniform
from jaxreact.systems.learning2listen.codebook import Codebook
from jaxreact.systems.learning2listen.config import CODES, PATCH, WINDOW, MotionCoderConfig
from jaxreact.systems.learning2listen.convolutions import (
    BESIDE,
    Convolution,
    Norms,
    doublings,
    halvings,
    through_stages,
)


class Reconstruction(NamedTuple):
    """What the VQ-VAE gives for windows of motion."""

    motion: Float[Array, "windows 32 channels"]
    quantized: Quantized
    norms: Norms
    """New running statistics; empty unless training."""


class MotionEncoder(nnx.Module):
    """32 frames -> 4 latents."""

    def __init__(self, config: MotionCoderConfig, *, rngs: nnx.Rngs):
        n, padding = config.hidden_size, config.conv_padding
        self.squasher = halvings(config.in_dim, n, padding, rngs)
        self.encoder_linear_embedding = uniform(n, n, rngs)
        self.encoder_pos_embedding = PositionTable(CODES, n)
        sizes = (config.num_attention_heads, config.intermediate_size)
        self.encoder_transformer = blocks(config.num_hidden_layers, n, *sizes, uniform, rngs)

    def __call__(
        self, motion: Float[Array, "windows 32 channels"], train: bool = False
    ) -> tuple[Float[Array, "windows 4 hidden"], Norms]:
        x, norms = through_stages(self.squasher, motion, train)
        x = self.encoder_pos_embedding(self.encoder_linear_embedding(x))
        return self.encoder_transformer(through, x), {"squasher": norms} if train else {}


class MotionDecoder(nnx.Module):
    """4 latents -> 32 frames."""

    def __init__(self, config: MotionCoderConfig, *, rngs: nnx.Rngs):
        n, padding = config.hidden_size, config.conv_padding
        self.expander = doublings(n, padding, rngs)
        self.decoder_linear_embedding = uniform(n, n, rngs)
        self.decoder_pos_embedding = PositionTable(WINDOW, n)
        sizes = (config.num_attention_heads, config.intermediate_size)
        self.decoder_transformer = blocks(config.num_hidden_layers, n, *sizes, uniform, rngs)
        self.cross_smooth_layer = Convolution(n, config.in_dim, "zeros", rngs=rngs)

    def __call__(
        self, latent: Float[Array, "windows 4 hidden"], train: bool = False
    ) -> tuple[Float[Array, "windows 32 channels"], Norms]:
        x, norms = self._expanded(latent, train)
        x = self.cross_smooth_layer(self.decoder_transformer(through, x))
        return x, {"expander": norms} if train else {}

    def last(self, latent: Float[Array, "windows 4 hidden"]) -> Float[Array, "windows 8 channels"]:
        """The last patch's frames. What only the others need is not computed."""
        x, _ = self._expanded(latent, False)
        x = self.decoder_transformer(through, x, final=_last_patch)
        return self.cross_smooth_layer(x)[:, BESIDE:]

    def _expanded(
        self, latent: Float[Array, "windows 4 hidden"], train: bool
    ) -> tuple[Float[Array, "windows 32 hidden"], Norms]:
        """Before the transformer."""
        x, norms = through_stages(self.expander, latent, train)
        return self.decoder_pos_embedding(self.decoder_linear_embedding(x)), norms


def _last_patch(block: Block, x: Float[Array, "windows 32 hidden"], seed: Seed) -> jax.Array:
    """The last patch's positions and those before it that its convolution sees."""
    return block(x, kept=slice(-PATCH - BESIDE, None))


class MotionCoder(nnx.Module):
    """Windows of 32 frames of normalised motion <-> 4 codes each."""

    def __init__(self, config: MotionCoderConfig, *, rngs: nnx.Rngs):
        self.config = config
        self.encoder = MotionEncoder(config, rngs=rngs)
        self.quantize = Codebook(config, rngs=rngs)
        self.decoder = MotionDecoder(config, rngs=rngs)
        self.statistics = Normalisation(config.in_dim)

    def __call__(
        self,
        motion: Float[Array, "windows 32 channels"],
        train: bool = False,
        key: jax.Array | None = None,
    ) -> Reconstruction:
        """Reconstructs windows; `train` takes the norms' statistics from the batch, and `key` moves
        a codebook of averages."""
        latent, encoder = self.encoder(motion, train)
        quantized = self.quantize(latent, key)
        made, decoder = self.decoder(quantized.latent, train)
        norms = {"encoder": encoder, "decoder": decoder} if train else {}
        return Reconstruction(made, quantized, norms)

    def encode(self, motion: Float[Array, "windows 32 channels"]) -> Int[Array, "windows 4"]:
        """Codes in [0, n_embed)."""
        with products_in("float32"):  # a code is a rounding decision
            return self.quantize(self.encoder(motion)[0]).codes

    def decode(self, codes: Int[Array, "windows 4"]) -> Float[Array, "windows 32 channels"]:
        """Normalised motion of codes."""
        return self.decoder(self.quantize.codes_to_latent(codes))[0]

    def decode_last(self, codes: Int[Array, "windows 4"]) -> Float[Array, "windows 8 channels"]:
        """The last 8 of the frames that `decode` gives."""
        return self.decoder.last(self.quantize.codes_to_latent(codes))

    def of_stillness(self) -> Int[Array, "4"]:
        """Codes of a window in which the mean face does not move."""
        return self.encode(jnp.zeros((1, WINDOW, self.config.in_dim)))[0]
