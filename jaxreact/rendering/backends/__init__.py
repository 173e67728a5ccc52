"""What draws: a renderer turns the vertices of a mesh, frame by frame, into pictures.

Both backends give the same flat pictures (at least 99.5 % of pixels within 1/255):

- `cpu`: our rasteriser, compiled by numba, one frame a thread; flat and smooth shading.
- `pytorch3d`: PyTorch3D's rasteriser with the original's settings; flat shading.

Neither is imported before it is chosen.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Literal, Protocol, get_args, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float, Int, UInt8

from jaxreact.errors import UserError
from jaxreact.rendering.camera import Camera

Backend = Literal["auto", "cpu", "pytorch3d"]
BackendName = Literal["cpu", "pytorch3d"]
Shading = Literal["smooth", "flat"]

INSTALL = (
    'install it with pip install -e ".[render]" "torch==2.12.*" (its prebuilt wheel needs a CUDA '
    "build of torch 2.11 or 2.12), or build PyTorch3D from source for the torch that you have"
)


@runtime_checkable
class Surface(Protocol):
    """What a renderer needs to know of a head besides where its vertices are."""

    @property
    def faces(self) -> Int[np.ndarray, "triangles 3"]:
        """Triangles, counter-clockwise seen from outside."""
        ...

    @property
    def colors(self) -> Float[np.ndarray, "vertices 3"]:
        """sRGB albedo in [0, 1]; smooth shading only."""
        ...

    @property
    def gloss(self) -> Float[np.ndarray, " vertices"]:
        """Strength of the highlight in [0, 1]; smooth shading only."""
        ...


@runtime_checkable
class Renderer(Protocol):
    """Draws one surface with one camera and one shading."""

    def frames(
        self, vertices: Float[np.ndarray | jax.Array, "time vertices 3"]
    ) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
        """Yields an RGB picture for each frame of world positions (finite, float32), in order.

        Memory grows with time: give long clips in chunks.
        """
        ...


def choose_backend(backend: Backend = "auto", shading: Shading = "smooth") -> BackendName:
    """The backend that `render` will use, for a command to print.

    "auto" is "pytorch3d" for flat pictures where PyTorch3D imports and torch sees a CUDA device,
    else "cpu". Raises `UserError` for an unknown name, and for "pytorch3d" where it cannot be
    imported or with smooth shading, which only "cpu" has.
    """
    _check_choice("shading", shading, get_args(Shading))
    _check_choice("backend", backend, get_args(Backend))
    if backend == "cpu":
        return "cpu"
    if backend == "auto":
        return "pytorch3d" if shading == "flat" and _pytorch3d_on_cuda() else "cpu"
    if shading != "flat":
        raise UserError(
            f"backend: pytorch3d draws flat pictures only; for {shading} ones take cpu or auto"
        )
    try:
        import jaxreact.rendering.backends.pytorch3d  # noqa: F401
    except (ImportError, OSError) as error:
        raise UserError(f"backend: pytorch3d cannot be imported ({error}); {INSTALL}") from error
    return "pytorch3d"


def create_renderer(
    name: BackendName, surface: Surface, camera: Camera, shading: Shading
) -> Renderer:
    """A renderer of the backend that `choose_backend` named for this shading."""
    if name == "pytorch3d":
        from jaxreact.rendering.backends.pytorch3d import Pytorch3dRenderer

        return Pytorch3dRenderer(surface, camera)
    from jaxreact.rendering.backends.cpu import CpuRenderer

    return CpuRenderer(surface, camera, shading)


def _pytorch3d_on_cuda() -> bool:
    if find_spec("pytorch3d") is None:  # importing torch to learn as much would take seconds
        return False
    try:
        from jaxreact.rendering.backends.pytorch3d import sees_cuda
    except (ImportError, OSError):  # built for another torch
        return False
    return sees_cuda()


def _check_choice(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UserError(f"{key}: {value!r} is not one of {', '.join(choices)}")
