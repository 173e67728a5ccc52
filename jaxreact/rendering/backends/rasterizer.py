"""A z-buffer rasteriser: which triangle is nearest at each pixel, and what it is like there.

It follows PyTorch3D's hard rasteriser (blur 0, one face a pixel, no culling): a pixel shows the
nearest triangle around its centre, with perspective-correct depth; the first triangle wins where
two are equally near; triangles without area are skipped; what is nearer than `NEAR` is cut off.
There is one difference. Where a pixel's centre lies exactly on an edge, PyTorch3D draws neither
side, which leaves a hole; here it belongs to the triangle on the right of the edge (below it, if
it is level), as graphics hardware has it: a closed surface covers each pixel exactly once a layer.

The edge functions are those of homogeneous coordinates (Olano and Greer 1997): cross products of
two vertices as the camera sees them. They need no clipping, and two triangles compute exactly
opposite numbers for the edge that they share. Depth is kept as 1 / w, linear in the picture.
"""

import numpy as np
from jaxtyping import Bool, Float64, Int32
from numba import njit

NEAR = 0.005
"""World units before the camera at which the mesh is cut off (PyTorch3D: half of znear 0.01)."""

_SLACK = 1e-6  # pixels by which bounding boxes are widened, since projection rounds
_ABOVE_ZERO = np.finfo(np.float64).tiny


@njit(nogil=True, error_model="numpy")
def visible(
    points: Float64[np.ndarray, "vertices 3"],
    faces: Int32[np.ndarray, "triangles 3"],
    samples: Float64[np.ndarray, "samples 2"],
    shown: Bool[np.ndarray, "size size"],
) -> Int32[np.ndarray, "size size samples"]:
    """The nearest triangle at some points of some pixels; -1 for none.

    - `points`: from `Camera.homogeneous`. A triangle with a value that is not finite is not drawn.
    - `samples`: the points (x, y) of each pixel, 0..1 from its upper left corner.
    - `wanted`: the pixels; in others the result is -1.
    """
    size = len(shown)
    front = np.full((size, size, len(samples)), -1, np.int32)
    nearest = np.zeros(front.shape)  # 1 / depth
    boxes = _boxes(points, size, samples)
    for face in range(len(faces)):
        i, j, k = faces[face, 0], faces[face, 1], faces[face, 2]
        left = min(boxes[i, 0], boxes[j, 0], boxes[k, 0])
        right = max(boxes[i, 1], boxes[j, 1], boxes[k, 1])
        top = min(boxes[i, 2], boxes[j, 2], boxes[k, 2])
        bottom = max(boxes[i, 3], boxes[j, 3], boxes[k, 3])
        if left <= right and top <= bottom:
            corners = _point(points, i), _point(points, j), _point(points, k)
            box = left, right, top, bottom
            _fill(corners, face, box, samples, shown, nearest, front)
    return front


@njit(nogil=True, error_model="numpy")
def weights(
    points: Float64[np.ndarray, "vertices 3"],
    faces: Int32[np.ndarray, "triangles 3"],
    face: int,
    x: float,
    y: float,
) -> tuple[float, float, float]:
    """How much each corner of a triangle counts at a place of the picture; they sum to 1.

    `x`, `y` in pixels from the picture's middle, right and down. Perspective-correct.
    """
    a, b, c = (
        _point(points, faces[face, 0]),
        _point(points, faces[face, 1]),
        _point(points, faces[face, 2]),
    )
    edge_a, edge_b, edge_c = _at(_edge(b, c), x, y), _at(_edge(c, a), x, y), _at(_edge(a, b), x, y)
    total = edge_a + edge_b + edge_c
    return edge_a / total, edge_b / total, edge_c / total


