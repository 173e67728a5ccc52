"""FIBER: the listener's next codes from the speaker's voice and face and the listener's past.

Tokens are codes shifted by two: 0 is PAD, 1 MASK (never used), code c is c + 2.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from jaxreact.models.attention import (
    MLP,
    Block,
    CrossAttention,
    Key,
    Mask,
    SelfAttention,
    dropout,
    layer_norm,
    linear,
    residual_std,
    split,
)
from jaxreact.models.depth import through

PAD = 0
SPECIAL_TOKENS = 2
"""PAD and MASK stand before the codes: token = code + SPECIAL_TOKENS."""
AUDIO_FEATURES = 512
AUDIO_RATE = 2
"""wav2vec2 features a video frame (50 against 25 a second)."""


@dataclass(frozen=True)
class PredictorConfig:
    """Sizes of the predictor, by the original's names; the defaults are the released ones."""

    vocab_size: int = 2048
    """Codes of the listener's face that the head can name, special tokens not counted."""
    vocab_face_size: int = 2048
    vocab_sound_size: int = 320
    codebook_size: int | None = None
    """Codes that the tokenizer really has (1000 for the released one, of 2048 named); `None` means
    `vocab_size`. Generation over the vocabulary "codes" stays below it."""
    block_size: int = 256
    """Frames of context."""
    patch_size: int = 32
    """Frames predicted at once, that many ahead."""
    n_embd: int = 360
    n_head: int = 12
    n_layer: int = 8
    dropout: float = 0.1
    bias: bool = True
    sound_factor: int = 2
    """Sound tokens a video frame; wav2vec2 features are always two (behaviour 24)."""
    use_wav2vec2_feature: bool = True
    """Audio as wav2vec2 features; False: as sound tokens."""
    is_twisted: bool = False
    """The encoder's cross-modal blocks start from the sound and attend to the face."""
    gate_init: float = 0.0
    """What the gates of cross-attention start from. The original's 0 hides the speaker until the
    gates have grown (behaviour 26)."""
    init_std: float = 0.02
    """Deviation of the weights that training starts from. The original's 0.02 suits its width; a
    narrow model needs about 1 / sqrt(n_embd) to learn to attend to the speaker at all."""
    remat: bool | None = None
    """True: nothing inside a block is kept for the backward pass but all computed again there, for
    much less memory and a third more work. False: everything is kept. None: everything, but on a
    processor results of matrix products only."""
    temperature: float = 1.0
    """What generation divides the logits by, beside the sampling's own temperature: a model of
    little training spreads its guesses too widely."""
    mixed_masks: bool = False
    """Mix the key masks of the samples of a batch, as the original does (behaviour 13)."""

    def __post_init__(self):
        if self.n_head < 1 or self.n_embd % self.n_head:
            raise ValueError(f"n_embd {self.n_embd} is not a multiple of n_head {self.n_head}")
        if self.patch_size < 1 or self.block_size % self.patch_size:
            raise ValueError(
                f"block_size {self.block_size} is not a multiple of patch_size {self.patch_size}"
            )
        if not self.temperature > 0:
            raise ValueError(f"temperature {self.temperature} is not positive")
        if self.codebook_size is not None and self.codebook_size > self.vocab_size:
            raise ValueError(
                f"codebook_size {self.codebook_size} exceeds vocab_size {self.vocab_size}"
            )

    @property
    def audio_factor(self) -> int:
        """Audio steps a video frame."""
        return AUDIO_RATE if self.use_wav2vec2_feature else self.sound_factor

    @property
    def codes(self) -> int:
        """Number of codes that generation may emit."""
        return self.vocab_size if self.codebook_size is None else self.codebook_size


class PaddedEmbed(nnx.Embed):
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
        key: Key = None,
        last: int | None = None,
    ) -> jax.Array:
        """The output of all positions of x, or, at less cost, of the `last` ones only."""
        self_key, cross_key, mlp_key = split(key, 3)
        own = self.attn(self.ln_1(x), mask_x, self_key, last)
        other = self.attn_cross(self.ln_1(own), self.ln_3(y), mask_x, mask_y, cross_key)
        x = (x if last is None else x[:, -last:]) + own + self.gated_alpha[...] * other
        return x + self.mlp(self.ln_2(x), mlp_key)


