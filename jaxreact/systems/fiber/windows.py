"""The speaker's side of generation: a window of what was heard and seen for each patch."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from jaxreact.systems.fiber.config import PAD, SPECIAL_TOKENS, PredictorConfig


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


def speaker_windows(
    audio: jax.Array, codes: Int[Array, "streams frames"], config: PredictorConfig
) -> Window:
    """The windows of whole clips, (windows, streams, ...); each ends with its patch's first frame.

    `audio` has `audio_factor` steps a frame, or one step less, for which a zero is put in front;
    raises ValueError for any other length.
    """
    factor, before = config.audio_factor, config.block_size - 1
    silent = factor * before + missing_steps(audio, codes, factor)
    starts = jnp.arange(0, codes.shape[1], config.patch_size)

    def cut(x: jax.Array, missing: int, rate: int) -> jax.Array:
        whole = jnp.pad(x, ((0, 0), (missing, 0), *((0, 0),) * (x.ndim - 2)))
        index = starts[:, None] * rate + jnp.arange(config.block_size * rate)
        return jnp.moveaxis(whole[:, index], 1, 0)

    tokens = cut(codes + SPECIAL_TOKENS, before, 1)  # zeros are PAD
    heard = cut(jnp.ones(audio.shape[:2], bool), silent, factor)
    return Window(cut(audio, silent, factor), heard, tokens, tokens != PAD)
