"""How many triangles fall into one bin of a picture, for a rasteriser that sorts them into bins."""

import math

import torch
from jaxtyping import Float, Int

from jaxreact.rendering.backends.rasterizer import NEAR
from jaxreact.rendering.camera import CAMERA_DISTANCE, Camera

MARGIN = 1.0
"""Pixels by which two programs' projections of one corner may differ, and many times more."""


def bin_size(picture: int) -> int:
    """Side of a bin in pixels: 16 bins a side at most, as PyTorch3D chooses itself."""
    return 8 if picture <= 64 else 2 ** max(math.ceil(math.log2(picture)) - 4, 4)


def most_in_a_bin(
    vertices: Float[torch.Tensor, "time vertices 3"],
    faces: Int[torch.Tensor, "triangles 3"],
    camera: Camera,
) -> int:
    """The most triangles whose surroundings meet one bin, over all bins of all frames.

    All of them where one reaches the near plane, where it is cut and falls elsewhere.
    """
    depth = CAMERA_DISTANCE - vertices[..., 2]
    if bool((depth <= NEAR).any()):
        return len(faces)
    side, bins = bin_size(camera.size), -(-camera.size // bin_size(camera.size))
    u = camera.centre + camera.focal * vertices[..., 0] / depth
    v = camera.centre - camera.focal * vertices[..., 1] / depth
    corners = torch.stack([v, u], dim=-1)[:, faces]  # (time, triangles, 3, 2)
    first = ((corners.amin(2) - MARGIN) / side).floor().long()
    last = ((corners.amax(2) + MARGIN) / side).floor().long()
    seen = ((last >= 0) & (first < bins)).all(-1).long()  # (time, triangles)
    first, last = first.clamp(min=0, max=bins - 1), last.clamp(min=0, max=bins - 1) + 1
    # Each triangle adds one to a rectangle of bins: four corners of it, summed up both ways.
    counts = torch.zeros(len(vertices), (bins + 1) ** 2, dtype=torch.long, device=vertices.device)
    for row, row_sign in ((first, 1), (last, -1)):
        for column, column_sign in ((first, 1), (last, -1)):
            place = row[..., 0] * (bins + 1) + column[..., 1]
            counts.scatter_add_(1, place, seen * (row_sign * column_sign))
    grid = counts.view(-1, bins + 1, bins + 1).cumsum(1).cumsum(2)
    return int(grid.max())
