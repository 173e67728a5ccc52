"""The speaker's side of generation: a window of what was heard and seen for each patch."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from jaxreact.systems.fiber.config import (
    AUDIO_FEATURES,
    PAD,
    SPECIAL_TOKENS,
    PredictorConfig,
)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Window:
    """What the model sees of the speaker for one patch; for several, with an axis before these."""

    audio: jax.Array
    """Features (streams, audio, 512) or tokens (streams, audio)."""
    audio_mask: Bool[Array, "*windows streams audio"]
    tokens: Int[Array, "*windows streams time"]
    mask: Bool[Array, "*windows streams time"]


def missing_steps(audio: jax.Array, codes: Int[Array, "streams frames"], factor: int) -> int:
    """Audio steps that clips lack in front: 1 of wav2vec2's 2 T - 1 for T frames (behaviour 49).

    Raises ValueError unless `audio` has `factor` steps a frame, or one less.
    """
    frames = codes.shape[1]
    missing = factor * frames - audio.shape[1]
    if missing not in (0, 1) or frames == 0:
        raise ValueError(
            f"{audio.shape[1]} audio steps do not fit {frames} frames, which need"
            f" {factor * frames} or {factor * frames - 1}"
        )
    return missing


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Tail:
    """The speaker's last `block_size` - 1 frames, which the next window begins with."""

    audio: jax.Array
    audio_mask: Bool[Array, "streams audio"]
    tokens: Int[Array, "streams time"]


def empty_tail(config: PredictorConfig, streams: int) -> Tail:
    """Nothing heard or seen yet."""
    frames = config.block_size - 1
    steps = config.audio_factor * frames
    if config.use_wav2vec2_feature:
        audio = jnp.zeros((streams, steps, AUDIO_FEATURES))
    else:
        audio = jnp.zeros((streams, steps), jnp.int32)
    return Tail(
        audio, jnp.zeros((streams, steps), bool), jnp.full((streams, frames), PAD, jnp.int32)
    )


def slide(
    tail: Tail,
    audio: jax.Array,
    audio_mask: Bool[Array, "streams audio"],
    tokens: Int[Array, "streams frames"],
    config: PredictorConfig,
) -> tuple[Window, Tail]:
    """The windows (windows, streams, ...) of the patches of the next frames, and the tail after.

    `audio` has `audio_factor` steps a frame. A window ends with its patch's first frame.
    """
    factor = config.audio_factor
    starts = jnp.arange(0, tokens.shape[1], config.patch_size)

    def cut(before: jax.Array, steps: jax.Array, rate: int) -> tuple[jax.Array, jax.Array]:
        whole = jnp.concatenate([before, steps.astype(before.dtype)], axis=1)
        index = starts[:, None] * rate + jnp.arange(config.block_size * rate)
        return jnp.moveaxis(whole[:, index], 1, 0), whole[:, steps.shape[1] :]

    audio, audio_tail = cut(tail.audio, audio, factor)
    audio_mask, mask_tail = cut(tail.audio_mask, audio_mask, factor)
    tokens, tokens_tail = cut(tail.tokens, tokens, 1)
    return (
        Window(audio, audio_mask, tokens, tokens != PAD),
        Tail(audio_tail, mask_tail, tokens_tail),
    )


def speaker_windows(
    audio: jax.Array, codes: Int[Array, "streams frames"], config: PredictorConfig
) -> Window:
    """The windows of whole clips, (windows, streams, ...).

    `audio` has `audio_factor` steps a frame, or one step less, for which a zero is put in front;
    raises ValueError for any other length.
    """
    missing = missing_steps(audio, codes, config.audio_factor)
    lead = ((0, 0), (missing, 0))
    heard = jnp.pad(jnp.ones(audio.shape[:2], bool), lead)
    audio = jnp.pad(audio, (*lead, *((0, 0),) * (audio.ndim - 2)))
    tail = empty_tail(config, len(codes))
    return slide(tail, audio, heard, codes + SPECIAL_TOKENS, config)[0]
