"""A mesh that carries its units along: cutting, refining, joining; and the eyeballs."""

from dataclasses import dataclass

import numpy as np

from jaxreact.rendering.shade import vertex_normals

IRIS_RINGS = (6, 11, 12.5, 17, 22, 27, 29.5, 32, 38, 48, 62, 80, 100)
"""Degrees from the optical axis at which an eyeball has vertices: dense where colours change."""

SEGMENTS = 32


@dataclass(frozen=True)
class Mesh:
    """`data` (n, k) holds every attribute that is linear over the surface; see `columns`."""

    data: np.ndarray
    faces: np.ndarray
    part: np.ndarray

    @property
    def position(self) -> np.ndarray:
        """Positions (n, 3) at rest."""
        return self.data[:, :3]

    @property
    def uv(self) -> np.ndarray:
        """Texture coordinates (n, 2)."""
        return self.data[:, 3:5]

    @property
    def units(self) -> np.ndarray:
        """Displacements (52, n, 3)."""
        return self.data[:, 5:].reshape(len(self.data), 52, 3).swapaxes(0, 1)


def build(position: np.ndarray, uv: np.ndarray, units: np.ndarray, faces, part) -> Mesh:
    """A mesh from its attributes: (n, 3), (n, 2), (52, n, 3), triangles and part names."""
    flat = units.swapaxes(0, 1).reshape(len(position), -1)
    return Mesh(np.concatenate([position, uv, flat], axis=1), faces, part)


def cut(mesh: Mesh, keep_faces: np.ndarray) -> Mesh:
    """Only the triangles chosen, and the vertices that they use."""
    faces = mesh.faces[keep_faces]
    used, inverse = np.unique(faces, return_inverse=True)
    return Mesh(mesh.data[used], inverse.reshape(-1, 3), mesh.part[used])


def join(meshes: list[Mesh]) -> Mesh:
    """Several meshes as one, without merging vertices."""
    starts = np.cumsum([0] + [len(m.data) for m in meshes[:-1]])
    return Mesh(
        np.concatenate([m.data for m in meshes]),
        np.concatenate([m.faces + s for m, s in zip(meshes, starts, strict=True)]),
        np.concatenate([m.part for m in meshes]),
    )


def refine(mesh: Mesh, chosen: np.ndarray) -> Mesh:
    """Splits every edge of the chosen triangles in the middle, and their neighbours to match."""
    edges, index = _edges(mesh.faces)
    split = np.zeros(len(edges), bool)
    split[index[chosen]] = True
    return _split(mesh, edges, index, np.where(split, 0.5, np.nan))


