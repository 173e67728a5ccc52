"""The face tokenizer: 58 face coefficients a frame <-> codes, and codes -> 25 emotion channels."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxreact.face import COEFFS, EMOTION_CHANNELS, ROTATION, TRANSLATION
from jaxreact.nn.attention import Block, Embed, layer_norm, linear
from jaxreact.nn.dropout import Seed, dropout, seed_of, split
from jaxreact.nn.layers import Layers
from jaxreact.nn.precision import products_in
from jaxreact.nn.quantizers import QUANTIZERS, Quantized

POSE = slice(ROTATION.start, TRANSLATION.stop)
POSE_GAIN = (10.0, 10.0, 10.0, 5.0, 5.0, 5.0)
"""Rotation in radians and translation in model units move by a tenth of what expressions do."""
MOST_CODES = 2**31 - 1
"""Codes are int32."""


@dataclass(frozen=True)
class FaceTokenizerConfig:
    """Sizes of the tokenizer, by the original's names; the defaults are the released ones."""

    input_dim: int = COEFFS
    output_dim: int = COEFFS
    emotion_output_dim: int = EMOTION_CHANNELS
    block_size: int = 32
    """Frames that see each other; a frame's code depends on its whole block (behaviour 34)."""
    n_embd: int = 252
    n_head: int = 12
    n_layer: int = 12
    dropout: float = 0.0
    bias: bool = False
    """Biases in attention, MLP and norms; the input and quantiser projections always have them."""
    quantize_type: Literal["fsq", "vq", "lfq"] = "fsq"
    quantize_codebook_size: int = 2048
    """Entries of a VQ or LFQ codebook; FSQ's follows from its levels."""
    quantize_levels: tuple[int, ...] = (8, 5, 5, 5)
    quantize_decay: float = 0.8
    quantize_commitment_weight: float = 1.0
    init_std: float = 0.02
    """Deviation of the weights that training starts from. Attention that starts sharp, from larger
    ones, mixes the frames of a clip before the codes have learned to tell them apart."""
    input_init_std: float = 0.02
    """The same for the encoder's input layer. With the original's 0.02 the position embeddings
    outweigh small coefficients, and a new model's codes tell the position rather than the face."""
    remat: bool | None = None
    """True: nothing inside a block is kept for the backward pass but all computed again there, for
    much less memory and a third more work. False: everything is kept. None: everything, but on a
    processor results of matrix products only."""
    relative_pose: bool = False
    """The encoder sees rotation and translation relative to their mean over the block, magnified to
    the size of expressions. How a person sits differs between persons several times as much as any
    nod moves the head: seen as it is, it fills the codes, and nods find no place in them."""

    def __post_init__(self):
        object.__setattr__(self, "quantize_levels", tuple(self.quantize_levels))
        if self.n_head < 1 or self.n_embd % self.n_head:
            raise ValueError(f"n_embd {self.n_embd} is not a multiple of n_head {self.n_head}")
        if self.n_layer < 1:
            raise ValueError(f"n_layer {self.n_layer} is not 1 or more")
        if self.quantize_type not in QUANTIZERS:
            raise ValueError(f"quantize_type {self.quantize_type!r} is not one of fsq, vq, lfq")
        if self.quantize_type == "fsq" and math.prod(self.quantize_levels) > MOST_CODES:
            raise ValueError(f"quantize_levels {self.quantize_levels} make more codes than int32")
        size = self.quantize_codebook_size
        if self.quantize_type == "lfq" and size != 1 << (size.bit_length() - 1):
            raise ValueError(f"quantize_codebook_size {size} is not a power of two, as LFQ needs")

    @property
    def codebook_size(self) -> int:
        """Number of codes."""
        if self.quantize_type == "fsq":
            return math.prod(self.quantize_levels)
        return self.quantize_codebook_size


def relative_to_mean(x: Float[Array, "batch time channels"]) -> Float[Array, "batch time channels"]:
    """Each channel less its mean over time."""
    return x - jnp.mean(x, axis=1, keepdims=True)


class Stack(nnx.Module):
    """Transformer blocks between a dropout and a layer norm; the encoder and the decoder of the
    coefficients also have an input layer `wfe` and position embeddings `wpe`."""

    def __init__(
        self,
        config: FaceTokenizerConfig,
        inputs: int | None,
        input_std: float = 0.02,
        *,
        rngs: nnx.Rngs,
    ):
        if inputs is not None:
            self.wfe = linear(inputs, config.n_embd, True, rngs, input_std)
            self.wpe = Embed(
                config.block_size,
                config.n_embd,
                embedding_init=nnx.initializers.normal(0.02),
                rngs=rngs,
            )
        self.h = Layers([Block(config, rngs=rngs) for _ in range(config.n_layer)])
        self.ln_f = layer_norm(config.n_embd, config.bias, rngs)
        self.dropout, self.remat = config.dropout, config.remat

    def embed(self, x: Float[Array, "batch time inputs"]) -> jax.Array:
        return self.wfe(x) + self.wpe(jnp.arange(x.shape[1]))

    def __call__(self, x: Float[Array, "batch time n_embd"], seed: Seed = None) -> jax.Array:
        first_seed, blocks_seed = split(seed, 2)
        x = dropout(x, self.dropout, first_seed)
        x = self.h(_through, x, seed=blocks_seed, remat=self.remat)
        return self.ln_f(x)