def _blocks(kind: type, config: PredictorConfig, rngs: nnx.Rngs) -> nnx.List:
    return nnx.List([kind(config, rngs=rngs) for _ in range(config.n_layer)])


def _run(
    blocks: nnx.List, x: jax.Array, mask: Mask, key: Key, remat: bool | None = None
) -> jax.Array:
    keys = split(key, len(blocks))
    return through(blocks, lambda block, x, key: block(x, mask, key), x, keys, remat)


def _fuse(
    blocks: nnx.List,
    x: jax.Array,
    y: jax.Array,
    mask_x: Mask,
    mask_y: Mask,
    key: Key,
    remat: bool | None,
    last: int | None = None,
) -> jax.Array:
    """Cross-modal blocks. Only the first one attends to y: each returns its output as both streams,
    so that the later ones attend to x itself (behaviour 20). With `last` the final one computes so
    many positions only."""

    def step(block: CrossModalBlock, streams: tuple[jax.Array, jax.Array], key: Key) -> Any:
        x = block(*streams, mask_x, mask_y, key)
        return x, x

    keys = split(key, len(blocks))
    if last is None:
        return through(blocks, step, (x, y), keys, remat)[0]
    x, y = through(blocks[:-1], step, (x, y), keys[:-1], remat)
    return blocks[-1](x, y, mask_x, mask_y, keys[-1], last)


class SpeakerEncoder(nnx.Module):
    """Sound and face of the speaker, each through its own blocks, then fused."""

    def __init__(self, config: PredictorConfig, *, rngs: nnx.Rngs):
        n, length = config.n_embd, config.block_size
        self.wte_sound = PaddedEmbed(config.vocab_sound_size + SPECIAL_TOKENS, n, rngs=rngs)
        self.wpe_sound = PaddedEmbed(length * config.audio_factor, n, rngs=rngs)
        self.wte_face = PaddedEmbed(config.vocab_face_size + SPECIAL_TOKENS, n, rngs=rngs)
        self.wpw_face = PaddedEmbed(length, n, rngs=rngs)
        self.h_sound = _blocks(Block, config, rngs)
        self.h_face = _blocks(Block, config, rngs)
        self.h = _blocks(CrossModalBlock, config, rngs)
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
        key: Key = None,
    ) -> Float[Array, "batch time n_embd"]:
        keys = split(key, 5)
        sound = sound + self.wpe_sound(jnp.arange(sound.shape[1]))
        sound = _pool(dropout(sound, self.dropout, keys[0]), self.audio_factor)
        x = self.wte_face(face) + self.wpw_face(jnp.arange(face.shape[1]))
        x = dropout(x, self.dropout, keys[1])
        sound = _run(self.h_sound, sound, sound_mask, keys[2], self.remat)
        x = _run(self.h_face, x, face_mask, keys[3], self.remat)
        if self.is_twisted:
            return _fuse(self.h, sound, x, sound_mask, face_mask, keys[4], self.remat)
        return _fuse(self.h, x, sound, face_mask, sound_mask, keys[4], self.remat)


