"""Learning2Listen as a system: the speaker's face and sound in, listeners' raw faces out.

A code is drawn for each patch of 8 frames, which answers the speaker until that patch's end.
"""

import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxreact import runs
from jaxreact.audio_features.mel import BEFORE, mel_bands, mel_features
from jaxreact.errors import Remark, UserError
from jaxreact.face import COEFFS
from jaxreact.nn.compiled import Given
from jaxreact.nn.precision import Precision
from jaxreact.sharding import DeviceMesh
from jaxreact.systems.learning2listen.config import (
    DECA,
    FACE_AND_EMOTION,
    PATCH,
    WINDOW,
    MotionCoderConfig,
    check_fit,
)
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.learning2listen.loaded import Heard, LoadedPair, load_pair
from jaxreact.systems.learning2listen.smoothing import smoothed
from jaxreact.systems.online import check_only_step, check_step
from jaxreact.systems.sampling import SAMPLING, Sampling, Vocabulary, sample_keys
from jaxreact.systems.system import Reactions, Speaker

DECA_FEATURES = "DECA features"
"""What a model of DECA's faces needs, which no `Speaker` has."""

AUDIO_CHANNELS = "audio channels"
"""What a model needs whose audio channels are given to it, and which no `Speaker` has either."""

_Same = TypeVar("_Same", bound="Learning2Listen")  # Self cannot be checked at run time


@dataclass(frozen=True)
class Learning2Listen:
    """The system for whole clips. Options of `react`: those of `Sampling`."""

    model: LoadedPair
    mesh: DeviceMesh | None = None
    name: str = "learning2listen"
    options: frozenset[str] = SAMPLING
    frame_multiple: int = 1
    picture_side: None = None
    codebook: None = None

    @property
    def settings(self) -> dict[str, str | int | bool]:
        """As `System.settings`."""
        layout = self.model.coder_config.code_layout
        return {"mode": self.model.config.mode, "code_layout": layout}

    @property
    def needs(self) -> frozenset[str]:
        """As `System.needs`; what no `Speaker` has `answer` takes."""
        config = self.model.config
        if config.motion_dim == DECA:
            return frozenset({DECA_FEATURES})
        return frozenset({"coeffs", "audio" if config.audio == "mel" else AUDIO_CHANNELS})

    def react(
        self,
        speaker: Speaker,
        num_samples: int = 10,
        *,
        key: jax.Array | None = None,
        temperature: float | None = None,
        top_k: int | None = 512,
        vocabulary: Vocabulary = "codes",
        top_p: float | None = None,
    ) -> Reactions:
        """As `System.react`; there are no tokens but codes. A clip's sound that is too short is
        continued by silence. In the mode "original" the first 32 frames are the mean face (L13)."""
        sampling = Sampling(temperature, top_k, vocabulary, top_p)
        coeffs, waveform = self._parts(speaker)
        steps = coeffs.shape[1] * self.model.config.audio_rate
        audio = mel_features(np.asarray(waveform, np.float32), steps)
        return _reactions(self._answer(coeffs, audio, sampling, num_samples, key))

    def answer(
        self,
        motion: Float[Given, "batch time channels"],
        audio: Float[Given, "batch steps features"],
        num_samples: int = 10,
        *,
        key: jax.Array | None = None,
        temperature: float | None = None,
        top_k: int | None = 512,
        top_p: float | None = None,
    ) -> Float[Array, "batch samples time listener"]:
        """As `react`, of whatever channels the model was trained on, raw: of DECA's 50 of
        expression, 3 of the head's rotation and 3 of the jaw's, 30 frames a second.

        Audio has 4 steps a frame (`audio_rate`). DECA's faces are smoothed first, as the original
        does. Raises ValueError for other channels or lengths.
        """
        config, time = self.model.config, motion.shape[1]
        expected = (len(motion), time * config.audio_rate, config.audio_dim)
        if time == 0 or motion.shape[2] != config.motion_dim or audio.shape != expected:
            raise ValueError(
                f"motion {motion.shape} and audio {audio.shape}; this model takes (batch, time,"
                f" {config.motion_dim}) and (batch, {config.audio_rate} time, {config.audio_dim})"
            )
        sampling = Sampling(temperature, top_k, top_p=top_p)
        return self._answer(np.asarray(motion), np.asarray(audio), sampling, num_samples, key)

    def calibrate(self, coeffs: Float[np.ndarray, "time 58"]) -> Float[np.ndarray, "time 58"]:
        """As `System.calibrate`; to the speakers' mean in training."""
        return coeffs - coeffs.mean(axis=0) + np.asarray(self.model.mean_motion)

    def in_precision(self: _Same, precision: Precision) -> _Same:
        """As `System.in_precision`."""
        return replace(self, model=self.model.in_precision(precision))

    def placed(self: _Same, mesh: DeviceMesh) -> _Same:
        """As `System.placed`."""
        return replace(self, mesh=mesh, model=self.model.placed(mesh.replicated))

    def fingerprint(self) -> dict[str, str]:
        """Of "vqvae" and "predictor"."""
        return self.model.fingerprints()

    def _put(self, array: Any) -> jax.Array:
        """An array whose first axis is the batch, on the devices."""
        return jnp.asarray(array) if self.mesh is None else jax.device_put(array, self.mesh.batch)

    def _parts(self, speaker: Speaker) -> tuple[Any, Any]:
        speaker.need(self)
        channels = self.model.coder_config.in_dim
        if channels != FACE_AND_EMOTION:
            raise UserError(
                f"{self.model.directory}: its faces have {channels} channels and no emotion, which"
                " reactions consist of; it answers by .answer(motion, audio) alone"
            )
        assert speaker.coeffs is not None
        if speaker.coeffs.shape[1] == 0:
            raise ValueError("no frames to react to")
        return speaker.coeffs, speaker.waveform

    def _answer(
        self,
        motion: Any,
        audio: np.ndarray,
        sampling: Sampling,
        samples: int,
        key: jax.Array | None,
    ) -> jax.Array:
        """Raw motion of reactions to clips of any length, which are continued by their last frame
        and by silence."""
        config, time = self.model.config, motion.shape[1]
        motion, whole = np.asarray(motion, np.float32), _whole(time, config.mode == "original")
        if config.motion_dim == DECA and config.mode == "original":
            motion = smoothed(motion)
        motion = np.pad(motion, ((0, 0), (0, whole - time), (0, 0)), mode="edge")
        audio = np.pad(audio, ((0, 0), (0, (whole - time) * config.audio_rate), (0, 0)))
        keys = self._keys(sampling, key, len(motion), samples)
        made = self.model.answer(self._put(motion), self._put(audio), sampling, keys, samples)
        return made[:, :, :time]

    def _keys(
        self, sampling: Sampling, key: jax.Array | None, batch: int, samples: int
    ) -> jax.Array | None:
        keys = sample_keys(sampling, key, batch, samples)
        return None if keys is None else self._put(keys)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Streams:
    """Learning2Listen between two patches of some streams."""

    waveform: Float[Array, "streams samples"]
    """The last 15 ms of sound."""
    heard: Heard
    sampling: Sampling = field(metadata={"static": True})


