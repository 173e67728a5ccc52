"""Flat pictures by PyTorch3D, with the rasteriser settings of FaceVerse v2's mesh renderer.

Import it only where PyTorch3D is wanted: it needs torch and pytorch3d (the extra `render`).
"""

from collections.abc import Iterator

import jax
import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from pytorch3d.renderer import MeshRasterizer, PerspectiveCameras, RasterizationSettings  # pyright: ignore[reportMissingImports]
from pytorch3d.structures import Meshes  # pyright: ignore[reportMissingImports]

from jaxreact.rendering.backends import Surface
from jaxreact.rendering.backends.bins import bin_size, most_in_a_bin
from jaxreact.rendering.backends.rasterizer import NEAR
from jaxreact.rendering.camera import CAMERA_DISTANCE, Camera

BIN_MEMORY = 2**29
"""Bytes of the lists of triangles by bin; they set how many frames are drawn at a time."""

FRAMES = 64
"""Frames at a time at most."""

ROOM = 256
"""The room in a bin is a multiple of so many triangles."""


def sees_cuda() -> bool:
    """Whether torch has a CUDA device to draw on."""
    return torch.cuda.is_available()


class Pytorch3dRenderer:
    """Draws one surface with one camera, on the CUDA device if there is one, else the processor.

    The processor is for comparisons only: it takes tens of seconds for a frame of a full head.
    """

    def __init__(self, surface: Surface, camera: Camera) -> None:
        self._device = torch.device("cuda" if sees_cuda() else "cpu")
        self._faces = torch.tensor(np.asarray(surface.faces), dtype=torch.int64).to(self._device)
        self._camera = camera
        self._rasterizer = MeshRasterizer(_cameras(camera).to(self._device))

    def frames(
        self, vertices: Float[np.ndarray | jax.Array, "time vertices 3"]
    ) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
        """Yields an RGB picture for each frame of world positions, in order."""
        if not len(vertices):
            return
        for some in torch.split(self._tensor(vertices), FRAMES):
            room = self._room(some)
            for few in torch.split(some, _at_once(self._camera, room)):
                for grey in self._draw(few, room).cpu().numpy():
                    yield np.repeat(grey[..., None], 3, axis=2)

    def _room(self, vertices: Float[torch.Tensor, "time vertices 3"]) -> int:
        """Triangles that a bin must hold. A pixel goes through all the room there is in its bin,
        filled or not, so that room for the whole mesh would cost most of the time."""
        most = max(1, most_in_a_bin(vertices, self._faces, self._camera))
        return min(-(-most // ROOM) * ROOM, len(self._faces))

    def _tensor(
        self, vertices: Float[np.ndarray | jax.Array, "time vertices 3"]
    ) -> Float[torch.Tensor, "time vertices 3"]:
        """The same memory where JAX and torch share a GPU, else a copy."""
        if isinstance(vertices, np.ndarray) or self._device.type == "cpu":
            return torch.tensor(np.asarray(vertices), dtype=torch.float32, device=self._device)
        return torch.from_dlpack(vertices).to(self._device, torch.float32)

    @torch.inference_mode()
    def _draw(
        self, vertices: Float[torch.Tensor, "time vertices 3"], room: int
    ) -> UInt8[torch.Tensor, "time size size"]:
        meshes = Meshes(vertices, self._faces.expand(len(vertices), -1, -1))
        settings = _settings(self._camera, room)
        shown = self._rasterizer(meshes, raster_settings=settings).pix_to_face[..., 0]
        grey = flat_grey(vertices, self._faces).reshape(-1)  # as the triangles of all frames count
        return torch.where(shown < 0, 0, grey[shown.clamp(min=0)]).to(torch.uint8)


def flat_grey(
    vertices: Float[torch.Tensor, "time vertices 3"], faces: Int[torch.Tensor, "triangles 3"]
) -> Float[torch.Tensor, "time triangles"]:
    """200 (0.1 + 0.95 max(0, n_z)), n the normal of the winding; see `shade.flat_picture`."""
    a, b, c = vertices.double()[:, faces].unbind(dim=2)
    normals = torch.linalg.cross(b - a, c - a)
    length = torch.linalg.vector_norm(normals, dim=-1).clamp(min=1e-30)
    return 200 * (0.1 + 0.95 * (normals[..., 2] / length).clamp(min=0))


def _cameras(camera: Camera) -> PerspectiveCameras:
    """Our camera in PyTorch3D's frame, where x points to image left, y up and z into the picture.

    Its picture reaches from -1 to 1, which makes the focal length 2 f / size.
    """
    return PerspectiveCameras(
        focal_length=2 * camera.focal / camera.size,
        R=torch.diag(torch.tensor([-1.0, 1.0, -1.0]))[None],
        T=torch.tensor([[0.0, 0.0, CAMERA_DISTANCE]]),
    )


def _at_once(camera: Camera, room: int) -> int:
    """Frames whose lists of triangles by bin fit into `BIN_MEMORY`."""
    bins = -(-camera.size // bin_size(camera.size))
    return max(1, BIN_MEMORY // (4 * bins**2 * room))


def _settings(camera: Camera, room: int) -> RasterizationSettings:
    """The original's hard edges, without its holes.

    On a GPU PyTorch3D first sorts triangles into bins of the picture. A bin that is full drops what
    else falls into it, which leaves holes in a head of many triangles that is small in the picture:
    here each bin has room for all that meet it. On a processor there are no bins.
    """
    return RasterizationSettings(
        image_size=camera.size,
        blur_radius=0.0,
        faces_per_pixel=1,
        bin_size=bin_size(camera.size) if sees_cuda() else None,
        max_faces_per_bin=room,
        perspective_correct=True,
        clip_barycentric_coords=False,
        cull_backfaces=False,
        z_clip_value=NEAR,
    )
