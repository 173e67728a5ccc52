"""What a system is: something that answers speakers with listeners' faces.

    system = load("runs/my/predictor")
    reactions = system.react(Speaker(coeffs=coeffs, waveform=waveform), num_samples=10, key=key)

Raw coefficients go in and come out; what a model subtracts from them is its own business.
"""

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float, Int, UInt8

from jaxreact import runs, systems
from jaxreact.errors import UserError
from jaxreact.nn.precision import Precision
from jaxreact.sharding import DeviceMesh

MOST_SAMPLES = 10_000
"""Reactions to one speaker that a command may be asked for: so many of a minute are 5 GB."""

Given = jax.Array | np.ndarray
"""What callers may give; what they get is a `jax.Array`."""


@dataclass(frozen=True, eq=False)
class Speaker:
    """What is known of some speakers, 25 frames a second; what a system does not need may lack.

    Raises ValueError where the parts differ in the number of speakers or of frames.
    """

    coeffs: Float[Given, "batch time 58"] | None = None
    """Raw face coefficients."""
    waveform: Float[Given, "batch samples"] | None = None
    """Sound, 16 kHz mono, about [-1, 1]."""
    emotion: Float[Given, "batch time 25"] | None = None
    video: UInt8[Given, "batch time height width 3"] | None = None
    """RGB pictures."""

    def __post_init__(self) -> None:
        shapes = {part.name: np.shape(getattr(self, part.name)) for part in self._given}
        if len({shape[0] for shape in shapes.values()}) > 1:
            raise ValueError(f"parts of different numbers of speakers: {shapes}")
        times = {shape[1] for name, shape in shapes.items() if name != "waveform"}
        if len(times) > 1:
            raise ValueError(f"parts of different lengths: {shapes}")

    @property
    def _given(self) -> list[dataclasses.Field[Any]]:
        return [part for part in dataclasses.fields(self) if getattr(self, part.name) is not None]

    @property
    def batch(self) -> int:
        """Number of speakers."""
        return len(getattr(self, self._given[0].name))

    def need(self, system: "System") -> None:
        """Raises ValueError where something that a system needs is not given."""
        fields = {"audio": "waveform"}
        lacking = [
            fields.get(name, name)
            for name in sorted(system.needs)
            if getattr(self, fields.get(name, name), None) is None
        ]
        if lacking:
            raise ValueError(f"{system.name} needs the speaker's {', '.join(lacking)}")


@dataclass(frozen=True, eq=False)
class Reactions:
    """Listeners' faces, some samples for each speaker."""

    coeffs: Float[jax.Array, "batch samples time 58"] | None
    """Raw; None where a system gives emotion alone."""
    emotion: Float[jax.Array, "batch samples time 25"]


@runtime_checkable
class Codebook(Protocol):
    """What turns faces into codes, for looking at how a system uses them."""

    @property
    def codebook_size(self) -> int:
        """Number of codes."""
        ...

    @property
    def block_size(self) -> int:
        """Frames of a block; a clip is a whole number of these."""
        ...

    def codes_of(self, coeffs: Float[Given, "batch time 58"]) -> Int[jax.Array, "batch time"]:
        """Codes of raw coefficients."""
        ...