def _pool(x: jax.Array, factor: int) -> jax.Array:
    """Maximum over each group of `factor` time steps; for a mask: whether any of them is True."""
    return jnp.max(x.reshape(x.shape[0], x.shape[1] // factor, factor, *x.shape[2:]), axis=2)


class ListenerDecoder(nnx.Module):
    """Listener's past and speaker, each through blocks of its own, then fused."""

    def __init__(self, config: PredictorConfig, *, rngs: nnx.Rngs):
        self.wte = PaddedEmbed(config.vocab_size + SPECIAL_TOKENS, config.n_embd, rngs=rngs)
        self.wpe = PaddedEmbed(config.block_size, config.n_embd, rngs=rngs)
        self.h_speaker = _blocks(Block, config, rngs)
        self.h_listener = _blocks(Block, config, rngs)
        self.h = _blocks(CrossModalBlock, config, rngs)
        self.ln_f = layer_norm(config.n_embd, config.bias, rngs)
        self.dropout, self.remat = config.dropout, config.remat

    def __call__(
        self,
        tokens: Int[Array, "batch time"],
        speaker: Float[Array, "batch time n_embd"],
        mask: Mask,
        speaker_mask: Mask,
        start: int = 0,
        key: Key = None,
        last: int | None = None,
    ) -> Float[Array, "batch last n_embd"]:
        drop_key, past_key, fuse_key = split(key, 3)
        x = self.wte(tokens) + self.wpe(start + jnp.arange(tokens.shape[1]))
        x = _run(self.h_listener, dropout(x, self.dropout, drop_key), mask, past_key, self.remat)
        fused = _fuse(self.h, x, speaker, mask, speaker_mask, fuse_key, self.remat, last)
        return self.ln_f(fused)


class ReactPredictor(nnx.Module):
    """The predictor (behaviours 20-30). Masks are True where attended; `None` masks nothing."""

    def __init__(self, config: PredictorConfig, *, rngs: nnx.Rngs):
        self.config = config
        self.sp_cm_transformer = SpeakerEncoder(config, rngs=rngs)
        if config.use_wav2vec2_feature:
            # Its name ends in c_proj, so the original gives it the residual deviation (26).
            self.wav2vec2_c_proj = linear(
                AUDIO_FEATURES, config.n_embd, True, rngs, residual_std(config)
            )
        self.lt_cm_transformer = ListenerDecoder(config, rngs=rngs)
        tokens = config.vocab_size + SPECIAL_TOKENS
        self.lm_head = linear(config.n_embd, tokens, False, rngs, config.init_std)

    def __call__(
        self,
        audio: Float[Array, "batch audio 512"] | Int[Array, "batch audio"],
        speaker_tokens: Int[Array, "batch time"],
        listener_tokens: Int[Array, "batch time"],
        audio_mask: Bool[Array, "batch audio"] | None = None,
        speaker_mask: Mask = None,
        listener_mask: Mask = None,
        key: Key = None,
    ) -> Float[Array, "batch time vocabulary"]:
        """Logits of all positions; position t speaks of the listener's token at t + patch_size.

        `audio` has `audio_factor` steps a frame: features, or, without `use_wav2vec2_feature`,
        tokens. `key` switches dropout on.
        """
        speaker_key, listener_key = split(key, 2)
        speaker = self.speaker(audio, speaker_tokens, audio_mask, speaker_mask, speaker_key)
        hidden = self.listener(
            listener_tokens, speaker, listener_mask, speaker_mask, key=listener_key
        )
        return self.lm_head(hidden)

    def speaker(
        self,
        audio: jax.Array,
        tokens: jax.Array,
        audio_mask: Bool[Array, "batch audio"] | None = None,
        mask: Mask = None,
        key: Key = None,
    ) -> Float[Array, "batch time n_embd"]:
        """Everything that depends on the speaker alone: encoder, then the decoder's own blocks."""
        encoder_key, decoder_key = split(key, 2)
        encoder = self.sp_cm_transformer
        if self.config.use_wav2vec2_feature:
            sound = self.wav2vec2_c_proj(audio)
        else:
            sound = encoder.wte_sound(audio)
        sound_mask = None if audio_mask is None else _pool(audio_mask, self.config.audio_factor)
        fused = encoder(sound, tokens, sound_mask, mask, encoder_key)
        blocks = self.lt_cm_transformer.h_speaker
        return _run(blocks, fused, sound_mask, decoder_key, self.config.remat)

    def listener(
        self,
        tokens: Int[Array, "batch time"],
        speaker: Float[Array, "batch time n_embd"],
        mask: Mask = None,
        speaker_mask: Mask = None,
        start: int = 0,
        key: Key = None,
        last: int | None = None,
    ) -> Float[Array, "batch last n_embd"]:
        """The decoder's output before `lm_head`, of all positions or of the `last` ones.

        The first token stands at position `start`.
        """
        return self.lt_cm_transformer(tokens, speaker, mask, speaker_mask, start, key, last)
