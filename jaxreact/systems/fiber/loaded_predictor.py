"""A trained or converted predictor."""

import warnings
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxreact import runs
from jaxreact.nn.compiled import Compiled, Given
from jaxreact.systems.fiber import generation, online
from jaxreact.systems.fiber.generation import State
from jaxreact.systems.fiber.kinds import PREDICTOR
from jaxreact.systems.fiber.online import Streams
from jaxreact.systems.fiber.traits import checked_traits
from jaxreact.systems.sampling import Sampling, Vocabulary, sample_keys


class Predictor(Compiled):
    """The listener's reaction to a speaker, as codes."""

    @cached_property
    def _logits(self) -> Any:
        return self._jit(lambda model, *inputs: model(*inputs))

    @cached_property
    def _generate(self) -> Any:
        return self._jit(
            generation.generate, static_argnames=("sampling", "num_samples", "windows_at_once")
        )

    @cached_property
    def _answer(self) -> Any:
        return self._jit(online.answer)

    def logits(
        self,
        audio_features: Float[Given, "batch audio 512"] | Int[Given, "batch audio"],
        speaker_tokens: Int[Given, "batch time"],
        listener_tokens: Int[Given, "batch time"],
        audio_mask: Bool[Given, "batch audio"] | None = None,
        speaker_mask: Bool[Given, "batch time"] | None = None,
        listener_mask: Bool[Given, "batch time"] | None = None,
        traits: Float[Given, "*batch 5"] | None = None,
    ) -> Float[Array, "batch time vocabulary"]:
        """Logits of one window of `block_size` frames, without dropout.

        Tokens are 0 PAD, 1 MASK, code + 2; masks are True where attended; audio has two features a
        frame (`sound_factor` tokens in sound-token mode). Position t speaks of frame
        t + patch_size. `traits`: the listeners' Big Five, as `checked_traits` takes them. Raises
        ValueError where lengths do not fit each other.
        """
        audio, speaker = jnp.asarray(audio_features), jnp.asarray(speaker_tokens)
        listener, factor = jnp.asarray(listener_tokens), self.config.audio_factor
        batch, time = speaker.shape
        if speaker.shape != listener.shape or audio.shape[:2] != (batch, factor * time):
            raise ValueError(
                f"audio {audio.shape}, speaker {speaker.shape} and listener {listener.shape} do not"
                f" fit: expected (B, {factor} N, ...), (B, N), (B, N)"
            )
        masks = {
            "audio_mask": (audio_mask, (batch, factor * time)),
            "speaker_mask": (speaker_mask, (batch, time)),
            "listener_mask": (listener_mask, (batch, time)),
        }
        for name, (mask, shape) in masks.items():
            if mask is not None and mask.shape != shape:
                raise ValueError(f"{name} is {mask.shape}, expected {shape}")
        if time > self.config.block_size:
            raise ValueError(f"{time} frames are more than the block of {self.config.block_size}")
        inputs = (audio, speaker, listener, audio_mask, speaker_mask, listener_mask, None)
        return self._logits(*inputs, checked_traits(self.config, traits, batch))

    def generate(
        self,
        audio_features: Float[Given, "batch audio 512"] | Int[Given, "batch audio"],
        speaker_codes: Int[Given, "batch time"],
        num_samples: int = 10,
        temperature: float | None = None,
        top_k: int | None = 512,
        vocabulary: Vocabulary = "codes",
        key: jax.Array | None = None,
        top_p: float | None = None,
        traits: Float[Given, "*batch 5"] | None = None,
    ) -> Int[Array, "batch num_samples time"]:
        """Codes of `num_samples` reactions to each clip.

        Audio has 2 T or 2 T - 1 features for T frames of codes. `top_k=1` is argmax and needs no
        key. `key` is one key, or one for each clip: then a clip's reactions do not depend on which
        clips are generated beside it. `traits`: the listeners' Big Five, as `checked_traits` takes
        them. See `Sampling` for the rest. Warns where codes are drawn that nobody has said the
        tokenizer has.
        """
        codes = jnp.asarray(speaker_codes, jnp.int32)
        sampling = Sampling(temperature, top_k, vocabulary, top_p)
        self._check_codebook(sampling)
        return self._generate(
            jnp.asarray(audio_features),
            codes,
            sampling=sampling,
            keys=sample_keys(sampling, key, len(codes), num_samples),
            num_samples=num_samples,
            traits=checked_traits(self.config, traits, len(codes)),
        )

    def start(
        self,
        streams: int,
        num_samples: int,
        sampling: Sampling,
        key: jax.Array | None = None,
        traits: Float[Given, "*streams 5"] | None = None,
    ) -> State:
        """Listeners before the first step; `key` and `traits` as `generate` takes them, with
        streams for clips."""
        self._check_codebook(sampling)
        keys = sample_keys(sampling, key, streams, num_samples)
        person = checked_traits(self.config, traits, streams)
        return generation.start(self.config, streams, num_samples, keys, person)

    def answer(self, state: Streams) -> tuple[Streams, Int[Array, "streams samples block"]]:
        """As `online.answer`."""
        return self._answer(state)

    def _check_codebook(self, sampling: Sampling) -> None:
        if sampling.vocabulary == "codes" and self.config.codebook_size is None:
            warnings.warn(
                f"{self.directory}: does not know how many codes its tokenizer has, so that any of "
                f"{self.config.vocab_size} may be drawn; load it with codebook_size=",
                stacklevel=3,
            )


def load_predictor(directory: str | Path, **overrides: Any) -> Predictor:
    """The predictor of a run or converted directory. Raises UserError if there is none.

    `overrides` replace fields of its configuration that are no sizes: `mixed_masks=True`
    reproduces the original's mixing of masks in a batch, `codebook_size=` bounds what it emits.
    """
    return Predictor(*runs.load_model(directory, PREDICTOR, **overrides), directory)
