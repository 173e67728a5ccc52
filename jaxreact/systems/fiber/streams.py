"""The two halves of FIBER: what the speaker says and shows, and the listener who answers it."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxreact.nn.attend import Mask
from jaxreact.nn.attention import (
    MLP,
    Block,
    CrossAttention,
    Embed,
    SelfAttention,
    layer_norm,
)
from jaxreact.nn.dropout import Seed, dropout, split
from jaxreact.nn.layers import Layers
from jaxreact.nn.pooling import pool
from jaxreact.systems.fiber.config import SPECIAL_TOKENS, PredictorConfig


class PaddedEmbed(Embed):
    """An embedding whose row 0 is never trained, as torch's `padding_idx=0` (behaviour 25)."""

    def __init__(self, rows: int, features: int, *, rngs: nnx.Rngs):
        super().__init__(rows, features, embedding_init=nnx.initializers.normal(0.02), rngs=rngs)

    def __call__(self, inputs: jax.Array) -> jax.Array:
        rows = super().__call__(inputs)
        return jnp.where((inputs == 0)[..., None], jax.lax.stop_gradient(rows), rows)


class CrossModalBlock(nnx.Module):
    """FIBER's block (Dou et al. 2022, arXiv 2206.07643, eq. 1): self-attention plus gated
    cross-attention. `ln_1` also normalises the self-attention's output, as in the original
    (behaviour 20)."""

    def __init__(self, config: PredictorConfig, *, rngs: nnx.Rngs):
        self.ln_1 = layer_norm(config.n_embd, config.bias, rngs)
        self.attn = SelfAttention(config, rngs=rngs)
        self.attn_cross = CrossAttention(config, rngs=rngs)
        self.ln_2 = layer_norm(config.n_embd, config.bias, rngs)
        self.ln_3 = layer_norm(config.n_embd, config.bias, rngs)
        self.mlp = MLP(config, rngs=rngs)
        self.gated_alpha = nnx.Param(jnp.full((), config.gate_init))

    def __call__(
        self,
        x: jax.Array,
        y: jax.Array,
        mask_x: Mask,
        mask_y: Mask,
        seed: Seed = None,
        last: int | None = None,
    ) -> jax.Array:
        """The output of all positions of x, or, at less cost, of the `last` ones only."""
        weights, output, cross_weights, cross_output, mlp = split(seed, 5)
        own = self.attn(self.ln_1(x), mask_x, (weights, output), last)
        seeds = (cross_weights, cross_output)
        other = self.attn_cross(self.ln_1(own), self.ln_3(y), mask_x, mask_y, seeds)
        x = (x if last is None else x[:, -last:]) + own + self.gated_alpha[...] * other
        return x + self.mlp(self.ln_2(x), mlp)


def blocks_of(kind: type, config: PredictorConfig, rngs: nnx.Rngs) -> Layers:
    return Layers([kind(config, rngs=rngs) for _ in range(config.n_layer)])


def run(
    blocks: Layers, x: jax.Array, mask: Mask, seed: Seed, remat: bool | None = None
) -> jax.Array:
    return blocks(_through, x, mask, seed=seed, remat=remat)


def _through(block: Block, x: jax.Array, seed: Seed, mask: Mask) -> jax.Array:
    return block(x, mask, seed)


def fuse(
    blocks: Layers,
    x: jax.Array,
    y: jax.Array,
    mask_x: Mask,
    mask_y: Mask,
    seed: Seed,
    remat: bool | None,
    last: int | None = None,
) -> jax.Array:
    """Cross-modal blocks. Only the first one attends to y: each returns its output as both streams,
    so that the later ones attend to x itself (behaviour 20). With `last` the final one computes so
    many positions only."""
    final = None if last is None else partial(_fused, last=last)
    return blocks(_fused, (x, y), mask_x, mask_y, seed=seed, remat=remat, final=final)[0]


