"""Generating a listener's codes, patch by patch: the one jitted loop.

At patch w the model sees the speaker's frames up to and including i = w * patch_size, one frame
more than in training (behaviour 51), and the listener's own past up to i - 1; windows are right
aligned and padded on the left. It predicts the listener's frames i .. i + patch_size - 1 at once.

What depends on the speaker alone is computed once for all samples of a clip and, since it does not
wait for the listener, for all windows in one batch; the samples are a `vmap` over what remains.
"""

from dataclasses import dataclass, replace
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxreact.systems.fiber.config import PAD, SPECIAL_TOKENS
from jaxreact.systems.fiber.predictor import ReactPredictor

Vocabulary = Literal["codes", "full"]


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn from logits.

    `temperature` divides the logits, beside the model's own; `top_k` keeps the k most likely tokens
    of each position (ties included; `None`: all; 1: argmax, for which no key is needed).
    `vocabulary="codes"` draws among the tokenizer's codes only; `"full"` also PAD, MASK and indices
    outside the codebook, as the original does (behaviours 52, 53).
    """

    temperature: float = 1.0
    top_k: int | None = 512
    vocabulary: Vocabulary = "codes"

    def __post_init__(self):
        if not self.temperature > 0:
            raise ValueError(f"temperature {self.temperature} is not positive; use top_k=1")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k {self.top_k} is less than 1")
        if self.vocabulary not in ("codes", "full"):
            raise ValueError(f"vocabulary {self.vocabulary!r} is not 'codes' or 'full'")


def truncate(
    logits: Float[Array, "*batch vocabulary"], sampling: Sampling
) -> Float[Array, "*batch vocabulary"]:
    """Logits over the temperature, minus infinity outside the top k of each row.

    The original's threshold is the least of a whole batch's, which couples its samples
    (behaviour 53); here each row has its own.
    """
    logits = logits.astype(jnp.float32) / sampling.temperature
    if sampling.top_k is None or sampling.top_k >= logits.shape[-1]:
        return logits
    threshold = jax.lax.top_k(logits, sampling.top_k)[0][..., -1:]
    return jnp.where(logits < threshold, -jnp.inf, logits)


def draw(
    logits: Float[Array, "*batch vocabulary"], sampling: Sampling, codes: int, key: jax.Array | None
) -> Int[Array, "*batch"]:
    """One token for each position of a patch, drawn independently."""
    first = 0
    if sampling.vocabulary == "codes":
        first = SPECIAL_TOKENS
        logits = logits[..., first : first + codes]
    if sampling.top_k == 1 or key is None:
        return first + jnp.argmax(logits, axis=-1)
    return first + jax.random.categorical(key, truncate(logits, sampling), axis=-1)


@dataclass(frozen=True)
class Windows:
    """The speaker's side of all windows: arrays (windows, batch, steps, ...)."""

    audio: jax.Array
    audio_mask: Bool[Array, "windows batch audio"]
    tokens: Int[Array, "windows batch time"]
    mask: Bool[Array, "windows batch time"]


def speaker_windows(audio: jax.Array, codes: Int[Array, "batch frames"], config) -> Windows:
    """Cuts the speaker's clip into the windows of its patches.

    `audio` has `audio_factor` steps a frame, or one step less: wav2vec2 gives 2 T - 1 features for
    T frames, and a zero is put in front (behaviour 49). Raises ValueError for any other length.
    """
    factor, length = config.audio_factor, config.block_size
    frames = codes.shape[1]
    missing = factor * frames - audio.shape[1]
    if missing not in (0, 1) or frames == 0:
        raise ValueError(
            f"{audio.shape[1]} audio steps do not fit {frames} frames, which need"
            f" {factor * frames} or {factor * frames - 1}"
        )
    starts = jnp.arange(0, frames, config.patch_size)

    def cut(steps: jax.Array, rate: int, padding: int) -> jax.Array:
        # A window ends with its patch's first frame: it starts length - 1 frames before it.
        padded = jnp.pad(steps, ((0, 0), (padding, 0), *((0, 0),) * (steps.ndim - 2)))
        index = starts[:, None] * rate + jnp.arange(length * rate)
        return jnp.moveaxis(padded[:, index], 1, 0)

    before = length - 1
    audio_padding = factor * before + missing
    heard = jnp.ones(audio.shape[:2], bool)
    tokens = codes + SPECIAL_TOKENS
    return Windows(
        cut(audio, factor, audio_padding),
        cut(heard, factor, audio_padding),
        cut(tokens, 1, before),
        cut(tokens != PAD, 1, before),
    )


