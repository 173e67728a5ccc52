"""Generating a listener's codes, one for each patch of 8 frames, for many clips and samples.

    state = start(predictor, coder, streams, samples, keys)
    state, codes = advance(predictor, coder, state, windows, sampling)    # of the next patches

A step sees the speaker's frames up to and including those of its own patch, and the last four
codes of the listener. What the speaker alone decides does not wait for the listener: for whole
clips it is computed for many steps in one batch, once for all samples.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Shaped

from jaxreact.systems.learning2listen.coder import MotionCoder
from jaxreact.systems.learning2listen.config import CODES, PATCH, SPEAKER_FRAMES, WINDOW
from jaxreact.systems.learning2listen.predictor import ListenerPredictor
from jaxreact.systems.sampling import Sampling, truncate


class Decoded(NamedTuple):
    """What the last four codes are decoded to, and that is encoded to again (L11)."""

    motion: Float[Array, "streams samples 32 channels"]
    """Normalised; before the first patch the mean face (L13)."""
    codes: Int[Array, "streams samples 4"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """The listeners of some streams between two patches."""

    past: Int[Array, "streams samples 4"]
    """The last codes."""
    patches: Int[Array, ""]
    """How many patches there were."""
    keys: jax.Array | None
    """Random keys (streams, samples); None takes the most likely codes."""
    decoded: Decoded | None = None
    """Only in the mode "original", in which steps see its codes instead of the last ones."""


class Generated(NamedTuple):
    """Reactions to whole clips."""

    codes: Int[Array, "streams samples codes"]
    """Four of stillness, then one for each patch of 8 frames after the first 32."""
    motion: Float[Array, "streams samples frames channels"] | None
    """Normalised, of each four codes after the other; only in the mode "original", which decodes
    them in any case."""


def start(
    predictor: ListenerPredictor,
    coder: MotionCoder,
    streams: int,
    samples: int,
    keys: jax.Array | None,
) -> State:
    """The state before the first patch: the mean face has stood still."""
    past = jnp.broadcast_to(coder.of_stillness(), (streams, samples, CODES))
    decoded = None
    if predictor.config.mode == "original":
        decoded = Decoded(jnp.zeros((streams, samples, WINDOW, coder.config.in_dim)), past)
    return State(past, jnp.zeros((), jnp.int32), keys, decoded)


def advance(
    predictor: ListenerPredictor,
    coder: MotionCoder,
    state: State,
    speaker: Float[Array, "patches streams 5 hidden"],
    sampling: Sampling,
) -> tuple[State, Int[Array, "streams samples patches"]]:
    """The state after the next patches, and their codes, from the speaker's branch of each."""

    def step(state: State, speaker: jax.Array) -> tuple[State, jax.Array]:
        return respond(predictor, coder, state, speaker, sampling)

    state, codes = jax.lax.scan(step, state, speaker)
    return state, jnp.moveaxis(codes, 0, -1)


def respond(
    predictor: ListenerPredictor,
    coder: MotionCoder,
    state: State,
    speaker: Float[Array, "streams 5 hidden"],
    sampling: Sampling,
) -> tuple[State, Int[Array, "streams samples"]]:
    """The state after one patch, and its codes."""
    streams, samples, _ = state.past.shape
    logits = first_logits(predictor, state, speaker)
    codes = _choose(logits.reshape(streams, samples, -1), state, sampling)
    past = jnp.concatenate([state.past[..., 1:], codes[..., None]], axis=-1)
    decoded = None if state.decoded is None else _decoded(coder, past)
    return State(past, state.patches + 1, state.keys, decoded), codes


def first_logits(
    predictor: ListenerPredictor, state: State, speaker: Float[Array, "streams 5 hidden"]
) -> Float[Array, "rows codes"]:
    """Logits of the next code; a row for each sample of each stream.

    Of the past as many codes are seen as there were patches.
    """
    seen = state.past if state.decoded is None else state.decoded.codes
    each = jnp.repeat(speaker, seen.shape[1], axis=0)
    return predictor.logits(each, seen.reshape(-1, CODES), state.patches, only_first=True)[:, 0]


def _decoded(coder: MotionCoder, past: Int[Array, "streams samples 4"]) -> Decoded:
    motion = coder.decode(past.reshape(-1, CODES))
    codes = coder.encode(motion).reshape(past.shape)
    return Decoded(motion.reshape(*past.shape[:2], *motion.shape[1:]), codes)


def _choose(
    logits: Float[Array, "streams samples codes"], state: State, sampling: Sampling
) -> Int[Array, "streams samples"]:
    """A code for each sample; its randomness is its own key folded with the patch's number."""
    if sampling.top_k == 1 or state.keys is None:
        return jnp.argmax(logits, axis=-1)
    keys = jax.vmap(jax.vmap(jax.random.fold_in, (0, None)), (0, None))(state.keys, state.patches)
    return jax.vmap(jax.vmap(jax.random.categorical))(keys, truncate(logits, sampling))


