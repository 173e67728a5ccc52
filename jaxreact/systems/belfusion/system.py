"""BeLFusion as a system: the speaker's emotion in, listeners' emotion and raw faces out.

A clip is cut into windows of two seconds, each answered by itself. Neighbouring windows know
nothing of each other, so that a reaction may jump between them.
"""

import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from jaxreact import runs
from jaxreact.errors import Remark, UserError
from jaxreact.face import ACTION_UNITS
from jaxreact.nn.compiled import Given
from jaxreact.nn.precision import Precision
from jaxreact.sharding import DeviceMesh
from jaxreact.systems.belfusion.config import check_fit
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.systems.belfusion.loaded import (
    EmotionCoder,
    ReactionSampler,
    load_coder,
    load_sampler,
)
from jaxreact.systems.belfusion.noise import keys_of_streams, window_noise
from jaxreact.systems.online import check_only_step, check_step
from jaxreact.systems.system import Reactions, Speaker

_Same = TypeVar("_Same", bound="Belfusion")  # Self cannot be checked at run time


@dataclass(frozen=True)
class Belfusion:
    """The offline system: a window answers the speaker's same window.

    Options of `react`: `noise`, and `binarize`: action units are rounded, half to even, as the
    challenge's submissions of this system were.
    """

    vae: EmotionCoder
    denoiser: ReactionSampler
    mesh: DeviceMesh | None = None
    name: str = "belfusion"
    needs: frozenset[str] = frozenset({"emotion"})
    options: frozenset[str] = frozenset({"noise", "binarize"})
    frame_multiple: int = 1
    picture_side: None = None
    codebook: None = None

    @property
    def settings(self) -> dict[str, str | int | bool]:
        """As `System.settings`; "converted" are weights that were trained by the original."""
        trained = self.denoiser.content.get("stage", {}).get("mode", "converted")
        return {"mode": trained, "online": self.denoiser.config.online, "window": self.window}

    @property
    def window(self) -> int:
        """Frames of a window."""
        return self.vae.config.window_size

    def react(
        self,
        speaker: Speaker,
        num_samples: int = 10,
        *,
        key: jax.Array | None = None,
        noise: Float[Given, "batch samples windows latent"] | None = None,
        binarize: bool = False,
    ) -> Reactions:
        """As `System.react`. `noise`, unit normal, instead of a key; windows are begun ones.

        A last window that is not full sees the speaker's last frame repeated, and is cut. Warns by
        a `Remark` where rounded action units are neither 0 nor 1. Faces are None where the run does
        not know the mean face.
        """
        speaker.need(self)
        assert speaker.emotion is not None
        batch, frames = speaker.emotion.shape[:2]
        if frames == 0:
            raise ValueError("no frames to react to")
        windows = -(-frames // self.window)
        emotion = self._put(speaker.emotion)
        padding = ((0, 0), (0, windows * self.window - frames), (0, 0))
        whole = jnp.pad(emotion, padding, mode="edge")
        if noise is None:
            keys = keys_of_streams(_needed(key), batch)
            noise = self._noise(keys, jnp.zeros(batch, jnp.int32), num_samples, windows)
        elif key is not None:
            raise ValueError("either key= or noise=, not both")
        self._check_noise(noise, (batch, num_samples, windows))
        return self._answer(self._seen(whole), jnp.asarray(noise), frames, binarize)

    def calibrate(self, coeffs: Float[np.ndarray, "time 58"]) -> Float[np.ndarray, "time 58"]:
        """As `System.calibrate`; unchanged where the run does not know the mean face."""
        mean = self.vae.mean_face
        return coeffs if mean is None else coeffs - coeffs.mean(axis=0) + mean

    def in_precision(self: _Same, precision: Precision) -> _Same:
        """As `System.in_precision`; the diffusion's steps stay float32."""
        return replace(self, **{n: getattr(self, n).in_precision(precision) for n in _PARTS})

    def placed(self: _Same, mesh: DeviceMesh) -> _Same:
        """As `System.placed`."""
        parts = {name: getattr(self, name).placed(mesh.replicated) for name in _PARTS}
        return replace(self, mesh=mesh, **parts)

    def fingerprint(self) -> dict[str, str]:
        """Of "vae" and "denoiser"."""
        return {name: getattr(self, name).fingerprint() for name in _PARTS}

    def _seen(self, emotion: Float[Array, "batch time 25"]) -> Float[Array, "batch time 25"]:
        """What each frame's window answers."""
        return emotion

    def _answer(
        self,
        seen: Float[Array, "batch time 25"],
        noise: Float[Array, "batch samples windows latent"],
        frames: int,
        binarize: bool,
    ) -> Reactions:
        scaled = self.denoiser.config.emb_preprocessing
        windows = seen.reshape(len(seen), -1, self.window, seen.shape[2])
        latents = self.denoiser.sample(self.vae.encode(windows, scaled), noise)
        coeffs, emotion = self.vae.decode(latents, scaled)
        coeffs, emotion = coeffs[:, :, :frames], emotion[:, :, :frames]
        mean = self.vae.mean_face
        raw = None if mean is None else coeffs + mean
        return Reactions(raw, binarized(emotion) if binarize else emotion)

    def _noise(
        self, keys: Key[Array, "streams"], first: Int[Array, "streams"], samples: int, windows: int
    ) -> jax.Array:
        width = self.denoiser.config.emb_length
        return window_noise(self._put(keys), first, samples=samples, windows=windows, width=width)

    def _check_noise(self, noise: Any, begins: tuple[int, int, int]) -> None:
        expected = (*begins, self.denoiser.config.emb_length)
        if noise.shape != expected:
            raise ValueError(
                f"noise {noise.shape}, expected {expected}: batch, samples, windows, latent"
            )

    def _put(self, array: Any) -> jax.Array:
        """An array whose first axis is the batch, on the devices."""
        return jnp.asarray(array) if self.mesh is None else jax.device_put(array, self.mesh.batch)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Streams:
    """BeLFusion between two windows of some streams."""

    keys: Key[Array, "streams"]
    windows: Int[Array, "streams"]
    """How many were answered."""
    samples: int = field(metadata={"static": True})
    binarize: bool = field(metadata={"static": True})


@dataclass(frozen=True)
class OnlineBelfusion(Belfusion):
    """The online system: a window answers the speaker's window before it, the first one zeros."""

    options: frozenset[str] = frozenset({"noise", "binarize", "causal"})
    mixes: bool = True

    @property
    def step(self) -> int:
        """As `OnlineSystem.step`."""
        return self.window

    @property
    def lead(self) -> int:
        """As `OnlineSystem.lead`."""
        return self.window

    def react(
        self, speaker: Speaker, num_samples: int = 10, *, causal: bool = True, **options: Any
    ) -> Reactions:
        """As `System.react`; causal with or without the option `causal`."""
        return super().react(speaker, num_samples, **options)

    def start(
        self,
        streams: int,
        num_samples: int = 1,
        *,
        key: jax.Array | None = None,
        binarize: bool = False,
        causal: bool = True,
    ) -> Streams:
        """As `OnlineSystem.start`."""
        keys = keys_of_streams(_needed(key), streams)
        return Streams(keys, jnp.zeros(streams, jnp.int32), num_samples, binarize)

    def advance(self, state: Streams, speaker: Speaker) -> tuple[Streams, Reactions]:
        """As `OnlineSystem.advance`."""
        check_step(self, speaker)
        emotion = self._put(np.asarray(speaker.emotion, np.float32))
        seen = jnp.where((state.windows > 0)[:, None, None], emotion, 0.0)
        noise = self._noise(state.keys, state.windows, state.samples, 1)
        reactions = self._answer(seen, noise, self.step, state.binarize)
        return replace(state, windows=state.windows + 1), reactions

    def in_steps(self, frames: int) -> "OnlineBelfusion":
        """As `OnlineSystem.in_steps`: no other number."""
        check_only_step(self, frames)
        return self

    def _seen(self, emotion: Float[Array, "batch time 25"]) -> Float[Array, "batch time 25"]:
        before = jnp.zeros_like(emotion[:, : self.window])
        return jnp.concatenate([before, emotion[:, : -self.window]], axis=1)


_PARTS = ("vae", "denoiser")


def binarized(emotion: Float[Array, "*batch 25"]) -> Float[Array, "*batch 25"]:
    """Emotion with action units rounded, half to even, and not clipped (B14).

    Warns by a `Remark` where they are then neither 0 nor 1.
    """
    units = jnp.round(emotion[..., ACTION_UNITS])
    outside = int(jnp.sum((units != 0) & (units != 1)))
    if outside:
        warnings.warn(
            f"action units: {outside} of {units.size} are neither 0 nor 1 after rounding",
            Remark,
            stacklevel=2,
        )
    return emotion.at[..., ACTION_UNITS].set(units)


def load(directory: Path, vae: str | Path | None = None) -> Belfusion:
    """BeLFusion from a denoiser's run directory, which holds its VAE.

    Online (`OnlineBelfusion`) where it was trained so. `vae` is another directory of the same VAE.
    Raises UserError where a directory is none, or the VAE is not the one that the denoiser was
    trained with.
    """
    if runs.kind_name(directory) == VAE.name:
        raise UserError(
            f"{directory}: a VAE alone does not react; give the run of the denoiser that it is in"
        )
    config, content = runs.read_config(directory, DENOISER)
    where = Path(directory) / "vae" if vae is None else Path(vae)
    coder = load_coder(where)
    recorded = content.get("parts", {}).get("vae")
    if recorded not in (None, coder.fingerprint()):
        raise UserError(
            f"{directory}: was trained with another VAE than {where} (fingerprint {recorded}, not"
            f" {coder.fingerprint()}); leave it out where the run holds its own"
        )
    check_fit(config, coder.config, directory)
    if coder.mean_face is None:
        warnings.warn(
            f"{where}: does not know the mean face, so that reactions are emotion alone; convert it"
            " again with --mean-face mean_face.npy",
            Remark,
            stacklevel=2,
        )
    system = OnlineBelfusion if config.online else Belfusion
    return system(coder, load_sampler(directory))


def load_codebook(directory: Path) -> None:
    """None: BeLFusion has no codes."""


def _needed(key: jax.Array | None) -> jax.Array:
    if key is None:
        raise ValueError("a key= is needed, or noise=")
    return key
