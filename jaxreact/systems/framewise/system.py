"""The frame-wise listener as a system: face and sound in, raw faces out, a frame at a time."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxreact import runs
from jaxreact.audio_features.mel import BEFORE, mel_bands
from jaxreact.errors import ArgumentError
from jaxreact.face import COEFFS
from jaxreact.nn.precision import Precision
from jaxreact.sharding import DeviceMesh
from jaxreact.systems.framewise.departures import Mood
from jaxreact.systems.framewise.kinds import FRAMEWISE
from jaxreact.systems.framewise.loaded_model import LoadedFramewise, load_framewise
from jaxreact.systems.framewise.senses import BANDS, heard, loudness
from jaxreact.systems.online import check_step
from jaxreact.systems.sampling import Sampling, sample_keys
from jaxreact.systems.system import Reactions, Speaker


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Streams:
    """Some streams, which may stand at different frames, between two steps."""

    coeffs: Float[Array, "streams past 58"]
    """Mean-subtracted, of the last frames; the first of them may be from before the beginning."""
    sound: Float[Array, "streams past 32"]
    waveform: Float[Array, "streams samples"]
    """The last 15 ms of sound."""
    mood: Mood
    keys: jax.Array
    frames: Int[Array, "streams"]
    """How many there were."""
    temperature: Float[Array, "streams"]
    micro_motion: Float[Array, "streams"]


@dataclass(frozen=True)
class FramewiseSystem:
    """Answers causally, with or without the option `causal`: a frame's reaction depends on the
    speaker until the end of that frame, and on nothing later.

    Other options of `react`: `temperature`, how far reactions depart from the expected one (0: not
    at all), and `micro_motion`, how much small quick motion is added; by default the model's own.
    """

    model: LoadedFramewise
    mesh: DeviceMesh | None = None
    name: str = "framewise"
    needs: frozenset[str] = frozenset({"coeffs", "audio"})
    options: frozenset[str] = frozenset({"temperature", "micro_motion", "causal"})
    frame_multiple: int = 1
    picture_side: int | None = None
    codebook: None = None
    step: int = 8
    """As `OnlineSystem.step`; any number will do."""
    lead: int = 0
    mixes: bool = True

    @property
    def settings(self) -> dict[str, str | int | bool]:
        """As `System.settings`."""
        return {}

    def react(
        self,
        speaker: Speaker,
        num_samples: int = 10,
        *,
        key: jax.Array | None = None,
        temperature: float | None = None,
        micro_motion: float | None = None,
        causal: bool = True,
    ) -> Reactions:
        """As `System.react`. A clip's sound that is too short is continued by silence."""
        coeffs, waveform = self._parts(speaker)
        sound = heard(waveform, coeffs.shape[1])
        keys = self._keys(key, len(coeffs), num_samples)
        expected = self.model.expect(
            self._put(coeffs), self._put(sound), self._put(np.ones(coeffs.shape[:2], bool))
        )
        strengths = self._strengths(len(coeffs), temperature, micro_motion)
        begin = np.zeros(len(coeffs), np.int32)
        first = self.model.first(keys)
        _, faces, emotion = self.model.depart(first, expected, keys, begin, *strengths)
        return Reactions(faces + self.model.mean_face, emotion)

    def start(
        self,
        streams: int,
        num_samples: int = 1,
        *,
        key: jax.Array | None = None,
        temperature: float | None = None,
        micro_motion: float | None = None,
        causal: bool = True,
    ) -> Streams:
        """As `OnlineSystem.start`."""
        keys = self._keys(key, streams, num_samples)
        past = self.model.config.past
        return Streams(
            jnp.zeros((streams, past, COEFFS)),
            jnp.zeros((streams, past, BANDS)),
            jnp.zeros((streams, BEFORE)),
            self.model.first(keys),
            keys,
            jnp.zeros(streams, jnp.int32),
            *self._strengths(streams, temperature, micro_motion),
        )

    def advance(self, state: Streams, speaker: Speaker) -> tuple[Streams, Reactions]:
        """As `OnlineSystem.advance`."""
        check_step(self, speaker)
        coeffs, waveform = self._parts(speaker)
        frames = self.step
        wave = np.concatenate([state.waveform, waveform], axis=1, dtype=np.float32)
        seen = jnp.concatenate([state.coeffs, self._put(coeffs)], axis=1)
        sound = jnp.concatenate([state.sound, self._put(loudness(mel_bands(wave)))], axis=1)
        present = np.arange(seen.shape[1]) >= self.model.config.past - state.frames[:, None]
        expected = self.model.expect(seen, sound, present)
        new = jax.tree.map(lambda part: part[:, -frames:], expected)
        mood, faces, emotion = self.model.depart(
            state.mood, new, state.keys, state.frames, state.temperature, state.micro_motion
        )
        state = replace(
            state,
            coeffs=seen[:, frames:],
            sound=sound[:, frames:],
            waveform=jnp.asarray(wave[:, -BEFORE:]),
            mood=mood,
            frames=state.frames + frames,
        )
        return state, Reactions(faces + self.model.mean_face, emotion)

    def in_steps(self, frames: int) -> "FramewiseSystem":
        """As `OnlineSystem.in_steps`."""
        if frames < 1:
            raise ArgumentError(f"a step of {frames} frames; 1 or more are possible")
        return replace(self, step=frames)

    def calibrate(self, coeffs: Float[np.ndarray, "time 58"]) -> Float[np.ndarray, "time 58"]:
        """As `System.calibrate`."""
        return coeffs - coeffs.mean(axis=0) + self.model.mean_face

    def in_precision(self, precision: Precision) -> "FramewiseSystem":
        """As `System.in_precision`. Norms and departures stay float32."""
        return replace(self, model=self.model.in_precision(precision))

    def placed(self, mesh: DeviceMesh) -> "FramewiseSystem":
        """As `System.placed`."""
        return replace(self, mesh=mesh, model=self.model.placed(mesh.replicated))

    def fingerprint(self) -> dict[str, str]:
        """Of "model"."""
        return {"model": self.model.fingerprint()}

    def _parts(self, speaker: Speaker) -> tuple[np.ndarray, np.ndarray]:
        """Mean-subtracted coefficients, and sound. Raises ValueError where there are no frames."""
        speaker.need(self)
        coeffs = np.asarray(speaker.coeffs, np.float32) - self.model.mean_face
        if coeffs.shape[1] == 0:
            raise ValueError("no frames; a clip has 1 or more")
        return coeffs, np.asarray(speaker.waveform, np.float32)

    def _strengths(
        self, batch: int, temperature: float | None, micro_motion: float | None
    ) -> list[jax.Array]:
        """Of each speaker; the model's own where none are given. Raises ValueError for what is
        below 0."""
        config = self.model.config
        found = {
            "temperature": config.temperature if temperature is None else temperature,
            "micro_motion": config.micro_motion if micro_motion is None else micro_motion,
        }
        for name, value in found.items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} {value} is not 0 or more")
        return [self._put(np.full(batch, value, np.float32)) for value in found.values()]

    def _keys(self, key: jax.Array | None, batch: int, samples: int) -> jax.Array:
        keys = sample_keys(Sampling(), key, batch, samples)
        assert keys is not None
        return self._put(keys)

    def _put(self, array: Any) -> jax.Array:
        """An array whose first axis is the batch, on the devices."""
        return jnp.asarray(array) if self.mesh is None else jax.device_put(array, self.mesh.batch)


def load(directory: Path) -> FramewiseSystem:
    """The frame-wise listener from its run directory. Raises UserError where it is none."""
    return FramewiseSystem(load_framewise(directory))


def load_codebook(directory: Path) -> None:
    """None: it has no codes."""
    runs.read_config(directory, FRAMEWISE)
