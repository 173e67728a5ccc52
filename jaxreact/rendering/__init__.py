"""From face coefficients to pictures: one function, whatever draws them."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.rendering.backends import Backend, Renderer, Shading, choose_backend, create_renderer
from jaxreact.rendering.camera import SIZE, Camera
from jaxreact.rendering.heads import HeadModel, check_coeffs, load_builtin_head, load_head

__all__ = [
    "Backend",
    "Camera",
    "HeadModel",
    "Shading",
    "choose_backend",
    "load_builtin_head",
    "load_head",
    "portrait_zoom",
    "render",
    "render_frames",
]

PORTRAIT_ZOOM = 0.66
"""Zoom of smooth pictures of a head with hair and shoulders, which need room."""

CHUNK = 32
"""Frames whose vertices are held at a time."""


def render_frames(
    coeffs: Float[np.ndarray, "time 58"],
    head: HeadModel | None = None,
    size: int = SIZE,
    shading: Shading = "smooth",
    backend: Backend = "auto",
    zoom: float | None = None,
) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
    """Yields an RGB picture for each frame of *raw* coefficients (the mean is in them).

    - `head`: the built-in one by default.
    - `size`: side of the picture in pixels.
    - `shading`: "smooth" is a portrait in colour, anti-aliased; "flat" is the original's mesh
      preview: 200 (0.1 + 0.95 max(0, n_z)), 20..210, on black, hard edges.
    - `backend`: what draws; `choose_backend` says which one "auto" is.
    - `zoom`: multiplies the focal length; by default 1 for "flat" (the original's framing) and
      `portrait_zoom` for "smooth".

    Memory does not grow with time. Raises `UserError`, before the first frame is drawn, for a
    wrong shape, a value that is not finite (naming the frame), or what `choose_backend` refuses.
    """
    coeffs = check_coeffs(coeffs)
    name = choose_backend(backend, shading)
    head = head or load_builtin_head()
    if zoom is None:
        zoom = 1.0 if shading == "flat" else portrait_zoom(head)
    renderer = create_renderer(name, head, Camera(size, zoom), shading)
    return _chunked(renderer, head, coeffs)


def render(
    coeffs: Float[np.ndarray, "time 58"],
    head: HeadModel | None = None,
    size: int = SIZE,
    shading: Shading = "smooth",
    backend: Backend = "auto",
    zoom: float | None = None,
) -> UInt8[np.ndarray, "time size size 3"]:
    """All pictures of a clip at once; arguments and errors of `render_frames`."""
    frames = list(render_frames(coeffs, head, size, shading, backend, zoom))
    return np.stack(frames) if frames else np.zeros((0, size, size, 3), np.uint8)


def portrait_zoom(head: HeadModel) -> float:
    """Zoom at which a head has its room: shoulders, and hair above them, need more than a face."""
    return PORTRAIT_ZOOM if (head.grip < 1).any() else 1.0


def _chunked(
    renderer: Renderer, head: HeadModel, coeffs: Float[np.ndarray, "time 58"]
) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
    for start in range(0, len(coeffs), CHUNK):
        yield from renderer.frames(head.vertices(coeffs[start : start + CHUNK]))