def _through(block: Block, x: jax.Array, seed: Seed) -> jax.Array:
    return block(x, seed=seed)


class FaceTokenizer(nnx.Module):
    """Encoder, quantiser, decoder to coefficients and decoder to emotion (behaviours 31-35).

    Coefficients are mean-subtracted. Sequences inside are at most one block long; `encode` and
    `decode` take any number of blocks.
    """

    def __init__(self, config: FaceTokenizerConfig, *, rngs: nnx.Rngs):
        self.config = config
        self.encoder = Stack(config, config.input_dim, config.input_init_std, rngs=rngs)
        self.quantize = QUANTIZERS[config.quantize_type](config, rngs=rngs)
        self.decoder_to_3dmm = Stack(config, config.n_embd, rngs=rngs)
        self.decoder_to_emotion = Stack(config, None, rngs=rngs)
        n, std = config.n_embd, config.init_std
        self.lm_head_emotion = linear(n, config.emotion_output_dim, False, rngs, std)
        self.lm_head_3dmm = linear(n, config.output_dim, False, rngs, std)

    def __call__(
        self,
        coeffs: Float[Array, "batch time 58"],
        *,
        train: bool = False,
        key: jax.Array | None = None,
    ) -> tuple[Float[Array, "batch time 58"], Float[Array, "batch time 25"], Quantized]:
        """Reconstructs at most one block: coefficients, emotion, and what the quantiser gave.

        `key` switches dropout on; `train` the quantiser's losses and statistics.
        """
        encoder_seed, decoder_seed = split(seed_of(key), 2)
        quantized = self.quantize(self.latent(coeffs, encoder_seed), train=train)
        return *self.reconstruct(quantized.latent, decoder_seed), quantized

    def latent(self, coeffs: jax.Array, seed: Seed = None) -> Float[Array, "batch time n_embd"]:
        """The encoder's output, which the quantiser takes."""
        if self.config.relative_pose:
            pose = relative_to_mean(coeffs[..., POSE]) * jnp.array(POSE_GAIN, coeffs.dtype)
            coeffs = jnp.concatenate([coeffs[..., : POSE.start], pose], axis=-1)
        return self.encoder(self.encoder.embed(coeffs), seed)

    def reconstruct(self, latent: jax.Array, seed: Seed = None) -> tuple[jax.Array, jax.Array]:
        """Coefficients and emotion of a quantised latent.

        The emotion decoder has no input layers of its own: it takes those of the coefficient
        decoder (behaviour 33).
        """
        coeffs_seed, emotion_seed = split(seed, 2)
        embedded = self.decoder_to_3dmm.embed(latent)
        coeffs = self.lm_head_3dmm(self.decoder_to_3dmm(embedded, coeffs_seed))
        emotion = self.lm_head_emotion(self.decoder_to_emotion(embedded, emotion_seed))
        return coeffs, emotion

    def encode(self, coeffs: Float[Array, "batch time 58"]) -> Int[Array, "batch time"]:
        """Codes of mean-subtracted coefficients; `time` is a multiple of the block size.

        Raises ValueError otherwise (the original drops the remainder silently, behaviour 34).
        """
        with products_in("float32"):  # a code is a rounding decision
            return self._by_block(coeffs, lambda blocks: self.quantize(self.latent(blocks)).codes)

    def decode(
        self, codes: Int[Array, "batch time"]
    ) -> tuple[Float[Array, "batch time 58"], Float[Array, "batch time 25"]]:
        """Mean-subtracted coefficients and emotion of codes; `time` is a multiple of the block.

        Emotion is linear output, not clipped to its ranges (behaviour 33).
        """
        return self._by_block(
            codes, lambda blocks: self.reconstruct(self.quantize.codes_to_latent(blocks))
        )

    def _by_block(self, x: jax.Array, function: Callable[[jax.Array], Any]) -> Any:
        """Applies `function` to all blocks of all samples as one batch."""
        batch, time, block = x.shape[0], x.shape[1], self.config.block_size
        if time == 0 or time % block:
            raise ValueError(f"{time} frames are not a multiple of the tokenizer's block {block}")
        result = function(
            x.reshape(batch * (time // block), block, *x.shape[2:])
        )  # (n, block, ...)
        return jax.tree.map(lambda y: y.reshape(batch, time, *y.shape[2:]), result)
