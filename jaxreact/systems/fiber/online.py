"""FIBER online: the listener's next frames from what the speaker has said and shown until now.

The original's windows hold the speaker's code of the first frame that is answered, which its
tokenizer decides by the 31 frames after it. Here nothing is known of what comes: a step's frames
are answered by those before it, which is also how the model was trained (behaviour 51).

A step may be shorter than the patch that is predicted: the patch's first frames are shown, then it
is predicted again. Codes come in blocks of frames that see each other, and a window is to be made
of whole blocks that end where it ends, the speaker's and the listener's. So there is a row of codes
for each way to cut time into blocks at steps; the blocks of one row are computed in turn, one at
each step: of the listener's face as it was shown.
"""

from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxreact.audio_features.sliding import Sound
from jaxreact.errors import ArgumentError
from jaxreact.face import COEFFS
from jaxreact.systems.fiber.config import (
    AUDIO_FEATURES,
    AUDIO_RATE,
    PAD,
    SPECIAL_TOKENS,
)
from jaxreact.systems.fiber.generation import State, respond
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.sampling import Sampling


@dataclass(frozen=True)
class Sizes:
    """What a step of FIBER is. Raises ArgumentError for a step that fits no patch or no block."""

    step: int
    """Frames that it takes and gives."""
    block: int
    """Of the tokenizer's blocks."""
    patch: int
    window: int

    def __post_init__(self) -> None:
        possible = [n for n in range(1, min(self.patch, self.block) + 1) if self.block % n == 0]
        if self.step not in possible:
            raise ArgumentError(
                f"a step of {self.step} frames; patches of {self.patch} and blocks of {self.block}"
                f" allow {', '.join(map(str, possible))}"
            )

    @property
    def steps(self) -> int:
        """That fill a window."""
        return -(-self.window // self.step)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Streams:
    """FIBER between two steps of some streams, which may stand at different frames."""

    frames: Int[Array, "streams"]
    """How many of the speaker's were seen; -step before the first step, which sees none."""
    sound: Sound
    features: Float[Array, "streams audio 512"]
    """Of the last window."""
    face: Float[Array, "streams block 58"]
    """Mean-subtracted, of the tokenizer's last block."""
    tokens: Int[Array, "streams cuts window"]
    """Of the last window, by each way to cut time into blocks; the first is the next to go on."""
    shown: Float[Array, "streams samples block 58"]
    """The listeners' faces, likewise."""
    past: Int[Array, "streams samples cuts window"]
    """Their tokens, likewise; where steps are blocks, the codes that were drawn."""
    listener: State
    temperature: Float[Array, "streams"]
    sampling: Sampling = field(metadata={"static": True})
    """The rest of how tokens are drawn."""


def start(
    sizes: Sizes, sound: Sound, listener: State, temperature: float, sampling: Sampling
) -> Streams:
    """Before the first step, in which nothing is heard or seen yet."""
    streams, samples, window = listener.past.shape
    cuts = sizes.block // sizes.step
    return Streams(
        jnp.full(streams, -sizes.step, jnp.int32),
        replace(sound, steps=sound.steps - 1),
        jnp.zeros((streams, AUDIO_RATE * window, AUDIO_FEATURES)),
        jnp.zeros((streams, sizes.block, COEFFS)),
        jnp.full((streams, cuts, window), PAD, jnp.int32),
        jnp.zeros((streams, samples, sizes.block, COEFFS)),
        jnp.full((streams, samples, cuts, window), PAD, jnp.int32),
        listener,
        jnp.full(streams, temperature, jnp.float32),
        sampling,
    )


def seen(
    state: Streams, coeffs: Float[Array, "streams step 58"]
) -> Float[Array, "streams block 58"]:
    """The speaker's last block of frames; before the beginning is the first face."""
    return _longer(state.face, coeffs, state.frames <= 0)


def _longer(
    block: Float[Array, "streams *samples block 58"],
    new: Float[Array, "streams *samples step 58"],
    is_first: Bool[Array, "streams"],
) -> Float[Array, "streams *samples block 58"]:
    """The last block with new frames, of which the first stands for those before the beginning."""
    first = is_first.reshape(-1, *(1,) * (block.ndim - 1))
    before = jnp.where(first, new[..., :1, :], block)
    return jnp.concatenate([before, new], axis=-2)[..., new.shape[-2] :, :]


def heard(
    state: Streams, waveform: Float[Array, "streams samples"]
) -> Float[Array, "streams samples"]:
    """A step's sound; before the beginning is silence."""
    return jnp.where((state.frames >= 0)[:, None], waveform, 0.0)


def observe(
    state: Streams,
    sound: Sound,
    features: Float[Array, "streams new 512"],
    face: Float[Array, "streams block 58"],
    codes: Int[Array, "streams block"],
) -> Streams:
    """The state after a step of the speaker, whose features and last block's codes are given."""
    frames = state.frames + codes.shape[1] // state.tokens.shape[1]
    return replace(
        state,
        frames=frames,
        sound=sound,
        features=jnp.concatenate([state.features, features], axis=1)[:, features.shape[1] :],
        face=face,
        tokens=_turned(state.tokens, codes, frames),
    )


def _turned(
    rows: Int[Array, "streams *samples cuts window"],
    codes: Int[Array, "streams *samples block"],
    frames: Int[Array, "streams"],
) -> Int[Array, "streams *samples cuts window"]:
    """The rows when the first has gone on by a block, and is the last one now. `frames`: how many
    there were of each stream; before these is nothing."""
    window = rows.shape[-1]
    row = jnp.concatenate([rows[..., 0, :], codes + SPECIAL_TOKENS], axis=-1)[..., -window:]
    known = frames.reshape(-1, *(1,) * (row.ndim - 1))
    row = jnp.where(jnp.arange(window) >= window - known, row, PAD)
    return jnp.concatenate([rows[..., 1:, :], row[..., None, :]], axis=-2)


def show(
    state: Streams, coeffs: Float[Array, "streams samples step 58"]
) -> Float[Array, "streams samples block 58"]:
    """The listeners' last block of frames, with those of an answer."""
    return _longer(state.shown, coeffs, state.frames <= 0)


def remember(
    state: Streams,
    shown: Float[Array, "streams samples block 58"],
    codes: Int[Array, "streams samples block"],
) -> Streams:
    """The state after a step's answer was shown, whose last block's codes are given."""
    step = shown.shape[2] // state.past.shape[2]
    past = _turned(state.past, codes, state.frames + step)
    listener = replace(state.listener, past=past[:, :, -1])
    return replace(state, shown=shown, past=past, listener=listener)


def answer(
    model: ReactPredictor, state: Streams
) -> tuple[Streams, Int[Array, "streams samples block"]]:
    """The state after the listener's next step, and codes that hold it from `first_shown` on."""
    cuts, window = state.tokens.shape[1:]
    block = state.face.shape[1]
    tokens = state.tokens[:, -1]
    steps = AUDIO_RATE * window
    heard = jnp.arange(steps) >= steps - AUDIO_RATE * state.frames[:, None]
    memory = model.speaker(state.features, tokens, heard, tokens != PAD)
    listener, patch = respond(
        model,
        state.listener,
        memory,
        tokens != PAD,
        state.sampling,
        shown=block // cuts,
        heat=state.temperature,
    )
    if patch.shape[-1] >= block:
        shown = patch[..., :block]
    else:
        past = state.listener.past
        past = jnp.where(past == PAD, patch[..., :1], past)
        shown = jnp.concatenate([past, patch], axis=-1)[..., -block:]
    return replace(state, listener=listener), shown - SPECIAL_TOKENS


def first_shown(block: int, patch: int) -> int:
    """Where in the codes of `answer` the step begins."""
    return max(block - patch, 0)