def encode_speaker(
    model: ReactPredictor, windows: Windows, at_once: int
) -> Float[Array, "windows batch time n_embd"]:
    """The speaker's side of the model for all windows, `at_once` windows in one batch.

    `at_once` bounds the memory; a window's result does not depend on it.
    """
    parts = (windows.audio, windows.tokens, windows.audio_mask, windows.mask)
    return jax.lax.map(lambda part: model.speaker(*part), parts, batch_size=at_once)


def generate(
    model: ReactPredictor,
    audio: Float[Array, "batch audio 512"] | Int[Array, "batch audio"],
    speaker_codes: Int[Array, "batch frames"],
    sampling: Sampling,
    keys: jax.Array | None,
    num_samples: int,
    windows_at_once: int = 4,
) -> Int[Array, "batch samples frames"]:
    """Codes of `num_samples` reactions to each clip.

    `keys` (batch, samples) are random keys, `None` for argmax. With the vocabulary "codes" every
    code is in [0, config.codes); with "full" in [-2, vocab_size). Any number of frames is allowed;
    where it is no multiple of the patch, the last patch is cut.
    """
    config = model.config
    sampling = replace(sampling, temperature=sampling.temperature * config.temperature)
    windows = speaker_windows(audio, speaker_codes, config)
    memory = encode_speaker(model, windows, windows_at_once)
    batch, frames = speaker_codes.shape
    length, patch = config.block_size, config.patch_size

    def predict(history, memory, speaker_mask, seen):
        """Logits (batch, patch, vocabulary) of the patch after `history` (batch, length), which is
        filled in its last `seen` steps at most."""
        past, memory, speaker_mask = (
            part[:, length - seen :] for part in (history, memory, speaker_mask)
        )
        hidden = model.listener(
            past, memory, past != PAD, speaker_mask, start=length - seen, last=patch
        )
        return model.lm_head(hidden)

    def choose(logits, keys, index):
        """Tokens (batch, patch) of one sample."""
        if keys is None:
            return draw(logits, sampling, config.codes, None)
        keys = jax.vmap(jax.random.fold_in, (0, None))(keys, index)
        return jax.vmap(lambda rows, key: draw(rows, sampling, config.codes, key))(logits, keys)

    sample_keys = None if keys is None else jnp.moveaxis(keys, 1, 0)
    choose_all = jax.vmap(choose, (0, None if keys is None else 0, None))

    def step(history, inputs, seen):
        index, memory, speaker_mask = inputs
        logits = jax.vmap(predict, (0, None, None, None))(history, memory, speaker_mask, seen)
        tokens = choose_all(logits, sample_keys, index)
        return jnp.concatenate([history[..., patch:], tokens], axis=-1), tokens

    # In the first window no sample has a past yet: one prediction serves all of them. The barrier
    # keeps XLA from folding this constant past through the whole model, which costs minutes of
    # compilation.
    empty = jax.lax.optimization_barrier(jnp.full((batch, length), PAD, speaker_codes.dtype))
    logits = predict(empty, memory[0], windows.mask[0], length)
    shared = jnp.broadcast_to(logits, (num_samples, *logits.shape))
    tokens = [choose_all(shared, sample_keys, 0)[None]]
    history = jnp.broadcast_to(empty, (num_samples, batch, length))
    history = jnp.concatenate([history[..., patch:], tokens[0][0]], axis=-1)

    inputs = (jnp.arange(memory.shape[0]), memory, windows.mask)
    for first, last, seen in _stages(memory.shape[0], config, sampling):
        part = jax.tree.map(lambda x, a=first, b=last: x[a:b], inputs)
        history, made = jax.lax.scan(lambda h, x, n=seen: step(h, x, n), history, part)
        tokens.append(made)
    made = jnp.moveaxis(jnp.concatenate(tokens), 0, 2)  # (samples, batch, windows, patch)
    codes = made.reshape(num_samples, batch, -1)[..., :frames] - SPECIAL_TOKENS
    return jnp.moveaxis(codes, 0, 1)


def _stages(windows: int, config, sampling: Sampling) -> list[tuple[int, int, int]]:
    """Ranges of windows after the first, and the positions of the listener's past they need.

    While less than half of the past is filled, the other half is padding that nothing attends to
    (if PAD cannot be drawn). Finer ranges would save 5 % of the time, but each is compiled anew.
    """
    length, half = config.block_size, config.block_size // 2
    filled = half // config.patch_size
    if sampling.vocabulary == "full" or half % config.patch_size:
        cuts = [(1, windows, length)]
    else:
        cuts = [(1, min(filled + 1, windows), half), (filled + 1, windows, length)]
    return [cut for cut in cuts if cut[0] < cut[1]]