def crease(mesh: Mesh, where: np.ndarray, degrees: float) -> Mesh:
    """Doubles the vertices of `where` (n,) along edges sharper than `degrees`.

    So normals are not smoothed across those edges.
    """
    a, b, c = (mesh.position[mesh.faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    owner: dict[tuple[int, int], int] = {}
    new = []
    faces = mesh.faces.copy()
    limit = np.cos(np.radians(degrees))
    for triangle in np.flatnonzero(where[mesh.faces].all(axis=1)).tolist():
        for corner, vertex in enumerate(mesh.faces[triangle].tolist()):
            groups = [key for key in owner if key[0] == vertex]
            near = [key for key in groups if normal[key[1]] @ normal[triangle] > limit]
            if near:
                faces[triangle, corner] = owner[near[0]]
                continue
            index = vertex if not groups else len(mesh.data) + len(new)
            if groups:
                new.append(vertex)
            owner[vertex, triangle] = faces[triangle, corner] = index
    data = np.concatenate([mesh.data, mesh.data[new]])
    return Mesh(data, faces, np.concatenate([mesh.part, mesh.part[new]]))


def carve(mesh: Mesh, field: np.ndarray, level: float, where: np.ndarray) -> Mesh:
    """Splits the edges that cross field = level exactly there, so that paint can change on a line.

    `field` (n,) is a value for each vertex; only triangles whose three vertices are in `where`
    are carved. A crossing within 4 % of an edge's end is left alone, which avoids slivers.
    """
    edges, index = _edges(mesh.faces)
    start, end = field[edges[:, 0]], field[edges[:, 1]]
    with np.errstate(divide="ignore", invalid="ignore"):
        cut_at = (level - start) / (end - start)
    good = (cut_at > 0.04) & (cut_at < 0.96) & where[edges].all(axis=1)
    return _split(mesh, edges, index, np.where(good, cut_at, np.nan))


def _edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Undirected edges (e, 2), and each triangle's (m, 3) in the order 01, 12, 20."""
    ends = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edges, index = np.unique(ends, axis=0, return_inverse=True)
    return edges, index.reshape(-1, 3)


def _split(mesh: Mesh, edges: np.ndarray, index: np.ndarray, cut_at: np.ndarray) -> Mesh:
    """Splits each edge at the given fraction of its length (NaN: not at all).

    There are no T-junctions. New vertices lie on the curved edges of PN triangles (Vlachos et
    al. 2001), so that outlines get rounder; everything else is interpolated linearly.
    """
    split = ~np.isnan(cut_at)
    new = np.full(len(edges), -1)
    new[split] = len(mesh.data) + np.arange(split.sum())
    ends, t = edges[split], cut_at[split][:, None]
    data = mesh.data[ends[:, 0]] * (1 - t) + mesh.data[ends[:, 1]] * t
    data[:, :3] -= 4 * t * (1 - t) * _bulge(mesh, ends)
    faces = [
        triangle
        for corners, cuts in zip(mesh.faces.tolist(), new[index].tolist(), strict=True)
        for triangle in _pieces(corners, cuts)
    ]
    part = np.concatenate([mesh.part, mesh.part[ends[:, 0]]])
    return Mesh(np.concatenate([mesh.data, data]), np.array(faces), part)


def _bulge(mesh: Mesh, ends: np.ndarray) -> np.ndarray:
    """How far the middle of each edge lies below its PN triangle's curve, (n, 3)."""
    normals = vertex_normals(mesh.position, mesh.faces)
    a, b = mesh.position[ends[:, 0]], mesh.position[ends[:, 1]]
    at_a, at_b = normals[ends[:, 0]], normals[ends[:, 1]]
    rise = ((b - a) * at_a).sum(axis=1, keepdims=True) * at_a
    return (rise + ((a - b) * at_b).sum(axis=1, keepdims=True) * at_b) / 8


def _pieces(corners: list[int], mids: list[int]) -> list[list[int]]:
    """The triangles that replace one whose edges (01, 12, 20) have the given midpoints or -1."""
    count = sum(m >= 0 for m in mids)
    if count == 0:
        return [corners]
    if count == 3:
        (a, b, c), (ab, bc, ca) = corners, mids
        return [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]
    while mids[0] < 0 or (count == 2 and mids[1] < 0):
        corners, mids = corners[1:] + corners[:1], mids[1:] + mids[:1]
    (a, b, c), (ab, bc, _) = corners, mids
    if count == 1:
        return [[a, ab, c], [ab, b, c]]
    return [[a, ab, bc], [ab, b, bc], [a, bc, c]]


def sphere_through(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and radius of the sphere that fits points best (linear least squares)."""
    system = np.column_stack([2 * points, np.ones(len(points))])
    solution = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    centre = solution[:3]
    return centre, float(np.sqrt(solution[3] + centre @ centre))


def keep_off(mesh: Mesh, where: np.ndarray, centre: np.ndarray, radius: float) -> Mesh:
    """Units that would bring a vertex of `where` (n,) nearer to a sphere slide it around instead.

    So even the sum of several units keeps the eyeball behind its lids.
    """
    data = mesh.data.copy()
    rows = np.flatnonzero(where)
    rest = mesh.position[rows] - centre
    apart = np.linalg.norm(rest, axis=1)
    rows, rest, apart = (x[apart > radius] for x in (rows, rest, apart))
    moved = rest + mesh.units[:, rows]
    distance = np.linalg.norm(moved, axis=2, keepdims=True)
    loose = np.clip((apart / radius - 1.1) / 0.24, 0, 1)  # the cheek may come nearer, gradually
    least = apart - (apart - 1.06 * radius) * loose
    moved *= np.maximum(least[None, :, None] / distance, 1)
    data[rows, 5:] = (moved - rest).swapaxes(0, 1).reshape(len(rows), -1)
    return Mesh(data, mesh.faces, mesh.part)


def rotation_of(points: np.ndarray, moved: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The rotation about centre that takes points nearest to moved (Kabsch 1976)."""
    left, _, right = np.linalg.svd((points - centre).T @ (moved - centre))
    sign = np.sign(np.linalg.det(left @ right))
    return right.T @ np.diag([1, 1, sign]) @ left.T


def eyeball(centre: np.ndarray, radius: float, turns: np.ndarray) -> Mesh:
    """A sphere with rings around its optical axis (+z), open at the back.

    `turns` (52, 3, 3) are the rotations of the units; a vertex moves on the chord, which is
    within 3 % of the radius of the arc for eye movements.
    """
    polar = np.radians(np.repeat(IRIS_RINGS, SEGMENTS))
    around = np.tile(np.arange(SEGMENTS) * 2 * np.pi / SEGMENTS, len(IRIS_RINGS))
    ring = np.sin(polar)
    local = np.column_stack([ring * np.cos(around), ring * np.sin(around), np.cos(polar)])
    local = radius * np.concatenate([[[0, 0, 1.0]], local])
    units = np.einsum("uij,nj->uni", turns, local) - local
    faces = [[0, 1 + s, 1 + (s + 1) % SEGMENTS] for s in range(SEGMENTS)]
    for inner in range(len(IRIS_RINGS) - 1):
        for s in range(SEGMENTS):
            a, b = (1 + inner * SEGMENTS + k % SEGMENTS for k in (s, s + 1))
            faces += [[a, a + SEGMENTS, b + SEGMENTS], [a, b + SEGMENTS, b]]
    polar_uv = np.concatenate([[[0, 0]], np.column_stack([np.degrees(polar), around])])
    part = np.full(len(local), "eye")
    return build(centre + local, polar_uv, units, np.array(faces), part)