@runtime_checkable
class System(Protocol):
    """A trained or converted system."""

    @property
    def name(self) -> str:
        """ "fiber", "trans-vae", ..."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """What it must be given of the speaker: some of "coeffs", "audio", "emotion", "video".
        Anything else in words, which a `Speaker` cannot have: such a system answers otherwise."""
        ...

    @property
    def options(self) -> frozenset[str]:
        """Names of the options that `react` takes beside those below."""
        ...

    @property
    def frame_multiple(self) -> int:
        """A clip is a whole number of so many frames; the caller pads or cuts."""
        ...

    @property
    def picture_side(self) -> int | None:
        """Side in pixels of the speaker's pictures as it wants them, others are resized; None for a
        system that needs none."""
        ...

    @property
    def codebook(self) -> Codebook | None:
        """None for a system without codes."""
        ...

    @property
    def settings(self) -> Mapping[str, str | int | bool]:
        """What its scores have to name beside it: how it was trained and answers."""
        ...

    @property
    def react(self) -> Callable[..., Reactions]:
        """(speaker, num_samples=10, *, key=None, **options) -> reactions to each speaker.

        `key` is one key, or one for each speaker (batch,): then a speaker's reactions do not depend
        on who else is in the batch. Raises ValueError for what does not fit.
        """
        ...

    def calibrate(self, coeffs: Float[np.ndarray, "time 58"]) -> Float[np.ndarray, "time 58"]:
        """Raw coefficients shifted by a constant, so that their mean is that of the faces that the
        system knows. It removes what tracker and camera add, and whatever else is constant."""
        ...

    def in_precision(self, precision: Precision) -> "System":
        """The same, whose products are computed so; what comes out is float32."""
        ...

    def placed(self, mesh: DeviceMesh) -> "System":
        """The same with its variables on every device of a mesh; batches are cut over these."""
        ...

    def fingerprint(self) -> dict[str, str]:
        """What tells each part from others, by the part's name."""
        ...


def faces(system: System, reactions: Reactions) -> Float[jax.Array, "batch samples time 58"]:
    """The coefficients of a system's reactions. Raises `UserError` where it gives emotion alone."""
    if reactions.coeffs is None:
        raise without_faces(system)
    return reactions.coeffs


def without_faces(system: System) -> UserError:
    """What is to be said where faces are wanted of a system that gives emotion alone."""
    return UserError(
        f"{system.name}: gives emotion alone here, no faces; convert its weights again with"
        " --mean-face mean_face.npy"
    )


@runtime_checkable
class OnlineSystem(System, Protocol):
    """A system that answers while the speaker still speaks: a frame's reaction depends on nothing
    that comes after its step."""

    @property
    def step(self) -> int:
        """Frames that `advance` takes and gives."""
        ...

    @property
    def lead(self) -> int:
        """How many frames the reactions of `advance` are ahead of the frames that it is given: 0,
        or a whole number of steps, where frames are answered by what was before them."""
        ...

    @property
    def start(self) -> Callable[..., Any]:
        """(streams, num_samples=1, *, key=None, **options) -> the state before the first step;
        arguments as those of `react`.

        A pytree. Where `mixes`, the first axis of each of its leaves is the streams.
        """
        ...

    @property
    def mixes(self) -> bool:
        """Whether streams that began at different times can advance together: their states are
        rows of one."""
        ...

    def advance(self, state: Any, speaker: Speaker) -> tuple[Any, Reactions]:
        """The state after the next `step` frames of each stream, and reactions, `lead` frames
        ahead. Streams begin `lead` frames before the speaker's first: what is given of these is not
        looked at. Raises ValueError for any other number of frames, or of samples of sound."""
        ...

    def in_steps(self, frames: int) -> "OnlineSystem":
        """The same, advancing by so many frames. Raises `UserError` for what it cannot."""
        ...


def load(directory: str | Path, **parts: str | Path) -> System:
    """The system of a trained or converted run directory.

    A run holds all that its system needs. For one that was made before runs did, `parts` name what
    it lacks, such as `tokenizer=DIRECTORY`. Raises UserError for what is no system's directory, and
    where a part is not the one that the run was trained with.
    """
    return importlib.import_module(_home(directory)).load(Path(directory), **parts)


def load_codebook(directory: str | Path) -> Codebook:
    """What turns faces into codes in the run of a system, or of the part of it that does so alone.

    Raises UserError where there is none.
    """
    codes = importlib.import_module(_home(directory)).load_codebook(Path(directory))
    if codes is None:
        raise UserError(f"{directory}: this system has no codes")
    return codes


def _home(directory: str | Path) -> str:
    """The module of the system that a run directory is of, which its kind of model tells."""
    kind = runs.kind_name(directory)
    folder = {"predictor": "fiber", "tokenizer": "fiber"}.get(kind, kind.partition("/")[0])
    folder = folder.replace("-", "_")
    known = {module.name for module in pkgutil.iter_modules(systems.__path__) if module.ispkg}
    if folder not in known:
        raise UserError(f"{directory}: a {kind} is no system; give the run of one")
    return f"jaxreact.systems.{folder}.system"
