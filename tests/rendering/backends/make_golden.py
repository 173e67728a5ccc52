"""Draws the scenes as FaceVerse v2 does, with PyTorch3D alone, into `tests/golden/rasterizer.npz`.

    python -m tests.rendering.backends.make_golden

Nothing of ours draws here: the camera by its field of view, the hard flat shader, a point light
far away. The versions are in the file. Needs the extra `render`; takes about a minute.
"""

import math
from pathlib import Path

import numpy as np
import pytorch3d  # pyright: ignore[reportMissingImports]
import torch
from pytorch3d.renderer import (  # pyright: ignore[reportMissingImports]
    BlendParams,
    FoVPerspectiveCameras,
    HardFlatShader,
    MeshRasterizer,
    MeshRenderer,
    PointLights,
    RasterizationSettings,
    TexturesVertex,
    look_at_view_transform,
)
from pytorch3d.structures import Meshes  # pyright: ignore[reportMissingImports]

from jaxreact.files import replacing
from tests.rendering.backends.scenes import Scene, large_scenes, small_scenes

GOLDEN = Path(__file__).parents[2] / "golden" / "rasterizer.npz"


def original(scene: Scene) -> np.ndarray:
    """Grey pictures (time, size, size), uint8."""
    rotation, translation = look_at_view_transform(10, 0, 0)
    field = 2 * math.degrees(math.atan(112 / 1315))
    cameras = FoVPerspectiveCameras(0.01, 50, fov=field, R=rotation, T=translation)
    renderer = MeshRenderer(
        MeshRasterizer(
            cameras, RasterizationSettings(scene.size, blur_radius=0.0, faces_per_pixel=1)
        ),
        HardFlatShader(
            cameras=cameras,
            lights=PointLights(
                location=((0.0, 0.0, 1e5),),
                ambient_color=((0.1, 0.1, 0.1),),
                diffuse_color=((0.95, 0.95, 0.95),),
                specular_color=((0.0, 0.0, 0.0),),
            ),
            blend_params=BlendParams(background_color=(0.0, 0.0, 0.0)),
        ),
    )
    pictures = []
    for vertices in scene.vertices:
        texture = TexturesVertex(torch.full((1, len(vertices), 3), 200.0))
        mesh = Meshes(torch.tensor(vertices)[None], torch.tensor(scene.faces)[None], texture)
        pictures.append(renderer(mesh)[0, ..., 0].clamp(0, 255).numpy().astype(np.uint8))
    return np.stack(pictures)


def main() -> None:
    pictures = {name: original(one) for name, one in (small_scenes() | large_scenes()).items()}
    versions = f"torch {torch.__version__}, pytorch3d {pytorch3d.__version__}"
    arrays = {"versions": np.array(versions), **pictures}
    with replacing(GOLDEN) as path:
        np.savez_compressed(path, **arrays)  # pyright: ignore[reportArgumentType]
    print(GOLDEN, GOLDEN.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
