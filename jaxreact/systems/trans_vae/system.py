"""Trans-VAE as a system: film and sound in, raw faces out."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxreact import runs
from jaxreact.nn.precision import Precision
from jaxreact.sharding import DeviceMesh
from jaxreact.systems.online import check_only_step, check_step
from jaxreact.systems.system import Codebook, Given, Reactions, Speaker
from jaxreact.systems.trans_vae.decoder import Face
from jaxreact.systems.trans_vae.kinds import TRANS_VAE
from jaxreact.systems.trans_vae.loaded_model import LoadedTransVAE, latent_noise, load_trans_vae
from jaxreact.systems.trans_vae.model import no_face, windows_of, with_room
from jaxreact.systems.trans_vae.senses import heard, shorter_side, squares
from jaxreact.systems.trans_vae.speaker_encoder import Perceived, beginning


@dataclass(frozen=True)
class TransVAESystem:
    """The baseline, offline. Option of `react`: `noise`, standard normal, instead of a key."""

    model: LoadedTransVAE
    mesh: DeviceMesh | None = None
    name: str = "trans-vae"
    needs: frozenset[str] = frozenset({"audio", "video"})
    options: frozenset[str] = frozenset({"noise"})
    frame_multiple: int = 1
    codebook: Codebook | None = None

    @property
    def settings(self) -> dict[str, str | int | bool]:
        """As `System.settings`. The window is what is shown with, whatever trained it (B4)."""
        config = self.model.config
        window = {"window": config.window} if config.online else {}
        return {"mode": config.mode, "online": config.online, **window}

    @property
    def picture_side(self) -> int:
        """As `System.picture_side`."""
        return shorter_side(self.model.config.image_size)

    def react(
        self,
        speaker: Speaker,
        num_samples: int = 10,
        *,
        key: jax.Array | None = None,
        noise: Float[Given, "batch samples features"] | None = None,
    ) -> Reactions:
        """As `System.react`. A clip's sound that is too short is continued by silence. With
        `noise` there are as many samples as it has."""
        given = None if noise is None else jnp.asarray(noise)[:, :, None]
        return self._reactions(speaker, num_samples, key, given)

    def calibrate(self, coeffs: Float[np.ndarray, "time 58"]) -> Float[np.ndarray, "time 58"]:
        """As `System.calibrate`."""
        return coeffs - coeffs.mean(axis=0) + self.model.mean_face

    def in_precision(self, precision: Precision) -> "TransVAESystem":
        """As `System.in_precision`. Norms, softmax and the latent stay float32."""
        return replace(self, model=self.model.in_precision(precision))

    def placed(self, mesh: DeviceMesh) -> "TransVAESystem":
        """As `System.placed`."""
        return replace(self, mesh=mesh, model=self.model.placed(mesh.replicated))

    def fingerprint(self) -> dict[str, str]:
        """Of "model"."""
        return {"model": self.model.fingerprint()}

    @property
    def _stretch(self) -> int | None:
        """Frames whose sound is brought to the features' rate by itself."""
        return None

    def _put(self, array: Any) -> jax.Array:
        """An array whose first axis is the batch, on the devices."""
        return jnp.asarray(array) if self.mesh is None else jax.device_put(array, self.mesh.batch)

    def _senses(self, speaker: Speaker) -> tuple[jax.Array, jax.Array]:
        """Pictures and audio features. Raises ValueError where there are no frames."""
        speaker.need(self)
        assert speaker.video is not None
        assert speaker.waveform is not None
        config, frames = self.model.config, speaker.video.shape[1]
        if frames == 0:
            raise ValueError("no frames; a clip has 1 or more")
        pictures = squares(np.asarray(speaker.video), config.image_size)
        waveform = np.asarray(speaker.waveform)
        audio = heard(waveform, frames, config.audio_rate, self._stretch)
        return self._put(pictures), self._put(audio)

    def _reactions(
        self, speaker: Speaker, samples: int, key: jax.Array | None, noise: jax.Array | None
    ) -> Reactions:
        video, audio = self._senses(speaker)
        batch, frames = video.shape[:2]
        windows = windows_of(self.model.config, frames)
        noise = self._noise(key, noise, batch, samples, 0, windows)
        return self._raw(self.model.react(video, audio, self._put(noise)).face)

    def _noise(
        self,
        key: jax.Array | None,
        noise: jax.Array | None,
        batch: int,
        samples: int,
        begin: int,
        end: int,
    ) -> Float[Array, "batch samples windows features"]:
        """The noise of some windows, drawn by the key or cut out of what is given."""
        check_random(key, noise)
        features = self.model.config.features
        if noise is None:
            assert key is not None
            return latent_noise(key, batch, samples, begin, end, features)
        if noise.shape[0] != batch or noise.shape[2] < end or noise.shape[3] != features:
            raise ValueError(
                f"noise for {noise.shape[0]} speakers, {noise.shape[2]} windows and"
                f" {noise.shape[3]} features; {batch}, {end} and {features} needed"
            )
        return noise[:, :, begin:end]

    def _raw(self, face: Face) -> Reactions:
        return Reactions(face.coeffs + self.model.mean_face, face.emotion)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Streams:
    """An online Trans-VAE between two windows of some streams. It holds what was seen of every
    frame so far: norms are of all of them."""

    perceived: Perceived | None
    """With room for more frames; None before the first."""
    face: Face
    key: jax.Array | None
    noise: Float[Array, "streams samples windows features"] | None
    windows: int = field(metadata={"static": True})
    """How many there were."""