@njit(nogil=True, error_model="numpy")
def _boxes(points, size, samples):
    """First and last column, first and last row of pixels with a sample beside each vertex.

    Those of a triangle are their minima and maxima: nothing (0..-1) for one beyond a border, the
    whole picture for one that reaches behind the camera.
    """
    boxes = np.empty((len(points), 4), np.int32)
    lowest_x, highest_x, lowest_y, highest_y = 1.0, 0.0, 1.0, 0.0
    for sample in range(len(samples)):
        x, y = samples[sample, 0], samples[sample, 1]
        lowest_x, highest_x = min(lowest_x, x), max(highest_x, x)
        lowest_y, highest_y = min(lowest_y, y), max(highest_y, y)
    for vertex in range(len(points)):
        depth = points[vertex, 2]
        if depth > NEAR:
            u, v = points[vertex, 0] / depth + size / 2, points[vertex, 1] / depth + size / 2
            boxes[vertex, 0] = _first(u - highest_x, size)
            boxes[vertex, 1] = _last(u - lowest_x, size)
            boxes[vertex, 2] = _first(v - highest_y, size)
            boxes[vertex, 3] = _last(v - lowest_y, size)
        else:
            boxes[vertex, 0], boxes[vertex, 1] = 0, size - 1
            boxes[vertex, 2], boxes[vertex, 3] = 0, size - 1
    return boxes


@njit(nogil=True, error_model="numpy")
def _first(place, size):
    """The first of 0..size that is not before `place`; 0 for a NaN."""
    if place >= size:
        return size
    return int(np.ceil(place - _SLACK)) if place > 0 else 0


@njit(nogil=True, error_model="numpy")
def _last(place, size):
    """The last of -1..size - 1 that is not behind `place`; -1 for a NaN."""
    if place >= size - 1:
        return size - 1
    return int(np.floor(place + _SLACK)) if place > -1 else -1


@njit(nogil=True, error_model="numpy")
def _point(points, vertex):
    return points[vertex, 0], points[vertex, 1], points[vertex, 2]


@njit(nogil=True, error_model="numpy")
def _edge(p, q):
    """The coefficients of an edge's function: 0 on the line from p to q, opposite for q to p."""
    return p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]


@njit(nogil=True, error_model="numpy")
def _at(edge, x, y):
    """An edge's function at a point of the picture, in pixels from its middle."""
    return edge[0] * x + (edge[1] * y + edge[2])


@njit(nogil=True, error_model="numpy")
def _least(edge):
    """The least value inside: 0 if the inside is right of the line, or below it, else above 0."""
    return 0.0 if edge[0] > 0 or (edge[0] == 0 and edge[1] > 0) else _ABOVE_ZERO


@njit(nogil=True, error_model="numpy")
def _fill(corners, face, box, samples, shown, nearest, front):
    """Draws one triangle: where it is nearer than what is there, `front` becomes `face`."""
    a, b, c = corners
    if max(a[2], b[2], c[2]) <= NEAR:
        return
    edge_a, edge_b, edge_c = _edge(b, c), _edge(c, a), _edge(a, b)
    volume = edge_a[0] * a[0] + edge_a[1] * a[1] + edge_a[2] * a[2]
    if not abs(volume) > 0:  # seen edge-on, or not a number
        return
    if volume < 0:
        edge_a, edge_b, edge_c = _flipped(edge_a), _flipped(edge_b), _flipped(edge_c)
        volume = -volume
    least_one, least_two, least_three = _least(edge_a), _least(edge_b), _least(edge_c)
    # Rounding may not carry thin triangles beyond their corners' depths.
    in_front = min(a[2], b[2], c[2]) > NEAR
    lowest = 1 / max(a[2], b[2], c[2]) if in_front else 0.0
    highest = 1 / min(a[2], b[2], c[2]) if in_front else 1 / NEAR
    half = len(shown) / 2
    for sample in range(len(samples)):
        for v in range(box[2], box[3] + 1):
            y = v + samples[sample, 1] - half
            for u in range(box[0], box[1] + 1):
                if not shown[v, u]:
                    continue
                x = u + samples[sample, 0] - half
                e1, e2, e3 = _at(edge_a, x, y), _at(edge_b, x, y), _at(edge_c, x, y)
                if (e1 >= least_one) & (e2 >= least_two) & (e3 >= least_three):
                    closeness = (e1 + e2 + e3) / volume
                    if in_front:
                        closeness = min(max(closeness, lowest), highest)
                    if nearest[v, u, sample] < closeness <= highest:
                        nearest[v, u, sample] = closeness
                        front[v, u, sample] = face


@njit(nogil=True, error_model="numpy")
def _flipped(edge):
    return -edge[0], -edge[1], -edge[2]
