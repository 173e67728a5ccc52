"""Generating a listener's codes, patch by patch, for any number of streams at once.

    state = start(config, streams, samples, keys)
    state, tokens = respond(model, state, memory, mask, sampling)     # of the next patch

At patch w the model sees the speaker's frames up to and including i = w * patch_size, one frame
more than in training (behaviour 51), and the listener's own past up to i - 1; windows are right
aligned and padded on the left. It predicts the listener's frames i .. i + patch_size - 1 at once.

`generate` is the scan of `respond` over a whole clip. What depends on the speaker alone does not
wait for the listener: it is computed for several windows in one batch, once for all samples.
"""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxreact.systems.fiber.config import PAD, SPECIAL_TOKENS, PredictorConfig
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.fiber.windows import Window, speaker_windows
from jaxreact.systems.sampling import Sampling, truncate


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """The listeners of some streams between two patches; streams may stand at different ones."""

    past: Int[Array, "streams samples time"]
    """Tokens of the last `block_size` frames, PAD before a stream's first."""
    patches: Int[Array, "streams"]
    """How many patches each stream has."""
    keys: jax.Array | None
    """Random keys (streams, samples); None takes the most likely tokens."""
    traits: Float[Array, "streams 5"] | None = None
    """Of a model that knows who listens: their Big Five, as `checked_traits` gives them."""


def start(
    config: PredictorConfig,
    streams: int,
    samples: int,
    keys: jax.Array | None,
    traits: Float[Array, "streams 5"] | None = None,
) -> State:
    """The state before the first patch."""
    # The barrier keeps XLA from folding this constant past through the whole model, which costs
    # minutes of compilation.
    past = jax.lax.optimization_barrier(
        jnp.full((streams, samples, config.block_size), PAD, jnp.int32)
    )
    return State(past, jnp.zeros(streams, jnp.int32), keys, traits)


def respond(
    model: ReactPredictor,
    state: State,
    memory: Float[Array, "streams time n_embd"],
    speaker_mask: Bool[Array, "streams time"],
    sampling: Sampling,
    seen: int | None = None,
    alike: bool = False,
    shown: int | None = None,
    heat: Float[Array, "streams"] | None = None,
) -> tuple[State, Int[Array, "streams samples patch"]]:
    """The state after the next patch, and its tokens, from the speaker's side of its window.

    `seen`: so many last positions of the past are looked at, where the others are known to be
    empty. `alike`: all samples are known to have one past, so that one prediction serves them.
    `shown`: so many frames of the patch come to pass, and the rest is predicted again. `heat`: a
    temperature of each stream, instead of `sampling`'s.
    """
    config = model.config
    length, patch = config.block_size, config.patch_size
    first = 0 if seen is None else length - seen

    def predict(past: Int[Array, "streams time"]) -> Float[Array, "streams patch vocabulary"]:
        past = past[:, first:]
        hidden = model.listener(
            past,
            memory[:, first:],
            past != PAD,
            speaker_mask[:, first:],
            start=first,
            last=patch,
            traits=state.traits,
        )
        return model.lm_head(hidden).astype(jnp.float32)  # too fine a choice for bfloat16

    if alike:
        logits = predict(state.past[:, 0])[:, None]  # (streams, 1, patch, vocabulary)
        samples = state.past.shape[1]
        logits = jnp.broadcast_to(logits, (logits.shape[0], samples, *logits.shape[2:]))
    else:
        logits = jax.vmap(predict, 1, 1)(state.past)  # (streams, samples, patch, vocabulary)
    if heat is not None:
        logits, sampling = logits / heat[:, None, None, None], replace(sampling, temperature=1.0)
    tokens = _choose(logits, state, sampling.of_model(config.temperature), config.codes)
    past = jnp.concatenate([state.past, tokens[..., :shown]], axis=-1)[..., -length:]
    return replace(state, past=past, patches=state.patches + 1), tokens


def _choose(
    logits: Float[Array, "streams samples patch vocabulary"],
    state: State,
    sampling: Sampling,
    codes: int,
) -> Int[Array, "streams samples patch"]:
    """Tokens of a patch; a sample's randomness is its own key folded with the patch's number."""
    if state.keys is None:
        return draw(logits, sampling, codes, None)

    def choose(rows: jax.Array, key: jax.Array, number: jax.Array) -> jax.Array:
        return draw(rows, sampling, codes, jax.random.fold_in(key, number))

    return jax.vmap(jax.vmap(choose, (0, 0, None)))(logits, state.keys, state.patches)


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


def generate(
    model: ReactPredictor,
    audio: Float[Array, "batch audio 512"] | Int[Array, "batch audio"],
    speaker_codes: Int[Array, "batch frames"],
    sampling: Sampling,
    keys: jax.Array | None,
    num_samples: int,
    windows_at_once: int = 4,
    traits: Float[Array, "batch 5"] | None = None,
) -> Int[Array, "batch samples frames"]:
    """Codes of `num_samples` reactions to each clip.

    `keys` (batch, samples) are random keys, `None` for argmax. Any number of frames is allowed;
    where it is no multiple of the patch, the last patch is cut. `windows_at_once` bounds the memory
    of the speaker's side; the result does not depend on it. With the vocabulary "codes" every
    code is in [0, config.codes); with "full" in [-2, vocab_size). `traits` are those of
    `checked_traits`.
    """
    windows = speaker_windows(audio, speaker_codes, model.config)
    memory = encode_speaker(model, windows, windows_at_once)
    batch, frames = speaker_codes.shape
    state = start(model.config, batch, num_samples, keys, traits)
    # In the first window no sample has a past yet.
    state, tokens = respond(model, state, memory[0], windows.mask[0], sampling, alike=True)
    patches = [tokens[None]]
    for begin, end, seen in _segments(memory.shape[0], model.config, sampling):

        def step(state: State, window: tuple[jax.Array, jax.Array], seen: int = seen):
            return respond(model, state, *window, sampling, seen)

        state, tokens = jax.lax.scan(step, state, (memory[begin:end], windows.mask[begin:end]))
        patches.append(tokens)
    return _as_codes(jnp.concatenate(patches))[..., :frames]


def _as_codes(
    tokens: Int[Array, "patches streams samples patch"],
) -> Int[Array, "streams samples frames"]:
    tokens = jnp.moveaxis(tokens, 0, 2)  # (streams, samples, patches, patch)
    return tokens.reshape(*tokens.shape[:2], -1) - SPECIAL_TOKENS


def encode_speaker(
    model: ReactPredictor, windows: Window, at_once: int
) -> Float[Array, "windows batch time n_embd"]:
    """The speaker's side of the model for all windows, `at_once` windows in one batch."""
    return jax.lax.map(
        lambda w: model.speaker(w.audio, w.tokens, w.audio_mask, w.mask),
        windows,
        batch_size=at_once,
    )


def _segments(
    windows: int, config: PredictorConfig, sampling: Sampling
) -> list[tuple[int, int, int]]:
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