def speaker_branch(
    predictor: ListenerPredictor,
    motion: Float[Array, "streams frames channels"],
    audio: Float[Array, "streams steps features"],
    at_once: int = 8,
) -> Float[Array, "patches streams 5 hidden"]:
    """The speaker's branch of every patch after the first 32 frames, `at_once` patches in a batch.

    Motion and audio are normalised, `audio_rate` steps a frame. In the mode "original" the sound is
    cut at a step's frame, as if there were one a frame: it lags more and more (L12).
    """
    config, streams = predictor.config, len(motion)
    rate = 1 if config.mode == "original" else config.audio_rate

    def cut(x: jax.Array, begins: jax.Array, length: int) -> jax.Array:
        places = begins[:, None] + jnp.arange(length)
        return jnp.moveaxis(x[:, places], 1, 0).reshape(-1, length, x.shape[-1])

    def branch(begins: Int[Array, "patches"]) -> jax.Array:
        heard = cut(audio, begins * rate, SPEAKER_FRAMES * config.audio_rate)
        made = predictor.speaker(cut(motion, begins, SPEAKER_FRAMES), heard)[0]
        return made.reshape(len(begins), streams, *made.shape[1:])

    return _in_parts(branch, jnp.arange(0, motion.shape[1] - WINDOW, PATCH), at_once)


def generate(
    predictor: ListenerPredictor,
    coder: MotionCoder,
    motion: Float[Array, "streams frames channels"],
    audio: Float[Array, "streams steps features"],
    sampling: Sampling,
    keys: jax.Array | None,
    samples: int,
) -> Generated:
    """Some reactions to each clip. Frames are 32 and a multiple of 8; in the mode "original" of
    32."""
    speaker = speaker_branch(predictor, motion, audio)
    begin = start(predictor, coder, len(motion), samples, keys)
    if begin.decoded is None:
        codes = advance(predictor, coder, begin, speaker, sampling)[1]
        return Generated(jnp.concatenate([begin.past, codes], axis=-1), None)

    def window(state: State, speaker: jax.Array) -> tuple[State, tuple[jax.Array, jax.Array]]:
        state = advance(predictor, coder, state, speaker, sampling)[0]
        assert state.decoded is not None
        return state, (state.past, state.decoded.motion)

    by_four = speaker.reshape(-1, CODES, *speaker.shape[1:])
    codes, made = jax.lax.scan(window, begin, by_four)[1]
    return Generated(_joined(begin.past, codes), _joined(begin.decoded.motion, made))


def _joined(
    first: Shaped[Array, "streams samples times ..."],
    others: Shaped[Array, "windows streams samples times ..."],
) -> Shaped[Array, "streams samples all ..."]:
    """All windows one after the other."""
    windows = jnp.moveaxis(jnp.concatenate([first[None], others]), 0, 2)
    return windows.reshape(*first.shape[:2], -1, *first.shape[3:])


def in_blocks(
    coder: MotionCoder, codes: Int[Array, "rows codes"], at_once: int | None = None
) -> Float[Array, "rows frames channels"]:
    """Normalised motion, four codes after the other as 32 frames: a seam at each joint."""
    motion = _in_parts(coder.decode, codes.reshape(-1, CODES), at_once or _windows_at_once())
    return motion.reshape(len(codes), -1, motion.shape[-1])


def sliding(
    coder: MotionCoder, codes: Int[Array, "rows codes"], at_once: int | None = None
) -> Float[Array, "rows frames channels"]:
    """Normalised motion: of each four neighbouring codes the last 8 frames, so that all frames know
    the 24 before them. The first three codes are only context."""
    count = codes.shape[1] - CODES + 1
    windows = codes[:, jnp.arange(count)[:, None] + jnp.arange(CODES)].reshape(-1, CODES)
    motion = _in_parts(coder.decode_last, windows, at_once or _windows_at_once())
    return motion.reshape(len(codes), count * PATCH, -1)


def _windows_at_once() -> int:
    """Windows that are decoded together: on a processor what fits its caches."""
    return 32 if jax.default_backend() == "cpu" else 512


def _in_parts(
    function: Callable[[jax.Array], jax.Array], rows: Shaped[Array, "rows ..."], at_once: int
) -> Shaped[Array, "rows ..."]:
    """`function` of so many rows at a time. The last part is filled up, so that one size of them is
    compiled."""
    size = min(at_once, len(rows))
    beside = ((0, -len(rows) % size), *((0, 0),) * (rows.ndim - 1))
    parts = jnp.pad(rows, beside).reshape(-1, size, *rows.shape[1:])
    made = jax.lax.map(function, parts)
    return made.reshape(-1, *made.shape[2:])[: len(rows)]