@dataclass(frozen=True)
class OnlineTransVAESystem(TransVAESystem):
    """The baseline, online. `react` is causal with or without the option `causal`: a frame's
    reaction depends on the speaker until the end of its window and on nothing later."""

    options: frozenset[str] = frozenset({"noise", "causal"})
    lead: int = 0
    mixes: bool = False

    @property
    def step(self) -> int:
        """Frames of a window."""
        return self.model.config.window

    @property
    def _stretch(self) -> int:
        return self.step

    def react(
        self,
        speaker: Speaker,
        num_samples: int = 10,
        *,
        key: jax.Array | None = None,
        noise: Float[Given, "batch samples windows features"] | None = None,
        causal: bool = True,
    ) -> Reactions:
        """As `System.react`. With `noise` there are as many samples as it has."""
        given = None if noise is None else jnp.asarray(noise)
        return self._reactions(speaker, num_samples, key, given)

    def start(
        self,
        streams: int,
        num_samples: int = 1,
        *,
        key: jax.Array | None = None,
        noise: Float[Given, "streams samples windows features"] | None = None,
        causal: bool = True,
    ) -> Streams:
        """As `OnlineSystem.start`. With `noise` streams end with its windows."""
        check_random(key, noise)
        given = None if noise is None else jnp.asarray(noise)
        samples = num_samples if given is None else given.shape[1]
        return Streams(None, no_face(streams, samples, 0), key, given, 0)

    def advance(self, state: Streams, speaker: Speaker) -> tuple[Streams, Reactions]:
        """As `OnlineSystem.advance`.

        Each step takes longer than the one before, and memory grows, by what was seen: about 10 MB
        a second of a stream at the released sizes.
        """
        check_step(self, speaker)
        video, audio = self._senses(speaker)
        number, step = state.windows, self.step
        listeners = state.face.coeffs.shape[1]
        noise = self._noise(state.key, state.noise, len(video), listeners, number, number + 1)
        perceived, face = _with_next(state, self.model.perceive(video, audio), step)
        face, _ = self.model.window(perceived, face, number, noise[:, :, 0])
        new = Face(*(part[:, :, number * step : (number + 1) * step] for part in face))
        state = replace(state, perceived=perceived, face=face, windows=number + 1)
        return state, self._raw(new)

    def in_steps(self, frames: int) -> "OnlineTransVAESystem":
        """As `OnlineSystem.in_steps`: no other number."""
        check_only_step(self, frames)
        return self


def _with_next(state: Streams, new: Perceived, step: int) -> tuple[Perceived, Face]:
    """What was perceived and answered, and the next window, with room for all.

    The room is doubled where it is full, so that few sizes of it are compiled.
    """
    begin = state.windows * step
    room = state.face.coeffs.shape[2]
    if begin + step > room:
        room = max(2 * room, step)
    perceived = beginning(new if state.perceived is None else state.perceived, room)

    def put(old: jax.Array, part: jax.Array) -> jax.Array:
        return jax.lax.dynamic_update_slice_in_dim(old, part, begin, axis=1)

    seen = perceived.seen._replace(
        pooled=put(perceived.seen.pooled, new.seen.pooled),
        moments=jax.tree.map(put, perceived.seen.moments, new.seen.moments),
    )
    return Perceived(seen, put(perceived.audio, new.audio)), with_room(state.face, room)


def check_random(key: jax.Array | None, noise: Given | None) -> None:
    """Raises ValueError unless one of both is given."""
    if (key is None) == (noise is None):
        raise ValueError("give either key= or noise=")


def load(directory: Path) -> TransVAESystem:
    """Trans-VAE from its run directory. Raises UserError where it is none."""
    model = load_trans_vae(directory)
    return (OnlineTransVAESystem if model.config.online else TransVAESystem)(model)


def load_codebook(directory: Path) -> None:
    """None: Trans-VAE has no codes."""
    runs.read_config(directory, TRANS_VAE)
