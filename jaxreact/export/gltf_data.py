"""The numbers of a glTF file: one buffer, the views into it, and what they mean."""

import numpy as np
import pygltflib as gltf
from jaxtyping import Float, Shaped

_TYPES = {1: gltf.SCALAR, 2: gltf.VEC2, 3: gltf.VEC3, 4: gltf.VEC4, 16: gltf.MAT4}
_COMPONENTS = {
    "float32": gltf.FLOAT,
    "uint8": gltf.UNSIGNED_BYTE,
    "uint16": gltf.UNSIGNED_SHORT,
    "uint32": gltf.UNSIGNED_INT,
}


class Data:
    """What is collected of a file's buffer, views and accessors; methods give an index of them."""

    def __init__(self) -> None:
        self.views: list[gltf.BufferView] = []
        self.accessors: list[gltf.Accessor] = []
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def blob(self) -> bytes:
        """The buffer so far."""
        return b"".join(self._pieces)

    def view(self, content: bytes, target: int | None = None) -> int:
        """A view of these bytes, at a multiple of four."""
        self.views.append(
            gltf.BufferView(buffer=0, byteOffset=self._size, byteLength=len(content), target=target)
        )
        padded = content + bytes(-len(content) % 4)
        self._pieces.append(padded)
        self._size += len(padded)
        return len(self.views) - 1

    def array(
        self,
        values: Shaped[np.ndarray, "count *components"],
        target: int | None = None,
        *,
        bounds: bool = False,
        normalized: bool = False,
    ) -> int:
        """An accessor of rows of 1, 2, 3, 4 or 16 numbers, with `bounds` their range."""
        view = self.view(np.ascontiguousarray(values).tobytes(), target)
        self.accessors.append(_accessor(values, view, bounds, normalized))
        return len(self.accessors) - 1

    def sparse(self, values: list[Float[np.ndarray, "count 3"]], bounds: list[bool]) -> list[int]:
        """Accessors of arrays most of whose rows are 0, of which only the others are stored.

        They share one list of rows, those that are not 0 in any of the arrays.
        """
        moved = np.flatnonzero(np.concatenate(values, axis=1).any(axis=1))
        if not moved.size:  # a sparse accessor has one row at least
            moved = np.array([0])
        rows = moved.astype(np.uint16 if len(values[0]) <= 65536 else np.uint32)
        indices = gltf.AccessorSparseIndices(
            bufferView=self.view(rows.tobytes()), componentType=_COMPONENTS[rows.dtype.name]
        )
        made = []
        for array, bounded in zip(values, bounds, strict=True):
            accessor = _accessor(array, None, bounded)
            stored = gltf.AccessorSparseValues(bufferView=self.view(array[moved].tobytes()))
            accessor.sparse = gltf.Sparse(count=len(moved), indices=indices, values=stored)
            self.accessors.append(accessor)
            made.append(len(self.accessors) - 1)
        return made


def _accessor(
    values: np.ndarray, view: int | None, bounds: bool, normalized: bool = False
) -> gltf.Accessor:
    rows = values.reshape(len(values), -1)
    accessor = gltf.Accessor(
        bufferView=view,
        byteOffset=None if view is None else 0,  # 0 beside no view is not valid, but the default
        componentType=_COMPONENTS[values.dtype.name],
        count=len(rows),
        type=_TYPES[rows.shape[1]],
        normalized=normalized,
    )
    if bounds:
        accessor.min, accessor.max = rows.min(axis=0).tolist(), rows.max(axis=0).tolist()
    return accessor