@dataclass(frozen=True)
class OnlineLearning2Listen(Learning2Listen):
    """The system of codes that stand for time, in the mode "corrected". `react` is causal with or
    without the option `causal`: a frame's reaction depends on the speaker until the end of its
    patch, and on nothing later."""

    options: frozenset[str] = frozenset({*SAMPLING, "causal"})
    step: int = PATCH
    lead: int = 0
    mixes: bool = False

    def react(
        self,
        speaker: Speaker,
        num_samples: int = 10,
        *,
        key: jax.Array | None = None,
        causal: bool = True,
        **sampling: Any,
    ) -> Reactions:
        """As `System.react`."""
        return super().react(speaker, num_samples, key=key, **sampling)

    def start(
        self,
        streams: int,
        num_samples: int = 1,
        *,
        key: jax.Array | None = None,
        causal: bool = True,
        **options: Any,
    ) -> Streams:
        """As `OnlineSystem.start`."""
        sampling = Sampling(**options)
        keys = self._keys(sampling, key, streams, num_samples)
        heard = self.model.start(streams, num_samples, keys)
        return Streams(jnp.zeros((streams, BEFORE)), heard, sampling)

    def advance(self, state: Streams, speaker: Speaker) -> tuple[Streams, Reactions]:
        """As `OnlineSystem.advance`. All streams of a state began at one time."""
        check_step(self, speaker)
        coeffs, waveform = self._parts(speaker)
        sound = np.concatenate([state.waveform, waveform], axis=1, dtype=np.float32)
        motion = self._put(np.asarray(coeffs, np.float32))
        heard, made = self.model.advance(
            state.heard, motion, self._put(mel_bands(sound)), state.sampling
        )
        kept = jnp.asarray(sound[:, -BEFORE:])
        return replace(state, waveform=kept, heard=heard), _reactions(made)

    def in_steps(self, frames: int) -> "OnlineLearning2Listen":
        """As `OnlineSystem.in_steps`: no other number."""
        check_only_step(self, frames)
        return self


def _whole(time: int, original: bool) -> int:
    """Frames that clips are continued to: whole patches, or, from the second one on, windows."""
    unit = WINDOW if original else PATCH
    return max(-(-time // unit) * unit, 2 * WINDOW if original else PATCH)


def _reactions(motion: Float[Array, "batch samples time 83"]) -> Reactions:
    return Reactions(motion[..., :COEFFS], motion[..., COEFFS:])


def load(directory: Path, vqvae: str | Path | None = None) -> Learning2Listen:
    """Learning2Listen from a predictor's run directory, which holds its VQ-VAE.

    Online (`OnlineLearning2Listen`) where its codes stand for time and it generates as corrected.
    `vqvae` is another directory of the same VQ-VAE. Raises UserError where a directory is none, or
    the VQ-VAE is not the one that the predictor was trained with. A `Remark` says of a model of
    DECA's faces that nothing of REACT can be given to it.
    """
    if runs.kind_name(directory) == CODER.name:
        raise UserError(
            f"{directory}: a VQ-VAE alone does not react; give the run of the predictor that it is"
            " in"
        )
    config, content = runs.read_config(directory, LISTENER)
    where = Path(directory) / "vqvae" if vqvae is None else Path(vqvae)
    coder: MotionCoderConfig = runs.read_config(where, CODER)[0]
    check_fit(config, coder, directory)
    model = load_pair(where, directory)
    recorded, found = content.get("parts", {}).get("vqvae"), model.fingerprints()["vqvae"]
    if recorded not in (None, found):
        raise UserError(
            f"{directory}: was trained with another VQ-VAE than {where} (fingerprint {recorded},"
            f" not {found}); leave it out where the run holds its own"
        )
    if coder.in_dim == DECA:
        warnings.warn(
            f"{directory}: speaks in DECA's {DECA} channels, so that it cannot be scored on REACT"
            " data; give DECA's features to .answer(motion, audio)",
            Remark,
            stacklevel=2,
        )
    streams = config.mode == "corrected" and coder.code_layout == "time"
    return (OnlineLearning2Listen if streams else Learning2Listen)(model)


def load_codebook(directory: Path) -> None:
    """None: its codes are not of frames."""
