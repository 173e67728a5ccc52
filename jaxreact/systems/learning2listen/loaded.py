"""Learning2Listen's two models, trained or converted, as compiled functions."""

from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxreact import runs
from jaxreact.nn.compiled import Compiled, Given
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.systems.learning2listen import generation
from jaxreact.systems.learning2listen.coder import MotionCoder
from jaxreact.systems.learning2listen.config import CODES, PATCH, WINDOW
from jaxreact.systems.learning2listen.generation import State
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.learning2listen.predictor import ListenerPredictor
from jaxreact.systems.sampling import Sampling
from jaxreact.variables import variables_of


class Pair(nnx.Module):
    """Both models."""

    def __init__(self, coder: MotionCoder, listener: ListenerPredictor):
        self.coder, self.listener = coder, listener
        self.config = listener.config


class Heard(NamedTuple):
    """What is kept of some streams between two steps."""

    motion: Float[Array, "streams 32 channels"]
    """The speaker's last frames, normalised; zeros before the first."""
    audio: Float[Array, "streams steps features"]
    """Of the same frames; before the first, of silence."""
    listener: State


class LoadedPair(Compiled):
    """Speakers' raw motion and audio channels -> listeners' raw motion."""

    @cached_property
    def _answer(self) -> Any:
        return self._jit(_answer, static_argnames=("sampling", "samples"))

    @cached_property
    def _start(self) -> Any:
        return self._jit(_start, static_argnames=("streams", "samples"))

    @cached_property
    def _advance(self) -> Any:
        return self._jit(_advance, static_argnames="sampling")

    def answer(
        self,
        motion: Float[Given, "batch frames channels"],
        audio: Float[Given, "batch steps features"],
        sampling: Sampling,
        keys: jax.Array | None,
        samples: int,
    ) -> Float[Array, "batch samples frames listener"]:
        """Raw motion of some reactions to whole clips; a program is compiled for each length.

        Frames are as the mode wants them: corrected, a multiple of 8; original, of 32, 64 or more,
        of which the first 32 are answered by the mean face (L13).
        """
        return self._answer(motion, audio, keys, sampling=self._own(sampling), samples=samples)

    def start(self, streams: int, samples: int, keys: jax.Array | None) -> Heard:
        """Before the first frame."""
        return self._start(keys, streams=streams, samples=samples)

    def advance(
        self,
        state: Heard,
        motion: Float[Given, "streams 8 channels"],
        audio: Float[Given, "streams steps features"],
        sampling: Sampling,
    ) -> tuple[Heard, Float[Array, "streams samples 8 listener"]]:
        """The state after the next patch, and raw motion of the answers to it."""
        return self._advance(state, motion, audio, sampling=self._own(sampling))

    def _own(self, sampling: Sampling) -> Sampling:
        """With the model's own options where none are given."""
        return sampling.of_model(self.config.temperature, self.config.top_p)

    def fingerprints(self) -> dict[str, str]:
        """Of both models."""
        pair = nnx.merge(self._graph, self._state)
        models = {"vqvae": pair.coder, "predictor": pair.listener}
        return {
            name: fingerprint(model.config, variables_of(model)) for name, model in models.items()
        }

    @property
    def coder_config(self) -> Any:
        """The VQ-VAE's configuration."""
        return nnx.merge(self._graph, self._state).coder.config

    @property
    def mean_motion(self) -> Float[Array, "channels"]:
        """What the speaker's raw motion is on the average of the training data."""
        return nnx.merge(self._graph, self._state).listener.statistics.motion.mean[...]


def _normalised(
    pair: Pair, motion: jax.Array, audio: jax.Array, before: int = 0
) -> tuple[jax.Array, jax.Array]:
    """Both inputs, so many frames of the mean face and of silence before them."""
    known, steps = pair.listener.statistics, before * pair.config.audio_rate
    audio = jnp.pad(audio, ((0, 0), (steps, 0), (0, 0)))
    motion = jnp.pad(known.motion(motion), ((0, 0), (before, 0), (0, 0)))
    return motion, known.audio(audio)


def _answer(
    pair: Pair,
    motion: jax.Array,
    audio: jax.Array,
    keys: jax.Array | None,
    sampling: Sampling,
    samples: int,
) -> jax.Array:
    config = pair.config
    original = config.mode == "original"
    motion, audio = _normalised(pair, motion, audio, 0 if original else WINDOW)
    given = (motion, audio, sampling, keys, samples)
    codes, made = generation.generate(pair.listener, pair.coder, *given)
    if made is None:
        decoded = _decoded(pair.coder, codes.reshape(-1, codes.shape[-1]))
        made = decoded.reshape(*codes.shape[:2], *decoded.shape[1:])
    return pair.coder.statistics.inverse(made)


def _decoded(
    coder: MotionCoder, codes: Int[Array, "rows codes"]
) -> Float[Array, "rows frames channels"]:
    """Normalised motion of codes that begin with four of stillness."""
    if coder.config.code_layout == "time":
        return generation.sliding(coder, codes[:, 1:])
    # Codes that stand for groups of channels mean something by fours only.
    missing = -codes.shape[1] % CODES
    whole = jnp.pad(codes[:, CODES:], ((0, 0), (0, missing)), mode="edge")
    return generation.in_blocks(coder, whole)[:, : (codes.shape[1] - CODES) * PATCH]


def _start(pair: Pair, keys: jax.Array | None, streams: int, samples: int) -> Heard:
    config = pair.config
    nothing = jnp.zeros((streams, 0, config.motion_dim)), jnp.zeros((streams, 0, config.audio_dim))
    listener = generation.start(pair.listener, pair.coder, streams, samples, keys)
    return Heard(*_normalised(pair, *nothing, before=WINDOW), listener)


def _advance(
    pair: Pair, state: Heard, motion: jax.Array, audio: jax.Array, sampling: Sampling
) -> tuple[Heard, jax.Array]:
    config = pair.config
    motion, audio = _normalised(pair, motion, audio)
    motion = jnp.concatenate([state.motion, motion], axis=1)
    audio = jnp.concatenate([state.audio, audio], axis=1)
    speaker = pair.listener.speaker(motion, audio)[0]
    listener, _ = generation.respond(pair.listener, pair.coder, state.listener, speaker, sampling)
    past = listener.past.reshape(-1, CODES)
    raw = pair.coder.statistics.inverse(generation.sliding(pair.coder, past))
    steps = PATCH * config.audio_rate
    heard = Heard(motion[:, PATCH:], audio[:, steps:], listener)
    return heard, raw.reshape(*listener.past.shape[:2], *raw.shape[1:])


def load_pair(coder: str | Path, listener: str | Path) -> LoadedPair:
    """Both models of their run directories. Raises UserError where one is none."""
    model, content = runs.load_model(listener, LISTENER)
    return LoadedPair(Pair(runs.load_model(coder, CODER)[0], model), content, listener)