def _fused(
    block: CrossModalBlock,
    streams: tuple[jax.Array, jax.Array],
    seed: Seed,
    mask_x: Mask,
    mask_y: Mask,
    last: int | None = None,
) -> tuple[jax.Array, jax.Array]:
    x = block(*streams, mask_x, mask_y, seed, last)
    return x, x


class SpeakerEncoder(nnx.Module):
    """Sound and face of the speaker, each through its own blocks, then fused."""

    def __init__(self, config: PredictorConfig, *, rngs: nnx.Rngs):
        n, length = config.n_embd, config.block_size
        self.wte_sound = PaddedEmbed(config.vocab_sound_size + SPECIAL_TOKENS, n, rngs=rngs)
        self.wpe_sound = PaddedEmbed(length * config.audio_factor, n, rngs=rngs)
        self.wte_face = PaddedEmbed(config.vocab_face_size + SPECIAL_TOKENS, n, rngs=rngs)
        self.wpw_face = PaddedEmbed(length, n, rngs=rngs)
        self.h_sound = blocks_of(Block, config, rngs)
        self.h_face = blocks_of(Block, config, rngs)
        self.h = blocks_of(CrossModalBlock, config, rngs)
        # Exists in the original and its checkpoints, though its output is never used and it is
        # never trained (behaviour 21).
        self.ln_f = layer_norm(n, config.bias, rngs)
        self.is_twisted, self.dropout = config.is_twisted, config.dropout
        self.remat = config.remat
        self.audio_factor = config.audio_factor

    def __call__(
        self,
        sound: Float[Array, "batch audio n_embd"],
        face: Int[Array, "batch time"],
        sound_mask: Mask,
        face_mask: Mask,
        seed: Seed = None,
    ) -> Float[Array, "batch time n_embd"]:
        seeds = split(seed, 5)
        sound = sound + self.wpe_sound(jnp.arange(sound.shape[1]))
        sound = pool(dropout(sound, self.dropout, seeds[0]), self.audio_factor)
        x = self.wte_face(face) + self.wpw_face(jnp.arange(face.shape[1]))
        x = dropout(x, self.dropout, seeds[1])
        sound = run(self.h_sound, sound, sound_mask, seeds[2], self.remat)
        x = run(self.h_face, x, face_mask, seeds[3], self.remat)
        if self.is_twisted:
            return fuse(self.h, sound, x, sound_mask, face_mask, seeds[4], self.remat)
        return fuse(self.h, x, sound, face_mask, sound_mask, seeds[4], self.remat)


class ListenerDecoder(nnx.Module):
    """Listener's past and speaker, each through blocks of its own, then fused."""

    def __init__(self, config: PredictorConfig, *, rngs: nnx.Rngs):
        self.wte = PaddedEmbed(config.vocab_size + SPECIAL_TOKENS, config.n_embd, rngs=rngs)
        self.wpe = PaddedEmbed(config.block_size, config.n_embd, rngs=rngs)
        self.h_speaker = blocks_of(Block, config, rngs)
        self.h_listener = blocks_of(Block, config, rngs)
        self.h = blocks_of(CrossModalBlock, config, rngs)
        self.ln_f = layer_norm(config.n_embd, config.bias, rngs)
        self.dropout, self.remat = config.dropout, config.remat

    def __call__(
        self,
        tokens: Int[Array, "batch time"],
        speaker: Float[Array, "batch time n_embd"],
        mask: Mask,
        speaker_mask: Mask,
        start: int = 0,
        seed: Seed = None,
        last: int | None = None,
        person: Float[Array, "batch n_embd"] | None = None,
    ) -> Float[Array, "batch last n_embd"]:
        drop_seed, past_seed, fuse_seed = split(seed, 3)
        x = self.wte(tokens) + self.wpe(start + jnp.arange(tokens.shape[1]))
        x = x if person is None else x + person[:, None]
        x = run(self.h_listener, dropout(x, self.dropout, drop_seed), mask, past_seed, self.remat)
        fused = fuse(self.h, x, speaker, mask, speaker_mask, fuse_seed, self.remat, last)
        return self.ln_f(fused)
